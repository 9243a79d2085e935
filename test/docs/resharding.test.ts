import {
  createAllSync,
  defineModel,
  entity,
  integer,
  orderBy,
  primaryKey,
  references,
  select,
  selectin,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  atomic,
  byRendezvous,
  choosers,
  countMoves,
  createCommitTablesSync,
  duringMoves,
  executeMovesSync,
  explainMoves,
  mayHaveMoved,
  planMovesSync,
  recoverSync,
  resharding,
  routeOf,
  shardedRuntime,
  shardMap,
  verifyMovesSync,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const Customer = entity('Customer', 'customers', { id: pipe(integer, primaryKey), name: text })
const Order = entity('Order', 'orders', {
  id: pipe(integer, primaryKey),
  customerId: pipe(integer, references('customers.id')),
  total: integer,
})
const model = defineModel({ Customer, Order })((r) => ({
  Customer: { orders: r.Customer.hasMany('Order', { foreignKey: 'customerId', inverse: 'customer' }) },
  Order: { customer: r.Order.belongsTo('Customer', { foreignKey: 'customerId', inverse: 'orders' }) },
}))
// #endregion

// #region resharding
const shards = shardMap({
  first: sqliteEngine(new Database(':memory:')),
  second: sqliteEngine(new Database(':memory:')),
  third: sqliteEngine(new Database(':memory:')),
})
for (const engine of shards.engines.values()) {
  createAllSync(model)(engine)
  createCommitTablesSync(engine)
}

const adding = resharding(model, {
  shards,
  from: choosers(model)({ Customer: byRendezvous('id', ['first', 'second']), Order: withParent('customer') }),
  to: choosers(model)({ Customer: byRendezvous('id', ['first', 'second', 'third']), Order: withParent('customer') }),
  commit: atomic({ application: 'shop' }),
  directions: [
    ['first', 'third'],
    ['second', 'third'],
  ],
})
// #endregion

const before = shardedRuntime(model, { shards, choosers: adding.from, commit: adding.commit })
resultOf(
  Session.runSync(before)(
    Session.transact(
      Session.addAll(
        model.Customer,
        Array.from({ length: 300 }, (_, id) => ({ id, name: `customer ${id}`, orders: [{ id, total: 10 * id }] })),
      ),
    ),
  ),
)

const example = examplesOf('resharding')

// #region during
const app = shardedRuntime(model, duringMoves(adding))
// #endregion

example('routes', () => {
  // #region routes
  const one = (id: number) => resultOf(routeOf(app)(pipe(select(model.Customer), where('id', '=', id)))).shards
  console.log(one(1), one(2))
  // #endregion
})

example('writers', () => {
  // #region writers
  const raise = Session.gen(function* () {
    const [customer] = yield* Session.query(
      pipe(select(model.Customer), where('id', '=', 2), selectin('orders'), orderBy('id')),
    )
    for (const order of customer?.orders ?? []) {
      yield* pipe(order, Session.set(model.Order, { total: order.total + 1 }))
    }
  })
  const raised = pipe(raise, Session.transactRetrying({ ...Session.patient, mayRetry: mayHaveMoved }))
  resultOf(Session.runSync(app)(raised))
  // #endregion
})

example('moves', () => {
  // #region moves
  const plan = resultOf(planMovesSync(adding))
  console.log(explainMoves(plan))
  // #endregion

  // #region moves
  const report = resultOf(
    executeMovesSync(adding, plan, {
      pause: 10,
      onBatch: ({ batch, rows }) => console.log(batch, rows),
    }),
  )
  console.log(report.passed, report.pending)
  // #endregion

  // #region moves
  console.log(countMoves(resultOf(planMovesSync(adding)))) // => []
  resultOf(recoverSync(shards, { application: 'shop' }))
  // #endregion

  // #region moves
  const { doubled, isDone, misplaced } = resultOf(verifyMovesSync(adding))
  console.log(isDone, misplaced, doubled) // => true [] []
  // #endregion
})
