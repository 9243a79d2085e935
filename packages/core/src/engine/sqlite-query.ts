/**
 * Statements of SQLite that give rows, as they are read.
 *
 * better-sqlite3 gives rows as objects or as arrays. Arrays are made much faster, the more so the more columns they have, and
 * an object made of an array by a literal is one as any other: so rows are read as arrays, and made objects here.
 */
import type { Statement } from 'better-sqlite3'
import { type RowMaker, rowMakerOf } from '../codec/row-maker.js'
import { boundedCache } from './bounded-cache.js'
import type { DriverRow } from './call.js'
import { narrow, reads64 } from './sqlite-integers.js'

/** A query's statement, and how rows are made of what it gives: in the same array, if need be. */
export interface PreparedQuery {
  readonly statement: Statement
  readonly toRows: RowMaker
}

const asGiven: RowMaker = (given) => given as ReadonlyArray<DriverRow>

/** The statement, set up to be read. */
export const prepareQuery = (statement: Statement): PreparedQuery => {
  if (!statement.reader) return { statement, toRows: asGiven }
  const isWide = reads64(statement)
  if (isWide) statement.safeIntegers(true)
  const maker = mayChange(statement.source) ? null : knownMaker(statement, isWide)
  return maker === null
    ? { statement, toRows: isWide ? narrowed : asGiven }
    : { statement: statement.raw(true), toRows: maker }
}

/** SQLite prepares a statement again whose tables were altered: what `*` stands for is another then. */
const mayChange = (text: string): boolean => text.includes('*')

/** Integers that a double holds come as numbers, as they do from other statements; only larger ones stay `bigint`. */
const narrowed: RowMaker = (given) =>
  (given as ReadonlyArray<DriverRow>).map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, narrow(value)])),
  )

/** Queries of one entity share their columns, however they narrow it. */
const makers = boundedCache<RowMaker | null>(500)

const knownMaker = (statement: Statement, isWide: boolean): RowMaker | null => {
  const names = statement.columns().map(({ name }) => name)
  const key = JSON.stringify([isWide, ...names])
  const known = makers.get(key)
  return known === undefined ? makers.set(key, rowMakerOf(names, isWide ? narrow : null)) : known
}
