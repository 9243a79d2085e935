import { describe, expect, test } from 'vitest'
import { type Mode, replay } from './adapter.js'
import { corpusFolder, readCases } from './corpus.js'
import { sqlite } from './databases/sqlite.js'
import { areasOf, type Replayed, testsOf } from './suite.js'

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
      const replayed: Replayed[] = []
      for (const mode of modes) replayed.push({ mode, failure: await replay(given, mode) })
      return replayed
    },
  )
})
