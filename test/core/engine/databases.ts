/**
 * Real databases for the tests of engines: each is made for one test file and dropped after it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { type SqliteEngineOptions, sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely'
import { createConnection, createPool, type Pool as MysqlPool, type PoolOptions } from 'mysql2'
import { Client, Pool } from 'pg'

export interface TestDatabase {
  /** A new engine on the same database, with at most so many connections. */
  readonly open: (connections?: number) => Engine
  readonly drop: () => Promise<void>
}

/** What a suite runs on: a way to make a database, or why there is none. */
export interface Host {
  readonly name: string
  readonly missing: string | null
  /** Why integers beyond 2^53 come back rounded, where they do. */
  readonly rounds: string | null
  readonly create: () => Promise<TestDatabase>
}

let made = 0

const uniqueName = (): string => `unitary_${process.pid}_${Date.now().toString(36)}_${made++}`

const sqliteFile = (): { readonly file: string; readonly remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'unitary-'))
  return { file: join(folder, 'test.db'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const sqliteHost = (name: string, options: SqliteEngineOptions = {}): Host => ({
  name,
  missing: null,
  rounds: null,
  create: async () => {
    const { file, remove } = sqliteFile()
    return { open: () => sqliteEngine(new Database(file), options), drop: async () => remove() }
  },
})

export const kyselySqliteHost: Host = {
  name: 'Kysely and SQLite',
  missing: null,
  rounds: " (Kysely's driver cannot read a statement's integers as bigint)",
  create: async () => {
    const { file, remove } = sqliteFile()
    const open = (): Engine => {
      const database = new Database(file)
      database.pragma('journal_mode = wal')
      return kyselyEngine(new SqliteDialect({ database }))
    }
    return { open, drop: async () => remove() }
  },
}

const postgres = { host: '127.0.0.1', port: 5432, user: 'root', database: 'test' }

const postgresAdmin = async (sql: string): Promise<void> => {
  const client = new Client(postgres)
  await client.connect()
  await client.query(sql)
  await client.end()
}

const reason = (error: unknown): string => (error instanceof Error ? error.message || String(error) : String(error))

const missing = async (attempt: () => Promise<unknown>): Promise<string | null> => {
  try {
    await attempt()
    return null
  } catch (error) {
    return reason(error)
  }
}

/** The pool of a database that `postgresHost` made, for tests that need the driver itself. */
export const postgresPool = (database: string, connections: number): Pool => {
  const pool = new Pool({ ...postgres, database, max: connections })
  // a connection that breaks while nobody asks it anything would end the process
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

export interface ServerDatabase extends TestDatabase {
  readonly name: string
}

export const createPostgres = async (): Promise<ServerDatabase> => {
  const name = uniqueName()
  await postgresAdmin(`create database ${name}`)
  return {
    name,
    open: (connections = 4) => kyselyEngine(new PostgresDialect({ pool: postgresPool(name, connections) })),
    drop: () => postgresAdmin(`drop database if exists ${name} with (force)`),
  }
}

export const postgresHost: Host = {
  name: 'Kysely and PostgreSQL',
  missing: await missing(() => postgresAdmin('select 1')),
  rounds: null,
  create: createPostgres,
}

/** Where MariaDB is. */
export const mysqlServer = { host: '127.0.0.1', port: 3306, user: 'root' }

const mysqlAdmin = (sql: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const connection = createConnection(mysqlServer)
    connection.on('error', reject)
    connection.query(sql, (error) => {
      connection.destroy()
      if (error === null) resolve()
      else reject(error)
    })
  })

/** The pool of a database that `createMysql` made, for tests that need the driver itself. */
export const mysqlPool = (database: string, options: PoolOptions): MysqlPool =>
  createPool({ ...mysqlServer, database, supportBigNumbers: true, ...options })

export const createMysql = async (): Promise<
  ServerDatabase & { readonly openWith: (options: PoolOptions) => Engine }
> => {
  const name = uniqueName()
  await mysqlAdmin(`create database ${name}`)
  const openWith = (options: PoolOptions): Engine => kyselyEngine(new MysqlDialect({ pool: mysqlPool(name, options) }))
  return {
    name,
    open: (connections = 4) => openWith({ connectionLimit: connections }),
    openWith,
    drop: () => mysqlAdmin(`drop database if exists ${name}`),
  }
}

export const mysqlHost: Host = {
  name: 'Kysely and MariaDB',
  missing: await missing(() => mysqlAdmin('select 1')),
  rounds: null,
  create: createMysql,
}

/** Why a suite does not run; null where it does. Where CI promises the service, it runs and fails instead. */
export const skipped = (host: Host): string | null => (process.env.CI === 'true' ? null : host.missing)
