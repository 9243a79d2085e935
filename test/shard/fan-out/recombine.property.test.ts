/**
 * Aggregates, groups and distinct rows over four shards against the same query on one database with all rows.
 */
import { fc, test } from '@fast-check/vitest'
import {
  bigint,
  boolean,
  createAll,
  decimal,
  defineModel,
  deleteFrom,
  distinct,
  type Engine,
  entity,
  groupBy,
  having,
  instant,
  integer,
  limit,
  nullable,
  offset,
  orderBy,
  parseDecimal,
  primaryKey,
  type RowExpressions,
  real,
  select,
  selectRows,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import {
  type Host,
  mysqlHost,
  postgresHost,
  skipped,
  sqliteHost,
  type TestDatabase,
} from '../../core/engine/databases.js'
import { rightOf } from '../weather.js'

const Item = entity('Item', 'items', {
  id: pipe(integer, primaryKey),
  home: text,
  kind: pipe(text, nullable),
  n: pipe(integer, nullable),
  weight: pipe(real, nullable),
  price: pipe(decimal(12, 2), nullable),
  views: pipe(bigint, nullable),
  sold: pipe(boolean, nullable),
  at: pipe(instant, nullable),
})
const model = defineModel({ Item })(() => ({}))
const homes = ['one', 'two', 'three', 'four'] as const

const item = fc.record({
  home: fc.constantFrom(...homes),
  kind: fc.option(fc.constantFrom('', 'a', 'bb', 'c', 'z')),
  n: fc.option(fc.integer({ min: -3, max: 3 })),
  weight: fc.option(fc.integer({ min: -8, max: 8 }).map((quarters) => quarters / 4)),
  price: fc.option(
    fc.integer({ min: -2000, max: 2000 }).map((cents) => {
      const parsed = parseDecimal((cents / 100).toFixed(2))
      return parsed._tag === 'Some' ? parsed.value : (null as never)
    }),
  ),
  views: fc.option(fc.constantFrom(1n, 2n, 9_007_199_254_740_993n, -5n)),
  sold: fc.option(fc.boolean()),
  at: fc.option(fc.constantFrom(0, 1, 1_700_000_000_123).map((time) => new Date(time))),
})

const keys = ['kind', 'n', 'sold', 'at', 'views', 'price'] as const

const all = select(model.Item)

/** What is asked for by name; of decimals only where the database calculates with them. */
const values = (q: RowExpressions<typeof all>, isExact: boolean) => ({
  rows: q.fn.countAll(),
  known: q.fn.count('n'),
  kinds: q.fn.count('kind').distinct(),
  sum: q.fn.sum('n'),
  distinctSum: q.fn.sum('n').distinct(),
  mean: q.fn.avg('n'),
  distinctMean: q.fn.avg('n').distinct(),
  load: q.fn.sum('weight'),
  heaviest: q.fn.max('weight'),
  meanWeight: q.fn.avg('weight'),
  seen: q.fn.sum('views'),
  most: q.fn.max('views'),
  first: q.fn.min('at'),
  cheapest: q.fn.min('price'),
  more: q(q.fn.sum('n'), '+', q.fn.countAll()),
  many: q(q.fn.countAll(), '>', 2),
  orNone: q.fn.coalesce(q.fn.max('n'), q.val(0)),
  ...(isExact ? { cost: q.fn.sum('price'), meanCost: q.fn.avg('price') } : {}),
})

const asked = fc.record({
  by: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 2 }),
  asked: fc.uniqueArray(fc.nat(18), { minLength: 1, maxLength: 5 }),
  least: fc.option(fc.integer({ min: -2, max: 2 })),
  having: fc.constantFrom(null, 'rows', 'sum', 'mixed', 'first', 'key', 'in', 'not'),
  order: fc.constantFrom(null, 'rows', 'sum', 'first', 'meanWeight'),
  isDescending: fc.boolean(),
  window: fc.option(fc.record({ limit: fc.nat(4), offset: fc.nat(3) })),
  isDistinct: fc.boolean(),
})

type Asked = typeof asked extends fc.Arbitrary<infer A> ? A : never

/** A query of groups: in a total order where it has a limit. */
const queryOf = (given: Asked, isExact: boolean) => {
  const by = given.by
  const rows = pipe(
    given.least === null ? all : pipe(all, where('n', '>=', given.least)),
    selectRows((q) => {
      const every = Object.entries(values(q, isExact))
      const picked = given.asked.map((at) => every[at % every.length] as (typeof every)[number])
      return Object.fromEntries([...by.map((key) => [key, q.ref(`items.${key}`)] as const), ...picked]) as {
        readonly rows: ReturnType<typeof q.fn.countAll>
      }
    }),
  )
  const grouped = by.length === 0 ? rows : pipe(rows, groupBy(...(by as never as [])))
  const kept =
    given.having === null
      ? grouped
      : pipe(
          grouped,
          having((eb) => {
            switch (given.having) {
              case 'rows':
                return eb(eb.fn.countAll(), '>', 1)
              case 'sum':
                return eb(eb.fn.sum('n'), '<=', 2)
              case 'mixed':
                return eb.or([
                  eb.and([eb(eb.fn.countAll(), '<', 3), eb(eb.fn.max('n'), 'is not', null)]),
                  eb(eb.fn.avg('weight'), '>', 0.5),
                ])
              case 'first':
                return eb(eb.fn.min('at'), '<', new Date(1000))
              case 'key':
                return by.includes('kind') ? eb('kind', 'like', '%') : eb(eb.fn.count('kind'), '>', 0)
              case 'in':
                return eb(eb.fn.countAll(), 'in', [1, 3, 5])
              default:
                return eb.not(eb.between(eb.fn.sum('n'), -1, 1))
            }
          }),
        )
  const isDistinct = given.isDistinct && given.order === null && given.window === null
  const different = isDistinct ? distinct(kept) : kept
  const direction = given.isDescending ? 'desc' : 'asc'
  const byValue = (query: typeof different) => {
    switch (given.order) {
      case 'rows':
        return pipe(
          query,
          orderBy((eb) => eb.fn.countAll(), direction),
        )
      case 'sum':
        return pipe(
          query,
          orderBy((eb) => eb.fn.sum('n'), direction),
        )
      case 'first':
        return pipe(
          query,
          orderBy((eb) => eb.fn.min('at'), direction),
        )
      case 'meanWeight':
        return pipe(
          query,
          orderBy((eb) => eb.fn.avg('weight'), direction),
        )
      default:
        return query
    }
  }
  const isOrdered = given.order !== null || given.window !== null
  const byKeys = (query: typeof different, some: typeof by) =>
    some.reduce(
      (so, key) =>
        pipe(
          so,
          orderBy((eb) => eb.ref(`items.${key}`), direction),
        ),
      query,
    )
  const ordered = isOrdered ? byKeys(byValue(different), by) : different
  const query = given.window === null ? ordered : pipe(ordered, limit(given.window.limit), offset(given.window.offset))
  // in which order groups come that are the same by the first key, nobody says
  const loose = given.window === null ? null : pipe(byKeys(different, by.slice(0, 1)), limit(given.window.limit))
  return { query, isOrdered, loose, whole: different }
}

const shown = (rows: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  rows.map((row) =>
    JSON.stringify(row, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? 0 : value,
    ),
  )

const hosts: ReadonlyArray<readonly [host: Host, runs: number]> = [
  [sqliteHost('SQLite'), 300],
  [postgresHost, 60],
  [mysqlHost, 60],
]

describe.each(hosts)('groups over four shards', (host, numRuns) => {
  const missing = skipped(host)
  describe.skipIf(missing !== null)(`of ${host.name}${missing === null ? '' : ` (${missing})`}`, () => {
    const databases: TestDatabase[] = []
    const engines: Engine[] = []
    let plain: Session.Runtime
    let sharded: Session.Runtime

    beforeAll(async () => {
      for (let i = 0; i < 5; i++) {
        const database = await host.create()
        const engine = database.open()
        rightOf(await createAll(model)(engine)())
        databases.push(database)
        engines.push(engine)
      }
      const [all, one, two, three, four] = engines as [Engine, Engine, Engine, Engine, Engine]
      plain = Session.runtime(model, all)
      sharded = shardedRuntime(model, {
        shards: shardMap({ one, two, three, four }),
        choosers: choosers(model)({
          Item: byAttribute('home', { one: 'one', two: 'two', three: 'three', four: 'four' }),
        }),
      })
    }, 30_000)
    afterAll(async () => {
      for (const engine of engines) await engine.close()
      for (const database of databases) await database.drop()
    })

    const fill = async (items: ReadonlyArray<typeof item extends fc.Arbitrary<infer A> ? A : never>) => {
      const program = pipe(
        Session.execute()(deleteFrom(model.Item)),
        Session.chain(() =>
          Session.addAll(
            model.Item,
            items.map((one, id) => ({ id, ...one })),
          ),
        ),
        Session.chain(() => Session.commit),
      )
      for (const app of [plain, sharded]) rightOf(await Session.run(app)(program)())
    }

    test.prop([fc.array(item, { maxLength: 25, size: 'max' }), fc.array(asked, { minLength: 1, maxLength: 5 })], {
      numRuns,
    })(
      'are those of one database',
      async (items, questions) => {
        await fill(items)
        for (const question of questions) {
          const { isOrdered, loose, query, whole } = queryOf(question, host !== hosts[0]?.[0])
          const expected = shown(rightOf(await Session.run(plain)(Session.rows(query))()))
          const found = shown(rightOf(await Session.run(sharded)(Session.rows(query))()))
          if (isOrdered) expect(found).toEqual(expected)
          else expect([...found].sort()).toEqual([...expected].sort())
          expect(rightOf(await Session.run(sharded)(Session.count(query))())).toBe(expected.length)
          if (loose !== null) {
            const every = shown(rightOf(await Session.run(plain)(Session.rows(whole))()))
            const some = shown(rightOf(await Session.run(sharded)(Session.rows(loose))()))
            expect(every).toEqual(expect.arrayContaining([...some]))
            expect(some).toHaveLength(Math.min(every.length, question.window?.limit ?? 0))
          }
          const streamed: unknown[] = []
          for await (const row of Session.stream(sharded, { chunk: 3 })(query)) streamed.push(rightOf(row))
          if (isOrdered) expect(shown(streamed)).toEqual(found)
          else expect([...shown(streamed)].sort()).toEqual([...found].sort())
        }
      },
      120_000,
    )
  })
})
