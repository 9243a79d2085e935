import { kyselyEngine } from '@unitary/core/engine/kysely'
import Database from 'better-sqlite3'
import {
  DummyDriver,
  Kysely,
  MssqlAdapter,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteDialect,
  sql,
} from 'kysely'
import { describe, expect, test } from 'vitest'
import { ask, connect, insert, leftOf, raw } from './engine-conformance.js'

const dummy = (createAdapter: () => PostgresAdapter | MssqlAdapter) => ({
  createAdapter,
  createDriver: () => new DummyDriver(),
  createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
})

describe('the dialect', () => {
  test("is told by Kysely's adapter", () => {
    expect(kyselyEngine(dummy(() => new PostgresAdapter())).dialect.name).toBe('postgres')
    expect(kyselyEngine(new SqliteDialect({ database: null as never })).dialect.name).toBe('sqlite')
    class SomePostgresAdapter extends MssqlAdapter {}
    expect(kyselyEngine(dummy(() => new SomePostgresAdapter())).dialect.name).toBe('postgres')
  })

  test('has to be named where the adapter does not tell it', async () => {
    const unknown = kyselyEngine(dummy(() => new MssqlAdapter()))
    expect(leftOf(await unknown.connect())).toMatchObject({
      reason: { _tag: 'Unsupported' },
      message: 'kyselyEngine does not know which SQL MssqlAdapter speaks; give it the option dialect',
    })
    const named = kyselyEngine(
      dummy(() => new MssqlAdapter()),
      { dialect: 'mysql' },
    )
    expect(named.dialect.name).toBe('mysql')
    const connection = await connect(named)
    expect(await ask(connection, raw(named, sql`select 1`))).toEqual({ rows: [], affected: 0 })
    await connection.release()
  })
})

test('an instance that the application has destroyed is Unavailable', async () => {
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(':memory:') }) })
  const engine = kyselyEngine(kysely)
  const connection = await connect(engine)
  await kysely.destroy()
  expect(leftOf(await connection.call(raw(engine, sql`select 1`)))).toMatchObject({ reason: { _tag: 'Unavailable' } })
  await connection.release()
  expect(leftOf(await engine.connect())).toMatchObject({ reason: { _tag: 'Unavailable' } })
})

test('values that a multi-row insert on SQLite leaves gaps between are refused, and right row by row', async () => {
  const database = new Database(':memory:')
  database.exec(`
    create table points (id integer primary key, n integer);
    create trigger twin after insert on points when new.n >= 0 begin insert into points (n) values (-1); end;
  `)
  const dialect = new SqliteDialect({ database })
  const call = insert(
    'points',
    ['n'],
    Array.from({ length: 10 }, (_, i) => [i]),
    'id',
  )
  const connection = await connect(kyselyEngine(dialect))
  const error = leftOf(await connection.call(call))
  expect(error.reason).toEqual({ _tag: 'Unsupported' })
  expect(error.message).toContain('rowByRow: true')
  expect(database.prepare('select count(*) from points').pluck().get()).toBe(0)
  await connection.release()
  const rowByRow = await connect(kyselyEngine(dialect, { rowByRow: true }))
  expect(await ask(rowByRow, call)).toEqual([
    database.prepare('select id from points where n >= 0 order by n').pluck().all(),
  ])
  await rowByRow.release()
})
