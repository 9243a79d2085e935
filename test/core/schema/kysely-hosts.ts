/** Databases with Kysely's own interface beside the engine. */
import type { Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import Database from 'better-sqlite3'
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely'
import {
  createMysql,
  createPostgres,
  mysqlHost,
  mysqlPool,
  postgresHost,
  postgresPool,
  skipped,
} from '../engine/databases.js'

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
