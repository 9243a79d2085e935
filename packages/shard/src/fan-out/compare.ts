/**
 * Comparing values as SQLite orders them: NULL apart, then numbers, then text by its UTF-8 bytes, then bytes.
 */

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

/**
 * By code points, which is the order of UTF-8's bytes. UTF-16 has it but for surrogates, which stand for code points
 * above all others and are units below those from U+E000 on.
 */
const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return ordered(x) - ordered(y)
  }
  return a.length - b.length
}

const ordered = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

const fold = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
