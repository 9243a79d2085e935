/**
 * Functions that databases agree on, or of which it is known where they do not.
 */
import type { TextComparison } from '../engine/dialect.js'

/** A function of one value that is not NULL. */
export interface Known {
  readonly isOfText: boolean
  readonly givesText: boolean
  /** Where it may be undefined of a value that is known. */
  readonly unsureOn: ReadonlyArray<TextComparison>
  readonly apply: (value: unknown, texts: TextComparison) => unknown
}

const ofText = (
  unsureOn: ReadonlyArray<TextComparison>,
  givesText: boolean,
  apply: (text: string, texts: TextComparison) => unknown,
): Known => ({
  isOfText: true,
  givesText,
  unsureOn,
  apply: (value, texts) => (typeof value === 'string' ? apply(value, texts) : undefined),
})

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** SQLite knows the letters of ASCII only; others go by their locale, of which some have letters of their own for `i`. */
const recased =
  (change: (text: string) => string) =>
  (text: string, texts: TextComparison): string | undefined => {
    if (texts === 'code points') return text.replace(/[a-z]+/gi, change)
    return isAscii(text) && !/i/i.test(text) ? change(text) : undefined
  }

/** By their names in lower case. */
export const functions: Readonly<Record<string, Known>> = {
  abs: {
    isOfText: false,
    givesText: false,
    unsureOn: [],
    apply: (value) => (typeof value === 'bigint' || typeof value === 'number' ? absolute(value) : undefined),
  },
  lower: ofText(
    ['equality', 'collation'],
    true,
    recased((text) => text.toLowerCase()),
  ),
  upper: ofText(
    ['equality', 'collation'],
    true,
    recased((text) => text.toUpperCase()),
  ),
  // of spaces, and of nothing else that is blank
  trim: ofText([], true, (text) => text.replace(/^ +| +$/g, '')),
  // MySQL counts bytes, and SQLite no further than to a NUL
  length: ofText(['collation'], false, (text, texts) =>
    text.includes('\0') || (texts === 'collation' && !isAscii(text)) ? undefined : [...text].length,
  ),
}

const absolute = (value: number | bigint): number | bigint | undefined => {
  if (typeof value === 'number') return Math.abs(value)
  const result = value < 0n ? -value : value
  return BigInt.asIntN(64, result) === result ? result : undefined
}
