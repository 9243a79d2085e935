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

/** The same for numbers with a fraction, which are rounded to the nearest double. */
export const toReal = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  const number = Number(value)
  return Number.isNaN(number) ? value : number
}

/** The `Date` of a driver as portable text. */
export const toTimestamp = (value: unknown): unknown =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value

/**
 * The JSON value that a driver has parsed as portable text again. A string is a JSON string too, not JSON text: the
 * drivers parse whatever stands in a column of the database's JSON type.
 */
export const toJsonText = (value: unknown): unknown =>
  value === null || value === undefined ? null : JSON.stringify(value)
