/**
 * Every way in which shards can lie on databases, for suites that hold on all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyModel, createAll, type Engine, type EngineCall, type QueryAnswer } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import { schemaTranslate, tablePrefix } from '@unitary/shard'
import Database from 'better-sqlite3'
import { type RawBuilder, sql } from 'kysely'
import { createMysql, createPostgres, mysqlHost, postgresHost, skipped } from '../../core/engine/databases.js'
import { rightOf } from '../weather.js'

/** Engines by token, on databases that belong to them. */
export interface LaidOut {
  readonly engines: Readonly<Record<string, Engine>>
  readonly close: () => Promise<void>
}

export interface LayoutHost {
  readonly name: string
  /** Why there is none; null where there is. */
  readonly missing: string | null
  /** Do its shards share a database, and so a transaction? */
  readonly isShared: boolean
  readonly open: (tokens: ReadonlyArray<string>) => Promise<LaidOut>
}

const folderOf = (): { readonly folder: string; readonly remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'unitary-layout-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const byToken = (tokens: ReadonlyArray<string>, engineOf: (token: string) => Engine): LaidOut['engines'] =>
  Object.fromEntries(tokens.map((token) => [token, engineOf(token)]))

const separateFiles =
  (isForeign: (token: string) => boolean = () => false) =>
  async (tokens: ReadonlyArray<string>): Promise<LaidOut> => {
    const { folder, remove } = folderOf()
    const own = tokens.filter((token) => !isForeign(token))
    const engines = byToken(own, (token) => sqliteEngine(new Database(join(folder, `${token}.db`))))
    return {
      engines,
      close: async () => {
        for (const engine of Object.values(engines)) await engine.close()
        remove()
      },
    }
  }

interface Server {
  readonly name: string
  readonly open: (connections?: number) => Engine
  readonly drop: () => Promise<void>
}

/** A database of a server for each shard. */
const separateDatabases =
  (create: () => Promise<Server>) =>
  async (tokens: ReadonlyArray<string>): Promise<LaidOut> => {
    const databases = new Map<string, Server>()
    for (const token of tokens) databases.set(token, await create())
    const engines = byToken(tokens, (token) => (databases.get(token) as Server).open(2))
    return {
      engines,
      close: async () => {
        for (const engine of Object.values(engines)) await engine.close()
        for (const { drop } of databases.values()) await drop()
      },
    }
  }

/** All shards in one database, each by its own view of it. */
const oneDatabase =
  (
    create: () => Promise<Server>,
    view: (token: string, database: string) => (engine: Engine) => Engine,
    ending: (database: string, token: string) => string | null = () => null,
  ) =>
  async (tokens: ReadonlyArray<string>): Promise<LaidOut> => {
    const database = await create()
    const engine = database.open(2)
    return {
      engines: byToken(tokens, (token) => view(token, database.name)(engine)),
      close: async () => {
        for (const token of tokens) {
          const text = ending(database.name, token)
          if (text !== null) await ask(engine, sql.raw(text))
        }
        await engine.close()
        await database.drop()
      },
    }
  }

const memory = async (): Promise<Server> => {
  const database = new Database(':memory:')
  return { name: 'memory', open: () => sqliteEngine(database), drop: async () => {} }
}

const attached = async (tokens: ReadonlyArray<string>): Promise<LaidOut> => {
  const { folder, remove } = folderOf()
  const database = new Database(join(folder, 'main.db'))
  for (const token of tokens) database.exec(`attach '${join(folder, `${token}.db`)}' as ${token}`)
  const engine = sqliteEngine(database, { journalMode: 'keep' })
  return {
    engines: byToken(tokens, (token) => schemaTranslate(token)(engine)),
    close: async () => {
      await engine.close()
      remove()
    },
  }
}

const [noPostgres, noMysql] = [skipped(postgresHost), skipped(mysqlHost)]

const prefixed = (token: string): ((engine: Engine) => Engine) => tablePrefix(`${token}_`)

export const layouts: ReadonlyArray<LayoutHost> = [
  { name: 'SQLite files', missing: null, isShared: false, open: separateFiles() },
  { name: 'SQLite files attached to one connection', missing: null, isShared: true, open: attached },
  { name: 'table prefixes on SQLite', missing: null, isShared: true, open: oneDatabase(memory, prefixed) },
  {
    name: 'table prefixes on PostgreSQL',
    missing: noPostgres,
    isShared: true,
    open: oneDatabase(createPostgres, prefixed),
  },
  { name: 'table prefixes on MariaDB', missing: noMysql, isShared: true, open: oneDatabase(createMysql, prefixed) },
  {
    name: 'PostgreSQL schemas',
    missing: noPostgres,
    isShared: true,
    open: oneDatabase(createPostgres, (token) => schemaTranslate(token)),
  },
  { name: 'PostgreSQL databases', missing: noPostgres, isShared: false, open: separateDatabases(createPostgres) },
  { name: 'MariaDB databases', missing: noMysql, isShared: false, open: separateDatabases(createMysql) },
  {
    name: 'MariaDB databases on one connection',
    missing: noMysql,
    isShared: true,
    open: oneDatabase(
      createMysql,
      (token, database) => schemaTranslate(`${database}_${token}`),
      (database, token) => `drop database if exists \`${database}_${token}\``,
    ),
  },
  {
    name: 'SQLite and PostgreSQL',
    missing: noPostgres,
    isShared: false,
    open: async (tokens) => {
      const isForeign = (token: string): boolean => tokens.indexOf(token) % 2 === 1
      const files = await separateFiles(isForeign)(tokens)
      const databases = await separateDatabases(createPostgres)(tokens.filter(isForeign))
      const all = { ...files.engines, ...databases.engines }
      return {
        engines: byToken(tokens, (token) => all[token] as Engine),
        close: async () => {
          await files.close()
          await databases.close()
        },
      }
    },
  },
]

/** Makes the tables of a model on every shard. */
export const createOnAll = async ({ engines }: LaidOut, model: AnyModel): Promise<void> => {
  for (const engine of Object.values(engines)) rightOf(await createAll(model)(engine)())
}

/** What a statement of text gives on an engine; tables are named by `sql.table`. */
export const ask = async (engine: Engine, statement: RawBuilder<unknown>): Promise<QueryAnswer['rows']> => {
  const answer = (await answerOf(engine, {
    _tag: 'Query',
    statement: engine.compile(statement.toOperationNode() as never),
  })) as QueryAnswer
  return answer.rows
}

/** The answer to one call, on a connection of its own. */
export const answerOf = async (engine: Engine, asked: EngineCall): Promise<unknown> => {
  const connection = rightOf(await engine.connect())
  const answer = await connection.call(asked)
  await connection.release()
  return rightOf(answer as never)
}

/** The rows of a table on a shard, by its first column. */
export const rowsOn = async ({ engines }: LaidOut, token: string, table: string): Promise<QueryAnswer['rows']> =>
  ask(engines[token] as Engine, sql`select * from ${sql.table(table)} order by 1`)
