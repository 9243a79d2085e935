/**
 * What asking four shards costs: beside the slowest of them where they are asked at the same time (PostgreSQL, each made to
 * take its while), and beside the same query on each of them by itself where they answer at once (SQLite).
 */
import {
  type AnyQuery,
  createAll,
  createAllSync,
  defineModel,
  type Engine,
  entity,
  groupBy,
  integer,
  limit,
  orderBy,
  primaryKey,
  select,
  selectRows,
  selectScalar,
  text,
  where,
} from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, onShard, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { PostgresDialect, sql } from 'kysely'
import { median } from '../contest/contest.js'
import { dropPostgres, openPostgres } from '../postgres.js'

const Customer = entity('Customer', 'customers', {
  id: pipe(integer, primaryKey),
  region: text,
  name: text,
  visits: integer,
})
const model = defineModel({ Customer })(() => ({}))
const regions = ['north', 'east', 'south', 'west'] as const
type Region = (typeof regions)[number]

const sharded = (engines: Readonly<Record<Region, Engine>>) =>
  shardedRuntime(model, {
    shards: shardMap(engines),
    choosers: choosers(model)({
      Customer: byAttribute('region', { north: 'north', east: 'east', south: 'south', west: 'west' }),
    }),
  })

/** A figure: what was measured, in milliseconds, and what it is compared with. */
export interface FanOutFigure {
  readonly workload: string
  readonly fanOut: number
  readonly beside: number
  readonly ratio: number
}

const all = select(model.Customer)
const perRegion = (queries: AnyQuery) => regions.map((region) => pipe(queries, onShard(region)))

const ask = (query: AnyQuery): Session.Program<Session.QueryError, unknown> =>
  query._tag === 'Rows' ? Session.rows(query) : Session.query(query)

const workloads: ReadonlyArray<readonly [name: string, query: AnyQuery]> = [
  ['entities, shard after shard', all],
  ['entities in one order', pipe(all, orderBy('name'))],
  ['the first 50 in one order', pipe(all, orderBy('name'), limit(50))],
  ['one value of each, in one order', pipe(all, selectScalar('name'), orderBy('name'))],
  [
    'a sum and a mean of all',
    pipe(
      all,
      selectRows((q) => ({ visits: q.fn.sum('visits'), mean: q.fn.avg('visits') })),
    ),
  ],
  [
    'a hundred groups on every shard',
    pipe(
      all,
      selectRows((q) => ({ visits: q.ref('customers.visits'), customers: q.fn.countAll() })),
      groupBy('visits'),
      orderBy('visits'),
    ),
  ],
]

const timed = (work: () => void): number => {
  const start = performance.now()
  work()
  return performance.now() - start
}

const sure = (program: Session.Program<unknown, unknown>, app: Session.Runtime): void => {
  const outcome = Session.runSync(app)(program)
  if (isLeft(outcome)) throw new Error(JSON.stringify(outcome.left))
}

/** Four databases of SQLite in memory, `rows` in all: medians of both in turn. */
export const fanOutSync = (rows: number, runs: number): ReadonlyArray<FanOutFigure> => {
  const engines = Object.fromEntries(
    regions.map((region, shard) => {
      const database = new Database(':memory:')
      const engine = sqliteEngine(database)
      createAllSync(model)(engine)
      const insert = database.prepare('insert into customers values (?, ?, ?, ?)')
      database.transaction(() => {
        for (let i = 0; i < rows / 4; i++) insert.run(i * 4 + shard, region, `customer ${(i * 7919) % rows}`, i % 100)
      })()
      return [region, engine]
    }),
  ) as Record<Region, Engine>
  const app = sharded(engines)
  const alone = regions.map((region) => Session.runtime(model, engines[region]))
  return workloads.map(([workload, query]) => {
    const fanned: number[] = []
    const single: number[] = []
    const fanOut = (): number => timed(() => sure(ask(query), app))
    const each = (): number =>
      timed(() => {
        for (const one of alone) sure(ask(query), one)
      })
    // what is short has to be run often before it is compiled, and to be told from chance
    for (let warm = 0; warm < 500; warm += 1 + fanOut() + each());
    for (let run = 0; run < runs * 5; run++) {
      fanned.push(fanOut())
      single.push(each())
    }
    return figure(workload, median(fanned), median(single))
  })
}

const figure = (workload: string, fanOut: number, beside: number): FanOutFigure => ({
  workload,
  fanOut,
  beside,
  ratio: fanOut / beside,
})

/** Four databases of PostgreSQL, which take 20, 30, 40 and 50 ms for a statement. */
export const fanOutAsync = async (rows: number, runs: number): Promise<ReadonlyArray<FanOutFigure>> => {
  const opened = await Promise.all(regions.map(() => openPostgres(0)))
  const engines = Object.fromEntries(
    regions.map((region, at) => {
      const { pool } = opened[at] as (typeof opened)[number]
      return [region, kyselyEngine(new PostgresDialect({ pool }))]
    }),
  ) as Record<Region, Engine>
  for (const [at, region] of regions.entries()) {
    const { pool } = opened[at] as (typeof opened)[number]
    const made = await createAll(model)(engines[region])()
    if (isLeft(made)) throw new Error(made.left.message)
    await pool.query(
      `insert into customers select i * 4 + ${at}, '${region}', 'customer ' || (i * 7919) % ${rows}, i % 100 from generate_series(0, ${rows / 4 - 1}) i`,
    )
    await pool.query('create table delay (seconds double precision)')
    await pool.query(`insert into delay values (${(20 + 10 * at) / 1000})`)
  }
  const app = sharded(engines)
  const time = async (query: AnyQuery): Promise<number> => {
    const start = performance.now()
    const outcome = await Session.run(app)(ask(query))()
    if (isLeft(outcome)) throw new Error(JSON.stringify(outcome.left))
    return performance.now() - start
  }
  const figures: FanOutFigure[] = []
  for (const [workload, plain] of workloads) {
    const query = pipe(plain as typeof all, where(sleeping)) as AnyQuery
    const fanned: number[] = []
    const slowest: number[] = []
    for (let run = -1; run < runs; run++) {
      const together = await time(query)
      const each: number[] = []
      for (const one of perRegion(query)) each.push(await time(one))
      if (run < 0) continue
      fanned.push(together)
      slowest.push(Math.max(...each))
    }
    figures.push(figure(workload, median(fanned), median(slowest)))
  }
  for (const region of regions) await engines[region].close()
  for (const { name } of opened) await dropPostgres(name)
  return figures
}

/** Once a statement. */
const sleeping = () => sql<boolean>`(select pg_sleep(seconds) is not null from delay)`
