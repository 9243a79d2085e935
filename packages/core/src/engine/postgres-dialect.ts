/**
 * How PostgreSQL, by the driver `pg`, spells the portable side of a column.
 *
 * `pg` gives `int8` and `numeric` as text, timestamps as `Date`s and JSON parsed; the readings here give them back as
 * portable values. A column of kind `json` has to be of a JSON type in the database; JSON in a text column is of kind
 * `text`.
 */
import type { ColumnKind } from '../model/column.js'
import type { Dialect, Returning } from './dialect.js'
import { toInteger, toJsonText, toReal, toTimestamp } from './from-driver.js'

const columnTypes: Readonly<Record<ColumnKind, string>> = {
  integer: 'integer',
  bigint: 'bigint',
  real: 'double precision',
  text: 'text',
  boolean: 'boolean',
  timestamp: 'timestamptz',
  json: 'jsonb',
  blob: 'bytea',
}

const readings: Readonly<Record<ColumnKind, ((value: unknown) => unknown) | null>> = {
  integer: toInteger,
  bigint: toInteger,
  real: toReal,
  text: null,
  boolean: null,
  timestamp: toTimestamp,
  json: toJsonText,
  blob: null,
}

/**
 * @category instances
 */
export const postgresDialect: Dialect = {
  name: 'postgres',
  // pg sends a Date in the local time zone; portable text is in UTC on every database
  toDriver: (value) => (value instanceof Date ? value.toISOString() : value),
  fromDriver: (kind) => readings[kind],
  columnType: (kind) => columnTypes[kind],
  // how texts are ordered depends on the database's locale; which are equal does not
  textComparison: 'equality',
  // the protocol counts parameters in 16 bits
  limits: { rows: 1000, parameters: 65_535 },
}

export const postgresReturning: Returning = { insert: true, update: true, delete: true, triggered: true }
