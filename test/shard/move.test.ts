import {
  createAllSync,
  deferred,
  defineModel,
  entity,
  integer,
  primaryKey,
  references,
  select,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, moveToShard, shardedRuntime, shardMap, withParent } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { counting, journal, outage } from './counting-engine.js'
import { leftOf, rightOf } from './weather.js'

const Account = entity('Account', 'accounts', {
  id: pipe(integer, primaryKey),
  region: text,
  terms: pipe(text, deferred),
})
const Order = entity('Order', 'orders', {
  id: pipe(integer, primaryKey),
  accountId: pipe(integer, references('accounts.id')),
  note: text,
})
const Line = entity('Line', 'lines', {
  id: pipe(integer, primaryKey),
  orderId: pipe(integer, references('orders.id')),
  item: text,
})
const model = defineModel({ Account, Order, Line })((r) => ({
  Account: { orders: r.Account.hasMany('Order', { foreignKey: 'accountId', inverse: 'account' }) },
  Order: {
    account: r.Order.belongsTo('Account', { foreignKey: 'accountId', inverse: 'orders' }),
    lines: r.Order.hasMany('Line', { foreignKey: 'orderId', inverse: 'order' }),
  },
  Line: { order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }) },
}))

const open = () => {
  const entries = journal()
  const databases = { eu: new Database(':memory:'), us: new Database(':memory:') }
  const engine = (token: 'eu' | 'us') => {
    const plain = sqliteEngine(databases[token])
    rightOf(createAllSync(model)(plain))
    return counting(plain, token, entries)
  }
  const app = shardedRuntime(model, {
    shards: shardMap({ eu: engine('eu'), us: engine('us') }),
    choosers: choosers(model)({
      Account: byAttribute('region', { eu: 'eu', us: 'us' }),
      Order: withParent('account'),
      Line: withParent('order'),
    }),
  })
  const store = Session.createStore(app)
  const run = <E, A>(program: Session.Program<E, A>): A => rightOf(store.runSync(program))
  run(
    Session.addAll(model.Account, [
      {
        id: 1,
        region: 'eu',
        terms: 'net 30',
        orders: [
          {
            id: 10,
            note: 'a',
            lines: [
              { id: 100, item: 'x' },
              { id: 101, item: 'y' },
            ],
          },
          { id: 11, note: 'b' },
        ],
      },
      { id: 2, region: 'eu', terms: 'none', orders: [{ id: 12, note: 'c' }] },
    ]),
  )
  run(Session.commit)
  const account = (id: number) => {
    const [found] = run(Session.query(pipe(select(model.Account), where('id', '=', id))))
    if (found === undefined) throw new Error('not found')
    return found
  }
  const rows = (token: 'eu' | 'us', table: string) =>
    databases[token].prepare(`select * from ${table} order by id`).all()
  return { account, app, entries, rows, run, store }
}

describe('moving an instance to another shard', () => {
  test('takes its row with all that belongs beside it, in one flush', () => {
    const { account, app, rows, run, store } = open()
    const moved = run(pipe(account(1), moveToShard(app, model.Account, 'us')))
    expect(Session.inspect(store.getState(), moved)?.status).toBe('pending')
    const flushed = run(Session.flush)
    expect(flushed).toMatchObject({ inserted: 5, deleted: 5, updated: 0 })
    expect(Session.inspect(store.getState(), moved)?.identity).toEqual({ entity: 'Account', key: 1, shard: 'us' })
    run(Session.commit)
    expect(rows('us', 'accounts')).toEqual([{ id: 1, region: 'eu', terms: 'net 30' }])
    expect(rows('us', 'orders')).toEqual([
      { id: 10, accountId: 1, note: 'a' },
      { id: 11, accountId: 1, note: 'b' },
    ])
    expect(rows('us', 'lines')).toHaveLength(2)
    expect(rows('eu', 'accounts')).toEqual([{ id: 2, region: 'eu', terms: 'none' }])
    expect(rows('eu', 'orders')).toEqual([{ id: 12, accountId: 2, note: 'c' }])
    expect(rows('eu', 'lines')).toEqual([])
  })

  test('takes along what was changed and what was not flushed', () => {
    const { account, app, rows, run } = open()
    const one = account(1)
    run(Session.set(model.Account, { terms: 'net 60' })(one))
    run(Session.append(model.Account, 'orders', { id: 13, note: 'new' })(one))
    run(pipe(one, moveToShard(app, model.Account, 'us')))
    run(Session.commit)
    expect(rows('us', 'accounts')).toMatchObject([{ terms: 'net 60' }])
    expect(rows('us', 'orders')).toHaveLength(3)
    expect(rows('eu', 'orders')).toHaveLength(1)
  })

  test('the moved instance is found where it is, and changed there', () => {
    const { account, app, rows, run } = open()
    const moved = run(pipe(account(1), moveToShard(app, model.Account, 'us')))
    run(Session.commit)
    run(Session.set(model.Account, { region: 'us' })(moved))
    run(Session.commit)
    expect(rows('us', 'accounts')).toMatchObject([{ id: 1, region: 'us' }])
    const orders = run(Session.load(model.Account, 'orders')(moved)) as unknown
    expect(orders).toBeDefined()
    expect(run(Session.query(pipe(select(model.Account), where('region', '=', 'us')))).map(({ id }) => id)).toEqual([1])
  })

  test('is undone on both shards by a rollback', () => {
    const { account, app, rows, run } = open()
    run(pipe(account(1), moveToShard(app, model.Account, 'us')))
    run(Session.flush)
    run(Session.rollback)
    expect(rows('us', 'accounts')).toEqual([])
    expect(rows('eu', 'lines')).toHaveLength(2)
    expect(account(1).region).toBe('eu')
  })

  test('is undone on both shards where one of them fails', () => {
    const { account, app, entries, rows, run, store } = open()
    run(pipe(account(1), moveToShard(app, model.Account, 'us')))
    entries.fault = (shard, call) => (shard === 'us' && call._tag === 'Insert' ? outage('no') : null)
    leftOf(store.runSync(Session.flush))
    entries.fault = null
    run(Session.rollback)
    expect(rows('us', 'accounts')).toEqual([])
    expect(rows('eu', 'orders')).toHaveLength(3)
  })

  test('to where it is changes nothing, and to nowhere is refused', () => {
    const { account, app, run, store } = open()
    const one = account(1)
    expect(run(pipe(one, moveToShard(app, model.Account, 'eu')))).toBe(one)
    expect(run(Session.flush)).toMatchObject({ inserted: 0, deleted: 0 })
    expect(leftOf(store.runSync(pipe(one, moveToShard(app, model.Account, 'asia' as 'eu'))))).toMatchObject({
      _tag: 'RoutingError',
      reason: 'UnknownShard',
    })
  })
})

describe('a new instance', () => {
  test('goes where it is told, whatever the choosers say', () => {
    const { rows, run, store } = open()
    const made = run(Session.add(model.Account, { id: 3, region: 'eu', terms: '' }))
    run(Session.placeOn(model.Account, 'us')(made))
    run(Session.append(model.Account, 'orders', { id: 30, note: 'beside it' })(made))
    run(Session.commit)
    expect(rows('us', 'accounts')).toMatchObject([{ id: 3 }])
    expect(rows('us', 'orders')).toMatchObject([{ id: 30 }])
    expect(leftOf(store.runSync(Session.placeOn(model.Account, 'eu')(made)))).toMatchObject({ _tag: 'InvalidState' })
  })
})
