/**
 * Comparing values as SQLite orders them: NULL apart, then numbers, then text by its UTF-8 bytes, then bytes.
 */
import { compareBytes, compareText } from '@unitary/core'

/** How texts compare: by their bytes, or with the letters A to Z taken for a to z. */
export type Collation = 'binary' | 'nocase'

/** Negative, zero or positive, as for `sort`. Neither is NULL. */
export const compareValues = (a: unknown, b: unknown, collation: Collation): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b || compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') {
    return collation === 'binary' ? compareText(a, b) : compareText(fold(a), fold(b))
  }
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0) return rank
  return a instanceof Uint8Array && b instanceof Uint8Array
    ? compareBytes(a, b)
    : compareNumbers(numeric(a), numeric(b))
}

const rankOf = (value: unknown): number => (typeof value === 'string' ? 1 : value instanceof Uint8Array ? 2 : 0)

const numeric = (value: unknown): number | bigint =>
  typeof value === 'number' || typeof value === 'bigint' ? value : Number(value)

const compareNumbers = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0)

const fold = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
