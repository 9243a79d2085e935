import type { Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { CamelCasePlugin, Kysely, MysqlDialect, PostgresDialect, SqliteDialect, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { cursorConformance } from './cursor-conformance.js'
import {
  createMysql,
  createPostgres,
  kyselySqliteHost,
  mysqlHost,
  mysqlPool,
  postgresHost,
  postgresPool,
  skipped,
  sqliteHost,
} from './databases.js'
import { ask, begin, connect, failure, raw } from './engine-conformance.js'

cursorConformance(sqliteHost('SQLite'))
cursorConformance(kyselySqliteHost)
cursorConformance(postgresHost)
cursorConformance(mysqlHost)

describe('cursors of SQLite', () => {
  const open = async () => {
    const database = new Database(':memory:')
    database.exec(
      "create table t (id integer primary key, name text); insert into t values (1, 'a'), (2, 'b'), (3, 'c')",
    )
    const engine = sqliteEngine(database)
    const connection = await connect(engine)
    await ask(connection, begin)
    return { connection, engine }
  }

  test('are not disturbed by a write that returns rows', async () => {
    const { connection, engine } = await open()
    const { statement } = raw(engine, sql`select id from t`)
    await ask(connection, { _tag: 'OpenCursor', name: 'c', hold: false, statement })
    expect(await ask(connection, { _tag: 'Fetch', name: 'c', count: 1 })).toEqual([{ id: 1 }])
    const written = await ask(connection, raw(engine, sql`insert into t (name) values ('d') returning id`))
    expect(written.rows).toEqual([{ id: 4 }])
    expect(await ask(connection, { _tag: 'Fetch', name: 'c', count: 9 })).toEqual([{ id: 2 }, { id: 3 }])
  })

  test('are for what only reads', async () => {
    const { connection, engine } = await open()
    for (const writing of [sql`delete from t returning id`, sql`delete from t`]) {
      const { statement } = raw(engine, writing)
      const error = await failure(connection, { _tag: 'OpenCursor', name: 'c', hold: false, statement })
      expect(error.reason).toEqual({ _tag: 'Unsupported' })
    }
    expect((await ask(connection, raw(engine, sql`select id from t`))).rows).toHaveLength(3)
  })

  test('give back the connection of an application that has a transaction of its own', async () => {
    const database = new Database(':memory:')
    database.exec('create table t (id integer primary key); insert into t values (1), (2); begin')
    const engine = sqliteEngine(database)
    const connection = await connect(engine)
    const { statement } = raw(engine, sql`select id from t`)
    await ask(connection, { _tag: 'OpenCursor', name: 'c', hold: false, statement })
    await ask(connection, { _tag: 'Fetch', name: 'c', count: 1 })
    await connection.release()
    expect(database.inTransaction).toBe(true)
    database.exec('insert into t values (3); commit')
  })
})

describe('cursors go through the plugins of a Kysely instance', () => {
  const engines: ReadonlyArray<
    readonly [string, string | null, () => Promise<readonly [Engine, () => Promise<void>]>]
  > = [
    [
      'SQLite',
      null,
      async () => [
        kyselyEngine(
          new Kysely({
            dialect: new SqliteDialect({ database: new Database(':memory:') }),
            plugins: [new CamelCasePlugin()],
          }),
        ),
        async () => {},
      ],
    ],
    [
      'PostgreSQL',
      skipped(postgresHost),
      async () => {
        const { name, drop } = await createPostgres()
        const dialect = new PostgresDialect({ pool: postgresPool(name, 1) })
        return [kyselyEngine(new Kysely({ dialect, plugins: [new CamelCasePlugin()] })), drop]
      },
    ],
    [
      'MariaDB',
      skipped(mysqlHost),
      async () => {
        const { name, drop } = await createMysql()
        const dialect = new MysqlDialect({ pool: mysqlPool(name, { connectionLimit: 1 }) })
        return [kyselyEngine(new Kysely({ dialect, plugins: [new CamelCasePlugin()] })), drop]
      },
    ],
  ]
  test.each(engines.filter(([, missing]) => missing === null))('%s', async (_, __, make) => {
    const [engine, drop] = await make()
    const connection = await connect(engine)
    await ask(connection, begin)
    const { statement } = raw(engine, sql`select 1 as first_name union all select 2`)
    await ask(connection, { _tag: 'OpenCursor', name: 'c', hold: false, statement })
    expect(await ask(connection, { _tag: 'Fetch', name: 'c', count: 1 })).toEqual([{ firstName: 1 }])
    expect((await ask(connection, raw(engine, sql`select 3 as last_name`))).rows).toEqual([{ lastName: 3 }])
    expect(await ask(connection, { _tag: 'Fetch', name: 'c', count: 2 })).toEqual([{ firstName: 2 }])
    await connection.release()
    await engine.close()
    await drop()
  })
})

describe.skipIf(skipped(mysqlHost) !== null)('a query of MySQL that nobody reads to its end', () => {
  test.each([
    [true, 1],
    [false, 0],
  ])('is killed, if the engine may: %s', async (killsQueries, kills) => {
    const { name, drop } = await createMysql()
    const texts: string[] = []
    const dialect = new MysqlDialect({ pool: mysqlPool(name, { connectionLimit: 2 }) })
    const kysely = new Kysely({ dialect, log: ({ query }) => void texts.push(query.sql) })
    const engine = kyselyEngine(kysely, { killsQueries })
    const connection = await connect(engine)
    await ask(connection, begin)
    const { statement } = raw(engine, sql`select seq from seq_1_to_200000`)
    await ask(connection, { _tag: 'OpenCursor', name: 'c', hold: false, statement })
    await ask(connection, { _tag: 'CloseCursor', name: 'c' })
    expect(texts.filter((text) => /^kill query \d+$/i.test(text))).toHaveLength(kills)
    expect((await ask(connection, raw(engine, sql`select 1 as one`))).rows).toEqual([{ one: 1 }])
    await connection.release()
    await engine.close()
    await drop()
  })
})
