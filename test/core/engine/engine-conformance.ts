/**
 * What every engine must do, on a real database.
 */
import {
  type Answer,
  type Attribute,
  bigint,
  blob,
  boolean,
  type Connection,
  column,
  compile,
  createAll,
  defineModel,
  dropAll,
  type Engine,
  type EngineCall,
  type EngineError,
  entity,
  generated,
  type InsertCall,
  integer,
  isoDate,
  json,
  named,
  nullable,
  primaryKey,
  real,
  references,
  select,
  text,
  unique,
  withServerDefault,
} from '@unitary/core'
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { type RootOperationNode, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Host, skipped, type TestDatabase } from './databases.js'

const Account = entity('Account', 'accounts', {
  id: pipe(integer, primaryKey, generated),
  name: pipe(text, unique),
  note: pipe(text, nullable),
  isActive: pipe(boolean, nullable, named('is_active')),
  big: pipe(bigint, nullable),
  data: pipe(blob, nullable),
  score: pipe(real, nullable),
  seen: pipe(column(isoDate, 'timestamp'), nullable),
  doc: pipe(column(json(t.unknown), 'json'), nullable),
})
const Entry = entity('Entry', 'entries', {
  id: pipe(integer, primaryKey, generated),
  accountId: pipe(integer, named('account_id'), references('accounts.id')),
})
const Pair = entity('Pair', 'pairs', {
  left: pipe(text, primaryKey),
  right: pipe(integer, primaryKey),
  value: pipe(text, nullable),
})
const Counter = entity('Counter', 'counters', { id: pipe(integer, primaryKey, generated) })
/** Its table fills in what a row leaves out. */
const Ticket = entity('Ticket', 'tickets', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  state: pipe(text, withServerDefault(sql`'open'`)),
  places: pipe(integer, withServerDefault(sql`7`)),
  isPublic: pipe(boolean, named('is_public'), withServerDefault(sql`true`)),
  total: pipe(bigint, withServerDefault(sql`9007199254740993`)),
})
/** The same for keys that the program gives. */
const Seat = entity('Seat', 'seats', {
  row: pipe(text, primaryKey),
  place: pipe(integer, primaryKey),
  state: pipe(text, withServerDefault(sql`'free'`)),
})

export const engineModel = defineModel({ Account, Entry, Pair, Counter, Ticket, Seat })(() => ({}))

export const rightOf = <E, A>(either: Either<E, A>): A => {
  if (isLeft(either)) expect.fail(`expected an answer, got ${JSON.stringify(either.left)}`)
  return either.right
}

export const leftOf = <E, A>(either: Either<E, A>): E => {
  if (isRight(either)) expect.fail(`expected an error, got ${JSON.stringify(either.right)}`)
  return either.left
}

export const connect = async (engine: Engine): Promise<Connection> => rightOf(await engine.connect())

export const ask = async <C extends EngineCall>(connection: Connection, call: C): Promise<Answer<C>> =>
  rightOf(await (connection.call(call) as Promise<Either<EngineError, Answer<C>>>))

export const failure = async (connection: Connection, call: EngineCall): Promise<EngineError> =>
  leftOf(await connection.call(call))

export const begin = { _tag: 'Begin', isolationLevel: null } as const
export const commit = { _tag: 'Commit' } as const
export const rollback = { _tag: 'Rollback' } as const
export const savepoint = (name: string) => ({ _tag: 'Savepoint', name }) as const
export const rollbackTo = (name: string) => ({ _tag: 'RollbackToSavepoint', name }) as const
export const releaseSavepoint = (name: string) => ({ _tag: 'ReleaseSavepoint', name }) as const

/** A statement as the engine compiles it. */
export const raw = (engine: Engine, statement: ReturnType<typeof sql>) =>
  ({ _tag: 'Query', statement: engine.compile(statement.toOperationNode() as RootOperationNode) }) as const

export const insert = (
  table: string,
  columns: ReadonlyArray<string>,
  rows: InsertCall['rows'],
  returning: string | ReadonlyArray<string> = [],
  key: ReadonlyArray<string> = typeof returning === 'string' ? [returning] : ['id'],
): InsertCall => ({ _tag: 'Insert', table, columns, rows, key, returning: [returning].flat() })

/** The ids of the rows of an insert that asks for nothing else. */
export const idsOf = async (connection: Connection, call: InsertCall): Promise<ReadonlyArray<unknown>> => {
  const [ids] = await ask(connection, call)
  if (ids === undefined) expect.fail('expected ids')
  return ids
}

export const names = (count: number, prefix = 'name'): ReadonlyArray<ReadonlyArray<unknown>> =>
  Array.from({ length: count }, (_, i) => [`${prefix} ${i}`])

/**
 * Runs the suite on a host.
 */
export const engineConformance = (host: Host): void => {
  const why = skipped(host)
  describe.skipIf(why !== null)(why === null ? host.name : `${host.name} (${why})`, () => {
    let database: TestDatabase
    let engine: Engine

    beforeAll(async () => {
      database = await host.create()
      engine = database.open()
    })
    afterAll(async () => {
      await engine?.close()
      await database?.drop()
    })
    beforeEach(async () => {
      rightOf(await dropAll(engineModel)(engine)())
      rightOf(await createAll(engineModel)(engine)())
    })

    /** Lends a connection to a test. */
    const using = async (use: (connection: Connection) => Promise<void>): Promise<void> => {
      const connection = await connect(engine)
      try {
        await use(connection)
      } finally {
        await connection.release()
      }
    }

    const rowsOf = async (connection: Connection, statement: ReturnType<typeof sql>) =>
      (await ask(connection, raw(engine, statement))).rows

    const count = async (connection: Connection, table: string): Promise<number> =>
      Number((await rowsOf(connection, sql`select count(*) as n from ${sql.table(table)}`))[0]?.n)

    describe('queries', () => {
      test('answer rows by column name, and bind their parameters', () =>
        using(async (connection) => {
          await ask(
            connection,
            insert(
              'accounts',
              ['name', 'note'],
              [
                ['ed', 'first'],
                ['flo', null],
              ],
            ),
          )
          const query = raw(engine, sql`select name, note from accounts where name <> ${'nobody'} order by name`)
          expect(await ask(connection, query)).toEqual({
            rows: [
              { name: 'ed', note: 'first' },
              { name: 'flo', note: null },
            ],
            affected: 0,
          })
        }))

      test('that write answer how many rows they changed', () =>
        using(async (connection) => {
          await ask(connection, insert('accounts', ['name'], names(3)))
          const update = raw(engine, sql`update accounts set note = ${'x'} where name <> ${'name 0'}`)
          expect(await ask(connection, update)).toEqual({ rows: [], affected: 2 })
        }))

      test('return columns of the rows that they write, where the engine says so', () =>
        using(async (connection) => {
          const statements = {
            insert: sql`insert into accounts (name) values (${'ed'}) returning id`,
            update: sql`update accounts set note = ${'x'} returning id`,
            delete: sql`delete from accounts returning id`,
          }
          for (const kind of ['insert', 'update', 'delete'] as const) {
            if (!engine.capabilities.returning[kind]) continue
            expect(await ask(connection, raw(engine, statements[kind]))).toEqual({ rows: [{ id: 1 }], affected: 1 })
          }
        }))

      test('bind booleans', () =>
        using(async (connection) => {
          await ask(
            connection,
            insert(
              'accounts',
              ['name', 'is_active'],
              [
                ['ed', true],
                ['flo', false],
              ],
            ),
          )
          expect(await rowsOf(connection, sql`select name from accounts where is_active = ${true}`)).toEqual([
            { name: 'ed' },
          ])
        }))
    })

    describe('inserts', () => {
      test.each([0, 1, 2, 9, 100, 257])('answer the ids of %i rows in their order', (rows) =>
        using(async (connection) => {
          // gaps and an order that is not the alphabet's
          await ask(connection, insert('accounts', ['name'], [['before']]))
          const given = names(rows, 'z').toReversed()
          const ids = await idsOf(connection, insert('accounts', ['name'], given, 'id'))
          const found = await rowsOf(connection, sql`select id, name from accounts where name <> ${'before'}`)
          const idOf = new Map(found.map((row) => [row.name, row.id]))
          expect(ids).toEqual(given.map(([name]) => idOf.get(name)))
          expect(new Set(ids).size).toBe(rows)
        }),
      )

      test('answer nothing where no column is asked for', () =>
        using(async (connection) => {
          expect(await ask(connection, insert('accounts', ['name'], names(123)))).toEqual([])
          expect(await count(connection, 'accounts')).toBe(123)
        }))

      test.each([0, 1, 2, 9, 100, 257])('answer what the table fills into %i rows, beside their ids', (rows) =>
        using(async (connection) => {
          expect(engine.capabilities.returning.insert).toBe(true)
          await ask(connection, insert('tickets', ['title'], [['before']]))
          const given = names(rows, 'z').toReversed()
          const columns = ['state', 'id', 'title', 'is_public', 'places']
          const answer = await ask(connection, insert('tickets', ['title'], given, columns, ['id']))
          const found = await rowsOf(connection, sql`select * from tickets`)
          const rowOf = new Map(found.map((row) => [row.title, row]))
          expect(answer).toEqual(columns.map((column) => given.map(([title]) => rowOf.get(title)?.[column])))
          expect(answer[0]).toEqual(given.map(() => 'open'))
          expect(answer[4]).toEqual(given.map(() => 7))
        }),
      )

      test.each([1, 2, 257])('answer what the table fills into %i rows that bring their keys', (rows) =>
        using(async (connection) => {
          const given = Array.from({ length: rows }, (_, i) => [`row ${(i * 7) % 10}`, rows - i])
          const call = insert('seats', ['row', 'place'], given, ['state', 'place'], ['row', 'place'])
          expect(await ask(connection, call)).toEqual([given.map(() => 'free'), given.map(([, place]) => place)])
        }),
      )

      test('answer row by row where nothing tells the rows apart', () =>
        using(async (connection) => {
          const call = insert('tickets', ['title'], names(12), ['title', 'state'], [])
          expect(await ask(connection, call)).toEqual([names(12).flat(), names(12).map(() => 'open')])
        }))

      test.skipIf(host.rounds !== null)(`answer integers of 64 bits${host.rounds ?? ''}`, () =>
        using(async (connection) => {
          const [ids, totals] = await ask(connection, insert('tickets', ['title'], names(12), ['id', 'total']))
          const read = engine.dialect.fromDriver('bigint') ?? ((value: unknown) => value)
          expect(totals?.map((total) => BigInt(read(total) as string))).toEqual(Array(12).fill(9_007_199_254_740_993n))
          expect(ids).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
        }),
      )

      test('of rows without columns take every default', () =>
        using(async (connection) => {
          expect(await ask(connection, insert('counters', [], [[], [], []], 'id'))).toEqual([[1, 2, 3]])
          expect(await ask(connection, insert('counters', [], [[], []]))).toEqual([])
          expect(await count(connection, 'counters')).toBe(5)
        }))

      test('of more parameters than one statement takes are divided', () =>
        using(async (connection) => {
          const columns = ['name', 'note', 'big', 'score', 'is_active', 'seen']
          const rows = Array.from({ length: 11_500 }, (_, i) => [`n${i}`, 'note', i, i / 2, i % 2 === 0, null])
          await ask(connection, begin)
          await ask(connection, insert('accounts', columns, rows))
          expect(await count(connection, 'accounts')).toBe(11_500)
        }))

      test('leave what they are given as it is', () =>
        using(async (connection) => {
          const rows = [
            ['a', true],
            ['b', false],
          ]
          const call = insert('accounts', ['name', 'is_active'], rows, 'id')
          await ask(connection, call)
          expect(rows).toEqual([
            ['a', true],
            ['b', false],
          ])
          expect(Object.isFrozen(rows[0])).toBe(false)
        }))

      test('tell which row failed, and why', () =>
        using(async (connection) => {
          const rows = names(250).map((row, i) => (i === 137 ? ['name 5'] : row))
          await ask(connection, begin)
          for (const returning of [['id'], [], ['id', 'note']]) {
            const error = await failure(connection, insert('accounts', ['name'], rows, returning))
            expect(error).toMatchObject({ reason: { _tag: 'UniqueViolation' }, row: 137, retryable: false })
            await ask(connection, rollback)
            await ask(connection, begin)
          }
        }))

      test('tell which row has a value that the column does not take', () =>
        using(async (connection) => {
          const rows = names(30).map(([name], i) => [name, i === 11 ? new Date(Number.NaN) : 'fine'])
          expect(await failure(connection, insert('accounts', ['name', 'note'], rows))).toMatchObject({
            _tag: 'EngineError',
          })
          expect(await count(connection, 'accounts')).toBe(0)
        }))

      test('outside a transaction insert all of their rows or none', () =>
        using(async (connection) => {
          const rows = names(250).map((row, i) => (i === 249 ? ['name 5'] : row))
          const error = await failure(connection, insert('accounts', ['name'], rows, 'id'))
          expect(error.row).toBe(249)
          expect(await count(connection, 'accounts')).toBe(0)
        }))
    })

    describe('updates and deletes', () => {
      test('answer how many rows each of theirs matched, changed or not', () =>
        using(async (connection) => {
          await ask(
            connection,
            insert(
              'accounts',
              ['name', 'note'],
              [
                ['ed', 'same'],
                ['flo', 'old'],
              ],
            ),
          )
          const rows = [
            ['same', 'ed'],
            ['new', 'flo'],
            ['new', 'nobody'],
          ]
          const update = {
            _tag: 'Update',
            returning: [],
            table: 'accounts',
            set: ['note'],
            where: ['name'],
            rows,
          } as const
          expect(await ask(connection, update)).toEqual({ matched: [1, 1, 0], returned: [] })
          expect(await rowsOf(connection, sql`select note from accounts order by name`)).toEqual([
            { note: 'same' },
            { note: 'new' },
          ])
        }))

      test('find NULL by null', () =>
        using(async (connection) => {
          const pairs = [
            ['a', 1, null],
            ['b', 1, 'x'],
            ['c', 1, null],
          ]
          await ask(connection, insert('pairs', ['left', 'right', 'value'], pairs))
          const update = {
            _tag: 'Update',
            returning: [],
            table: 'pairs',
            set: ['value'],
            where: ['left', 'right', 'value'],
          } as const
          const rows = [
            ['y', 'a', 1, null],
            ['y', 'b', 1, null],
            [null, 'b', 1, 'x'],
          ]
          expect(await ask(connection, { ...update, rows })).toEqual({ matched: [1, 0, 1], returned: [] })
          const remove = { _tag: 'Delete', table: 'pairs', where: ['right', 'value'] } as const
          expect(
            await ask(connection, {
              ...remove,
              rows: [
                [1, null],
                [2, null],
                [1, 'y'],
              ],
            }),
          ).toEqual([2, 0, 1])
          expect(await count(connection, 'pairs')).toBe(0)
        }))

      test('answer what an update leaves in its rows', ({ skip }) =>
        using(async (connection) => {
          skip(!engine.capabilities.returning.update, 'no UPDATE ... RETURNING')
          await ask(connection, insert('tickets', ['title'], names(2)))
          const call = {
            _tag: 'Update',
            table: 'tickets',
            set: ['state', 'total'],
            where: ['title'],
            rows: [
              ['a', 2n ** 40n, 'name 1'],
              ['b', 1n, 'nobody'],
              ['c', 3n, 'name 0'],
            ],
            returning: ['places', 'state', 'id'],
          } as const
          expect(await ask(connection, call)).toEqual({
            matched: [1, 0, 1],
            returned: [
              [7, undefined, 7],
              ['a', undefined, 'c'],
              [2, undefined, 1],
            ],
          })
          // the same without asking
          expect(await ask(connection, { ...call, returning: [] })).toEqual({ matched: [1, 0, 1], returned: [] })
        }))

      test('tell which row failed', () =>
        using(async (connection) => {
          await ask(connection, insert('accounts', ['name'], names(3)))
          const rows = [
            ['one', 'name 0'],
            ['one', 'name 1'],
            ['two', 'name 2'],
          ]
          const update = {
            _tag: 'Update',
            returning: [],
            table: 'accounts',
            set: ['name'],
            where: ['name'],
            rows,
          } as const
          expect(await failure(connection, update)).toMatchObject({ reason: { _tag: 'UniqueViolation' }, row: 1 })
          expect(await rowsOf(connection, sql`select name from accounts order by name`)).toEqual(
            names(3).map(([name]) => ({ name })),
          )
        }))
    })

    describe('transactions', () => {
      const add = (name: string) => insert('accounts', ['name'], [[name]])
      const found = async (connection: Connection) =>
        (await rowsOf(connection, sql`select name from accounts order by name`)).map((row) => row.name)

      test('commit and roll back', () =>
        using(async (connection) => {
          await ask(connection, begin)
          await ask(connection, add('kept'))
          expect(await ask(connection, commit)).toBeUndefined()
          await ask(connection, begin)
          await ask(connection, add('lost'))
          await ask(connection, rollback)
          expect(await found(connection)).toEqual(['kept'])
        }))

      test.each(['read committed', 'repeatable read', 'serializable'] as const)('begin at the level %s', (level) =>
        using(async (connection) => {
          await ask(connection, { _tag: 'Begin', isolationLevel: level })
          await ask(connection, add('kept'))
          await ask(connection, commit)
          expect(await found(connection)).toEqual(['kept'])
        }),
      )

      test('nest by savepoints', () =>
        using(async (connection) => {
          await ask(connection, begin)
          await ask(connection, add('a'))
          await ask(connection, savepoint('outer'))
          await ask(connection, add('b'))
          await ask(connection, savepoint('it"s `inner`'))
          await ask(connection, add('c'))
          await ask(connection, rollbackTo('it"s `inner`'))
          await ask(connection, add('d'))
          await ask(connection, releaseSavepoint('it"s `inner`'))
          await ask(connection, rollbackTo('outer'))
          await ask(connection, add('e'))
          await ask(connection, releaseSavepoint('outer'))
          await ask(connection, commit)
          expect(await found(connection)).toEqual(['a', 'e'])
        }))

      test('go on after a failure when they return to a savepoint', () =>
        using(async (connection) => {
          await ask(connection, begin)
          await ask(connection, add('a'))
          await ask(connection, savepoint('s'))
          await ask(connection, insert('accounts', ['name'], names(20), 'id'))
          await failure(connection, insert('accounts', ['name'], [...names(3, 'new'), ['a']], 'id'))
          await ask(connection, rollbackTo('s'))
          await ask(connection, add('b'))
          await ask(connection, commit)
          expect(await found(connection)).toEqual(['a', 'b'])
        }))

      test('roll back after a failure, and again without harm', () =>
        using(async (connection) => {
          await ask(connection, begin)
          await ask(connection, add('a'))
          await failure(connection, add('a'))
          await ask(connection, rollback)
          await ask(connection, rollback)
          await ask(connection, add('b'))
          expect(await found(connection)).toEqual(['b'])
        }))

      test('that are open when the connection is given back are rolled back', async () => {
        await using(async (connection) => {
          await ask(connection, begin)
          await ask(connection, add('lost'))
        })
        await using(async (connection) => expect(await found(connection)).toEqual([]))
      })

      test('that do not exist cannot be committed', () =>
        using(async (connection) => {
          expect(await failure(connection, commit)).toMatchObject({ _tag: 'EngineError' })
          expect(await failure(connection, savepointWithout)).toMatchObject({ _tag: 'EngineError' })
        }))
      const savepointWithout = releaseSavepoint('nowhere')
    })

    describe('failures', () => {
      const reasonOf = async (connection: Connection, call: EngineCall) => {
        const error = await failure(connection, call)
        expect(error.message).not.toBe('')
        expect(error.cause).not.toBeNull()
        return error
      }

      test('of a unique constraint', () =>
        using(async (connection) => {
          await ask(connection, insert('accounts', ['name'], [['ed']]))
          const error = await reasonOf(connection, insert('accounts', ['name'], [['ed']]))
          expect(error).toMatchObject({ reason: { _tag: 'UniqueViolation' }, retryable: false, row: 0 })
          expect(error.sql).toMatch(/^insert into/)
          const { reason } = error
          if (reason._tag !== 'UniqueViolation') return
          // SQLite tells table and columns, MySQL the constraint, PostgreSQL both
          expect(reason.table ?? reason.constraint).toMatch(/accounts|name/)
          expect([...reason.columns, reason.constraint].join()).toContain('name')
        }))

      test('of a primary key', () =>
        using(async (connection) => {
          await ask(connection, insert('pairs', ['left', 'right'], [['a', 1]]))
          expect(
            await reasonOf(
              connection,
              insert(
                'pairs',
                ['left', 'right'],
                [
                  ['b', 1],
                  ['a', 1],
                ],
              ),
            ),
          ).toMatchObject({
            reason: { _tag: 'UniqueViolation' },
            row: 1,
          })
        }))

      test('of a foreign key, from either end', () =>
        using(async (connection) => {
          const ids = await idsOf(connection, insert('accounts', ['name'], [['ed']], 'id'))
          expect(await reasonOf(connection, insert('entries', ['account_id'], [[999]]))).toMatchObject({
            reason: { _tag: 'ForeignKeyViolation' },
            row: 0,
          })
          await ask(connection, insert('entries', ['account_id'], [ids]))
          const remove = { _tag: 'Delete', table: 'accounts', where: ['id'], rows: [ids] } as const
          expect(await reasonOf(connection, remove)).toMatchObject({ reason: { _tag: 'ForeignKeyViolation' }, row: 0 })
        }))

      test('of a column that must not be null', () =>
        using(async (connection) => {
          expect(await reasonOf(connection, insert('accounts', ['name'], [['a'], [null]]))).toMatchObject({
            reason: { _tag: 'NotNullViolation', columns: ['name'] },
            row: 1,
          })
        }))

      test('of a check', () =>
        using(async (connection) => {
          await ask(connection, raw(engine, sql`drop table if exists checked`))
          await ask(
            connection,
            raw(
              engine,
              sql`create table checked (id integer primary key, n integer, constraint positive check (n > 0))`,
            ),
          )
          expect(
            await reasonOf(
              connection,
              insert(
                'checked',
                ['id', 'n'],
                [
                  [1, 1],
                  [2, -1],
                  [3, 1],
                ],
              ),
            ),
          ).toMatchObject({
            reason: { _tag: 'CheckViolation', constraint: 'positive' },
            row: 1,
          })
          await ask(connection, raw(engine, sql`drop table checked`))
        }))

      test('of a table that is not there', () =>
        using(async (connection) => {
          const expected = { reason: { _tag: 'UnknownTable', table: 'nowhere' }, row: null }
          expect(await reasonOf(connection, raw(engine, sql`select * from nowhere`))).toMatchObject(expected)
          expect(await reasonOf(connection, insert('nowhere', ['a'], [[1], [2]], 'id'))).toMatchObject({
            reason: expected.reason,
          })
          const update = {
            _tag: 'Update',
            returning: [],
            table: 'nowhere',
            set: ['a'],
            where: ['b'],
            rows: [[1, 2]],
          } as const
          expect(await reasonOf(connection, update)).toMatchObject({ reason: expected.reason })
          expect(await count(connection, 'accounts')).toBe(0)
        }))

      test('of a column that is not there', () =>
        using(async (connection) => {
          const reason = { _tag: 'UnknownColumn', column: 'absent' }
          expect(await reasonOf(connection, raw(engine, sql`select absent from accounts`))).toMatchObject({ reason })
          expect(await reasonOf(connection, insert('accounts', ['absent'], [[1]]))).toMatchObject({ reason })
          const remove = { _tag: 'Delete', table: 'accounts', where: ['absent'], rows: [[1]] } as const
          expect(await reasonOf(connection, remove)).toMatchObject({ reason })
        }))

      test('of syntax', () =>
        using(async (connection) => {
          expect(await reasonOf(connection, raw(engine, sql`selec 1`))).toMatchObject({
            reason: { _tag: 'SyntaxError' },
            sql: 'selec 1',
          })
        }))
    })

    describe('values', () => {
      /** As a row reader does: the driver's value, then the dialect's reading, then the codec. */
      const decoded = (row: Readonly<Record<string, unknown>> | undefined, attribute: keyof typeof Account.columns) => {
        const { codec, kind } = Account.columns[attribute]
        const value = row?.[attribute]
        return rightOf<unknown, unknown>(codec.decode((engine.dialect.fromDriver(kind) ?? ((v: unknown) => v))(value)))
      }

      const roundTrip = async (connection: Connection, attribute: keyof typeof Account.columns, value: unknown) => {
        const { column, columnName, encode } = engineModel.Account.mapping.attributeOf.get(attribute) as Attribute
        const encoded = encode(value)
        const write = engine.dialect.written(column.kind)
        await ask(connection, { _tag: 'Delete', table: 'accounts', where: ['name'], rows: [['v']] })
        await ask(
          connection,
          insert('accounts', ['name', columnName], [['v', write === null ? encoded : write(encoded)]]),
        )
        const statement = rightOf(compile(engine)(select(engineModel.Account)))
        return decoded((await ask(connection, { _tag: 'Query', statement })).rows[0], attribute)
      }

      test.each([
        ['isActive', true],
        ['isActive', false],
        ['isActive', null],
        ['big', 0n],
        ['big', -1n],
        ['score', 0.1],
        ['score', -1e300],
        ['note', ''],
        ['note', 'it\'s "quoted" \\ and 🦆'],
        ['seen', new Date('2026-01-31T12:34:56.789Z')],
        ['doc', { a: [1, null, 'x'] }],
        ['doc', 'a string'],
        ['doc', '123'],
        ['doc', 123],
        ['doc', [true]],
      ] as const)('of %s come back as they were: %o', (attribute, value) =>
        using(async (connection) => {
          expect(await roundTrip(connection, attribute, value)).toEqual(value)
        }),
      )

      test
        .skipIf(host.rounds !== null)
        .each([9_007_199_254_740_993n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n])(
        `of 64 bits come back as they were: %o${host.rounds ?? ''}`,
        (value) =>
          using(async (connection) => {
            expect(await roundTrip(connection, 'big', value)).toBe(value)
          }),
      )

      test('of bytes come back as they were, views too', () =>
        using(async (connection) => {
          const all = Uint8Array.from({ length: 256 }, (_, i) => i)
          for (const bytes of [all, all.subarray(10, 20), new Uint8Array(), Buffer.from(all)]) {
            const back = await roundTrip(connection, 'data', bytes)
            expect(back).toBeInstanceOf(Uint8Array)
            expect(Array.from(back as Uint8Array)).toEqual(Array.from(bytes))
          }
        }))

      test('of large integers are found again', () =>
        using(async (connection) => {
          const big = 9_007_199_254_740_993n
          await ask(
            connection,
            insert(
              'accounts',
              ['name', 'big'],
              [
                ['a', big - 1n],
                ['b', big],
                ['c', big + 1n],
              ],
            ),
          )
          const found = await rowsOf(connection, sql`select name from accounts where big = ${big}`)
          expect(found).toEqual([{ name: 'b' }])
        }))
    })

    describe('connections', () => {
      test('that have been given back are Unavailable', async () => {
        const connection = await connect(engine)
        await connection.release()
        await connection.release()
        expect(await failure(connection, begin)).toMatchObject({ reason: { _tag: 'Unavailable' }, retryable: false })
      })

      test('are lent in the order in which they were asked for', async () => {
        const own = database.open(1)
        const first = await connect(own)
        const order: number[] = []
        const waiting = [1, 2, 3].map(async (n) => {
          const connection = await connect(own)
          order.push(n)
          await connection.release()
        })
        await new Promise((resolve) => setTimeout(resolve, 20))
        expect(order).toEqual([])
        await first.release()
        await Promise.all(waiting)
        expect(order).toEqual([1, 2, 3])
        await own.close()
      })

      test('of a closed engine are Unavailable, for those who wait too', async () => {
        const own = database.open(1)
        const connection = await connect(own)
        await ask(connection, begin)
        const waiting = own.connect()
        await own.close()
        for (const answer of [await waiting, await own.connect(), await connection.call(commit)]) {
          expect(leftOf<EngineError, unknown>(answer)).toMatchObject({ reason: { _tag: 'Unavailable' } })
        }
        await connection.release()
        await own.close()
      })
    })

    describe('tables', () => {
      test('are created once, and dropped once', async () => {
        rightOf(await createAll(engineModel)(engine)())
        await using((connection) => ask(connection, insert('accounts', ['name'], names(1))).then(() => {}))
        rightOf(await createAll(engineModel)(engine)())
        await using(async (connection) => expect(await count(connection, 'accounts')).toBe(1))
        rightOf(await dropAll(engineModel)(engine)())
        rightOf(await dropAll(engineModel)(engine)())
        await using(async (connection) => {
          expect(await failure(connection, raw(engine, sql`select * from accounts`))).toMatchObject({
            reason: { _tag: 'UnknownTable' },
          })
        })
      })
    })
  })
}
