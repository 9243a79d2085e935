/**
 * Statements of SQLite that give rows, as they are read.
 *
 * better-sqlite3 gives rows as objects or as arrays. Arrays are made much faster, the more so the more columns they have, and
 * an object made of an array by a literal is one as any other: so rows are read as arrays, and made objects by generated code.
 */
import type { Statement } from 'better-sqlite3'
import { mayGenerate } from '../codec/generated-code.js'
import { boundedCache } from './bounded-cache.js'
import type { DriverRow } from './call.js'
import { narrow, reads64 } from './sqlite-integers.js'

/** A query's statement, and how rows are made of what it gives. */
export interface PreparedQuery {
  readonly statement: Statement
  readonly toRows: ToRows
}

/** May make the rows in the array that it is given, so that no more than one row is held twice. */
type ToRows = (given: unknown[]) => ReadonlyArray<DriverRow>

const asGiven: ToRows = (given) => given as ReadonlyArray<DriverRow>

/** The statement, set up to be read. */
export const prepareQuery = (statement: Statement): PreparedQuery => {
  if (!statement.reader) return { statement, toRows: asGiven }
  const isWide = reads64(statement)
  if (isWide) statement.safeIntegers(true)
  if (!canGenerate || mayChange(statement.source)) return { statement, toRows: isWide ? narrowed : asGiven }
  const names = statement.columns().map(({ name }) => name)
  return { statement: statement.raw(true), toRows: rowMaker(names, isWide) }
}

const canGenerate = mayGenerate()

/** SQLite prepares a statement again whose tables were altered: what `*` stands for is another then. */
const mayChange = (text: string): boolean => text.includes('*')

/** Integers that a double holds come as numbers, as they do from other statements; only larger ones stay `bigint`. */
const narrowed: ToRows = (given) =>
  (given as ReadonlyArray<DriverRow>).map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, narrow(value)])),
  )

/** Queries of one entity share their columns, however they narrow it. */
const rowMakers = boundedCache<ToRows>(500)

const rowMaker = (names: ReadonlyArray<string>, isWide: boolean): ToRows => {
  const key = JSON.stringify([isWide, ...names])
  return rowMakers.get(key) ?? rowMakers.set(key, generateRowMaker(names, isWide))
}

const generateRowMaker = (names: ReadonlyArray<string>, isWide: boolean): ToRows => {
  // in brackets `__proto__` is a name like any other
  const property = (name: string): string => (name === '__proto__' ? `['${name}']` : JSON.stringify(name))
  const properties = names.map((name, i) => `${property(name)}: ${isWide ? `narrow(row[${i}])` : `row[${i}]`}`)
  return new Function(
    'narrow',
    `'use strict'
    return (rows) => {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]
        rows[i] = { ${properties.join(', ')} }
      }
      return rows
    }`,
  )(narrow) as ToRows
}
