/**
 * How PostgreSQL, by the driver `pg`, spells the portable side of a column.
 *
 * `pg` makes of a value what the application has told it to (`types.setTypeParser`): where that can lose something - `int8` and
 * `numeric` made numbers, days made local midnights, JSON's null made none - the column is selected as text, a timestamp as its
 * text in UTC. JSON has to be of a JSON type in the database; JSON in a text column is of kind `text`.
 */
import { FunctionNode, ValueNode } from 'kysely'
import type { ColumnKind, ColumnType } from '../model/column.js'
import type { Dialect, Returning, Selected } from './dialect.js'
import { toBigint, toBytes, toInteger, toJsonText, toReal, toUtc } from './from-driver.js'
import { quotedItem } from './postgres-array-text.js'

type Kinds<A> = Readonly<Record<ColumnKind, A>>

const typeOf = ({ kind, detail }: ColumnType): string => {
  if (detail?._tag === 'Decimal') return `numeric(${detail.precision}, ${detail.scale})`
  return detail?._tag === 'Array' ? `${typeOf(detail.item)}[]` : columnTypes[kind]
}

const columnTypes: Kinds<string> = {
  integer: 'integer',
  bigint: 'bigint',
  real: 'double precision',
  decimal: 'numeric',
  text: 'text',
  enum: 'text',
  uuid: 'uuid',
  boolean: 'boolean',
  timestamp: 'timestamptz(3)',
  date: 'date',
  time: 'time(3)',
  json: 'jsonb',
  array: 'text[]',
  blob: 'bytea',
}

const text: Selected = { by: null, type: 'text' }
const utc = ValueNode.createImmediate('UTC')

const selected: Readonly<Partial<Kinds<Selected>>> = {
  bigint: text,
  decimal: text,
  timestamp: { ...text, by: (column) => FunctionNode.create('timezone', [utc, column]) },
  date: text,
  time: text,
  json: text,
  array: { ...text, by: (column) => FunctionNode.create('to_json', [column]) },
}

const readings: Kinds<((value: unknown) => unknown) | null> = {
  integer: toInteger,
  bigint: toBigint,
  real: toReal,
  decimal: null,
  text: null,
  enum: null,
  uuid: null,
  boolean: null,
  timestamp: toUtc,
  date: null,
  time: null,
  json: toJsonText,
  array: toJsonText,
  blob: toBytes,
}

/** A list of JSON as PostgreSQL writes arrays: every item in quotation marks but NULL, numbers as they stand. */
const toArray = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  // numbers that a double does not hold stand outside of quotation marks
  const items: unknown = /^\[[\d,.-]*\]$/.test(value) ? value.slice(1, -1).split(',') : JSON.parse(value)
  if (!Array.isArray(items) || value === '[]') return '{}'
  return `{${items.map((item) => (item === null ? 'NULL' : quotedItem(String(item)))).join()}}`
}

/** As which type a value is compared; a number of digits would round it. */
const looseType = ({ kind, detail }: ColumnType): string =>
  kind === 'integer'
    ? 'bigint'
    : kind === 'timestamp'
      ? 'timestamptz'
      : kind === 'decimal'
        ? 'numeric'
        : kind === 'time'
          ? 'time'
          : typeOf({ kind, detail })

/**
 * @category instances
 */
export const postgresDialect: Dialect = {
  name: 'postgres',
  // pg sends a Date in the local time zone; portable text is in UTC on every database
  toDriver: (value) => (value instanceof Date ? value.toISOString() : value),
  written: (kind) => (kind === 'array' ? toArray : null),
  fromDriver: (kind) => readings[kind],
  selectedAs: (kind) => selected[kind] ?? null,
  // beside nothing but other parameters it takes them for text
  parameterType: (type, place) => (place === 'alone' ? looseType(type) : null),
  columnType: typeOf,
  // how texts are ordered depends on the database's locale; which are equal does not
  textComparison: 'equality',
  // the protocol counts parameters in 16 bits
  limits: { rows: 1000, parameters: 65_535, bytes: null },
}

export const postgresReturning: Returning = { insert: true, update: true, delete: true, triggered: true }
