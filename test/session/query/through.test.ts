import {
  any,
  boolean,
  column,
  defineModel,
  entity,
  generated,
  has,
  integer,
  isoDate,
  join,
  leftJoin,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectRows,
  text,
  through,
  valueThrough,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)
const customerId = pipe(integer, nullable)

const Customer = entity('Customer', 'customers', {
  id,
  name: text,
  since: column(isoDate, 'text'),
  cityId: pipe(integer, nullable),
})
const City = entity('City', 'cities', { id, name: text, large: boolean })
const Order = entity('Order', 'orders', { id, note: text, customerId })
const Line = entity('Line', 'lines', { id, quantity: integer, orderId: integer, itemId: integer })
const Item = entity('Item', 'items', { id, name: text, price: integer })
const Node = entity('Node', 'nodes', { id, label: text, parentId: pipe(integer, nullable) })

const model = defineModel({ Customer, City, Order, Line, Item, Node })((r) => ({
  Customer: {
    city: r.Customer.belongsTo('City', { foreignKey: 'cityId' }),
    orders: r.Customer.hasMany('Order', { foreignKey: 'customerId', inverse: 'customer' }),
  },
  Order: {
    customer: r.Order.belongsTo('Customer', { foreignKey: 'customerId', inverse: 'orders' }),
    lines: r.Order.hasMany('Line', { foreignKey: 'orderId' }),
    knownCustomer: r.Order.belongsTo('Customer', {
      foreignKey: 'customerId',
      viewonly: true,
      where: (eb) => eb('name', '<>', 'sue'),
    }),
  },
  Line: { item: r.Line.belongsTo('Item', { foreignKey: 'itemId' }) },
  Node: { parent: r.Node.belongsTo('Node', { foreignKey: 'parentId' }) },
}))

const items = through(model.Order, 'lines', 'item')
const customerName = through(model.Order, 'customer', 'name')
const knownName = through(model.Order, 'knownCustomer', 'name')
const since = through(model.Order, 'customer', 'since')
const city = through(model.Order, 'customer', 'city')
const cityName = through(model.Order, 'customer', through(model.Customer, 'city', 'name'))
const isLarge = through(model.Order, 'customer', through(model.Customer, 'city', 'large'))
const grandparent = through(model.Node, 'parent', through(model.Node, 'parent', 'label'))
const ancestors = through(model.Node, 'parent', through(model.Node, 'parent', through(model.Node, 'parent', 'label')))

const early = new Date('2001-02-03T00:00:00.000Z')
const late = new Date('2011-02-03T00:00:00.000Z')

const fill = Session.gen(function* () {
  const [apple, pear] = yield* Session.addAll(model.Item, [
    { name: 'apple', price: 3 },
    { name: 'pear', price: 12 },
  ])
  yield* Session.addAll(model.Customer, [
    {
      name: 'ed',
      since: early,
      city: { name: 'Paris', large: true },
      orders: [
        { note: 'first', lines: [{ item: pear!, quantity: 1 }] },
        { note: 'second', lines: [{ item: apple!, quantity: 2 }] },
      ],
    },
    { name: 'sue', since: late, orders: [{ note: 'third' }] },
  ])
  yield* Session.add(model.Order, { note: 'fourth' })
  yield* Session.add(model.Node, {
    label: 'leaf',
    parent: { label: 'twig', parent: { label: 'branch', parent: { label: 'root' } } },
  })
  yield* Session.commit
})

const notes = (orders: ReadonlyArray<{ readonly note: string }>): ReadonlyArray<string> =>
  orders.map(({ note }) => note)

const asked = Session.gen(function* () {
  const orders = select(model.Order)
  const buyers = pipe(select(model.Customer), join('orders', 'o'), where(any('o', items, where('price', '>', 10))))
  const notBuying = pipe(
    select(model.Customer),
    leftJoin('orders', 'o'),
    where((eb) => eb.not(any(eb, 'o', items))),
  )
  const rows = pipe(
    orders,
    orderBy((eb) => valueThrough(eb, customerName), 'desc'),
    orderBy('id'),
    where((eb) => eb(valueThrough(eb, customerName), 'is not', null)),
    selectRows((q) => ({
      note: q.ref('note'),
      customer: valueThrough(q, customerName),
      since: valueThrough(q, since),
      isLarge: valueThrough(q, isLarge),
    })),
  )
  const customersByOrder = pipe(
    select(model.Customer),
    join('orders', 'o'),
    where((eb) => eb(valueThrough(eb, 'o', cityName), '=', 'Paris')),
  )
  return {
    buyers: (yield* Session.query(buyers)).map(({ name }) => name),
    notBuying: (yield* Session.query(notBuying)).map(({ name }) => name),
    inParis: notes(yield* Session.query(pipe(orders, where(has(city, where('name', '=', 'Paris'))), orderBy('id')))),
    homeless: notes(
      yield* Session.query(
        pipe(
          orders,
          where((eb) => eb.not(has(eb, city))),
          orderBy('id'),
        ),
      ),
    ),
    early: notes(
      yield* Session.query(
        pipe(
          orders,
          where((eb) => eb(valueThrough(eb, since), '=', early)),
          orderBy('id'),
        ),
      ),
    ),
    large: notes(
      yield* Session.query(
        pipe(
          orders,
          where((eb) => eb(valueThrough(eb, isLarge), '=', true)),
          orderBy('id'),
        ),
      ),
    ),
    unknown: notes(
      yield* Session.query(
        pipe(
          orders,
          where((eb) => eb(valueThrough(eb, knownName), 'is', null)),
          orderBy('id'),
        ),
      ),
    ),
    rows: yield* Session.rows(rows),
    customersByOrder: (yield* Session.query(customersByOrder)).map(({ name }) => name),
    grandchildren: (yield* pipe(
      select(model.Node),
      where((eb) => eb(valueThrough(eb, grandparent), '=', 'branch')),
      Session.query,
    )).map(({ label }) => label),
    deep: (yield* pipe(
      select(model.Node),
      where((eb) => eb(valueThrough(eb, ancestors), '=', 'root')),
      Session.query,
    )).map(({ label }) => label),
  }
})

const answers = {
  buyers: ['ed'],
  notBuying: ['sue'],
  inParis: ['first', 'second'],
  homeless: ['third', 'fourth'],
  early: ['first', 'second'],
  large: ['first', 'second'],
  unknown: ['third', 'fourth'],
  rows: [
    { note: 'third', customer: 'sue', since: late, isLarge: null },
    { note: 'first', customer: 'ed', since: early, isLarge: true },
    { note: 'second', customer: 'ed', since: early, isLarge: true },
  ],
  customersByOrder: ['ed', 'ed'],
  grandchildren: ['leaf'],
  deep: ['leaf'],
}

describe('queries by what proxies lead to', () => {
  test('ask of the entity and of aliases, compare, order and select values', () => {
    const app = openOn(model)
    app.run(fill)
    expect(app.run(asked)).toEqual(answers)
  })

  for (const { host, title, isMissing } of servers) {
    test.skipIf(isMissing)(`answer alike on ${title}`, async () => {
      const app = await openOnServer(host, model)
      await app.run(fill)
      expect(await app.run(asked)).toEqual(answers)
    })
  }

  test('are correlated subqueries of one value', () => {
    const app = openOn(model)
    app.clear()
    app.run(
      pipe(
        select(model.Order),
        where((eb) => eb(valueThrough(eb, cityName), '=', 'Paris')),
        Session.query,
      ),
    )
    expect(app.asked().at(-1)).toMatchInlineSnapshot(
      `"select "orders"."id", "orders"."note", "orders"."customerId" from "orders" where (select (select "unitary_any_0"."name" as "found" from "cities" as "unitary_any_0" where "unitary_any_0"."id" = "unitary_any_1"."cityId") as "found" from "customers" as "unitary_any_1" where "unitary_any_1"."id" = "orders"."customerId") = ?"`,
    )
  })

  test('refuse what is not there', () => {
    const app = openOn(model)
    const nothing = { ...customerName, path: ['buyer'] }
    const query = pipe(
      select(model.Order),
      where((eb) => eb(valueThrough(eb, nothing), '=', 'ed')),
    )
    expect(Session.render(app.fails(Session.query(query)))).toMatchInlineSnapshot(
      `"The query cannot run: valueThrough of buyer in a query of Order: buyer is no relationship of Order."`,
    )
  })
})
