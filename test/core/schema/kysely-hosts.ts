/** Databases with Kysely's own interface beside the engine. */
import type { Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { introspect } from '@unitary/core/schema'
import Database from 'better-sqlite3'
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect, sql } from 'kysely'
import {
  createMysql,
  createPostgres,
  mysqlHost,
  mysqlPool,
  postgresHost,
  postgresPool,
  skipped,
} from '../engine/databases.js'
import { rightOf } from '../engine/engine-conformance.js'

export interface KyselyDatabase {
  readonly db: Kysely<unknown>
  readonly engine: Engine
  readonly drop: () => Promise<void>
}

export interface KyselyHost {
  readonly name: string
  readonly why: string | null
  readonly create: () => Promise<KyselyDatabase>
}

const opened = (db: Kysely<unknown>, drop: () => Promise<void>): KyselyDatabase => {
  const engine = kyselyEngine(db)
  return {
    db,
    engine,
    drop: async () => {
      await engine.close()
      await db.destroy()
      await drop()
    },
  }
}

export const kyselyHosts: ReadonlyArray<KyselyHost> = [
  {
    name: 'SQLite',
    why: null,
    create: async () =>
      opened(new Kysely({ dialect: new SqliteDialect({ database: new Database(':memory:') }) }), async () => {}),
  },
  {
    name: 'PostgreSQL',
    why: skipped(postgresHost),
    create: async () => {
      const { name, drop } = await createPostgres()
      return opened(new Kysely({ dialect: new PostgresDialect({ pool: postgresPool(name, 4) }) }), drop)
    },
  },
  {
    name: 'MariaDB',
    why: skipped(mysqlHost),
    create: async () => {
      const { name, drop } = await createMysql()
      return opened(new Kysely({ dialect: new MysqlDialect({ pool: mysqlPool(name, {}) }) }), drop)
    },
  },
]

/** Drops all tables, whatever made them. */
export const everythingDropped = async ({ db, engine }: KyselyDatabase): Promise<void> => {
  const { tables } = rightOf(await introspect(engine)())
  if (engine.dialect.name === 'postgres') await sql`drop schema public cascade; create schema public`.execute(db)
  else {
    const checking = engine.dialect.name === 'sqlite' ? sql`pragma foreign_keys` : sql`set session foreign_key_checks`
    await db.connection().execute(async (connection) => {
      await sql`${checking} = 0`.execute(connection)
      for (const { name } of tables) await connection.schema.dropTable(name).execute()
      await sql`${checking} = 1`.execute(connection)
    })
  }
}
