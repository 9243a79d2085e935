/**
 * Statements of SQLite that give rows, as they are read.
 */
import type { Statement } from 'better-sqlite3'
import type { DriverRow } from './call.js'
import { narrow, reads64 } from './sqlite-integers.js'

/** A query's statement. `wideColumns` lists the columns of rows that have to be read as 64-bit integers, or is null. */
export interface PreparedQuery {
  readonly statement: Statement
  readonly wideColumns: ReadonlyArray<string> | null
}

/** The statement, set up to be read. */
export const prepareQuery = (statement: Statement): PreparedQuery => {
  const isWide = statement.reader && reads64(statement)
  return {
    statement: isWide ? statement.safeIntegers(true) : statement,
    wideColumns: isWide ? statement.columns().map(({ name }) => name) : null,
  }
}

/** Integers that a double holds come as numbers, as they do from other statements; only larger ones stay `bigint`. */
export const narrowRows = (rows: ReadonlyArray<DriverRow>, columns: ReadonlyArray<string>): void => {
  for (const row of rows as Array<Record<string, unknown>>) {
    for (const column of columns) row[column] = narrow(row[column])
  }
}
