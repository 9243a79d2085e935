import type { Engine } from '@unitary/core'
import * as Session from '@unitary/session'
import {
  countMoves,
  executeMoves,
  explainMoves,
  type MovePlan,
  planMoves,
  shardedRuntime,
  type VerifyReport,
  verifyMoves,
} from '@unitary/shard'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask } from '../layout/layouts.js'
import { leftOf, rightOf } from '../weather.js'
import {
  adding,
  all,
  before,
  closeCluster,
  commit,
  fill,
  hosts,
  model,
  type Shop,
  spreadOver,
  type Token,
  whole,
} from './shop.js'

afterAll(closeCluster)

const many = 120

/** All rows of all tables, whatever shard they are on. */
const sums = (report: VerifyReport): Readonly<Record<string, readonly [number, string]>> => {
  const found: Record<string, readonly [number, bigint]> = {}
  for (const { checksum, rows, table } of report.tallies) {
    const [count, sum] = found[table] ?? [0, 0n]
    found[table] = [count + rows, (sum + BigInt(`0x${checksum}`)) % (1n << 128n)]
  }
  return Object.fromEntries(Object.entries(found).map(([table, [count, sum]]) => [table, [count, sum.toString(16)]]))
}

/** Without the tables of what is on every shard, of which there is a copy more. */
const spreadSums = (report: VerifyReport) => {
  const { regions: _regions, tags: _tags, ...spread } = sums(report)
  return spread
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

  const rowsOn = async (token: Token, table: string): Promise<number> => {
    const [row] = await ask(
      shop.shards.engines.get(token) as Engine,
      sql`select count(*) as n from ${sql.table(table)}`,
    )
    return Number(row?.n)
  }

  it('moves rows with all that is beside them, and tells that it has', async () => {
    const resharding = adding(shop.shards)
    const start = rightOf(await verifyMoves(resharding)())
    expect(start.isDone).toBe(false)
    const plan = rightOf(await planMoves(resharding, { batch: 7, page: 25 })())
    const moved = countMoves(plan).filter(({ entity }) => entity === 'Customer')
    expect(moved.map(({ from, to }) => `${from} ${to}`)).toEqual(['first third', 'second third'])
    expect(explainMoves(plan)).toMatchInlineSnapshot(`
      "copy 2 Region from first to third in 1 batch
      copy 2 Tag from first to third in 1 batch
      move 19 Customer from first to third in 3 batches
      move 14 Customer from second to third in 2 batches
      move 6 Note from first to third in 1 batch
      move 4 Note from second to third in 1 batch
      keep 39 Customer on first
      keep 48 Customer on second
      keep 3 Note on first
      keep 7 Note on second"
    `)
    const customers = moved.reduce((sum, { rows }) => sum + rows, 0)
    const seen: number[] = []
    // a plan is data
    const stored = JSON.parse(JSON.stringify(plan)) as MovePlan
    const report = rightOf(await executeMoves(resharding, stored, { onBatch: ({ batch }) => seen.push(batch) })())
    expect(seen).toEqual(plan.batches.map((_, i) => i))
    expect(report).toMatchObject({ batches: plan.batches.length, passed: 0, pending: [] })
    expect(report.rows).toMatchObject({
      customers,
      customer_tags: customers,
      orders: 2 * customers,
      order_lines: 2 * customers,
    })
    expect(await rowsOn('third', 'customers')).toBe(customers)
    expect(await rowsOn('third', 'order_lines')).toBe(2 * customers)
    const end = rightOf(await verifyMoves(resharding, { page: 30 })())
    expect(end).toMatchObject({ isDone: true, misplaced: [], doubled: [], uneven: [] })
    expect(spreadSums(end)).toEqual(spreadSums(start))
    // nothing is left to be done, and the same plan again does nothing
    expect(rightOf(await planMoves(resharding)()).batches).toEqual([])
    const again = rightOf(await executeMoves(resharding, plan)())
    expect(again.rows).toEqual({})
    expect(again.passed).toBe(plan.batches.reduce((sum, { keys }) => sum + keys.length, 0))
  })

  it('gives sessions over the new map what those over the old one had', async () => {
    const expected = rightOf(await Session.run(before(shop))(whole)())
    const resharding = adding(shop.shards)
    const plan = rightOf(await planMoves(resharding)())
    rightOf(await executeMoves(resharding, plan)())
    const after = shardedRuntime(model, { shards: shop.shards, choosers: spreadOver(all), commit })
    expect(rightOf(await Session.run(after)(whole)())).toEqual(expected)
  })

  it('stops where it is told to, and goes on by planning again', async () => {
    const resharding = adding(shop.shards)
    const start = rightOf(await verifyMoves(resharding)())
    const plan = rightOf(await planMoves(resharding, { batch: 5 })())
    const controller = new AbortController()
    const stopped = await executeMoves(resharding, plan, {
      signal: controller.signal,
      onBatch: ({ batch }) => {
        if (batch === 3) controller.abort()
      },
    })()
    expect(leftOf(stopped)).toEqual({ _tag: 'Interrupted' })
    const rest = rightOf(await planMoves(resharding, { batch: 5 })())
    expect(rest.batches).toHaveLength(plan.batches.length - 4)
    rightOf(await executeMoves(resharding, rest)())
    const end = rightOf(await verifyMoves(resharding)())
    expect(end.isDone).toBe(true)
    expect(spreadSums(end)).toEqual(spreadSums(start))
  })

  it('undoes a batch whose rows are not the same at the target, and says which', async () => {
    const resharding = adding(shop.shards)
    const start = rightOf(await verifyMoves(resharding)())
    const third = shop.shards.engines.get('third') as Engine
    await changeWhatIsWritten(third)
    const plan = rightOf(await planMoves(resharding)())
    const failed = leftOf(await executeMoves(resharding, plan)())
    expect(failed).toMatchObject({
      _tag: 'MoveFailed',
      entity: 'Customer',
      to: 'third',
      cause: { _tag: 'MoveMismatch', entity: 'Order', table: 'orders', to: 'third' },
    })
    expect(await rowsOn('third', 'orders')).toBe(0)
    const end = rightOf(await verifyMoves(resharding)())
    expect(spreadSums(end)).toEqual(spreadSums(start))
  })
})

/** A trigger that spoils an order. */
const changeWhatIsWritten = async (engine: Engine): Promise<void> => {
  const statements = {
    sqlite: [
      sql`create trigger spoil after insert on orders begin update orders set note = '{"spoilt":1}' where id = new.id and new.note is null; end`,
    ],
    postgres: [
      sql`create function spoil() returns trigger language plpgsql as 'begin new.note = ''{"spoilt":1}''; return new; end'`,
      sql`create trigger spoil before insert on orders for each row when (new.note is null) execute function spoil()`,
    ],
    mysql: [
      sql`create trigger spoil before insert on orders for each row set new.note = coalesce(new.note, '{"spoilt":1}')`,
    ],
  }[engine.dialect.name]
  for (const statement of statements) await ask(engine, statement)
}
