/** Other names of attributes: read, set and asked for as the attribute itself. */
import {
  createAllSync,
  defineModel,
  entity,
  faultsOf,
  filterBy,
  generated,
  integer,
  joined,
  named,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectRows,
  set,
  subtype,
  text,
  update,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { toNullable } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { errorOf, resultOf } from '../app.js'
import { hostsOf } from '../hosts.js'

const id = pipe(integer, primaryKey, generated)
const User = entity(
  'User',
  'users',
  { id, kind: text, email: pipe(text, named('e_mail')), age: pipe(integer, nullable) },
  { discriminator: 'kind', identity: 'user' },
)
const Admin = subtype(User)('Admin', 'admins', { level: pipe(integer, named('lvl')) }, { identity: 'admin' })
const Post = entity('Post', 'posts', { id, title: text, userId: integer })

const model = defineModel({ User, Admin, Post })(
  (r) => ({ Post: { user: r.Post.belongsTo('User', { foreignKey: 'userId' }) } }),
  (a) => ({
    User: { login: a.User.synonym('email'), years: a.User.synonym('age') },
    Admin: { rank: a.Admin.synonym('level') },
  }),
)

describe.each(hostsOf(model))('on $title', ({ onHost }) => {
  onHost('are given in drafts and changes, and read from snapshots', async ({ run }) => {
    const added = await run(Session.add(model.User, { login: 'ed@x', years: 3 }))
    expect([added.email, added.login, added.years]).toEqual(['ed@x', 'ed@x', 3])
    await run(Session.commit)
    const [user] = await run(Session.query(pipe(select(model.User), where('login', '=', 'ed@x'))))
    expect([user?.email, user?.login]).toEqual(['ed@x', 'ed@x'])
    // a snapshot prints and compares by its own names
    expect({ ...user }).toEqual({ id: 1, kind: 'user', email: 'ed@x', age: 3 })
    const changed = await run(pipe(user!, Session.set(model.User, { login: 'al@x' })))
    expect([changed.email, changed.login]).toEqual(['al@x', 'al@x'])
    await run(Session.commit)
    expect((await run(Session.query(select(model.User)))).map(({ email }) => email)).toEqual(['al@x'])
    const merged = await run(Session.merge(model.User, { id: 1, login: 'cy@x' }))
    expect(merged.email).toBe('cy@x')
  })

  onHost('are names of the attribute in queries and bulk statements', async ({ run }) => {
    await run(Session.addAll(model.User, [{ email: 'b' }, { login: 'a' }]))
    await run(Session.add(model.Admin, { login: 'c', rank: 7 }))
    await run(Session.commit)
    const rows = pipe(
      select(model.User),
      where((eb) => eb.or([eb('users.login', 'in', ['a', 'b']), eb('email', '=', 'c')])),
      orderBy('login', 'desc'),
      selectRows('id', 'login'),
    )
    expect((await run(Session.rows(rows))).map(({ login }) => login)).toEqual(['c', 'b', 'a'])
    expect((await run(Session.query(pipe(select(model.User), filterBy({ login: 'a' }))))).length).toBe(1)
    expect(
      (await run(Session.query(pipe(select(model.Admin), where('rank', '=', 7))))).map((one) => one.login),
    ).toEqual(['c'])
    const ranked = pipe(
      select(model.User),
      withSubtypes('*'),
      where((eb) => eb('Admin.rank', '>', 6)),
    )
    expect((await run(Session.query(ranked))).map((one) => (one.kind === 'admin' ? one.rank : 0))).toEqual([7])
    const moved = pipe(update(model.User), set({ login: 'z' }), where('login', '=', 'a'))
    expect(await run(pipe(moved, Session.execute()))).toBe(1)
    expect((await run(Session.query(pipe(select(model.User), where('email', '=', 'z'))))).length).toBe(1)
  })

  onHost('are there of what is loaded beside a row', async ({ run }) => {
    const user = await run(Session.add(model.User, { email: 'ed@x' }))
    await run(Session.add(model.Post, { title: 'a', user }))
    await run(Session.commit)
    await run(Session.expunge(model.User)(user))
    const [post] = await run(Session.query(pipe(select(model.Post), joined('user'))))
    expect(toNullable(post!.user)?.login).toBe('ed@x')
  })

  onHost('are refused beside the name itself', async ({ fails }) => {
    const both = { email: 'a', login: 'b' }
    expect(Session.render(await fails(Session.add(model.User, both as never)))).toBe(
      'User.login cannot be "b": it is another name of \'email\', which is given too.',
    )
    expect(faultsOf(model.User)({ login: 7 } as never)).toEqual([
      { attribute: 'email', value: 7, problem: 'it is no string' },
    ])
  })
})

test('hooks on an attribute are asked about it by any name', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  resultOf(createAllSync(model)(engine))
  const hooks = Session.defineHooks(model)({
    User: {
      set: {
        email: ({ value }) =>
          value === '' ? Session.refuse('it has an address') : Session.accept(value.toLowerCase()),
      },
    },
  })
  const store = Session.createStore(Session.runtime(model, engine, { hooks }))
  const added = resultOf(store.runSync(Session.add(model.User, { login: 'ED@X' })))
  expect(added.email).toBe('ed@x')
  const changed = resultOf(store.runSync(pipe(added, Session.set(model.User, { login: 'AL@X' }))))
  expect(changed.login).toBe('al@x')
  expect(errorOf(store.runSync(pipe(added, Session.set(model.User, { login: '' }))))).toMatchObject({
    _tag: 'HookRefused',
    attribute: 'email',
  })
})
