/**
 * What the cursors of every engine must do, on a real database.
 */
import {
  bigint,
  blob,
  boolean,
  type Connection,
  column,
  createAll,
  defineModel,
  type Engine,
  entity,
  integer,
  isoDate,
  json,
  nullable,
  primaryKey,
  real,
  text,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Host, skipped, type TestDatabase } from './databases.js'
import {
  ask,
  begin,
  commit,
  connect,
  failure,
  insert,
  raw,
  releaseSavepoint,
  rightOf,
  rollback,
  rollbackTo,
  savepoint,
} from './engine-conformance.js'

const Row = entity('Row', 'rows_to_read', {
  id: pipe(integer, primaryKey),
  name: text,
  big: pipe(bigint, nullable),
  ratio: pipe(real, nullable),
  isOdd: boolean,
  bytes: pipe(blob, nullable),
  seen: pipe(column(isoDate, 'timestamp'), nullable),
  doc: pipe(column(json(t.unknown), 'json'), nullable),
})

const model = defineModel({ Row })(() => ({}))

const count = 25
const table = 'rows_to_read'
const columns = ['id', 'name', 'big', 'ratio', 'isOdd', 'bytes', 'seen', 'doc']
const rows = Array.from({ length: count }, (_, i) => [
  i,
  `naïve ${i}`,
  i % 3 === 0 ? null : i % 2 === 0 ? 2n ** 60n + BigInt(i) : BigInt(i),
  i / 3,
  i % 2 === 1,
  i % 4 === 0 ? null : new Uint8Array([i, 0, 255]),
  i % 5 === 0 ? null : new Date(Date.UTC(2026, 1, i + 1)),
  i % 6 === 0 ? null : JSON.stringify({ i, list: [i, 'x'] }),
])

const all = sql`select * from ${sql.table(table)} order by id`

/**
 * Runs the suite on a host.
 */
export const cursorConformance = (host: Host): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engine: Engine
    let connection: Connection

    beforeAll(async () => {
      database = await host.create()
      engine = database.open(1)
      rightOf(await createAll(model)(engine)())
      connection = await connect(engine)
      await ask(connection, insert(table, columns, rows))
      await connection.release()
    })
    afterAll(async () => {
      await engine?.close()
      await database?.drop()
    })
    beforeEach(async () => {
      connection = await connect(engine)
      await ask(connection, begin)
    })
    afterEach(() => connection.release())

    const open = (name: string, statement = all, hold = false) =>
      ask(connection, { _tag: 'OpenCursor', name, hold, statement: raw(engine, statement).statement })

    const fetch = (name: string, portion: number) => ask(connection, { _tag: 'Fetch', name, count: portion })

    const close = (name: string) => ask(connection, { _tag: 'CloseCursor', name })

    const ids = async (name: string, portion: number) => (await fetch(name, portion)).map(({ id }) => id)

    const query = async (statement: ReturnType<typeof sql>) => (await ask(connection, raw(engine, statement))).rows

    const remaining = (from: number) => Array.from({ length: count - from }, (_, i) => from + i)

    test('they give the rows of the query as the query gives them, in portions, and none after the end', async () => {
      const expected = await query(all)
      await open('c')
      const portions = []
      for (let i = 0; i < 5; i++) portions.push(await fetch('c', 7))
      expect(portions.map(({ length }) => length)).toEqual([7, 7, 7, 4, 0])
      expect(portions.flat()).toEqual(expected)
      expect(await fetch('c', 7)).toEqual([])
    })

    test('they bind parameters', async () => {
      await open('c', sql`select id from ${sql.table(table)} where name = ${'naïve 3'} or id > ${22} order by id`)
      expect(await ids('c', 10)).toEqual([3, 23, 24])
    })

    test('a query without rows has ended when it begins', async () => {
      await open('c', sql`select id from ${sql.table(table)} where id < 0`)
      expect(await fetch('c', 10)).toEqual([])
    })

    test('they can be closed anywhere, more than once, and their name can be used again', async () => {
      await open('c')
      expect(await ids('c', 2)).toEqual([0, 1])
      await close('c')
      await close('c')
      await open('c')
      expect(await ids('c', 2)).toEqual([0, 1])
      expect(await query(sql`select count(*) as n from ${sql.table(table)}`)).toMatchObject([{ n: expect.anything() }])
    })

    test('queries run beside them', async () => {
      const expected = await query(all)
      await open('c')
      const first = await fetch('c', 10)
      expect(await query(sql`select id from ${sql.table(table)} where id = 3`)).toEqual([{ id: 3 }])
      expect([...first, ...(await fetch('c', 10)), ...(await fetch('c', 10))]).toEqual(expected)
    })

    test('what is written beside them changes nothing about their rows', async () => {
      const expected = await query(all)
      await open('c')
      const first = await fetch('c', 3)
      await ask(connection, insert(table, ['id', 'name', 'isOdd'], [[100, 'new', false]]))
      await ask(connection, {
        _tag: 'Update',
        table,
        set: ['name'],
        where: ['id'],
        rows: rows.map(([id]) => ['changed', id]),
        returning: [],
      })
      await ask(connection, { _tag: 'Delete', table, where: ['id'], rows: [[20], [21]] })
      expect([...first, ...(await fetch('c', 15)), ...(await fetch('c', 15))]).toEqual(expected)
      expect(await query(sql`select count(*) as n from ${sql.table(table)} where name = 'changed'`)).not.toEqual([])
    })

    test('several are read in turns', async () => {
      await open('up')
      expect(await ids('up', 2)).toEqual([0, 1])
      await open('down', sql`select id from ${sql.table(table)} order by id desc`)
      expect(await ids('down', 2)).toEqual([24, 23])
      expect(await ids('up', 2)).toEqual([2, 3])
      expect(await ids('down', 2)).toEqual([22, 21])
      await close('up')
      expect(await ids('down', 30)).toHaveLength(21)
    })

    test('a statement that fails to open one is an error, and the connection goes on', async () => {
      const error = await failure(connection, {
        _tag: 'OpenCursor',
        name: 'c',
        hold: false,
        statement: raw(engine, sql`select * from nowhere`).statement,
      })
      expect(error).toMatchObject({ _tag: 'EngineError', reason: { _tag: 'UnknownTable' } })
      await ask(connection, rollback)
      await ask(connection, begin)
      await open('c')
      expect(await ids('c', 1)).toEqual([0])
    })

    test('one that is not open has no rows to give: that is an error, and nothing to the transaction', async () => {
      expect(await failure(connection, { _tag: 'Fetch', name: 'c', count: 1 })).toMatchObject({
        reason: { _tag: 'Unavailable' },
        message: expect.stringContaining("'c' is not open"),
      })
      expect(await query(sql`select 1 as one`)).toHaveLength(1)
    })

    test('they need a transaction', async () => {
      await ask(connection, rollback)
      const statement = raw(engine, all).statement
      const error = await failure(connection, { _tag: 'OpenCursor', name: 'c', hold: false, statement })
      expect(error.message).toContain('no transaction is open')
    })

    test('a rollback ends them', async () => {
      await open('c', all, true)
      expect(await ids('c', 2)).toEqual([0, 1])
      await ask(connection, rollback)
      await ask(connection, begin)
      expect(await failure(connection, { _tag: 'Fetch', name: 'c', count: 1 })).toMatchObject({
        reason: { _tag: 'Unavailable' },
      })
    })

    test('a commit ends them, unless they are to be held', async () => {
      await open('brief')
      await open('held', all, true)
      expect(await ids('brief', 2)).toEqual([0, 1])
      expect(await ids('held', 2)).toEqual([0, 1])
      await ask(connection, commit)
      await ask(connection, begin)
      expect(await failure(connection, { _tag: 'Fetch', name: 'brief', count: 1 })).toMatchObject({
        reason: { _tag: 'Unavailable' },
      })
      expect(await ids('held', 2)).toEqual([2, 3])
      await ask(connection, rollback)
      expect(await ids('held', 2)).toEqual([4, 5])
      await ask(connection, begin)
      await ask(connection, commit)
      expect(await ids('held', 30)).toEqual(remaining(6))
      await close('held')
      await close('held')
    })

    test('what is held is given back with the connection', async () => {
      await open('held', all, true)
      await ask(connection, commit)
      await connection.release()
      // the engine has one connection
      connection = await connect(engine)
      await ask(connection, begin)
      await open('held', all, true)
      expect(await ids('held', 30)).toEqual(remaining(0))
    })

    test('a rollback to a savepoint ends those that were opened in it, and no others', async () => {
      await open('outer')
      expect(await ids('outer', 1)).toEqual([0])
      await ask(connection, savepoint('one'))
      await open('kept')
      await ask(connection, savepoint('two'))
      await open('inner')
      expect(await ids('inner', 1)).toEqual([0])
      await ask(connection, rollbackTo('two'))
      expect(await failure(connection, { _tag: 'Fetch', name: 'inner', count: 1 })).toMatchObject({
        reason: { _tag: 'Unavailable' },
      })
      await close('inner')
      expect(await ids('kept', 1)).toEqual([0])
      expect(await ids('outer', 1)).toEqual([1])
      await ask(connection, releaseSavepoint('one'))
      expect(await ids('kept', 30)).toEqual(remaining(1))
      expect(await ids('outer', 30)).toEqual(remaining(2))
    })

    test('one that was opened in a savepoint that is released lives on with what is around it', async () => {
      await ask(connection, savepoint('one'))
      await ask(connection, savepoint('two'))
      await open('c')
      await ask(connection, releaseSavepoint('two'))
      expect(await ids('c', 1)).toEqual([0])
      await ask(connection, rollbackTo('one'))
      expect(await failure(connection, { _tag: 'Fetch', name: 'c', count: 1 })).toMatchObject({
        reason: { _tag: 'Unavailable' },
      })
    })

    test('one that was opened before a savepoint outlives a failure in it', async () => {
      await open('c')
      expect(await ids('c', 1)).toEqual([0])
      await ask(connection, savepoint('one'))
      await failure(connection, insert(table, ['id', 'name', 'isOdd'], [[1, 'again', true]]))
      await ask(connection, rollbackTo('one'))
      expect(await ids('c', 30)).toEqual(remaining(1))
    })

    test('they can be closed after a failure', async () => {
      await open('c')
      await failure(connection, insert(table, ['id', 'name', 'isOdd'], [[1, 'again', true]]))
      await close('c')
      await ask(connection, rollback)
      await ask(connection, begin)
      expect(await query(sql`select id from ${sql.table(table)} where id = 3`)).toEqual([{ id: 3 }])
    })

    test('a connection that is given back in the middle is as good as new', async () => {
      await open('c')
      await fetch('c', 1)
      await connection.release()
      expect(isLeft(await connection.call({ _tag: 'Fetch', name: 'c', count: 1 }))).toBe(true)
      connection = await connect(engine)
      await ask(connection, begin)
      await ask(connection, insert(table, ['id', 'name', 'isOdd'], [[200, 'new', false]]))
      await ask(connection, rollback)
      await ask(connection, begin)
    })

    test('an engine that is closed in the middle gives no more rows', async () => {
      const own = database.open(1)
      const lent = await connect(own)
      await ask(lent, begin)
      await ask(lent, { _tag: 'OpenCursor', name: 'c', hold: false, statement: raw(own, all).statement })
      await ask(lent, { _tag: 'Fetch', name: 'c', count: 1 })
      await own.close()
      expect(await failure(lent, { _tag: 'Fetch', name: 'c', count: 1 })).toMatchObject({
        reason: { _tag: 'Unavailable' },
      })
      // what it held is free for others
      await ask(connection, insert(table, ['id', 'name', 'isOdd'], [[300, 'new', false]]))
    })
  })
}
