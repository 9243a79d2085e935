import {
  type AnyModel,
  any,
  composite,
  computed,
  computedValue,
  createAllSync,
  deferred,
  defineModel,
  entity,
  faultsOf,
  filterBy,
  generated,
  integer,
  joined,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  selectRows,
  text,
  through,
  undefer,
  validate,
  viewThrough,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { toNullable } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { errorOf, resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)

const User = entity('User', 'users', { id, first: text, last: text, born: integer })
const Order = entity(
  'Order',
  'orders',
  {
    id,
    note: text,
    placed: integer,
    sent: pipe(integer, nullable),
    amount: integer,
    currency: text,
    userId: pipe(integer, nullable),
  },
  {
    validate: ({ placed, sent }) =>
      placed && sent && sent < placed ? { sent: 'it is before the order was placed' } : {},
  },
)
const Line = entity('Line', 'lines', {
  id,
  quantity: pipe(
    integer,
    validate('positive number', (n) => n > 0),
  ),
  orderId: integer,
  itemId: integer,
})
const Item = entity('Item', 'items', {
  id,
  name: pipe(
    text,
    validate('name', (name) => name.trim() !== ''),
  ),
  price: integer,
})

const model = defineModel({ User, Order, Line, Item })((r) => ({
  User: { orders: r.User.hasMany('Order', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }) },
  Order: {
    user: r.Order.belongsTo('User', { foreignKey: 'userId', inverse: 'orders' }),
    lines: r.Order.hasMany('Line', {
      foreignKey: 'orderId',
      inverse: 'order',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Line: {
    order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }),
    item: r.Line.belongsTo('Item', { foreignKey: 'itemId' }),
  },
}))

const open = (on: AnyModel = model) => {
  const engine = sqliteEngine(new Database(':memory:'))
  createAllSync(on)(engine)
  const store = Session.createStore(Session.runtime(on, engine))
  return {
    run: <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program)),
    fails: <E, A>(program: Session.Program<E, A>): E => errorOf(store.runSync(program)),
  }
}
// #endregion

const example = examplesOf('attributes')

example('proxies', () => {
  // #region proxies
  const items = through(model.Order, 'lines', 'item', { make: (item) => ({ item, quantity: 1 }) })

  const { run } = open()
  const order = run(Session.add(model.Order, { note: 'a', placed: 1, amount: 0, currency: 'EUR' }))
  run(pipe(order, Session.appendThrough(items, { name: 'apple', price: 3 }, { name: 'pear', price: 12 })))
  run(Session.commit)
  console.log(run(pipe(order, Session.loadThrough(items))).map(({ name }) => name)) // => [ 'apple', 'pear' ]
  // #endregion

  // #region proxies
  const [apple] = run(pipe(order, Session.loadThrough(items)))
  run(pipe(order, Session.replaceThrough(items, [apple!, { name: 'plum', price: 5 }])))
  console.log(Session.explain(run(Session.flushPlan)))
  // #endregion

  // #region proxies
  const quantities = through(model.Order, 'lines', 'quantity')
  const bought = through(model.User, 'orders', through(model.Order, 'lines', through(model.Line, 'item', 'name')))

  const ordersWithItems = pipe(select(model.Order), selectin('lines', joined('item')))
  const shown = run(Session.query(ordersWithItems)).map((one) => [
    viewThrough(quantities)(one),
    viewThrough(items)(one).length,
  ])
  console.log(JSON.stringify(shown)) // => [[[1,1],2]]
  // #endregion

  // #region proxies
  const dear = pipe(select(model.Order), where(any(items, where('price', '>', 4))))
  console.log(run(Session.query(dear)).length) // => 1

  const plumBuyers = pipe(select(model.User), where(any(bought, where('name', '=', 'plum'))))
  console.log(run(Session.query(plumBuyers)).length) // => 0
  // #endregion
})

example('validation', () => {
  // #region validation
  const { run, fails } = open()
  const problem = fails(Session.add(model.Item, { name: ' ', price: 3 }))
  console.log(Session.render(problem)) // => Item.name cannot be " ": it is no name.

  const sold = run(Session.add(model.Order, { note: 'a', placed: 10, amount: 0, currency: 'EUR' }))
  const early = fails(pipe(sold, Session.set(model.Order, { sent: 5 })))
  console.log(Session.render(early)) // => Order.sent cannot be 5: it is before the order was placed.
  // #endregion

  // #region validation
  console.log(faultsOf(model.Order)({ note: 'a', placed: 10, sent: 5, currency: 7 }).map(({ attribute }) => attribute))
  // => [ 'currency', 'sent' ]
  // #endregion
})

example('computed', () => {
  // #region computed
  const fullName = computed(model.User, text, (eb) => eb.fn('concat', ['first', eb.val(' '), 'last']))
  const turns = computed(model.User, integer, (eb) => eb(eb.val(2026), '-', eb.ref('born')))

  const { run } = open()
  run(Session.add(model.User, { first: 'Ed', last: 'Jones', born: 1985 }))
  const eds = pipe(
    select(model.User),
    where((eb) => eb(fullName(eb), '=', 'Ed Jones')),
    orderBy((eb) => turns(eb), 'desc'),
  )
  const [ed] = run(Session.query(eds))
  console.log(computedValue(fullName)(ed!)) // => { _tag: 'Right', right: 'Ed Jones' }

  const rows = pipe(
    select(model.User),
    selectRows((q) => ({ user: q.entity(), turns: q.computed(turns) })),
  )
  console.log(run(Session.rows(rows)).map((row) => [row.user.first, row.turns])) // => [ [ 'Ed', 41 ] ]
  // #endregion

  // #region computed
  const initial = computed(model.User, text, () => sql`substr(first, 1, 1)`, {
    value: ({ first }) => first.slice(0, 1),
  })
  console.log(computedValue(initial)(ed!)) // => { _tag: 'Right', right: 'E' }
  // #endregion
})

example('expressions', () => {
  // #region expressions
  const shop = defineModel({ User, Order })(
    (r) => ({ User: { orders: r.User.hasMany('Order', { foreignKey: 'userId', orderBy: 'id' }) } }),
    (a) => ({
      User: {
        fullName: a.User.expression(text, (eb) => eb.fn('concat', ['first', sql`' '`, eb.ref('last')])),
        orderCount: a.User.expression(integer, (eb) =>
          eb
            .selectFrom('orders')
            .whereRef('orders.userId', '=', 'users.id')
            .select(({ fn }) => fn.countAll().as('count')),
        ),
        spent: a.User.expression(pipe(integer, nullable, deferred), (eb) =>
          eb
            .selectFrom('orders')
            .whereRef('orders.userId', '=', 'users.id')
            .select(({ fn }) => fn.sum('orders.amount').as('sum')),
        ),
        surname: a.User.synonym('last'),
      },
    }),
  )
  // #endregion

  // #region expressions
  const { run, fails } = open(shop)
  const orders = [{ note: 'a', placed: 1, amount: 30, currency: 'EUR' }]
  run(Session.add(shop.User, { first: 'Ed', last: 'Jones', born: 1985, orders }))
  run(Session.add(shop.User, { first: 'Al', last: 'Ames', born: 1990 }))
  run(Session.commit)

  const busy = pipe(select(shop.User), where('orderCount', '>', 0), orderBy('fullName'), undefer('spent'))
  const [ed] = run(Session.query(busy))
  console.log(ed!.fullName, ed!.orderCount, ed!.spent) // => Ed Jones 1 30
  // #endregion

  // #region expressions
  run(pipe(ed!, Session.set(shop.User, { first: 'Edward' })))
  run(Session.flush)
  console.log(run(pipe(ed!, Session.read(shop.User))).fullName) // => Edward Jones

  const refused = fails(pipe(ed!, Session.set(shop.User, { fullName: 'Al' } as object)))
  console.log(Session.render(refused)) // => User.fullName cannot be "Al": the database computes it; leave it out.
  // #endregion

  // #region expressions
  const cy = run(Session.add(shop.User, { first: 'Cy', surname: 'Berg', born: 1991 }))
  run(pipe(cy, Session.set(shop.User, { surname: 'Bergs' })))
  const [found] = run(Session.query(pipe(select(shop.User), where('surname', '=', 'Bergs'))))
  console.log(found!.last, found!.surname) // => Bergs Bergs
  // #endregion
})

example('composites', () => {
  // #region composites
  interface Money {
    readonly amount: number
    readonly currency: string
  }
  const total = composite(
    model.Order,
    { amount: 'amount', currency: 'currency' },
    { make: (parts): Money => parts, parts: (money) => money },
  )

  const { run } = open()
  const paid = run(Session.add(model.Order, { note: 'a', placed: 1, ...total.of({ amount: 30, currency: 'EUR' }) }))
  run(pipe(paid, Session.set(model.Order, total.of({ amount: 25, currency: 'EUR' }))))
  const same = run(pipe(select(model.Order), filterBy(total.of({ amount: 25, currency: 'EUR' })), Session.query))
  console.log(same.map(total.get)) // => [ { amount: 25, currency: 'EUR' } ]
  // #endregion
})

example('representations', () => {
  // #region representations
  class Customer {
    readonly #id: number | undefined
    readonly #name: readonly [first: string, last: string]
    readonly #born: number
    constructor(first: string, last: string, born: number, id?: number) {
      this.#id = id
      this.#name = [first, last]
      this.#born = born
    }
    get initials(): string {
      return this.#name.map((part) => part.slice(0, 1)).join('')
    }
    marry(last: string): Customer {
      return new Customer(this.#name[0], last, this.#born, this.#id)
    }
    static row(customer: Customer) {
      const [first, last] = customer.#name
      const given = { first, last, born: customer.#born }
      return customer.#id === undefined ? given : { ...given, id: customer.#id }
    }
  }

  const customers = Session.represent(model.User, {
    fromRow: ({ id, first, last, born }) => new Customer(first, last, born, id),
    toRow: (customer) => Customer.row(customer),
  })
  // #endregion

  // #region representations
  const { run } = open()
  const ed = run(customers.add(new Customer('Ed', 'Jones', 1985)))
  run(Session.commit)
  const [stored] = run(pipe(select(model.User), where('first', '=', 'Ed'), customers.query))
  console.log(stored!.initials, stored === run(customers.read(ed))) // => EJ true

  const married = run(
    pipe(
      stored!,
      customers.set((one) => one.marry('Smith')),
    ),
  )
  console.log(married.initials, stored!.initials) // => ES EJ
  console.log(Session.explain(run(Session.flushPlan)))
  // #endregion

  // #region representations
  const user = run(customers.snapshot(married))
  run(pipe(user, Session.append(model.User, 'orders', { note: 'a', placed: 1, amount: 3, currency: 'EUR' })))
  const [order] = run(Session.query(pipe(select(model.Order), joined('user'))))
  const buyer = run(customers.show(toNullable(order!.user)!))
  console.log(buyer === married) // => true
  // #endregion

  // #region representations
  console.log(Session.representationFaults(customers)({ id: 1, first: 'Ed', last: 'Jones', born: 1985 })) // => []
  // #endregion
})
