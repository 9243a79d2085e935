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
