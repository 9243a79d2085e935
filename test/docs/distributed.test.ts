import {
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  mysqlDialect,
  named,
  postgresDialect,
  primaryKey,
  select,
  text,
  uuid,
  uuidV7,
  where,
  withDefault,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  byHash,
  choosers,
  citusStatements,
  cockroachStatements,
  distributionOf,
  everywhere,
  refuseScattered,
  vschemaOf,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const tenantId = pipe(uuid, named('tenant_id'), primaryKey)
const id = pipe(uuid, primaryKey, withDefault(uuidV7))

const Currency = entity('Currency', 'currencies', { code: pipe(text, primaryKey), name: text })
const Tenant = entity('Tenant', 'tenants', { id, name: text })
const Account = entity('Account', 'accounts', { tenantId, id, owner: text, balance: integer })
const Booking = entity('Booking', 'bookings', {
  tenantId,
  id,
  accountId: pipe(uuid, named('account_id')),
  amount: integer,
})

const model = defineModel({ Currency, Tenant, Account, Booking })((r) => ({
  Tenant: { accounts: r.Tenant.hasMany('Account', { foreignKey: 'tenantId', inverse: 'tenant' }) },
  Account: {
    tenant: r.Account.belongsTo('Tenant', { foreignKey: 'tenantId', inverse: 'accounts' }),
    bookings: r.Account.hasMany('Booking', { foreignKey: ['tenantId', 'accountId'], inverse: 'account' }),
  },
  Booking: { account: r.Booking.belongsTo('Account', { foreignKey: ['tenantId', 'accountId'], inverse: 'bookings' }) },
}))
// #endregion

// #region choosers
const byTenant = choosers(model)({
  Currency: everywhere(),
  Tenant: byHash('id', ['cluster']),
  Account: withParent('tenant'),
  Booking: withParent('account'),
})
// #endregion

const engine = sqliteEngine(new Database(':memory:'))
createAllSync(model)(engine)
const db = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (self) => new PostgresIntrospector(self),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const example = examplesOf('distributed')

example('distribution', () => {
  // #region distribution
  const distribution = resultOf(distributionOf(model, byTenant)(postgresDialect))
  for (const { table, placement } of distribution.tables) console.log(table.name, placement)
  // #endregion
})

example('faults', () => {
  // #region faults
  const User = entity('User', 'users', { id: pipe(integer, primaryKey, generated), region: text })
  const users = defineModel({ User })(() => ({}))
  const byRegion = choosers(users)({ User: byHash('region', ['cluster']) })
  const refused = distributionOf(users, byRegion)(postgresDialect)
  if (refused._tag === 'Left') console.log(refused.left[0])
  // #endregion
})

example('citus', async () => {
  const distribution = resultOf(distributionOf(model, byTenant)(postgresDialect))
  // #region citus
  for (const statement of citusStatements(distribution)) {
    console.log(statement.compile(db).sql)
    await statement.execute(db)
  }
  // #endregion
})

example('cockroach', () => {
  // #region cockroach
  const Event = entity('Event', 'events', { id: pipe(integer, primaryKey, generated), body: text })
  const events = defineModel({ Event })(() => ({}))
  const byId = choosers(events)({ Event: byHash('id', ['cluster']) })
  for (const statement of cockroachStatements(resultOf(distributionOf(events, byId)(postgresDialect)))) {
    console.log(statement.compile(db).sql)
  }
  // #endregion
})

example('vitess', () => {
  // #region vitess
  const { vindexes, tables } = vschemaOf(resultOf(distributionOf(model, byTenant)(mysqlDialect)))
  console.log(vindexes, JSON.stringify(tables.bookings))
  // #endregion
})

example('retry', () => {
  const app = Session.runtime(model, engine)
  const deposit = Session.gen(function* () {
    yield* Session.add(model.Tenant, { name: 'acme', accounts: [{ owner: 'ed', balance: 100 }] })
  })
  // #region retry
  const policy: Session.RetryPolicy = { attempts: 10, delay: Session.backoff({ first: 5, most: 500 }) }
  resultOf(Session.runSync(app)(pipe(deposit, Session.transactRetrying(policy))))
  // #endregion
})

example('scatter', () => {
  const render = Session.render
  // #region scatter
  const app = Session.runtime(model, engine, { hooks: refuseScattered(model, byTenant) })

  const refused = Session.runSync(app)(pipe(select(model.Account), where('owner', '=', 'ed'), Session.query))
  if (refused._tag === 'Left') console.log(render(refused.left))
  // #endregion
})
