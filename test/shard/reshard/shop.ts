/**
 * Customers with what belongs beside them, on shards of which another comes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createAll,
  type Decimal,
  decimal,
  defineModel,
  type Engine,
  entity,
  instant,
  integer,
  jsonOf,
  nullable,
  orderBy,
  primaryKey,
  references,
  select,
  selectin,
  subtype,
  text,
  version,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  atomic,
  byRendezvous,
  choosers,
  createCommitTables,
  type Direction,
  everywhere,
  type Resharding,
  resharding,
  type ShardMap,
  shardedRuntime,
  shardMap,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { createMysql, mysqlHost, skipped } from '../../core/engine/databases.js'
import { clusterMissing, type PostgresCluster, startCluster } from '../../core/engine/postgres-cluster.js'
import { rightOf } from '../weather.js'

export const Region = entity('Region', 'regions', { code: pipe(text, primaryKey), name: text })
export const Tag = entity('Tag', 'tags', { id: pipe(integer, primaryKey), label: text })
export const Customer = entity(
  'Customer',
  'customers',
  {
    id: pipe(integer, primaryKey),
    kind: text,
    name: text,
    region: pipe(text, references('regions.code')),
    since: instant,
    balance: decimal(12, 2),
    version: pipe(integer, version),
  },
  { discriminator: 'kind', identity: 'customer' },
)
export const Company = subtype(Customer)('Company', 'companies', { manager: text }, { identity: 'company' })
export const Order = entity('Order', 'orders', {
  id: pipe(integer, primaryKey),
  customerId: pipe(integer, references('customers.id')),
  note: pipe(jsonOf(t.UnknownRecord), nullable),
})
export const Line = entity('Line', 'order_lines', {
  id: pipe(integer, primaryKey),
  orderId: pipe(integer, references('orders.id')),
  amount: integer,
})
export const Note = entity('Note', 'notes', {
  id: pipe(integer, primaryKey),
  parentId: pipe(integer, nullable, references('notes.id')),
  body: text,
})

export const model = defineModel({ Region, Tag, Customer, Company, Order, Line, Note })((r) => ({
  Customer: {
    orders: r.Customer.hasMany('Order', { foreignKey: 'customerId', inverse: 'customer', orderBy: 'id' }),
    tags: r.Customer.manyToMany('Tag', {
      through: { table: 'customer_tags', own: ['customer_id'], target: ['tag_id'] },
      orderBy: 'id',
    }),
  },
  Order: {
    customer: r.Order.belongsTo('Customer', { foreignKey: 'customerId', inverse: 'orders' }),
    lines: r.Order.hasMany('Line', { foreignKey: 'orderId', inverse: 'order', orderBy: 'id' }),
  },
  Line: { order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }) },
  Note: {
    parent: r.Note.belongsTo('Note', { foreignKey: 'parentId', inverse: 'replies' }),
    replies: r.Note.hasMany('Note', { foreignKey: 'parentId', inverse: 'parent', orderBy: 'id' }),
  },
}))

export const old = ['first', 'second'] as const
export const all = ['first', 'second', 'third'] as const
export type Token = (typeof all)[number]

export const spreadOver = (tokens: readonly [Token, ...Token[]]) =>
  choosers(model)({
    Region: everywhere(),
    Tag: everywhere(),
    Customer: byRendezvous('id', tokens),
    Order: withParent('customer'),
    Line: withParent('order'),
    Note: withParent('parent', byRendezvous('id', tokens)),
  })

/** A name of its own for each file: a server tells the prepared transactions of all of its databases. */
export const application = `moves-${Math.random().toString(36).slice(2, 10)}`
export const commit = atomic({ application, timeout: 5000, lockTimeout: 5000 })

/** A third shard is added. */
export const adding = (
  shards: ShardMap<Token>,
  directions: ReadonlyArray<Direction<Token>> = [
    ['first', 'third'],
    ['second', 'third'],
  ],
): Resharding<Token> => resharding(model, { shards, from: spreadOver(old), to: spreadOver(all), commit, directions })

export interface Shop {
  readonly shards: ShardMap<Token>
  readonly close: () => Promise<void>
}

export interface ShopHost {
  readonly name: string
  readonly missing: string | null
  readonly open: () => Promise<Shop>
}

const shopOn = async (engineOf: (token: Token) => Promise<Engine>, close: () => Promise<void>): Promise<Shop> => {
  const engines: Partial<Record<Token, Engine>> = {}
  for (const token of all) engines[token] = await engineOf(token)
  const shards = shardMap(engines as Record<Token, Engine>)
  for (const engine of shards.engines.values()) {
    rightOf(await createAll(model)(engine)())
    rightOf(await createCommitTables(engine)())
  }
  return {
    shards,
    close: async () => {
      for (const engine of shards.engines.values()) await engine.close()
      await close()
    },
  }
}

export const sqliteShop: ShopHost = {
  name: 'SQLite files',
  missing: null,
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'unitary-reshard-'))
    return shopOn(
      async (token) => sqliteEngine(new Database(join(folder, `${token}.db`))),
      async () => rmSync(folder, { recursive: true, force: true }),
    )
  },
}

let cluster: PostgresCluster | null = null
let made = 0

export const postgresShop: ShopHost = {
  name: 'PostgreSQL databases',
  missing: clusterMissing,
  open: () => {
    cluster ??= startCluster()
    const own = cluster
    const suffix = made++
    return shopOn(
      async (token) => {
        await own.create(`${token}_${suffix}`)
        return own.open(`${token}_${suffix}`, 8)
      },
      async () => {},
    )
  },
}

export const closeCluster = (): void => {
  cluster?.remove()
  cluster = null
}

export const mysqlShop: ShopHost = {
  name: 'MariaDB databases',
  missing: skipped(mysqlHost),
  open: () => {
    const drops: Array<() => Promise<void>> = []
    return shopOn(
      async () => {
        const database = await createMysql()
        drops.push(database.drop)
        return database.open(8)
      },
      async () => {
        for (const drop of drops) await drop()
      },
    )
  },
}

/** SQLite's file for a first shard, PostgreSQL for the second, MariaDB for the third. */
export const mixedShop: ShopHost = {
  name: 'SQLite, PostgreSQL and MariaDB',
  missing: clusterMissing ?? skipped(mysqlHost),
  open: () => {
    cluster ??= startCluster()
    const own = cluster
    const suffix = made++
    const folder = mkdtempSync(join(tmpdir(), 'unitary-reshard-'))
    const drops: Array<() => Promise<void>> = [async () => rmSync(folder, { recursive: true, force: true })]
    return shopOn(
      async (token) => {
        if (token === 'first') return sqliteEngine(new Database(join(folder, `${token}.db`)))
        if (token === 'second') {
          await own.create(`${token}_${suffix}`)
          return own.open(`${token}_${suffix}`, 8)
        }
        const database = await createMysql()
        drops.push(database.drop)
        return database.open(8)
      },
      async () => {
        for (const drop of drops) await drop()
      },
    )
  },
}

export const hosts: ReadonlyArray<ShopHost> = [sqliteShop, postgresShop, mysqlShop, mixedShop]

/** The application before the third shard. */
export const before = ({ shards }: Shop) => {
  const { first, second } = Object.fromEntries(shards.engines) as Record<Token, Engine>
  return shardedRuntime(model, {
    shards: shardMap({ first, second }),
    choosers: choosers(model)({
      Region: everywhere(),
      Tag: everywhere(),
      Customer: byRendezvous('id', old),
      Order: withParent('customer'),
      Line: withParent('order'),
      Note: withParent('parent', byRendezvous('id', old)),
    }),
    commit,
  })
}

/** So many customers: each third a company, each with two orders of a line each, and a tag. */
export const fill = (count: number) =>
  Session.gen(function* () {
    yield* Session.addAll(model.Region, [
      { code: 'eu', name: 'Europe' },
      { code: 'us', name: 'America' },
    ])
    const tags = yield* Session.addAll(model.Tag, [
      { id: 1, label: 'good' },
      { id: 2, label: 'late' },
    ])
    const numbers = Array.from({ length: count }, (_, i) => i + 1)
    const draft = (id: number) => ({
      id,
      name: `customer ${id}`,
      region: id % 2 === 0 ? 'eu' : 'us',
      since: new Date(Date.UTC(2024, 0, 1 + (id % 365), 12, 30, 15, 250)),
      balance: `${id}.5` as Decimal,
      tags: [tags[id % 2] as never],
      orders: [0, 1].map((n) => ({
        id: id * 10 + n,
        note: n === 0 ? { b: [id], a: 'x' } : null,
        lines: [{ id: id * 100 + n, amount: id }],
      })),
    })
    yield* Session.addAll(
      model.Customer,
      numbers.filter((id) => id % 3 !== 0).map((id) => draft(id)),
    )
    yield* Session.addAll(
      model.Company,
      numbers.filter((id) => id % 3 === 0).map((id) => ({ ...draft(id), manager: `boss ${id}` })),
    )
    yield* Session.addAll(
      model.Note,
      numbers.slice(0, 20).map((id) => ({
        id: id * 10,
        body: `note ${id}`,
        replies: [{ id: id * 10 + 1, body: 're', replies: [{ id: id * 10 + 2, body: 're: re' }] }],
      })),
    )
    yield* Session.commit
  })

/** All customers with all that is beside them, in order. */
export const whole = Session.query(
  pipe(select(model.Customer), orderBy('id'), selectin('orders', selectin('lines')), selectin('tags')),
)
