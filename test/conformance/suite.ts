/**
 * A test for each scenario, and what it tells the reporter.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { replay } from './adapter.js'
import { type Case, corpusFolder, readCases } from './corpus.js'
import type { Host, Service } from './database.js'
import { differences } from './differences.js'
import { later, missing as missingFeatures } from './features.js'
import type { Plan } from './meta.js'
import { renderFailure } from './report.js'

/** The areas of scenarios, in their order. */
export const areasOf = (cases: ReadonlyArray<Case>): ReadonlyArray<string> => [
  ...new Set(cases.map(({ scenario }) => scenario.area)),
]

/** A test for each scenario of an area. */
export const testsOf = (
  cases: ReadonlyArray<Case>,
  area: string,
  database: string,
  skipped: (given: Case) => string | null,
  run: (given: Case) => Promise<void>,
): void => {
  for (const given of cases.filter(({ scenario }) => scenario.area === area)) {
    const { name } = given.scenario
    const needed = missingFeatures(given)
    const reason = skipped(given)
    const meta = (outcome: Plan) => ({ meta: { conformance: { area, database, outcome, reason } } })
    if (later(given) !== null) {
      test.skip(name, meta('pending'), () => {})
    } else if (differences[name] !== undefined) {
      test.skip(name, meta('differing'), () => {})
    } else if (needed.length > 0) {
      test(name, meta('missing'), () => {
        expect.fail(`not there yet: ${needed.join(', ')}`)
      })
    } else if (reason !== null) {
      test.skip(`${name} (${reason})`, meta('skipped'), () => {})
    } else {
      test(name, meta('replayed'), () => run(given))
    }
  }
}

/** The areas that say how a session writes and ends its transactions. All of their lists are ordered. */
const areas: ReadonlySet<string> = new Set(['cascade', 'uow', 'merge', 'states', 'transaction', 'savepoint', 'version'])

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
    testsOf(cases, area, name, skipped, async (given) => {
      const failure = await replay(given, 'run', host)
      if (failure !== null) expect.fail(`${name}: ${renderFailure(given.scenario, 'run', failure)}`)
    })
  })
}
