/**
 * Values compared as databases compare them, as far as memory can tell.
 */
import type { TextComparison } from '../engine/dialect.js'

/**
 * How two encoded values of one column's kind compare: a number as for `sort`, `unequal` where only that is sure, undefined
 * where nothing is. Neither is NULL.
 */
export const compareEncoded = (a: unknown, b: unknown, texts: TextComparison): number | 'unequal' | undefined => {
  if (isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : a >= b ? 0 : undefined
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b, texts)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  // databases differ in what a value of one kind is to a value of another
  return undefined
}

const isNumeric = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

const compareTexts = (a: string, b: string, texts: TextComparison): number | 'unequal' | undefined => {
  if (a === b) return 0
  if (texts === 'collation') return undefined
  return texts === 'equality' ? 'unequal' : compareText(a, b)
}

/**
 * Texts by their code points, which is the order of UTF-8's bytes; as for `sort`. UTF-16 has it but for surrogates, which
 * stand for code points above all others and are units below those from U+E000 on.
 *
 * @category combinators
 */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return ordered(x) - ordered(y)
  }
  return a.length - b.length
}

const ordered = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** Bytes, as for `sort`. @category combinators */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
