import { describe, expect, test } from 'vitest'
import { type Mode, replay } from './adapter.js'
import { type Case, corpusFolder, readCases } from './corpus.js'
import { differences } from './differences.js'
import { later, missing } from './features.js'
import type { Plan } from './meta.js'
import { renderFailure } from './report.js'

const modes: ReadonlyArray<Mode> = ['runSync', 'run']

const cases = readCases(corpusFolder())
const areas = [...new Set(cases.map(({ scenario }) => scenario.area))]

const runCase = async (given: Case): Promise<void> => {
  for (const mode of modes) {
    const failure = await replay(given, mode)
    if (failure !== null) expect.fail(renderFailure(given.scenario, mode, failure))
  }
}

test('there are scenarios to run', () => {
  expect(cases.length).toBeGreaterThan(0)
})

describe.each(areas)('%s', (area) => {
  for (const given of cases.filter(({ scenario }) => scenario.area === area)) {
    const { name } = given.scenario
    const pending = later(given)
    const difference = differences[name]
    const needed = missing(given)
    const meta = (outcome: Plan) => ({ meta: { conformance: { area, outcome } } })
    if (pending !== null) {
      test.skip(name, meta('pending'), () => {})
    } else if (difference !== undefined) {
      test.skip(name, meta('differing'), () => {})
    } else if (needed.length > 0) {
      test(name, meta('missing'), () => {
        expect.fail(`not there yet: ${needed.join(', ')}`)
      })
    } else {
      test(name, meta('replayed'), () => runCase(given))
    }
  }
})
