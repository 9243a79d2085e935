import {
  type AnyModel,
  createAll,
  defineModel,
  dropAll,
  type Engine,
  entity,
  integer,
  nullable,
  primaryKey,
  subtype,
  text,
} from '@unitary/core'
import { drift, introspect, renderDrift } from '@unitary/core/schema'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Host,
  kyselySqliteHost,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../engine/databases.js'
import { rightOf } from '../engine/engine-conformance.js'
import { joined, separate, single } from './hierarchies.js'
import { market, oldMarket } from './market.js'
import { modelArbitrary } from './random-model.js'

const hosts = [sqliteHost('SQLite'), kyselySqliteHost, postgresHost, mysqlHost].map((host) => ({
  host,
  why: skipped(host),
}))

describe.each(hosts)('drift on $host.name', ({ host, why }: { host: Host; why: string | null }) => {
  let database: TestDatabase
  let engine: Engine
  beforeAll(async () => {
    if (why !== null) return
    database = await host.create()
    engine = database.open()
  })
  afterAll(async () => {
    await engine?.close()
    await database?.drop()
  })

  const isClean = async (model: AnyModel): Promise<void> => {
    try {
      rightOf(await createAll(model)(engine)())
      const found = rightOf(await drift(model)(engine)())
      expect(found.differences.map((difference) => renderDrift({ ...found, differences: [difference] }))).toEqual([])
    } finally {
      rightOf(await dropAll(model)(engine)())
    }
    expect(rightOf(await introspect(engine)()).tables).toEqual([])
  }

  test.skipIf(why !== null)('is none where the tables were made from the model', async () => {
    await isClean(market)
  })

  test.skipIf(why !== null).each([
    ['joined', joined],
    ['single-table', single],
    ['concrete', separate],
  ])('is none where they were made from a %s hierarchy', async (_, model) => {
    await isClean(model)
  })

  test.skipIf(why !== null)('is none where a key may be NULL in part, and a subtype has it too', async () => {
    const key = { id: pipe(integer, primaryKey), part: pipe(integer, nullable, primaryKey) }
    const Whole = entity('Whole', 'wholes', { ...key, kind: text }, { discriminator: 'kind', identity: 'whole' })
    const Half = subtype(Whole)('Half', 'halves', { size: integer }, { identity: 'half' })
    await isClean(defineModel({ Whole, Half })(() => ({})))
  })

  test.skipIf(why !== null)('tells what the database has and the model has not, and the other way round', async () => {
    rightOf(await createAll(oldMarket)(engine)())
    const found = rightOf(await drift(market)(engine)())
    expect(renderDrift({ ...found, model: { ...found.model, notes: [] } })).toMatchSnapshot()
    const back = rightOf(await drift(oldMarket)(engine)())
    expect(renderDrift(back)).toBe('the database is as the model says')
    rightOf(await dropAll(oldMarket)(engine)())
  })

  test.skipIf(why !== null)('is none whatever the model', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(modelArbitrary, isClean), { numRuns: host === kyselySqliteHost ? 10 : 40 })
  })
})
