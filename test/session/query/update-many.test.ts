/**
 * Updates of many rows by their primary keys, on every database.
 */
import {
  column,
  defineModel,
  entity,
  generated,
  insertInto,
  integer,
  isoDate,
  named,
  nullable,
  primaryKey,
  returningEntities,
  text,
  unique,
  values,
  version,
  withUpdateDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { sqliteHost } from '../../core/engine/databases.js'
import { openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const User = entity('User', 'users', {
  id: pipe(integer, primaryKey, generated),
  name: pipe(text, named('full_name'), unique),
  nickname: pipe(text, nullable),
  joined: pipe(column(isoDate, 'text'), nullable),
  edited: pipe(
    text,
    nullable,
    withUpdateDefault(() => 'edited'),
  ),
})
const Page = entity('Page', 'pages', { path: pipe(text, primaryKey), hits: integer, version: pipe(integer, version) })
const model = defineModel({ User, Page })(() => ({}))

const people = (count: number) => Array.from({ length: count }, (_, i) => ({ id: i + 1, name: `u${i + 1}` }))
const users = (count: number) =>
  pipe(insertInto(model.User), values(people(count)), returningEntities, Session.execute())
const pages = pipe(
  insertInto(model.Page),
  values([
    { path: '/a', hits: 1 },
    { path: '/b', hits: 2 },
  ]),
  returningEntities,
  Session.execute(),
)

describe.each([{ host: sqliteHost('SQLite'), title: 'SQLite', isMissing: false }, ...servers])(
  'on $title, an update of many rows',
  ({ host, isMissing }) => {
    const open = () => openOnServer(host, model)

    test.skipIf(isMissing)('changes each by its key, in the session too, and counts those that it met', async () => {
      const app = await open()
      const held = await app.run(users(4))
      const joined = new Date(0)
      const met = await app.run(
        Session.updateMany(model.User, [
          { id: 1, nickname: 'one' },
          { id: 2, nickname: null, joined },
          { id: 3 },
          { id: 4, nickname: 'four', edited: 'by hand' },
          { id: 99, nickname: 'nobody' },
        ]),
      )
      expect(met).toBe(3)
      const seen = await app.run(Session.traverseArray(Session.read(model.User))(held))
      expect(seen).toMatchObject([
        { nickname: 'one', joined: null, edited: 'edited' },
        { nickname: null, joined, edited: 'edited' },
        { nickname: null, edited: null },
        { nickname: 'four', edited: 'by hand' },
      ])
      await app.run(Session.commit)
      expect(await app.rows('users')).toMatchObject([
        { nickname: 'one', edited: 'edited' },
        { joined: joined.toISOString(), edited: 'edited' },
        { edited: null },
        { nickname: 'four', edited: 'by hand' },
      ])
    })

    test.skipIf(isMissing)('checks versions, and counts them up', async () => {
      const app = await open()
      const [a, b] = await app.run(pages)
      if (a === undefined || b === undefined) throw new Error('no pages')
      // that of the instance, or the one given
      await app.run(
        Session.updateMany(model.Page, [
          { path: '/a', hits: 5 },
          { path: '/b', hits: 6, version: 1 },
        ]),
      )
      expect(await app.run(Session.read(model.Page)(a))).toMatchObject({ hits: 5, version: 2 })
      await app.run(Session.chain(() => Session.commit)(Session.set(model.Page, { hits: 7 })(b)))
      expect(await app.rows('pages')).toEqual([
        { path: '/a', hits: 5, version: 2 },
        { path: '/b', hits: 7, version: 3 },
      ])
      const stale = Session.updateMany(model.Page, [
        { path: '/a', hits: 8, version: 2 },
        { path: '/b', hits: 8, version: 2 },
      ])
      expect(await app.fails(stale)).toMatchObject({ _tag: 'StaleData', entity: 'Page', key: '/b', matched: 0 })
      await app.run(Session.commit)
      expect(await app.rows('pages')).toMatchObject([{ hits: 5 }, { hits: 7 }])
    })

    test.skipIf(isMissing)('that fails for a row leaves the others, and the transaction goes on', async () => {
      const app = await open()
      await app.run(users(3))
      const taken = Session.updateMany(model.User, [
        { id: 1, nickname: 'one' },
        { id: 2, name: 'u3' },
      ])
      expect(await app.fails(taken)).toMatchObject({
        _tag: 'IntegrityError',
        entity: 'User',
        reason: { _tag: 'UniqueViolation' },
      })
      await app.run(Session.commit)
      expect(await app.rows('users')).toMatchObject([{ nickname: null }, { full_name: 'u2' }, {}])
    })

    test.skipIf(isMissing)('is undone by a rollback, in the session too', async () => {
      const app = await open()
      await app.run(users(1))
      await app.run(Session.commit)
      await app.run(Session.updateMany(model.User, [{ id: 1, nickname: 'one' }]))
      await app.run(Session.rollback)
      expect(await app.run(Session.get(model.User, 1))).toMatchObject({ value: { nickname: null } })
    })
  },
)

describe('an update of many rows', () => {
  test('runs one batch for rows beside each other that change the same', () => {
    const app = openOn(model)
    app.run(users(1000))
    const [, statements] = app.counted(
      Session.updateMany(
        model.User,
        people(1000).map(({ id }) => (id <= 500 ? { id, nickname: 'n' } : { id, joined: null })),
      ),
    )
    expect(statements).toEqual(['Update users 500', 'Update users 500'])
  })

  test('is refused before anything is asked, and says which row is wrong', () => {
    const app = openOn(model)
    const wrong = (rows: ReadonlyArray<unknown>) => app.fails(Session.updateMany(model.User, rows as never))
    expect(wrong([{ id: 1, age: 3 }])).toMatchObject({ cause: { _tag: 'UnknownAttribute', attribute: 'age', row: 0 } })
    expect(wrong([{ id: 1, name: 'x' }, { name: 'y' }])).toMatchObject({
      _tag: 'InvalidStatement',
      operation: 'update of many rows',
      cause: { _tag: 'MissingValue', attribute: 'id', row: 1 },
    })
    expect(wrong([{ id: 1, name: 3 }])).toMatchObject({ cause: { _tag: 'EncodeError', attribute: 'name', row: 0 } })
    expect(wrong([{ id: 1, name: null }])).toMatchObject({ cause: { _tag: 'MissingValue', attribute: 'name' } })
    expect(app.fails(Session.updateMany(model.Page, [{ path: '/', hits: 1 }]))).toMatchObject({
      cause: { _tag: 'MissingValue', attribute: 'version', row: 0 },
    })
    expect(app.run(Session.updateMany(model.User, []))).toBe(0)
    expect(app.run(Session.updateMany(model.User, [{ id: 1 }]))).toBe(0)
    expect(app.asked()).toEqual([])
  })

  test('flushes what is pending first', () => {
    const app = openOn(model)
    const [one] = app.run(users(1))
    if (one === undefined) throw new Error('none')
    app.run(Session.set(model.User, { nickname: 'pending' })(one))
    app.run(Session.updateMany(model.User, [{ id: 1, joined: new Date(0) }]))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ nickname: 'pending', joined: new Date(0).toISOString() }])
  })

  test('forgets pending changes of what it sets where it is told not to flush', () => {
    const app = openOn(model)
    const [one] = app.run(users(1))
    if (one === undefined) throw new Error('none')
    app.run(Session.set(model.User, { nickname: 'pending', joined: new Date(1) })(one))
    app.run(Session.updateMany(model.User, [{ id: 1, nickname: 'n' }], { autoflush: false }))
    app.run(Session.commit)
    expect(app.run(Session.read(model.User)(one))).toMatchObject({ nickname: 'n', joined: new Date(1) })
  })

  test('does not ask for what it knows', () => {
    const app = openOn(model)
    const [one] = app.run(users(1))
    if (one === undefined) throw new Error('none')
    app.run(Session.updateMany(model.User, [{ id: 1, nickname: 'n' }]))
    app.run(Session.sql(sql`delete from users`))
    expect(app.run(Session.read(model.User)(one)).nickname).toBe('n')
  })
})
