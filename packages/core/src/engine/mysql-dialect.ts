/**
 * How MySQL and MariaDB, by the driver `mysql2`, spell the portable side of a column.
 *
 * - Booleans are TINYINT(1): 0 and 1.
 * - Instants are ISO text, since DATETIME takes neither the `T` nor the zone of it and knows no zone itself.
 * - TEXT cannot be a key without a length, so keys and unique columns are VARCHAR(255).
 * - Text is told apart by its characters, as in programs and on the other databases; the server's own collation takes
 *   `E` and `é` for `e`, as it may in tables that are made without `ddlOf`.
 * - `mysql2` rounds integers beyond 2^53 unless the pool has `supportBigNumbers: true`; with it a column of kind
 *   `bigint` is exact. Without it the codec rejects what was rounded rather than let it pass.
 * - `mysql2` parses JSON columns (leave `jsonStrings` off). JSON in a text column is of kind `text`.
 */
import type { ColumnKind } from '../model/column.js'
import type { Dialect, Returning } from './dialect.js'
import { toInteger, toJsonText, toReal, toTimestamp } from './from-driver.js'

const columnTypes: Readonly<Record<ColumnKind, string>> = {
  integer: 'integer',
  bigint: 'bigint',
  real: 'double',
  text: 'longtext collate utf8mb4_bin',
  boolean: 'boolean',
  timestamp: 'varchar(32)',
  json: 'json',
  blob: 'longblob',
}

const keyTypes: Readonly<Partial<Record<ColumnKind, string>>> = {
  text: 'varchar(255) collate utf8mb4_bin',
  blob: 'varbinary(255)',
}

const toBoolean = (value: unknown): unknown => (value === 1 ? true : value === 0 ? false : value)

const readings: Readonly<Record<ColumnKind, ((value: unknown) => unknown) | null>> = {
  integer: toInteger,
  bigint: toInteger,
  real: toReal,
  text: null,
  boolean: toBoolean,
  timestamp: toTimestamp,
  json: toJsonText,
  blob: null,
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
        ? value.toISOString()
        : value instanceof Uint8Array && !Buffer.isBuffer(value)
          ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
          : value,
  fromDriver: (kind) => readings[kind],
  columnType: (kind, isKey) => (isKey ? keyTypes[kind] : undefined) ?? columnTypes[kind],
  // without regard to case and accents, unless a column says otherwise
  textComparison: 'collation',
  // prepared statements count parameters in 16 bits, and the server takes so many bytes (max_allowed_packet)
  limits: { rows: 100, parameters: 65_535 },
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
