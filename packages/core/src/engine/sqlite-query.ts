/**
 * Statements of SQLite as they are read: which of their columns hold integers of 64 bits.
 */
import type { Statement } from 'better-sqlite3'
import type { DriverRow } from './call.js'

/** A query's statement. `reads64` lists the columns of rows that have to be read as 64-bit integers, or is null. */
export interface PreparedQuery {
  readonly statement: Statement
  readonly reads64: ReadonlyArray<string> | null
}

/** The statement, set up to be read. */
export const prepareQuery = (statement: Statement): PreparedQuery => {
  const columns = statement.reader ? statement.columns() : []
  const reads64 = columns.some(({ type }) => type !== null && /^(unsigned )?big ?int|^int8$/i.test(type))
  return {
    statement: reads64 ? statement.safeIntegers(true) : statement,
    reads64: reads64 ? columns.map(({ name }) => name) : null,
  }
}

/** Integers that a double holds come as numbers, as they do from other statements; only larger ones stay `bigint`. */
export const narrow = (rows: ReadonlyArray<DriverRow>, columns: ReadonlyArray<string>): void => {
  for (const row of rows as Array<Record<string, unknown>>) {
    for (const column of columns) {
      const value = row[column]
      if (typeof value === 'bigint') {
        const number = Number(value)
        if (Number.isSafeInteger(number)) row[column] = number
      }
    }
  }
}
