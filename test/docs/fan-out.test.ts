import {
  type AnyRows,
  createAllSync,
  defineModel,
  distinct,
  type Engine,
  entity,
  groupBy,
  having,
  integer,
  limit,
  nullable,
  orderBy,
  primaryKey,
  real,
  select,
  selectRows,
  selectScalar,
  text,
  withOptions,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

const example = examplesOf('fan-out')

type Region = 'north' | 'east' | 'south' | 'west'
const regionOf = (region: string): Region => region as Region

const sales = [
  { id: 1, region: 'north', product: 'tea', amount: 50 },
  { id: 2, region: 'north', product: 'salt', amount: 20 },
  { id: 3, region: 'east', product: 'salt', amount: 30 },
  { id: 4, region: 'east', product: 'tea', amount: 30 },
  { id: 5, region: 'south', product: 'pepper', amount: 40 },
  { id: 6, region: 'south', product: 'tea', amount: 70 },
  { id: 7, region: 'west', product: 'salt', amount: 90 },
]

const engines: Readonly<Record<Region, Engine>> = {
  north: sqliteEngine(new Database(':memory:')),
  east: sqliteEngine(new Database(':memory:')),
  south: sqliteEngine(new Database(':memory:')),
  west: sqliteEngine(new Database(':memory:')),
}

// #region model
const Sale = entity('Sale', 'sales', {
  id: pipe(integer, primaryKey),
  region: text,
  product: text,
  amount: integer,
  weight: pipe(real, nullable),
})
const model = defineModel({ Sale })(() => ({}))

const app = shardedRuntime(model, {
  shards: shardMap(engines),
  choosers: choosers(model)({
    Sale: byAttribute('region', { north: 'north', east: 'east', south: 'south', west: 'west' }),
  }),
})
// #endregion

for (const engine of Object.values(engines)) resultOf(createAllSync(model)(engine))
resultOf(
  Session.runSync(app)(
    pipe(
      Session.addAll(model.Sale, sales),
      Session.chain(() => Session.commit),
    ),
  ),
)

const show = (query: AnyRows): void => {
  for (const row of resultOf(Session.runSync(app)(Session.rows(query)))) {
    console.log(typeof row === 'object' && row !== null ? Object.values(row).join(' ') : row)
  }
}

const failing = (program: Session.Program<Session.QueryError, unknown>): void => {
  const outcome = Session.runSync(app)(program)
  if (outcome._tag === 'Left') console.log(Session.render(outcome.left))
}

example('order', () => {
  // #region order
  show(pipe(select(model.Sale), selectRows('region', 'amount'), orderBy('amount', 'desc'), limit(3)))
  // #endregion
})

example('groups', () => {
  // #region groups
  show(
    pipe(
      select(model.Sale),
      selectRows((q) => ({ product: q.ref('product'), sales: q.fn.countAll(), mean: q.fn.avg('amount') })),
      groupBy('product'),
      having((eb) => eb(eb.fn.sum('amount'), '>', 60)),
      orderBy('mean', 'desc'),
      orderBy('product'),
      limit(2),
    ),
  )
  // #endregion
})

example('distinct', () => {
  // #region distinct
  show(
    pipe(
      select(model.Sale),
      selectRows((q) => ({ products: q.fn.count('product').distinct(), amount: q.fn.sum('amount') })),
    ),
  )
  show(pipe(select(model.Sale), selectScalar('product'), distinct, orderBy('product')))
  // #endregion
})

example('whole', () => {
  // #region whole
  show(
    pipe(
      select(model.Sale),
      selectRows((q) => ({ region: q.ref('region'), products: q.fn.agg<string>('group_concat', ['product']) })),
      groupBy('region'),
      orderBy('region'),
      limit(2),
    ),
  )
  // #endregion
})

example('refused', () => {
  // #region refused
  const names = pipe(
    select(model.Sale),
    selectRows((q) => ({ names: q.fn.agg<string>('group_concat', ['product']) })),
  )
  failing(Session.rows(names))
  // #endregion
})

example('settings', () => {
  // #region settings
  const patient = shardedRuntime(model, {
    shards: shardMap(engines),
    choosers: choosers(model)({ Sale: byAttribute('region', (region: string) => regionOf(region)) }),
    fanOut: { concurrency: 8, timeout: 2000, retry: Session.patient },
  })
  const hasty = pipe(select(model.Sale), withOptions({ fanOut: { timeout: 100, retry: null } }))
  const program = pipe(Session.query(hasty), Session.withOptions({ fanOut: { concurrency: 2 } }))
  console.log(Session.runSync(patient)(program)._tag) // => Right
  // #endregion
})

example('partial', async () => {
  // #region partial
  await engines.west.close()
  const largest = pipe(select(model.Sale), selectRows('region', 'amount'), orderBy('amount', 'desc'), limit(2))
  failing(Session.rows(largest))
  const part = Session.runSync(app)(Session.partially(Session.rows(largest)))
  if (part._tag === 'Right') {
    console.log(part.right.value.map(({ region }) => region))
    console.log(part.right.faults.map(({ cause, shard }) => [shard, cause.reason._tag]))
  }
  // #endregion
})
