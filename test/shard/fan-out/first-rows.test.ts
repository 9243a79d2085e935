/**
 * The first rows of an ordered query: the same whether rows are spread evenly or all on one shard, and no more of them are read
 * than that takes.
 */
import { fc, test } from '@fast-check/vitest'
import {
  createAll,
  createAllSync,
  defineModel,
  deleteFrom,
  type Engine,
  entity,
  insertInto,
  integer,
  limit,
  offset,
  orderBy,
  primaryKey,
  select,
  text,
  values,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Host,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { counting, type Journal, journal, outage } from '../counting-engine.js'
import { rightOf } from '../weather.js'

const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), home: text, rank: integer })
const model = defineModel({ Item })(() => ({}))
const homes = ['one', 'two', 'three', 'four'] as const
type Home = (typeof homes)[number]

const runtimeOver = (engines: Readonly<Record<Home, Engine>>): Session.Runtime =>
  shardedRuntime(model, {
    shards: shardMap(engines),
    choosers: choosers(model)({
      Item: byAttribute('home', { one: 'one', two: 'two', three: 'three', four: 'four' }),
    }),
  })

interface ItemRow {
  readonly id: number
  readonly home: Home
  readonly rank: number
}

const fill = (items: ReadonlyArray<ItemRow>) =>
  pipe(
    Session.execute()(deleteFrom(model.Item)),
    Session.chain(() => pipe(insertInto(model.Item), values(items), Session.execute())),
    Session.chain(() => Session.commit),
  )

const all = select(model.Item)

/** Items whose ids follow their ranks, on shards as `homeOf` says. */
const itemsOn = (count: number, homeOf: (at: number) => Home): ReadonlyArray<ItemRow> =>
  Array.from({ length: count }, (_, at) => ({ id: at, home: homeOf(at), rank: at }))

const evenly = (at: number): Home => homes[at % 4] as Home

const hosts: ReadonlyArray<readonly [host: Host, runs: number]> = [
  [sqliteHost('SQLite'), 60],
  [postgresHost, 15],
  [mysqlHost, 15],
]

describe.each(hosts)('the first rows of four shards', (host, numRuns) => {
  const missing = skipped(host)
  describe.skipIf(missing !== null)(`of ${host.name}${missing === null ? '' : ` (${missing})`}`, () => {
    const databases: TestDatabase[] = []
    const engines: Engine[] = []
    let app: Session.Runtime

    beforeAll(async () => {
      for (const _ of homes) {
        const database = await host.create()
        const engine = database.open()
        rightOf(await createAll(model)(engine)())
        databases.push(database)
        engines.push(engine)
      }
      const [one, two, three, four] = engines as [Engine, Engine, Engine, Engine]
      app = runtimeOver({ one, two, three, four })
    }, 30_000)
    afterAll(async () => {
      for (const engine of engines) await engine.close()
      for (const database of databases) await database.drop()
    })

    /** How rows are spread: stretches of some length, each of which lies on one shard. */
    const spread = fc.array(fc.record({ home: fc.constantFrom(...homes), length: fc.constantFrom(1, 7, 90, 400) }), {
      minLength: 1,
      maxLength: 12,
    })

    test.prop(
      [
        spread,
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 }),
        fc.constantFrom('asc', 'desc'),
        fc.integer({ min: 0, max: 900 }),
        fc.integer({ min: 0, max: 400 }),
      ],
      { numRuns },
    )(
      'are those of all rows',
      async (stretches, ranks, direction, most, before) => {
        const where = stretches.flatMap(({ home, length }) => Array.from({ length }, () => home))
        const items = where.map((home, id) => ({ id, home, rank: ranks[id % ranks.length] as number }))
        rightOf(await Session.run(app)(fill(items))())
        const query = pipe(all, orderBy('rank', direction), orderBy('id'), limit(most), offset(before))
        const found = rightOf(await Session.run(app)(Session.query(query))())
        const sign = direction === 'asc' ? 1 : -1
        const expected = [...items].sort((a, b) => sign * (a.rank - b.rank) || a.id - b.id)
        expect(found.map(({ id }) => id)).toEqual(expected.slice(before, before + most).map(({ id }) => id))
      },
      120_000,
    )
  })
})

describe('for the first rows', () => {
  let journals: Journal
  let engines: Readonly<Record<Home, Engine>>
  let app: Session.Runtime

  beforeEach(() => {
    journals = journal()
    const open = (home: Home): Engine => {
      const engine = sqliteEngine(new Database(':memory:'))
      rightOf(createAllSync(model)(engine))
      return counting(engine, home, journals)
    }
    engines = { one: open('one'), two: open('two'), three: open('three'), four: open('four') }
    app = runtimeOver(engines)
  })
  afterEach(async () => {
    for (const engine of Object.values(engines)) await engine.close()
  })

  const placed = (count: number, homeOf: (at: number) => Home): void => {
    rightOf(Session.runSync(app)(fill(itemsOn(count, homeOf))))
    journals.asked.length = 0
  }

  /** Of how many rows each shard was asked for, in the order in which they were asked. */
  const asked = (): ReadonlyArray<readonly [shard: string, rows: unknown]> =>
    journals.asked.flatMap(({ call, shard }) =>
      call._tag === 'Query' ? [[shard, call.statement.parameters.at(-1)] as const] : [],
    )

  const first = (count: number, skipped = 0) => pipe(all, orderBy('rank'), limit(count), offset(skipped), Session.query)

  it('each shard is asked for its share and some more', () => {
    placed(4_000, evenly)
    const rows = rightOf(Session.runSync(app)(first(1_000)))
    expect(rows.map(({ rank }) => rank)).toEqual(Array.from({ length: 1_000 }, (_, at) => at))
    // 250, and three times the root of that
    expect(asked()).toEqual(homes.map((home) => [home, 298]))
  })

  it('the rows that are passed over count too', () => {
    placed(4_000, evenly)
    const rows = rightOf(Session.runSync(app)(first(100, 900)))
    expect(rows.map(({ rank }) => rank)).toEqual(Array.from({ length: 100 }, (_, at) => 900 + at))
    expect(asked()).toEqual(homes.map((home) => [home, 298]))
  })

  it('a shard that has more of them is asked again, for as many as there could be', () => {
    placed(4_000, (at) => (at < 2_000 ? 'three' : evenly(at)))
    const rows = rightOf(Session.runSync(app)(first(1_000)))
    expect(rows.map(({ rank }) => rank)).toEqual(Array.from({ length: 1_000 }, (_, at) => at))
    expect(asked()).toEqual([...homes.map((home) => [home, 298]), ['three', 1_000]])
  })

  it('shards are asked again one after another where each turns out to have more', () => {
    placed(4_000, (at) => (at < 600 ? 'three' : at < 1_200 ? 'two' : evenly(at)))
    const rows = rightOf(Session.runSync(app)(first(1_000)))
    expect(rows.map(({ rank }) => rank)).toEqual(Array.from({ length: 1_000 }, (_, at) => at))
    expect(asked().slice(4)).toEqual([
      ['three', 1_000],
      ['two', 1_000],
    ])
  })

  it('a shard that has no more than it was asked for is not asked again', () => {
    placed(300, (at) => (at < 280 ? 'one' : 'two'))
    expect(rightOf(Session.runSync(app)(first(1_000)))).toHaveLength(300)
    expect(asked()).toHaveLength(4)
  })

  it('all are asked for at once where few are wanted', () => {
    placed(400, evenly)
    expect(rightOf(Session.runSync(app)(first(120)))).toHaveLength(120)
    expect(asked()).toEqual(homes.map((home) => [home, 120]))
  })

  it('a shard that fails when it is asked again is left out as a whole, where it may be', () => {
    placed(4_000, (at) => (at < 2_000 ? 'three' : evenly(at)))
    const failing = (): void => {
      let questions = 0
      journals.fault = (shard, call) =>
        shard === 'three' && call._tag === 'Query' && ++questions === 2 ? outage('it is away') : null
    }
    failing()
    expect(Session.runSync(app)(first(600))).toMatchObject({ left: { _tag: 'DatabaseError', shard: 'three' } })
    failing()
    const { faults, value } = rightOf(Session.runSync(app)(Session.partially(first(600))))
    expect(faults).toMatchObject([{ shard: 'three' }])
    expect(value.map(({ rank }) => rank)).toEqual(
      Array.from({ length: 2_000 }, (_, at) => 2_000 + at)
        .filter((at) => evenly(at) !== 'three')
        .slice(0, 600),
    )
  })
})
