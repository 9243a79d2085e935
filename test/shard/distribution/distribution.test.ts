/**
 * What databases that distribute themselves are told of a model, and what keeps it from them. The databases themselves are
 * not here: what is said to Citus runs on PostgreSQL, with functions of the same names and parameters in its place.
 */
import {
  type AnyModel,
  createAll,
  defineModel,
  type Engine,
  entity,
  generated,
  integer,
  mysqlDialect,
  postgresDialect,
  primaryKey,
  text,
  unique,
} from '@unitary/core'
import {
  byAttribute,
  type Choosers,
  choosers,
  citusStatements,
  cockroachStatements,
  type Distribution,
  distributionOf,
  everywhere,
  onlyOn,
  vschemaOf,
  withParent,
} from '@unitary/shard'
import { isLeft } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { createPostgres, postgresHost, postgresPool, skipped } from '../../core/engine/databases.js'
import { resultOf } from '../../session/app.js'
import { bank, byTenant } from './bank.js'

const tell = (distribution: Distribution): Record<string, string> =>
  Object.fromEntries(
    distribution.tables.map(({ table, placement }) => [
      table.name,
      placement._tag === 'By' ? placement.column : 'everywhere',
    ]),
  )
const placed = (model: AnyModel, by: Choosers, dialect = postgresDialect): Distribution =>
  resultOf(distributionOf(model, by)(dialect))
const faults = (model: AnyModel, by: Choosers): ReadonlyArray<string> => {
  const result = distributionOf(model, by)(postgresDialect)
  return isLeft(result) ? result.left.map(({ _tag, message }) => `${_tag}: ${message}`) : []
}
const anywhere = () => 'cluster' as const
const id = pipe(integer, primaryKey, generated)

describe('where tables are', () => {
  test('follows from the choosers, a subtype beside what it is a subtype of', () => {
    expect(tell(placed(bank, byTenant))).toEqual({
      currencies: 'everywhere',
      tenants: 'id',
      accounts: 'tenant_id',
      savings: 'tenant_id',
      bookings: 'tenant_id',
    })
  })

  test('of links, by the end that they hold the column of', () => {
    const Post = entity('Post', 'posts', { id, title: text })
    const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })
    const model = defineModel({ Post, Tag })((r) => ({
      Post: { tags: r.Post.manyToMany('Tag', { through: { table: 'post_tags', own: ['post_id'], target: ['tag'] } }) },
    }))
    const by = choosers(model)({ Post: byAttribute('id', anywhere), Tag: byAttribute('name', anywhere) })
    expect(faults(model, by)).toEqual([
      'ForeignKeyAway: post_tags (tag) refers to tags (name): its rows may be on another node; have the foreign key pair post_id with name.',
    ])
  })
})

describe('what keeps a model from being distributed', () => {
  const User = entity('User', 'users', { id, email: pipe(text, unique), region: text })
  const Order = entity('Order', 'orders', { id, userId: integer })
  const shop = defineModel({ User, Order })((r) => ({
    Order: { user: r.Order.belongsTo('User', { foreignKey: 'userId' }) },
  }))

  test('keys that do not hold the column', () => {
    const by = choosers(shop)({ User: byAttribute('region', anywhere), Order: byAttribute('id', anywhere) })
    expect(faults(shop, by)).toEqual([
      'KeyWithoutColumn: users: the primary key (id) does not hold region, by which its rows are spread; add it.',
      'KeyWithoutColumn: users: the unique constraint (email) does not hold region, by which its rows are spread; add it.',
      'ForeignKeyAway: orders (userId) refers to users (id): its rows may be on another node; have the foreign key pair id with region.',
    ])
  })

  test('a child that does not hold what its parent is spread by', () => {
    const by = choosers(shop)({ User: byAttribute('region', anywhere), Order: withParent('user') })
    expect(faults(shop, by).filter((fault) => fault.startsWith('Unplaced'))).toEqual([
      'Unplaced: orders: Order goes with user, and its foreign key does not hold User.region: make that part of the key of User and of the foreign key.',
    ])
  })

  test('a child that does hold it, in a key that does not', () => {
    const by = choosers(shop)({ User: byAttribute('id', anywhere), Order: withParent('user') })
    expect(faults(shop, by)).toEqual([
      'KeyWithoutColumn: users: the unique constraint (email) does not hold id, by which its rows are spread; add it.',
      'KeyWithoutColumn: orders: the primary key (id) does not hold userId, by which its rows are spread; add it.',
    ])
  })

  test('what is everywhere and refers to what is not', () => {
    const by = choosers(shop)({ User: byAttribute('id', anywhere), Order: everywhere() })
    expect(faults(shop, by).filter((fault) => fault.startsWith('ForeignKeyAway'))).toEqual([
      'ForeignKeyAway: orders (userId) refers to users (id): orders is on every node and users is not; spread orders too.',
    ])
  })

  test('a strategy that names no attribute, and a tree that goes with itself', () => {
    const Node = entity('Node', 'nodes', { id, parentId: integer })
    const tree = defineModel({ Node })((r) => ({
      Node: { parent: r.Node.belongsTo('Node', { foreignKey: 'parentId' }) },
    }))
    expect(faults(tree, choosers(tree)({ Node: onlyOn('one') }))).toEqual([
      'Unplaced: nodes: the strategy of Node names no attribute.',
    ])
    const byHand = {
      ...choosers(tree)({ Node: onlyOn('one') }),
      basisOf: () => ({ kind: 'relationship', name: 'owner' }) as const,
    }
    expect(faults(tree, byHand)).toEqual(['Unplaced: nodes: Node has no relationship owner to go with.'])
    const withItself = choosers(tree)({ Node: withParent('parent', byAttribute('id', anywhere)) })
    expect(faults(tree, withItself)).toEqual(['Unplaced: nodes: Node goes with itself; name an attribute instead.'])
  })
})

describe('Citus', () => {
  const textOf = (statements: ReturnType<typeof citusStatements>): ReadonlyArray<string> => {
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: async () => postgresPool('none', 1) }) })
    return statements.map((statement) => statement.compile(db).sql)
  }

  test('is told of each table by which column it is spread, all of them beside each other', () => {
    expect(textOf(citusStatements(placed(bank, byTenant)))).toEqual([
      "select create_reference_table('currencies')",
      "select create_distributed_table('tenants', 'id')",
      "select create_distributed_table('accounts', 'tenant_id', colocate_with => 'tenants')",
      "select create_distributed_table('savings', 'tenant_id', colocate_with => 'tenants')",
      "select create_distributed_table('bookings', 'tenant_id', colocate_with => 'tenants')",
    ])
  })

  test.skipIf(skipped(postgresHost) !== null)('finds the tables that createAll has made', async () => {
    const database = await createPostgres()
    const engine: Engine = database.open()
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: postgresPool(database.name, 1) }) })
    resultOf(await createAll(bank)(engine)())
    await sql`create table told (name regclass, by text, beside text)`.execute(db)
    await sql`
      create function create_distributed_table(table_name regclass, distribution_column text, colocate_with text default 'default')
      returns void language sql as 'insert into told values (table_name, distribution_column, colocate_with)'`.execute(
      db,
    )
    await sql`
      create function create_reference_table(table_name regclass)
      returns void language sql as 'insert into told values (table_name, null, null)'`.execute(db)
    for (const statement of citusStatements(placed(bank, byTenant))) await statement.execute(db)
    const { rows } = await sql`select name::text, by, beside from told`.execute(db)
    expect(rows).toEqual([
      { name: 'currencies', by: null, beside: null },
      { name: 'tenants', by: 'id', beside: 'default' },
      { name: 'accounts', by: 'tenant_id', beside: 'tenants' },
      { name: 'savings', by: 'tenant_id', beside: 'tenants' },
      { name: 'bookings', by: 'tenant_id', beside: 'tenants' },
    ])
    await db.destroy()
    await engine.close()
    await database.drop()
  })
})

describe('CockroachDB', () => {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: async () => postgresPool('none', 1) }) })
  const told = (model: AnyModel, by: Choosers) =>
    cockroachStatements(placed(model, by)).map((statement) => statement.compile(db).sql)

  test('needs nothing where keys begin with the column', () => {
    expect(told(bank, byTenant)).toEqual([])
  })

  test('reads tables that are everywhere in each of its regions', () => {
    const statements = cockroachStatements(placed(bank, byTenant), { regions: true })
    expect(statements.map((statement) => statement.compile(db).sql)).toEqual([
      'alter table "currencies" set locality global',
    ])
  })

  test('spreads counted keys by their hash, and has the column come first', () => {
    const Counted = entity('Counted', 'counted', { id, body: text })
    const Late = entity('Late', 'late', { id: pipe(integer, primaryKey), tenant: pipe(text, primaryKey) })
    const model = defineModel({ Counted, Late })(() => ({}))
    const by = choosers(model)({ Counted: byAttribute('id', anywhere), Late: byAttribute('tenant', anywhere) })
    expect(told(model, by)).toEqual([
      'alter table "counted" alter primary key using columns ("id") using hash',
      'alter table "late" alter primary key using columns ("tenant", "id")',
    ])
  })
})

describe('Vitess', () => {
  test('is told of vindexes, and of sequences for what MySQL would have counted', () => {
    const Counted = entity('Counted', 'counted', { id, body: text })
    const model = defineModel({ Counted })(() => ({}))
    const by = choosers(model)({ Counted: byAttribute('id', anywhere) })
    expect(vschemaOf(placed(model, by, mysqlDialect))).toEqual({
      sharded: true,
      vindexes: { hash: { type: 'xxhash' } },
      tables: {
        counted: {
          column_vindexes: [{ column: 'id', name: 'hash' }],
          auto_increment: { column: 'id', sequence: 'counted_seq' },
        },
      },
    })
    expect(vschemaOf(placed(bank, byTenant, mysqlDialect)).tables.currencies).toEqual({ type: 'reference' })
    expect(vschemaOf(placed(bank, byTenant, mysqlDialect)).tables.bookings).toEqual({
      column_vindexes: [{ column: 'tenant_id', name: 'hash' }],
    })
  })
})
