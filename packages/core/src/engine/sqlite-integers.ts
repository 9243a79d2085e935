/**
 * Integers of 64 bits, as better-sqlite3 reads them.
 *
 * A statement reads all of its integers as numbers, which rounds those beyond 2^53, or all of them as `bigint`. Those that
 * meet a column declared BIGINT are read as `bigint`, and what a double holds is a number again afterwards.
 */
import type { Statement } from 'better-sqlite3'

/** Does a statement that gives rows give any column of 64 bits? */
export const reads64 = (statement: Statement): boolean =>
  statement.columns().some(({ type }) => type !== null && /^(unsigned )?big ?int|^int8$/i.test(type))

/** A number where a double holds the value. */
export const narrow = (value: unknown): unknown => {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
