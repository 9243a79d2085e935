/**
 * Readings that the drivers of PostgreSQL and MySQL share.
 */

/**
 * Numbers that a driver gives as text because they may be too large or too exact for a double (`int8`, `numeric`,
 * `DECIMAL`). Text that no number holds exactly stays text, for the codec to read or to reject.
 */
export const toInteger = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Integers of 64 bits: a `bigint` where no number holds them. */
export const toBigint = (value: unknown): unknown => {
  const narrow = toInteger(value)
  return typeof narrow === 'string' && /^-?\d+$/.test(narrow) ? BigInt(narrow) : narrow
}

/** Numbers with a fraction as text, which are rounded to the nearest double. */
export const toReal = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  const number = Number(value)
  return Number.isNaN(number) ? value : number
}

/** The same, where what the text is short of the double stands behind it. */
export const toSpelledReal = (value: unknown): unknown => {
  const space = typeof value === 'string' ? value.indexOf(' ') : -1
  if (space === -1) return toReal(value)
  const text = value as string
  const number = Number(text.slice(0, space)) + Number(text.slice(space))
  return Number.isNaN(number) ? value : number
}

/** 0 and 1 as truth values; what a driver has made of them already stays. */
export const toBoolean = (value: unknown): unknown => (value === 1 ? true : value === 0 ? false : value)

const zoneless = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?$/

/** Text of an instant in UTC that does not say so, as portable text; a `Date` too. */
export const toUtc = (value: unknown): unknown => {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? value : value.toISOString()
  if (typeof value !== 'string' || !zoneless.test(value)) return value
  const fraction = value.length === 19 ? '.000' : value.slice(19).padEnd(4, '0')
  return `${value.slice(0, 10)}T${value.slice(11, 19)}${fraction}Z`
}

/** The bytes of a driver's `Buffer`, without a copy. */
export const toBytes = (value: unknown): unknown =>
  Buffer.isBuffer(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value

/** JSON as text. It is selected as text; what comes as anything else the driver has parsed. */
export const toJsonText = (value: unknown): unknown =>
  value === null || value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
