/**
 * A test for each scenario, and what it tells the reporter.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Failure, type Mode, replay } from './adapter.js'
import { type Case, corpusFolder, readCases } from './corpus.js'
import type { Host, Service } from './database.js'
import { type Difference, differences } from './differences.js'
import type { Plan } from './meta.js'
import { renderFailure } from './report.js'

/** The areas of scenarios, in their order. */
export const areasOf = (cases: ReadonlyArray<Case>): ReadonlyArray<string> => [
  ...new Set(cases.map(({ scenario }) => scenario.area)),
]

/** What came of a replay: null where all of it went as recorded. */
export interface Replayed {
  readonly mode: Mode
  readonly failure: Failure | null
}

/** Where a replay parted from the recording, as `differences.ts` has it. */
const parting = (failure: Failure | null): Pick<Difference, 'step' | 'ours'> | null =>
  failure?.step == null
    ? null
    : { step: failure.step + 1, ours: Object.fromEntries(failure.mismatches.map(({ what, actual }) => [what, actual])) }

/** A test for each scenario of an area. */
export const testsOf = (
  cases: ReadonlyArray<Case>,
  area: string,
  database: string,
  skipped: (given: Case) => string | null,
  run: (given: Case) => Promise<ReadonlyArray<Replayed>>,
): void => {
  for (const given of cases.filter(({ scenario }) => scenario.area === area)) {
    const { name } = given.scenario
    const difference = differences[name]
    const reason = skipped(given)
    const meta = (outcome: Plan) => ({ meta: { conformance: { area, database, outcome, reason } } })
    if (reason !== null) {
      test.skip(`${name} (${reason})`, meta('skipped'), () => {})
    } else if (difference !== undefined) {
      test(name, meta('differing'), async () => {
        const { step, ours } = difference
        for (const { failure } of await run(given)) expect(parting(failure)).toEqual({ step, ours })
      })
    } else {
      test(name, meta('replayed'), async () => {
        for (const { mode, failure } of await run(given)) {
          if (failure !== null) expect.fail(renderFailure(given.scenario, database, mode, failure))
        }
      })
    }
  }
}

/** The areas that say how a session writes, in which tables, and ends its transactions. All of their lists are ordered. */
const areas: ReadonlySet<string> = new Set([
  'cascade',
  'uow',
  'merge',
  'states',
  'transaction',
  'savepoint',
  'version',
  'inheritance',
])

/** The tests of those areas on a database of a server. */
export const describeOn = (service: Service): void => {
  const { name, missing } = service
  const cases = readCases(corpusFolder()).filter(({ scenario }) => areas.has(scenario.area))
  let host: Host
  beforeAll(async () => {
    if (missing === null) host = await service.connect()
  })
  afterAll(() => host?.close())

  test.skipIf(missing !== null)(missing === null ? `${name} answers` : `${name} (${missing})`, () => {
    expect(host.name).toBe(name)
  })

  describe.each(areasOf(cases))(`%s on ${name}`, (area) => {
    const skipped = (given: Case): string | null => missing ?? service.lacks(given)
    testsOf(cases, area, name, skipped, async (given) => [{ mode: 'run', failure: await replay(given, 'run', host) }])
  })
}
