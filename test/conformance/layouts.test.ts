/**
 * The area of sharding on every layout of the shards.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { layouts } from '../shard/layout/layouts.js'
import { replaySharded } from './adapter.js'
import { corpusFolder, readCases } from './corpus.js'
import type { Layout } from './database.js'
import { laidOut } from './databases/laid-out.js'
import { modelOf } from './model.js'
import { testsOf } from './suite.js'

const cases = readCases(corpusFolder()).filter(({ scenario }) => scenario.area === 'sharding')

/** The one model of the area, and its shards. */
const [first] = cases
const shards = first?.scenario.session.sharding?.shards ?? []

test('all scenarios of the area have the same shards', () => {
  expect(cases.length).toBeGreaterThan(0)
  for (const { model, scenario } of cases) {
    expect(model).toBe(first?.model)
    expect(scenario.session.sharding?.shards).toEqual(shards)
  }
})

// each shard in a file of its own: that is how the area runs in conformance.test.ts
describe.each(layouts.slice(1))('sharding on $name', (host) => {
  let layout: Layout
  beforeAll(async () => {
    if (host.missing === null && first !== undefined) layout = await laidOut(host, shards, modelOf(first.model))
  }, 60_000)
  afterAll(() => layout?.close())

  testsOf(
    cases,
    'sharding',
    host.name,
    () => host.missing,
    async (given) => [{ mode: 'run', failure: await replaySharded(given, 'run', layout) }],
  )
})
