/**
 * Functions and patterns that databases agree on, or of which it is known where they do not.
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

// patterns

/**
 * Is a text like a pattern? Undefined where only its case differs, or what a collation may take for the same: databases
 * think differently of that.
 */
export const matchesPattern = (text: string, pattern: string, texts: TextComparison): boolean | undefined => {
  if (isLike([...text], [...pattern])) return true
  if (texts === 'equality') return false
  return texts === 'code points' && !isLike([...folded(text)], [...folded(pattern)]) ? false : undefined
}

const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** `%` stands for any number of characters, `_` for one. O(text x pattern) at the worst, since only the last `%` is tried anew. */
const isLike = (text: ReadonlyArray<string>, pattern: ReadonlyArray<string>): boolean => {
  let at = 0
  let next = 0
  let any = -1
  let tried = 0
  while (at < text.length) {
    if (pattern[next] === '%') {
      any = next++
      tried = at
    } else if (next < pattern.length && (pattern[next] === '_' || pattern[next] === text[at])) {
      next++
      at++
    } else if (any >= 0) {
      next = any + 1
      at = ++tried
    } else {
      return false
    }
  }
  while (pattern[next] === '%') next++
  return next === pattern.length
}
