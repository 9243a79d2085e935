/**
 * Hooks that keep what they are given change nothing: every recorded scenario comes out as it does without them, whether
 * or not that is as recorded.
 */
import { describe, expect, test } from 'vitest'
import { replay, replayHooked } from '../../conformance/adapter.js'
import { type Case, corpusFolder, readCases } from '../../conformance/corpus.js'
import { areasOf } from '../../conformance/suite.js'
import { keeping } from './keeping.js'

const isCase = (given: Case): boolean => !given.scenario.area.startsWith('random/')

const cases = readCases(corpusFolder()).filter(isCase)

/** What came of a replay, as text: of one that met a defect, which. */
const outcome = (replayed: Promise<unknown>): Promise<string> =>
  replayed.then((failure) => JSON.stringify(failure), String)

describe('scenarios with hooks that keep', () => {
  test.each(areasOf(cases))('%s', async (area) => {
    const own = cases.filter(({ scenario }) => scenario.area === area)
    const different: string[] = []
    for (const given of own) {
      const plain = await outcome(replay(given, 'runSync'))
      if ((await outcome(replayHooked(given, keeping))) !== plain) different.push(given.scenario.name)
    }
    expect(own.length).toBeGreaterThan(0)
    expect(different).toEqual([])
  })
})
