import { describe, expect, test } from 'vitest'
import { type Mode, replay } from './adapter.js'
import { corpusFolder, readCases } from './corpus.js'
import { sqlite } from './databases/sqlite.js'
import { renderFailure } from './report.js'
import { areasOf, testsOf } from './suite.js'

const modes: ReadonlyArray<Mode> = ['runSync', 'run']

const cases = readCases(corpusFolder())

test('there are scenarios to run', () => {
  expect(cases.length).toBeGreaterThan(0)
})

describe.each(areasOf(cases))('%s', (area) => {
  testsOf(
    cases,
    area,
    sqlite.name,
    () => null,
    async (given) => {
      for (const mode of modes) {
        const failure = await replay(given, mode)
        if (failure !== null) expect.fail(renderFailure(given.scenario, mode, failure))
      }
    },
  )
})
