/**
 * What hooks are for: the README's example, and the recipes that applications ask for first.
 */
import {
  createAllSync,
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  nullable,
  orderBy,
  primaryKey,
  select,
  set,
  text,
  update,
  where,
  whereOf,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { accept, combineHooks, defineHooks, info, keep, refuse } from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { now, openOn, resultOf } from '../app.js'
import { blog } from './blog.js'

test('the example of the README', () => {
  const User = entity('User', 'users', {
    id: pipe(integer, primaryKey, generated),
    name: text,
    nickname: pipe(text, nullable),
  })
  const Address = entity('Address', 'addresses', {
    id: pipe(integer, primaryKey, generated),
    email: text,
    userId: integer,
  })
  const model = defineModel({ User, Address })((r) => ({
    User: { addresses: r.User.hasMany('Address', { foreignKey: 'userId', inverse: 'user' }) },
    Address: { user: r.Address.belongsTo('User', { foreignKey: 'userId', inverse: 'addresses' }) },
  }))
  const engine = sqliteEngine(new Database(':memory:'))
  createAllSync(model)(engine)

  const rules = defineHooks(model)({
    User: {
      // decides on the value that is stored
      set: { name: ({ value }) => (value.trim() === '' ? refuse('a user has a name') : accept(value.trim())) },
      // keeps another attribute in step, by a change like any other
      append: {
        addresses: ({ instance, value }) => keep(Session.set(model.User, { nickname: value.email ?? null })(instance)),
      },
      // rewrites every query, load, get, update and delete of users before it runs
      beforeExecute: ({ statement }) => accept(pipe(statement, where('name', '<>', 'nobody'))),
    },
  })

  const written = info('rows written', 0)
  const counting = defineHooks(model)(
    {},
    { afterFlush: ({ flushed }) => keep(written.update((rows) => rows + flushed.inserted + flushed.updated)) },
  )

  const ruled = Session.runtime(model, engine, { hooks: combineHooks(rules, counting) })

  expect(Session.runSync(ruled)(Session.add(model.User, { name: ' ' }))).toMatchObject({
    left: { _tag: 'HookRefused', hook: 'set', entity: 'User', attribute: 'name', reason: 'a user has a name' },
  })
  const program = Session.gen(function* () {
    yield* Session.add(model.User, { name: ' ed ', addresses: [{ email: 'ed@example.org' }] })
    yield* Session.add(model.User, { name: 'nobody' })
    yield* Session.commit
    const users = yield* Session.query(select(model.User))
    return { users: users.map((user) => ({ ...user })), rows: yield* Session.gets(written.get) }
  })
  expect(resultOf(Session.runSync(ruled)(program))).toEqual({
    users: [{ id: 1, name: 'ed', nickname: 'ed@example.org' }],
    rows: 3,
  })
})

/** Posts belong to a tenant: nobody sees, changes or makes those of another. */
const tenancy = (tenant: string): Session.Hooks =>
  defineHooks(blog)({
    Post: {
      set: { tenant: ({ value }) => (value === tenant ? keep() : refuse(`it belongs to ${tenant}`)) },
      beforeExecute: ({ statement }) => accept(pipe(statement, where('tenant', '=', tenant))),
    },
  })

/** Who edits a post stands in it, and in a journal. */
const audit = (editor: string): Session.Hooks =>
  defineHooks(blog)(
    {},
    {
      beforeFlush: ({ state }) => {
        const { added, changed } = Session.unitOfWork(blog.Post)(state)
        return keep(
          ...[...added, ...changed].map(Session.set(blog.Post, { editedBy: editor })),
          ...changed.map(({ title }) => Session.add(blog.Entry, { action: `${editor} edits ${title}` })),
        )
      },
    },
  )

/** What is deleted is hidden: an instance by what the flush does with it, many by what their statement says. */
const softDelete: Session.Hooks = defineHooks(blog)(
  {
    Post: {
      beforeExecute: ({ statement, services }) =>
        accept(
          pipe(
            statement._tag === 'Delete'
              ? pipe(update(blog.Post), set({ hiddenAt: services.now }), whereOf(statement))
              : statement,
            where('hiddenAt', 'is', null),
          ),
        ),
    },
  },
  {
    beforeFlush: ({ state, services }) =>
      keep(
        ...Session.unitOfWork(blog.Post)(state).deleted.map((post) =>
          pipe(
            Session.add(blog.Post, post),
            Session.chain(() => Session.set(blog.Post, { hiddenAt: services.now })(post)),
          ),
        ),
      ),
  },
)

describe('a recipe', () => {
  test('tenancy', () => {
    const app = openOn(blog)
    for (const tenant of ['acme', 'other']) {
      const own = Session.createStore(app.runtime, Session.empty(blog, { hooks: tenancy(tenant) }))
      resultOf(own.runSync(Session.add(blog.Post, { tenant, title: `of ${tenant}` })))
      resultOf(own.runSync(Session.commit))
      expect(resultOf(own.runSync(Session.query(select(blog.Post)))).map(({ title }) => title)).toEqual([
        `of ${tenant}`,
      ])
      expect(own.runSync(Session.add(blog.Post, { tenant: 'third', title: 'x' }))).toMatchObject({
        left: { _tag: 'HookRefused', reason: `it belongs to ${tenant}` },
      })
      own.closeSync()
    }
    const acme = Session.createStore(app.runtime, Session.empty(blog, { hooks: tenancy('acme') }))
    expect(resultOf(acme.runSync(Session.get(blog.Post, 2)))).toEqual({ _tag: 'None' })
    expect(resultOf(acme.runSync(pipe(deleteFrom(blog.Post), Session.execute())))).toBe(1)
    resultOf(acme.runSync(Session.commit))
    acme.closeSync()
    expect(app.rows('posts')).toMatchObject([{ tenant: 'other' }])
  })

  test('audit columns, and a journal', () => {
    const app = openOn(blog, { hooks: audit('wendy') })
    const post = app.run(Session.add(blog.Post, { tenant: 't', title: 'p' }))
    app.run(Session.commit)
    app.run(Session.set(blog.Post, { title: 'q' })(post))
    app.run(Session.commit)
    expect(app.rows('posts')).toMatchObject([{ title: 'q', editedBy: 'wendy' }])
    expect(app.rows('entries')).toEqual([{ id: 1, action: 'wendy edits q', at: now.toISOString() }])
  })

  test('soft delete', () => {
    const app = openOn(blog, { hooks: softDelete })
    const titles = () => app.run(Session.query(pipe(select(blog.Post), orderBy('id')))).map(({ title }) => title)
    const [a] = app.run(
      Session.addAll(blog.Post, [
        { tenant: 't', title: 'a', comments: [{ body: 'x' }] },
        { tenant: 't', title: 'b' },
        { tenant: 't', title: 'c' },
      ]),
    )
    if (a === undefined) throw new Error('no post')
    app.run(Session.commit)
    app.run(Session.remove(blog.Post)(a))
    expect(titles()).toEqual(['b', 'c'])
    app.run(pipe(deleteFrom(blog.Post), where('title', '=', 'b'), Session.execute()))
    expect(titles()).toEqual(['c'])
    app.run(Session.commit)
    const hiddenAt = now.toISOString()
    expect(app.rows('posts')).toMatchObject([{ hiddenAt }, { hiddenAt }, { hiddenAt: null }])
  })

  test('several at once', () => {
    const app = openOn(blog, { hooks: combineHooks(tenancy('acme'), softDelete, audit('ed')) })
    const post = app.run(Session.add(blog.Post, { tenant: 'acme', title: 'p' }))
    app.run(Session.commit)
    app.run(Session.remove(blog.Post)(post))
    app.run(Session.commit)
    expect(app.run(Session.query(select(blog.Post)))).toEqual([])
    expect(app.rows('posts')).toMatchObject([{ hiddenAt: now.toISOString(), editedBy: 'ed' }])
    expect(app.rows('entries')).toHaveLength(1)
  })
})
