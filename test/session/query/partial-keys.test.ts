/**
 * Entities whose key may be NULL in part: the view of an outer join, and tables that allow it, on each database.
 */
import {
  containsEager,
  createAll,
  defineModel,
  entity,
  integer,
  joined,
  leftJoin,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  subquery,
  text,
  where,
  withOptions,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestDatabase } from '../../core/engine/databases.js'
import { resultOf } from '../app.js'
import { hosts } from './joins-app.js'

const User = entity('User', 'users', { id: pipe(integer, primaryKey), name: text })

/** A user with one of the posts, or without any: a view. */
const Authorship = entity('Authorship', 'authorships', {
  userId: pipe(integer, primaryKey),
  postId: pipe(integer, nullable, primaryKey),
  title: pipe(text, nullable),
})

/** A setting of a user, or of all of them. */
const Setting = entity('Setting', 'settings', {
  name: pipe(text, primaryKey),
  userId: pipe(integer, nullable, primaryKey),
  value: text,
})

const model = defineModel({ User, Authorship, Setting })((r) => ({
  User: { authorships: r.User.hasMany('Authorship', { foreignKey: 'userId', orderBy: 'postId', viewonly: true }) },
}))

const authorships = pipe(select(model.Authorship), orderBy('userId'), orderBy('postId'))
const entire = withOptions({ allowPartialKeys: false })

test('a key that may be NULL as a whole is none', () => {
  const Wrong = entity('Wrong', 'wrong', { id: pipe(integer, nullable, primaryKey) })
  expect(() => defineModel({ Wrong })(() => ({}))).toThrow(/a primary key needs a column that cannot be nullable/)
})

for (const { host, title, isMissing } of hosts) {
  describe.skipIf(isMissing)(`on ${title}`, () => {
    let database: TestDatabase
    let runtime: Session.Runtime
    let close: () => Promise<void>
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> =>
      resultOf(await Session.run(runtime)(program)())

    beforeAll(async () => {
      database = await host.create()
      const engine = database.open()
      close = () => engine.close()
      resultOf(await createAll(model)(engine)())
      runtime = Session.runtime(model, engine)
      const q = (name: string) => (title.includes('Maria') ? `\`${name}\`` : `"${name}"`)
      for (const statement of [
        'drop table authorships',
        'create table posts (id integer, author integer, title varchar(20))',
        `create view authorships as select users.id as ${q('userId')}, posts.id as ${q('postId')}, posts.title as title
          from users left join posts on posts.author = users.id`,
        "insert into users (id, name) values (1, 'ed'), (2, 'wendy')",
        "insert into posts values (1, 1, 'one'), (2, 1, 'two')",
      ]) {
        await run(Session.chain(() => Session.commit)(Session.sql(sql.raw(statement))))
      }
    })
    afterAll(async () => {
      await close()
      await database.drop()
    })

    test('rows with such a key are instances, each by its own', async () => {
      const found = await run(Session.all([Session.query(authorships), Session.query(authorships)]))
      expect(found[0]).toMatchObject([
        { userId: 1, postId: 1, title: 'one' },
        { userId: 1, postId: 2, title: 'two' },
        { userId: 2, postId: null, title: null },
      ])
      expect(found[1]?.every((one, i) => one === found[0]?.[i])).toBe(true)
    })

    test('they are left out where that is asked for', async () => {
      expect((await run(Session.query(entire(authorships)))).map(({ postId }) => postId)).toEqual([1, 2])
      expect(await run(Session.query(pipe(authorships, where('userId', '=', 2), entire)))).toEqual([])
    })

    test('they are got and refreshed by their key', async () => {
      const got = await run(Session.get(model.Authorship, { userId: 2, postId: null }))
      expect(isSome(got) && got.value.title).toBe(null)
      expect(isSome(await run(Session.get(model.Authorship, { userId: 1, postId: null })))).toBe(false)
      const refreshed = pipe(
        Session.query(authorships),
        Session.chain((found) => Session.refresh(model.Authorship)(found[2] as (typeof found)[number])),
      )
      expect(await run(refreshed)).toMatchObject({ userId: 2, postId: null })
    })

    test('they are loaded as targets by every strategy, unless they are left out', async () => {
      const users = pipe(select(model.User), orderBy('id'))
      const counts = async (query: typeof users, load: typeof selectin) =>
        (await run(Session.query(pipe(query, load('authorships'))))).map((user) => user.authorships.length)
      for (const load of [selectin, joined, subquery]) {
        expect(await counts(users, load)).toEqual([2, 1])
        expect(await counts(entire(users), load)).toEqual([2, 0])
      }
      const contained = pipe(users, leftJoin('authorships', 'a'), containsEager('authorships', 'a'))
      const sizes = async (query: typeof contained) =>
        (await run(Session.query(query))).map((user) => user.authorships.length)
      expect(await sizes(contained)).toEqual([2, 1])
      expect(await sizes(entire(contained))).toEqual([2, 0])
    })

    test('they are inserted, updated and deleted', async () => {
      const settings = (name: string) =>
        pipe(select(model.Setting), where('name', '=', name), where('userId', 'is', null))
      const program = pipe(
        Session.addAll(model.Setting, [
          { name: 'theme', value: 'dark' },
          { name: 'theme', userId: 1, value: 'light' },
          { name: 'font', userId: null, value: 'serif' },
        ]),
        Session.chain(() => Session.commit),
        Session.chain(() => Session.one(settings('theme'))),
        Session.chain(Session.set(model.Setting, { value: 'grey' })),
        Session.chain(() => Session.one(settings('font'))),
        Session.chain(Session.remove(model.Setting)),
        Session.chain(() => Session.commit),
      )
      await run(program)
      const left = await run(Session.query(pipe(select(model.Setting), orderBy('value'))))
      expect(left).toMatchObject([
        { name: 'theme', userId: null, value: 'grey' },
        { name: 'theme', userId: 1, value: 'light' },
      ])
    })
  })
}
