/**
 * SQLite, which the corpus was recorded on: tables as the description's DDL makes them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Sqlite from 'better-sqlite3'
import type { Host, Layout, ScenarioDatabase, ScenarioShards, ShardRows } from '../database.js'
import type { ScenarioModel } from '../model.js'
import type { Scenario, TableRow, Tables } from '../scenario.js'

/** A database for a scenario: in memory, or a file where several connections are needed. */
const open = async (
  { rows, session }: Pick<Scenario, 'rows' | 'session'>,
  model: ScenarioModel,
): Promise<ScenarioDatabase> => {
  const folder = session.store === 'file' ? mkdtempSync(join(tmpdir(), 'unitary-conformance-')) : null
  const path = folder === null ? ':memory:' : join(folder, 'scenario.db')
  const opened: Sqlite.Database[] = []
  const openOne = (): Sqlite.Database => {
    const database = new Sqlite(path, { timeout: 100 })
    database.pragma('foreign_keys = ON')
    opened.push(database)
    return database
  }
  const first = openOne()
  if (folder !== null) first.pragma('journal_mode = WAL')
  for (const statement of model.description.ddl) first.exec(statement)
  // rows stand in the order of the corpus, which is not that of their references
  first.pragma('foreign_keys = OFF')
  insertRows(first, rows)
  first.pragma('foreign_keys = ON')
  return {
    engine: () => sqliteEngine(folder === null ? first : openOne()),
    external: async (statements) => {
      for (const statement of statements) first.exec(statement)
    },
    contents: async () => contentsOf(first, model),
    close: async () => {
      for (const database of opened) database.close()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A database for each shard. */
const openShards = async (shards: ReadonlyArray<ShardRows>, model: ScenarioModel): Promise<ScenarioShards> => {
  const opened = new Map<string, ScenarioDatabase>()
  for (const { rows, token } of shards) opened.set(token, await open({ rows, session: {} }, model))
  return {
    shards: opened,
    close: async () => {
      for (const database of opened.values()) await database.close()
    },
  }
}

export const sqlite: Host = { name: 'SQLite', isRecorded: true, open, close: async () => {} }

/** Each shard is a database of its own, as in the recording. */
export const separateFiles: Layout = { name: 'SQLite files', openShards, close: async () => {} }

const quoted = (name: string): string => `"${name}"`

const insertRows = (database: Sqlite.Database, tables: Tables): void => {
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const columns = Object.keys(row)
      const into = `${quoted(table)} (${columns.map(quoted).join(', ')})`
      const values = columns.map((column) => (typeof row[column] === 'boolean' ? Number(row[column]) : row[column]))
      database.prepare(`INSERT INTO ${into} VALUES (${columns.map(() => '?').join(', ')})`).run(...values)
    }
  }
}

const contentsOf = (database: Sqlite.Database, model: ScenarioModel): Tables => {
  const found: Record<string, ReadonlyArray<TableRow>> = {}
  const tables = database
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .pluck()
    .all() as ReadonlyArray<string>
  for (const table of tables) {
    const rows = database.prepare(`SELECT * FROM ${quoted(table)}`).all() as ReadonlyArray<TableRow>
    if (rows.length > 0) found[table] = rows.map((row) => model.portable(table, row))
  }
  return found
}
