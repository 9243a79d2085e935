/**
 * Failures for people to read.
 */
import type { Failure, Mode } from './adapter.js'
import type { Scenario } from './scenario.js'

const show = (value: unknown): string => JSON.stringify(value) ?? 'undefined'

/** What went otherwise, where, and under which interpreter. */
export const renderFailure = (
  scenario: Scenario,
  database: string,
  mode: Mode,
  { step, what, mismatches }: Failure,
): string =>
  [
    `${database}: ${scenario.name} (${scenario.about}), by ${mode}`,
    step === null ? what : `step ${step + 1}: ${what}`,
    ...mismatches.flatMap(({ what: which, expected, actual }) => [
      `  ${which}`,
      `    expected ${show(expected)}`,
      `    actual   ${show(actual)}`,
    ]),
  ].join('\n')
