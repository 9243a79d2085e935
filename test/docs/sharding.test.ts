import {
  createAllSync,
  defineModel,
  entity,
  generated,
  instant,
  integer,
  orderBy,
  primaryKey,
  references,
  select,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  byAttribute,
  byDirectory,
  byHash,
  byParts,
  byRange,
  byRendezvous,
  choosers,
  custom,
  directory,
  everywhere,
  moveToShard,
  onShard,
  readDirectory,
  routeOf,
  schemaTranslate,
  shardedRuntime,
  shardMap,
  tablePrefix,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), name: text })
const Location = entity('Location', 'locations', {
  id: pipe(integer, primaryKey),
  continent: text,
  city: text,
  country: pipe(text, references('countries.code')),
})
const Report = entity('Report', 'reports', {
  id: pipe(integer, primaryKey, generated),
  locationId: pipe(integer, references('locations.id')),
  temperature: integer,
})

const model = defineModel({ Country, Location, Report })((r) => ({
  Location: {
    reports: r.Location.hasMany('Report', { foreignKey: 'locationId', inverse: 'location' }),
  },
  Report: { location: r.Report.belongsTo('Location', { foreignKey: 'locationId', inverse: 'reports' }) },
}))
// #endregion

// #region runtime
const shards = shardMap({
  asia: sqliteEngine(new Database(':memory:')),
  europe: sqliteEngine(new Database(':memory:')),
})
for (const engine of shards.engines.values()) createAllSync(model)(engine)

const app = shardedRuntime(model, {
  shards,
  choosers: choosers(model)({
    Location: byAttribute('continent', { Asia: 'asia', Europe: 'europe' }),
    Report: withParent('location'),
    Country: everywhere(),
  }),
})
// #endregion

// #region fill
const fill = Session.gen(function* () {
  yield* Session.addAll(model.Country, [
    { code: 'jp', name: 'Japan' },
    { code: 'fr', name: 'France' },
  ])
  yield* Session.addAll(model.Location, [
    { id: 1, continent: 'Asia', city: 'Tokyo', country: 'jp', reports: [{ temperature: 31 }] },
    { id: 2, continent: 'Europe', city: 'Paris', country: 'fr', reports: [{ temperature: 24 }] },
    { id: 3, continent: 'Europe', city: 'Lyon', country: 'fr' },
  ])
  yield* Session.commit
})
resultOf(Session.runSync(app)(fill))
// #endregion

const run = <E, A>(program: Session.Program<E, A>): A => resultOf(Session.runSync(app)(program))

const example = examplesOf('sharding')

const Customer = entity('Customer', 'customers', { id: pipe(integer, primaryKey), region: text, since: instant })
const TenantShard = entity('TenantShard', 'tenant_shards', { tenantId: pipe(integer, primaryKey), shard: text })
const Order = entity('Order', 'orders', { id: pipe(integer, primaryKey), tenantId: integer })
const shop = defineModel({ Customer, TenantShard, Order })(() => ({}))

const rest = { TenantShard: custom({ shardOf: () => 'first' }), Order: custom({ shardOf: () => 'first' }) } as const

example('strategies', () => {
  // #region strategies
  byAttribute('region', { eu: 'frankfurt', us: 'dallas' })
  byAttribute('id', (id: number) => (id < 1000 ? 'first' : 'second'))
  byHash('id', ['first', 'second', 'third'])
  byRendezvous('id', { first: 1, second: 2 })
  byRange('since', [{ below: new Date('2025-01-01'), shard: 'archive' }], 'current')
  // #endregion
})

example('parts', () => {
  // #region parts
  const byRegion = choosers(shop)({
    Customer: byParts('region', {
      eu: byHash('id', ['eu1', 'eu2']),
      us: byRendezvous('id', ['us1', 'us2', 'us3']),
    }),
    ...rest,
  })
  // #endregion
  void byRegion
})

example('directory', () => {
  const engine = sqliteEngine(new Database(':memory:'))
  createAllSync(shop)(engine)
  const main = Session.runtime(shop, engine)
  // #region directory
  const tenants = directory<number, string>()
  const read = readDirectory(tenants, shop.TenantShard, { value: 'tenantId', shard: 'shard' })
  console.log(resultOf(Session.runSync(main)(read))) // => 0

  resultOf(
    Session.runSync(main)(
      pipe(
        Session.add(shop.TenantShard, { tenantId: 7, shard: 'second' }),
        Session.chain(() => Session.commit),
      ),
    ),
  )
  tenants.set(7, 'second')

  const byTenant = choosers(shop)({
    ...rest,
    Order: byDirectory('tenantId', tenants),
    Customer: byHash('id', ['first']),
  })
  // #endregion
  void byTenant
})

example('custom', () => {
  // #region custom
  const bySize = choosers(shop)({
    ...rest,
    Customer: custom({
      shardOf: ({ values }) => ((values.id ?? 0) < 100 ? 'first' : 'second'),
      shardsOfKey: ({ id }) => (id === undefined ? null : [id < 100 ? 'first' : 'second']),
    }),
  })
  // #endregion
  void bySize
})

example('reference', () => {
  // #region reference
  const japan = run(Session.query(pipe(select(model.Country), where('code', '=', 'jp'))))
  console.log(japan.map(({ name }) => name)) // => [ 'Japan' ]
  // #endregion
})

example('route', () => {
  // #region route
  const warm = pipe(select(model.Location), where('continent', 'in', ['Europe']), where('id', '>', 2))
  console.log(resultOf(routeOf(app)(warm)))
  // #endregion
})

example('pin', () => {
  // #region pin
  const cities = pipe(select(model.Location), orderBy('city'))
  console.log(run(Session.query(cities)).map(({ city }) => city)) // => [ 'Lyon', 'Paris', 'Tokyo' ]
  console.log(run(Session.query(pipe(cities, onShard(shards, 'asia')))).map(({ city }) => city)) // => [ 'Tokyo' ]
  // #endregion
})

example('identity', () => {
  // #region identity
  const identities = Session.gen(function* () {
    const reports = yield* Session.query(pipe(select(model.Report), orderBy('id')))
    return yield* Session.gets((state) => reports.map((report) => Session.inspect(state, report)?.identity))
  })
  console.log(run(identities))
  // #endregion
})

example('move', () => {
  // #region move
  const move = Session.gen(function* () {
    const lyon = yield* Session.get(model.Location, 3, { shard: 'europe' })
    if (lyon._tag === 'None') return null
    const moved = yield* pipe(lyon.value, moveToShard(app, model.Location, 'asia'))
    yield* Session.set(model.Location, { continent: 'Asia' })(moved)
    const { inserted, deleted } = yield* Session.flush
    yield* Session.commit
    return { inserted, deleted }
  })
  console.log(run(move)) // => { inserted: 1, deleted: 1 }
  // #endregion
})

example('prefix', () => {
  // #region prefix
  const engine = sqliteEngine(new Database(':memory:'))
  const inOneDatabase = shardMap({
    asia: tablePrefix('asia_')(engine),
    europe: tablePrefix('europe_')(engine),
  })
  for (const shard of inOneDatabase.engines.values()) createAllSync(model)(shard)
  // #endregion
  resultOf(Session.runSync(shardedRuntime(model, { shards: inOneDatabase, choosers: app.choosers as never }))(fill))
})

example('attached', () => {
  // #region attached
  const database = new Database(':memory:')
  database.exec("attach ':memory:' as asia; attach ':memory:' as europe")
  const attached = sqliteEngine(database)
  const inFiles = shardMap({ asia: schemaTranslate('asia')(attached), europe: schemaTranslate('europe')(attached) })
  // #endregion
  for (const shard of inFiles.engines.values()) createAllSync(model)(shard)
  resultOf(Session.runSync(shardedRuntime(model, { shards: inFiles, choosers: app.choosers as never }))(fill))
})
