/**
 * The command line.
 */
import { parseArgs } from 'node:util'
import * as Either from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { smallestSample } from './cities.js'

export interface Options {
  /** How many cities; all there are where that is fewer. */
  readonly cities: number
  /** Reports of each city. */
  readonly reports: number
  /** The folder in which the databases stay; null for a temporary one. */
  readonly keep: string | null
}

/** Reads the options, or says in one line what is wrong with them. */
export const readOptions = (args: ReadonlyArray<string>): Either.Either<string, Options> =>
  pipe(
    Either.Do,
    Either.apS('given', parse(args)),
    Either.bind('cities', ({ given }) => whole('--cities', given.cities, Infinity, smallestSample, Infinity)),
    Either.bind('reports', ({ given }) => whole('--reports', given.reports, 4, 1, 12)),
    Either.map(({ given, cities, reports }) => ({ cities, reports, keep: given.keep ?? null })),
  )

interface Given {
  readonly cities?: string
  readonly reports?: string
  readonly keep?: string
}

const parse = (args: ReadonlyArray<string>): Either.Either<string, Given> =>
  Either.tryCatch(
    () =>
      parseArgs({
        args: [...args],
        options: { cities: { type: 'string' }, reports: { type: 'string' }, keep: { type: 'string' } },
      }).values,
    // its first sentence says what is wrong; the others are advice that does not apply here
    (error) => String((error as Error).message).split(/\.\s|\n/, 1)[0] ?? '',
  )

const whole = (
  option: string,
  given: string | undefined,
  otherwise: number,
  least: number,
  most: number,
): Either.Either<string, number> => {
  if (given === undefined) return Either.right(otherwise)
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (value >= least && value <= most) return Either.right(value)
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  return Either.left(`${option} wants a whole number ${range}, not '${given}'`)
}
