/**
 * How MySQL and MariaDB, by the driver `mysql2`, spell the portable side of a column.
 *
 * - Booleans are TINYINT(1): 0 and 1.
 * - Instants are DATETIME(3) in UTC. DATETIME knows no zone, so neither the server's nor the session's has a say.
 * - TEXT cannot be a key without a length, so keys and unique columns are VARCHAR(255).
 * - Text is told apart by its characters, as in programs and on the other databases; the server's own collation takes
 *   `E` and `é` for `e`, as it may in tables that are made without `ddlOf`.
 * - What `mysql2` makes of a value depends on the options of the pool (`timezone`, `dateStrings`, `supportBigNumbers`,
 *   `decimalNumbers`, `jsonStrings`), and by default it rounds integers beyond 2^53. Columns of such kinds are selected as
 *   text, which it leaves alone. JSON in a text column is of kind `text`.
 * - Doubles come as text that is off by their last bit now and then, so what is missing comes beside it.
 */
import { BinaryOperationNode, FunctionNode, type OperationNode, OperatorNode, ParensNode, ValueNode } from 'kysely'
import { shortestTime } from '../codec/time.js'
import type { ColumnKind, ColumnType } from '../model/column.js'
import type { Dialect, Returning, Selected } from './dialect.js'
import { toBigint, toBoolean, toBytes, toInteger, toJsonText, toSpelledReal, toUtc } from './from-driver.js'

type Kinds<A> = Readonly<Record<ColumnKind, A>>

const columnTypes: Kinds<string> = {
  integer: 'integer',
  bigint: 'bigint',
  real: 'double',
  decimal: 'decimal(65, 30)',
  text: 'longtext collate utf8mb4_bin',
  enum: 'varchar(255) collate utf8mb4_bin',
  uuid: 'char(36) character set ascii collate ascii_bin',
  boolean: 'boolean',
  timestamp: 'datetime(3)',
  date: 'date',
  time: 'time(3)',
  json: 'json',
  array: 'json',
  blob: 'longblob',
}

const keyTypes: Readonly<Partial<Kinds<string>>> = {
  text: 'varchar(255) collate utf8mb4_bin',
  blob: 'varbinary(255)',
}

const typeOf = ({ kind, detail }: ColumnType, isKey: boolean): string =>
  detail?._tag === 'Decimal'
    ? `decimal(${detail.precision}, ${detail.scale})`
    : ((isKey ? keyTypes[kind] : undefined) ?? columnTypes[kind])

const text: Selected = { by: null, type: 'char' }

const operation = (left: OperationNode, operator: '+' | '-', right: OperationNode): OperationNode =>
  BinaryOperationNode.create(left, OperatorNode.create(operator), right)

/** A double as text, and what that is short of the double: `concat(d, ' ', d - (concat(d) + 0))`. */
const spelled = (column: OperationNode): OperationNode => {
  const asText = ParensNode.create(
    operation(FunctionNode.create('concat', [column]), '+', ValueNode.createImmediate(0)),
  )
  return FunctionNode.create('concat', [column, ValueNode.createImmediate(' '), operation(column, '-', asText)])
}

const selected: Readonly<Partial<Kinds<Selected>>> = {
  bigint: text,
  real: { ...text, by: spelled },
  decimal: text,
  timestamp: text,
  date: text,
  time: text,
  json: text,
  array: text,
}

/** A `Date` is of a time zone that nobody can tell here: no codec takes what becomes of it. */
const toZoneless = (value: unknown): unknown => (value instanceof Date ? 'a Date' : toUtc(value))

/** TIME(3) comes with all of its digits. */
const toShortest = (value: unknown): unknown => (typeof value === 'string' ? shortestTime(value) : value)

const readings: Kinds<((value: unknown) => unknown) | null> = {
  integer: toInteger,
  bigint: toBigint,
  real: toSpelledReal,
  decimal: null,
  text: null,
  enum: null,
  uuid: null,
  boolean: toBoolean,
  timestamp: toZoneless,
  date: toZoneless,
  time: toShortest,
  json: toJsonText,
  array: toJsonText,
  blob: toBytes,
}

/** ISO text in UTC as DATETIME takes it. */
const toDatetime = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace('T', ' ').replace(/Z$/, '') : value

/** A time of day with all digits that TIME(3) has, as the server itself spells it in defaults. */
const toTime = (value: unknown): unknown =>
  typeof value === 'string' ? `${value}${value.includes('.') ? '' : '.'}`.padEnd(12, '0') : value

const writings: Readonly<Partial<Kinds<(value: unknown) => unknown>>> = { timestamp: toDatetime, time: toTime }

/** As which type a value is compared, of those that CAST knows. */
const castType = (type: ColumnType): string | null => {
  switch (type.kind) {
    case 'decimal':
      return typeOf(type, false)
    case 'timestamp':
      return 'datetime(3)'
    case 'date':
      return 'date'
    case 'time':
      return 'time(3)'
    default:
      return null
  }
}

/**
 * @category instances
 */
export const mysqlDialect: Dialect = {
  name: 'mysql',
  // mysql2 sends a Date in the local time zone; portable text is in UTC on every database. It takes bytes as Buffers.
  toDriver: (value) =>
    typeof value !== 'object' || value === null
      ? value
      : value instanceof Date
        ? toDatetime(value.toISOString())
        : value instanceof Uint8Array && !Buffer.isBuffer(value)
          ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
          : value,
  written: (kind) => writings[kind] ?? null,
  fromDriver: (kind) => readings[kind],
  selectedAs: (kind) => selected[kind] ?? null,
  // MySQL compares an exact number with text as doubles
  parameterType: (type, place) => (place === 'alone' || type.kind === 'decimal' ? castType(type) : null),
  columnType: typeOf,
  // without regard to case and accents, unless a column says otherwise
  textComparison: 'collation',
  // prepared statements count parameters in 16 bits; the server takes no more bytes than max_allowed_packet, which nobody
  // sets below this
  limits: { rows: 100, parameters: 65_535, bytes: 4 * 2 ** 20 },
}

/** MySQL has no RETURNING. */
export const mysqlReturning: Returning = { insert: false, update: false, delete: false, triggered: false }

/**
 * MariaDB has it for DELETE from 10.0 on, for INSERT from 10.5. `version` is what the server says that it is.
 *
 * @see https://mariadb.com/kb/en/insertreturning/
 * @see https://mariadb.com/kb/en/delete/
 */
export const returningOf = (version: string): Returning => {
  const [, major, minor] = /(\d+)\.(\d+)\.\d+-mariadb/i.exec(version) ?? []
  const inserts = Number(major) * 1000 + Number(minor) >= 10_005
  return { insert: inserts, update: false, delete: Number(major) >= 10, triggered: inserts }
}
