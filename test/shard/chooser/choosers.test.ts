import {
  analyse,
  defineModel,
  entity,
  type Filterable,
  integer,
  modify,
  nullable,
  primaryKey,
  select,
  text,
  update,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { byAttribute, type Choosers, choosers, custom, onlyOn, withParent } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'

const Tenant = entity('Tenant', 'tenants', { id: pipe(integer, primaryKey), name: text })
const Order = entity('Order', 'orders', {
  tenantId: pipe(integer, primaryKey),
  number: pipe(integer, primaryKey),
  note: pipe(text, nullable),
})
const Line = entity('Line', 'lines', {
  id: pipe(integer, primaryKey),
  tenantId: integer,
  orderNumber: pipe(integer, nullable),
})
const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), title: text })

const model = defineModel({ Tenant, Order, Line, Country })((r) => ({
  Order: { tenant: r.Order.belongsTo('Tenant', { foreignKey: 'tenantId' }) },
  Line: {
    order: r.Line.belongsTo('Order', { foreignKey: ['tenantId', 'orderNumber'] }),
    tenant: r.Line.belongsTo('Tenant', { foreignKey: 'tenantId' }),
  },
}))

const state = Session.empty(model)

const rules = choosers(model)({
  Tenant: byAttribute('id', (id: number) => (id < 100 ? 'small' : id < 1000 ? 'large' : null)),
  Order: withParent('tenant'),
  Line: withParent('tenant'),
  Country: onlyOn('small'),
})

const ofKey = (by: Choosers, name: string, key: Readonly<Record<string, unknown>>) =>
  by.shardsOfKey(name, key, { operation: 'get', loading: null, options: {}, state })

const of = (by: Choosers, statement: Filterable) =>
  by.shardsOf(analyse(statement), {
    operation: statement._tag === 'Select' ? 'query' : 'bulk update',
    entity: statement.entity.name,
    statement,
    options: {},
    state,
  })

describe('by attribute', () => {
  it('a key tells the shard where the attribute is part of it', () => {
    expect(ofKey(rules, 'Tenant', { id: 7 })).toEqual(['small'])
    expect(ofKey(rules, 'Tenant', { id: 700 })).toEqual(['large'])
  })

  it('a value that no shard is named for could be on any', () => {
    expect(ofKey(rules, 'Tenant', { id: 7000 })).toBe(null)
    expect(of(rules, pipe(select(model.Tenant), where('id', 'in', [7, 7000])))).toBe(null)
  })

  it('a query goes where its values can be, each shard once', () => {
    expect(of(rules, pipe(select(model.Tenant), where('id', 'in', [700, 7, 701])))).toEqual(['large', 'small'])
    expect(of(rules, pipe(update(model.Tenant), where('id', '=', 7)))).toEqual(['small'])
    expect(of(rules, pipe(select(model.Tenant), where('name', '=', 'x')))).toBe(null)
    expect(of(rules, pipe(select(model.Tenant), where('id', '<', 7)))).toBe(null)
  })

  it('the lookup is a record, a map or a function, and nothing is inherited', () => {
    const byRecord = choosers(model)({
      Tenant: byAttribute('name', { acme: 'large' }),
      Order: onlyOn('small'),
      Line: onlyOn('small'),
      Country: byAttribute('code', new Map([['fr', 'large' as const]])),
    })
    expect(of(byRecord, pipe(select(model.Tenant), where('name', '=', 'acme')))).toEqual(['large'])
    expect(of(byRecord, pipe(select(model.Tenant), where('name', '=', 'constructor')))).toBe(null)
    expect(of(byRecord, pipe(select(model.Country), where('code', '=', 'fr')))).toEqual(['large'])
    const byNumber = choosers(model)({
      Tenant: byAttribute('id', { 1: 'large', 2: 'small' }),
      Order: onlyOn('small'),
      Line: onlyOn('small'),
      Country: onlyOn('small'),
    })
    expect(ofKey(byNumber, 'Tenant', { id: 1 })).toEqual(['large'])
  })
})

describe('with its parent', () => {
  it('a row is where its foreign key leads', () => {
    expect(of(rules, pipe(select(model.Order), where('tenantId', '=', 700)))).toEqual(['large'])
    expect(of(rules, pipe(select(model.Order), where('tenantId', 'in', [700, 7])))).toEqual(['large', 'small'])
    expect(of(rules, pipe(select(model.Order), where('number', '=', 7)))).toBe(null)
    expect(ofKey(rules, 'Order', { tenantId: 7, number: 1 })).toEqual(['small'])
  })

  it('a row without a parent could be anywhere', () => {
    expect(ofKey(rules, 'Order', { tenantId: null, number: 1 })).toBe(null)
    expect(ofKey(rules, 'Line', { id: 1 })).toBe(null)
  })

  it('it is found through several parents', () => {
    const chained = choosers(model)({
      Tenant: byAttribute('id', (id: number) => (id < 100 ? 'small' : 'large')),
      Order: withParent('tenant'),
      Line: withParent('order'),
      Country: onlyOn('small'),
    })
    expect(ofKey(chained, 'Line', { id: 1, tenantId: 700, orderNumber: 2 })).toEqual(['large'])
  })

  it('a joined parent narrows the query', () => {
    const joined = pipe(
      select(model.Order),
      modify((qb) => qb.innerJoin('tenants', 'tenants.id', 'orders.tenantId').where('tenants.id', '=', 7)),
    )
    expect(of(rules, joined)).toEqual(['small'])
  })

  it('an outer join narrows nothing', () => {
    const joined = pipe(
      select(model.Order),
      modify((qb) =>
        qb.leftJoin('tenants', (on) => on.onRef('tenants.id', '=', 'orders.tenantId').on('tenants.id', '=', 7)),
      ),
    )
    expect(of(rules, joined)).toBe(null)
  })

  it('with another strategy for rows without one, the foreign key tells nothing', () => {
    const rooted = choosers(model)({
      Tenant: onlyOn('small'),
      Order: withParent('tenant', onlyOn('large')),
      Line: onlyOn('small'),
      Country: onlyOn('small'),
    })
    expect(of(rooted, pipe(select(model.Order), where('tenantId', '=', 7)))).toBe(null)
  })

  it('parents that are each other’s end the search', () => {
    const A = entity('A', 'a', { id: pipe(integer, primaryKey) })
    const B = entity('B', 'b', { id: pipe(integer, primaryKey) })
    const circular = defineModel({ A, B })((r) => ({
      A: { b: r.A.belongsTo('B', { foreignKey: 'id' }) },
      B: { a: r.B.belongsTo('A', { foreignKey: 'id' }) },
    }))
    expect(ofKey(choosers(circular)({ A: withParent('b'), B: withParent('a') }), 'A', { id: 1 })).toBe(null)
  })
})

describe('on one shard', () => {
  it('everything of the entity is there', () => {
    expect(of(rules, select(model.Country))).toEqual(['small'])
    expect(ofKey(rules, 'Country', { code: 'fr' })).toEqual(['small'])
  })

  it('a query that joins it goes where its own entity is', () => {
    const joined = pipe(
      select(model.Tenant),
      modify((qb) => qb.leftJoin('countries', 'countries.title', 'tenants.name').where('tenants.id', '=', 700)),
    )
    expect(of(rules, joined)).toEqual(['large'])
  })
})

describe('by functions', () => {
  it('it answers what it is asked, and nothing for statements on other entities', () => {
    const mine = choosers(model)({
      Tenant: custom({
        shardOf: ({ values }) => ((values.id ?? 0) % 2 === 0 ? 'even' : 'odd'),
        shardsOfKey: ({ id }) => (id === undefined ? null : [id % 2 === 0 ? 'even' : 'odd']),
        shardsOf: () => ['even'],
      }),
      Order: custom({ shardOf: (order) => order.related('tenant')?.shard ?? null }),
      Line: withParent('tenant'),
      Country: onlyOn('even'),
    })
    expect(ofKey(mine, 'Tenant', { id: 3 })).toEqual(['odd'])
    expect(ofKey(mine, 'Order', { tenantId: 3, number: 1 })).toBe(null)
    expect(ofKey(mine, 'Line', { tenantId: 3 })).toEqual(['odd'])
    expect(of(mine, select(model.Tenant))).toEqual(['even'])
    expect(of(mine, select(model.Line))).toBe(null)
  })
})
