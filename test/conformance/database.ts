/**
 * The database of one scenario: its tables as the description's DDL makes them, its rows, and what is in it at the end.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Sqlite from 'better-sqlite3'
import type { ScenarioModel } from './model.js'
import type { Scenario, TableRow, Tables } from './scenario.js'

export interface ScenarioDatabase {
  /** An engine for one session. */
  readonly engine: () => Engine
  /** Statements that another connection commits. */
  readonly external: (statements: ReadonlyArray<string>) => void
  /** The committed rows, ordered by primary key; tables without rows are left out. */
  readonly contents: () => Tables
  readonly close: () => void
}

/** A SQLite database for a scenario: in memory, or a file where several connections are needed. */
export const sqliteFor = (scenario: Scenario, model: ScenarioModel): ScenarioDatabase => {
  const folder = scenario.session.store === 'file' ? mkdtempSync(join(tmpdir(), 'unitary-conformance-')) : null
  const path = folder === null ? ':memory:' : join(folder, 'scenario.db')
  const opened: Sqlite.Database[] = []
  const open = (): Sqlite.Database => {
    const database = new Sqlite(path, { timeout: 100 })
    database.pragma('foreign_keys = ON')
    opened.push(database)
    return database
  }
  const first = open()
  if (folder !== null) first.pragma('journal_mode = WAL')
  for (const statement of model.description.ddl) first.exec(statement)
  // rows stand in the order of the corpus, which is not that of their references
  first.pragma('foreign_keys = OFF')
  insertRows(first, scenario.rows)
  first.pragma('foreign_keys = ON')
  return {
    engine: () => sqliteEngine(folder === null ? first : open()),
    external: (statements) => {
      for (const statement of statements) first.exec(statement)
    },
    contents: () => contentsOf(first, model),
    close: () => {
      for (const database of opened) database.close()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}

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
    const info = database.pragma(`table_info(${quoted(table)})`) as ReadonlyArray<{ name: string; pk: number }>
    const key = info.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
    const order = key.length === 0 ? '' : ` ORDER BY ${key.map(({ name }) => quoted(name)).join(', ')}`
    const rows = database.prepare(`SELECT * FROM ${quoted(table)}${order}`).all() as ReadonlyArray<TableRow>
    if (rows.length > 0) found[table] = rows.map((row) => model.portable(table, row))
  }
  return found
}
