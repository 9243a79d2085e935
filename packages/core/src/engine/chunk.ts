/**
 * How many rows go into one multi-row statement.
 *
 * Few sizes, so that few statement texts exist and each is compiled and prepared once: the largest that pays and that
 * the database takes, a tenth of it for the rest, and single rows for the rest of that.
 */
import type { StatementLimits } from './dialect.js'

/** Sizes from the largest down, ending in 1. */
export const chunkSizes = (columns: number, limits: StatementLimits): ReadonlyArray<number> => {
  // rows without columns are all defaults, which only single-row statements can say
  if (columns === 0) return [1]
  const largest = Math.max(1, Math.min(limits.rows, Math.floor(limits.parameters / columns)))
  const smaller = Math.floor(largest / 10)
  return [largest, smaller, 1].filter((size, i, sizes) => size >= 1 && sizes.indexOf(size) === i)
}

/**
 * Does a database take so many parameters, of that many bytes? What is written into the statement's text is counted twice,
 * for what has to be escaped. O(parameters) where bytes are limited.
 *
 * @category guards
 */
export const fitsStatement = (parameters: ReadonlyArray<unknown>, limits: StatementLimits): boolean => {
  if (parameters.length > limits.parameters) return false
  if (limits.bytes === null) return true
  let bytes = 0
  for (const value of parameters) {
    bytes += typeof value === 'string' || value instanceof Uint8Array ? 2 * value.length : 8
    if (bytes > limits.bytes) return false
  }
  return true
}
