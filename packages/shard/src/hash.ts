/**
 * The hash that spreads rows: MurmurHash3 (x86, 32 bits) of a value's canonical text in UTF-8. Where rows are follows from
 * it, so it never changes.
 *
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp (public domain)
 */

/** What can be hashed. */
export type Hashable = string | number | bigint | boolean | Date | Uint8Array

/**
 * A value as text, the same for values that databases take for the same: a letter for its kind (`n` number or bigint, `s`
 * text, `b` boolean, `d` date in milliseconds, `x` bytes in hexadecimal), then the value. Null where it is none of these.
 */
export const canonicalText = (value: unknown): string | null => {
  switch (typeof value) {
    case 'number':
      // -0 is 0, and 1e21 is spelt out as the bigint is
      return `n${Number.isInteger(value) ? BigInt(value) : value}`
    case 'bigint':
      return `n${value}`
    case 'string':
      return `s${value}`
    case 'boolean':
      return `b${value}`
    default:
      if (value instanceof Date) return `d${value.getTime()}`
      if (!(value instanceof Uint8Array)) return null
      return `x${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }
}

const utf8 = new TextEncoder()

/**
 * The hash of a text: a whole number from 0 to 2^32 - 1.
 *
 * @example
 * hash('hello') // 0x248bfa47
 */
export const hash = (text: string, seed = 0): number => hashOf(bytesOf(text), seed)

/** A text in UTF-8, to be hashed with several seeds. */
export const bytesOf = (text: string): Uint8Array => utf8.encode(text)

/** The hash of bytes. */
export const hashOf = (bytes: Uint8Array, seed: number): number => {
  const { length } = bytes
  const at = (i: number): number => bytes[i] as number
  let h = seed
  let i = 0
  for (; i + 4 <= length; i += 4) {
    h ^= mixed(at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24))
    h = Math.imul(rotated(h, 13), 5) + 0xe6546b64
  }
  let tail = 0
  for (let j = length - 1; j >= i; j--) tail = (tail << 8) | at(j)
  if (i < length) h ^= mixed(tail)
  h ^= length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const mixed = (k: number): number => Math.imul(rotated(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593)

const rotated = (k: number, by: number): number => (k << by) | (k >>> (32 - by))
