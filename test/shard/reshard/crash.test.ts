import type { EngineCall } from '@unitary/core'
import * as Session from '@unitary/session'
import {
  duringMoves,
  executeMoves,
  planMoves,
  recover,
  shardedRuntime,
  shardMap,
  type VerifyReport,
  verifyMoves,
} from '@unitary/shard'
import { left } from 'fp-ts/lib/Either.js'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Intercept, intercepted, lost } from '../commit/intercepted.js'
import { rightOf } from '../weather.js'
import { adding, application, before, closeCluster, fill, hosts, model, type Shop, type Token, whole } from './shop.js'

afterAll(closeCluster)

const many = 60

/** Rows of each table on all shards together. */
const rowsOf = ({ tallies }: VerifyReport): Readonly<Record<string, number>> => {
  const rows: Record<string, number> = {}
  for (const { rows: some, table } of tallies) rows[table] = (rows[table] ?? 0) + some
  return rows
}

/** A process that dies before its n-th call: what it had open is rolled back, and nothing that it asks is done. */
const dying = (at: number): { readonly intercept: Intercept; readonly isDead: () => boolean } => {
  let calls = 0
  const asks = (call: EngineCall): boolean => call._tag === 'Rollback'
  return {
    isDead: () => calls >= at,
    intercept: (call, perform) => {
      if (calls++ < at) return null
      if (!asks(call)) return left(lost)
      const rolledBack = perform()
      return rolledBack instanceof Promise ? rolledBack.then(() => left(lost)) : left(lost)
    },
  }
}

describe.each(hosts)('on $name', ({ missing, open }) => {
  if (missing !== null) {
    it.skip(missing, () => {})
    return
  }
  let shop: Shop
  beforeEach(async () => {
    shop = await open()
    rightOf(await Session.run(before(shop))(fill(many))())
  })
  afterEach(() => shop.close())

  const hasFiles = () => [...shop.shards.engines.values()].some(({ dialect }) => dialect.name === 'sqlite')

  it('has a batch done or not after a crash anywhere in it, and goes on', { timeout: 60_000 }, async () => {
    const resharding = adding(shop.shards)
    const app = shardedRuntime(model, duringMoves(resharding))
    const expected = rightOf(await Session.run(app)(whole)())
    const { regions: _regions, tags: _tags, ...rows } = rowsOf(rightOf(await verifyMoves(resharding)()))
    const first = rightOf(await planMoves(resharding)())
    const copies = first.batches.filter(({ _tag }) => _tag === 'Copy')
    rightOf(await executeMoves(resharding, { ...first, batches: copies })())
    const outcomes = { committed: 0, rolledBack: 0 }
    let survived = 0
    for (let at = 1; survived < 2; at++) {
      const plan = rightOf(await planMoves(resharding, { batch: 1 })())
      // a customer with all that it has
      const [batch] = plan.batches.filter(({ entity }) => entity === 'Customer')
      if (batch === undefined) break
      const process = dying(at)
      const engines = Object.fromEntries(
        Array.from(shop.shards.engines, ([token, engine]) => [token, intercepted(engine, process.intercept)]),
      ) as Record<Token, never>
      const moved = await executeMoves(
        adding(shardMap(engines)),
        { ...plan, batches: [batch] },
        { retry: { attempts: 1, delay: () => 0 } },
      )()
      if (!process.isDead()) {
        survived++
        rightOf(moved)
      }
      // what is prepared is still read where it was; on SQLite it is reserved until that is decided
      if (!hasFiles()) expect(rightOf(await Session.run(app)(whole)())).toEqual(expected)
      const report = rightOf(await recover(shop.shards, { application })())
      expect(report).toMatchObject({ unfinished: [], unreachable: [] })
      outcomes.committed += report.committed.length
      outcomes.rolledBack += report.rolledBack.length
      expect(rightOf(await Session.run(app)(whole)())).toEqual(expected)
    }
    expect(outcomes.committed).toBeGreaterThan(0)
    expect(outcomes.rolledBack).toBeGreaterThan(0)
    rightOf(await executeMoves(resharding, rightOf(await planMoves(resharding)()))())
    const end = rightOf(await verifyMoves(resharding)())
    expect(end).toMatchObject({ isDone: true, doubled: [] })
    expect(rowsOf(end)).toMatchObject(rows)
    expect(rightOf(await Session.run(app)(whole)())).toEqual(expected)
  })
})
