/**
 * How SQLite spells the portable side of a column.
 *
 * SQLite has no booleans, dates, exact fractions, arrays or JSON type: booleans are kept as 0 and 1, decimals as text that sorts
 * as they do, the others as their portable text. A column of kind `bigint` is declared BIGINT rather than INTEGER, which is the
 * same to SQLite and tells the engine which statements have to read integers of 64 bits. A generated key is the rowid, which
 * must be spelt INTEGER; `ddlOf` sees to it.
 */
import { decimalOfSortable, parseDecimal, sortableDecimal } from '../codec/decimal.js'
import type { ColumnKind } from '../model/column.js'
import type { Dialect, Returning } from './dialect.js'
import { toBoolean, toBytes } from './from-driver.js'

/**
 * A portable value as better-sqlite3 binds it: it knows numbers, strings, bigints, bytes and null.
 */
export const toSqlite = (value: unknown): unknown => {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0
    case 'object':
      return value instanceof Date ? value.toISOString() : value
    default:
      return value
  }
}

const columnTypes: Readonly<Record<ColumnKind, string>> = {
  integer: 'integer',
  bigint: 'bigint',
  real: 'real',
  decimal: 'text',
  text: 'text',
  enum: 'text',
  uuid: 'text',
  boolean: 'boolean',
  timestamp: 'text',
  date: 'text',
  time: 'text',
  json: 'text',
  array: 'text',
  blob: 'blob',
}

const toSortable = (value: unknown): unknown => {
  const parsed = typeof value === 'string' ? parseDecimal(value) : null
  return parsed?._tag === 'Some' ? sortableDecimal(parsed.value) : value
}

/** Anything else would not compare: no codec takes what becomes of it. */
const fromSortable = (value: unknown): unknown =>
  value === null ? null : typeof value === 'string' ? (decimalOfSortable(value) ?? 'not sortable') : 'not sortable'

const readings: Readonly<Partial<Record<ColumnKind, (value: unknown) => unknown>>> = {
  boolean: toBoolean,
  decimal: fromSortable,
  blob: toBytes,
}

/**
 * @category instances
 */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  toDriver: toSqlite,
  written: (kind) => (kind === 'decimal' ? toSortable : null),
  fromDriver: (kind) => readings[kind] ?? null,
  selectedAs: () => null,
  parameterType: () => null,
  columnType: ({ kind }) => columnTypes[kind],
  textComparison: 'code points',
  // SQLite's default, with which better-sqlite3 is built
  limits: { rows: 100, parameters: 32_766, bytes: null },
}

/**
 * RETURNING is there from SQLite 3.35 on, which is older than any that better-sqlite3 brings. Its triggers can change a row
 * only once it is written, and RETURNING does not see that.
 *
 * @see https://www.sqlite.org/lang_returning.html#limitations_and_caveats
 */
export const sqliteReturning: Returning = { insert: true, update: true, delete: true, triggered: false }
