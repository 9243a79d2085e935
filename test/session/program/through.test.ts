import {
  any,
  type DraftOrInstance,
  defineModel,
  entity,
  generated,
  integer,
  joined,
  nullable,
  orderBy,
  primaryKey,
  raise,
  select,
  selectin,
  subtype,
  text,
  through,
  viewThrough,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { type App, found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Customer = entity('Customer', 'customers', { id, name: text })
const Order = entity('Order', 'orders', { id, note: text, customerId: pipe(integer, nullable) })
const Line = entity('Line', 'lines', {
  id,
  quantity: integer,
  orderId: integer,
  itemId: pipe(integer, nullable),
})
const Item = entity('Item', 'items', { id, name: text, price: integer })
const Label = entity('Label', 'labels', { id, word: text, orderId: integer })

const owned = ['save-update', 'merge', 'delete', 'delete-orphan'] as const

const model = defineModel({ Customer, Order, Line, Item, Label })((r) => ({
  Customer: { orders: r.Customer.hasMany('Order', { foreignKey: 'customerId', inverse: 'customer', orderBy: 'id' }) },
  Order: {
    customer: r.Order.belongsTo('Customer', { foreignKey: 'customerId', inverse: 'orders' }),
    lines: r.Order.hasMany('Line', { foreignKey: 'orderId', inverse: 'order', cascade: owned, orderBy: 'id' }),
    labels: r.Order.hasMany('Label', { foreignKey: 'orderId', cascade: owned, orderBy: 'id' }),
  },
  Line: {
    order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }),
    item: r.Line.belongsTo('Item', { foreignKey: 'itemId' }),
  },
}))

type ItemGiven = DraftOrInstance<typeof model, 'Item'>

const items = through(model.Order, 'lines', 'item', { make: (item) => ({ item, quantity: 1 }) })
const labels = through(model.Order, 'labels', 'word', { make: (word) => ({ word }) })
const itemNames = through(model.Order, 'lines', through(model.Line, 'item', 'name'), {
  make: (name) => ({ item: { name, price: 1 }, quantity: 1 }),
})
const customerName = through(model.Order, 'customer', 'name')
const bought = through(model.Customer, 'orders', items)

const apple = { name: 'apple', price: 3 }
const pear = { name: 'pear', price: 12 }
const plum = { name: 'plum', price: 5 }

/** Two orders of one customer's: apples and pears, and plums and a line without item. */
const fill = Session.gen(function* () {
  const [a, p, o] = yield* Session.addAll(model.Item, [apple, pear, plum])
  yield* Session.add(model.Customer, {
    name: 'ed',
    orders: [
      {
        note: 'first',
        lines: [
          { item: a as ItemGiven, quantity: 2 },
          { item: p as ItemGiven, quantity: 7 },
        ],
        labels: [{ word: 'gift' }, { word: 'urgent' }],
      },
      { note: 'second', lines: [{ item: o as ItemGiven, quantity: 1 }, { quantity: 9 }] },
    ],
  })
  yield* Session.commit
})

const filled = (): App => {
  const app = openOn(model)
  app.run(fill)
  app.run(Session.close)
  app.clear()
  return app
}

const names = (of: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> => of.map(({ name }) => name)

describe('reads', () => {
  test('what links lead to, by one statement for each relationship', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    app.clear()
    const [shown, statements] = app.counted(pipe(order, Session.loadThrough(items)))
    expect(shown).toEqual([
      { id: 1, ...apple },
      { id: 2, ...pear },
    ])
    expect(statements).toHaveLength(2)
    expect(app.counted(pipe(order, Session.loadThrough(items)))).toEqual([shown, []])
  })

  test('an attribute of the links themselves', () => {
    const app = filled()
    expect(app.run(pipe(found(app, model.Order, 1), Session.loadThrough(labels)))).toEqual(['gift', 'urgent'])
  })

  test('through several relationships, and through one to one', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    expect(app.run(pipe(order, Session.loadThrough(itemNames)))).toEqual(['apple', 'pear'])
    expect(app.run(pipe(order, Session.loadThrough(customerName)))).toEqual(some('ed'))
    const alone = app.run(Session.add(model.Order, { note: 'alone' }))
    expect(app.run(pipe(alone, Session.loadThrough(customerName)))).toEqual(none)
  })

  test('through a proxy of the target, without a load for each link', () => {
    const app = filled()
    const ed = found(app, model.Customer, 1)
    app.clear()
    const [shown, statements] = app.counted(pipe(ed, Session.loadThrough(bought)))
    expect(names(shown)).toEqual(['apple', 'pear', 'plum'])
    expect(statements).toHaveLength(3)
  })

  test('shows nothing for a link that leads nowhere', () => {
    const app = filled()
    expect(names(app.run(pipe(found(app, model.Order, 2), Session.loadThrough(items))))).toEqual(['plum'])
  })

  test('does not load what may not be loaded', () => {
    const app = filled()
    const [order] = app.run(pipe(select(model.Order), raise('lines'), Session.query))
    expect(app.fails(pipe(order as never, Session.loadThrough(items)))).toMatchObject({ _tag: 'RaisedLoad' })
  })

  test('snapshots that have what it leads over, without a session', () => {
    const app = filled()
    const orders = app.run(
      pipe(
        select(model.Order),
        selectin('lines', joined('item')),
        selectin('labels'),
        joined('customer'),
        orderBy('id'),
        Session.query,
      ),
    )
    expect(orders.map((order) => names(viewThrough(items)(order)))).toEqual([['apple', 'pear'], ['plum']])
    expect(orders.map(viewThrough(itemNames))).toEqual([['apple', 'pear'], ['plum']])
    expect(orders.map(viewThrough(labels))).toEqual([['gift', 'urgent'], []])
    expect(orders.map(viewThrough(customerName))).toEqual([some('ed'), some('ed')])
    expect(viewThrough(customerName)({ customer: none })).toEqual(none)
  })
})

describe('changes', () => {
  test('make links to what is added, drafts and instances', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    const plums = found(app, model.Item, 3)
    app.clear()
    const [, statements] = app.counted(pipe(order, Session.appendThrough(items, plums, { name: 'fig', price: 4 })))
    expect(statements).toEqual([])
    app.run(Session.commit)
    expect(app.rows('lines').slice(4)).toEqual([
      { id: 5, quantity: 1, orderId: 1, itemId: 3 },
      { id: 6, quantity: 1, orderId: 1, itemId: 4 },
    ])
    expect(names(app.run(pipe(order, Session.loadThrough(items))))).toEqual(['apple', 'pear', 'plum', 'fig'])
  })

  test('make links of values', () => {
    const app = filled()
    const order = found(app, model.Order, 2)
    app.run(pipe(order, Session.appendThrough(labels, 'slow', 'fragile')))
    app.run(pipe(order, Session.appendThrough(itemNames, 'fig')))
    expect(app.run(pipe(order, Session.loadThrough(labels)))).toEqual(['slow', 'fragile'])
    app.run(Session.commit)
    expect(app.run(pipe(order, Session.loadThrough(itemNames)))).toEqual(['plum', 'fig'])
  })

  test('take away links, which are orphans then', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    app.run(pipe(order, Session.detachThrough(items, found(app, model.Item, 1))))
    app.run(pipe(order, Session.detachThrough(labels, 'urgent')))
    app.run(Session.commit)
    expect(app.rows('lines')).toHaveLength(3)
    expect(app.rows('items')).toHaveLength(3)
    expect(names(app.run(pipe(order, Session.loadThrough(items))))).toEqual(['pear'])
    expect(app.run(pipe(order, Session.loadThrough(labels)))).toEqual(['gift'])
  })

  test('refuse to take away what is not there', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    expect(app.fails(pipe(order, Session.detachThrough(labels, 'slow')))).toEqual({
      _tag: 'InvalidValue',
      entity: 'Order',
      attribute: 'labels',
      value: 'slow',
      problem: 'no link leads to it',
    })
  })

  test('take away one link of several to the same', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    const apples = found(app, model.Item, 1)
    app.run(
      pipe(
        order,
        Session.appendThrough(items, apples),
        Session.chain(() => Session.flush),
      ),
    )
    app.run(pipe(order, Session.detachThrough(items, apples)))
    expect(names(app.run(pipe(order, Session.loadThrough(items))))).toEqual(['pear', 'apple'])
  })

  test('keep the links to what stays, with all that they hold', () => {
    const app = filled()
    const order = found(app, model.Order, 1)
    const [pears, plums] = [found(app, model.Item, 2), found(app, model.Item, 3)]
    app.run(pipe(order, Session.replaceThrough(items, [plums, pears])))
    app.run(Session.commit)
    expect(app.rows('lines').filter((row) => (row as { orderId: number }).orderId === 1)).toEqual([
      { id: 2, quantity: 7, orderId: 1, itemId: 2 },
      { id: 5, quantity: 1, orderId: 1, itemId: 3 },
    ])
  })

  test('leave links alone that lead nowhere', () => {
    const app = filled()
    app.run(pipe(found(app, model.Order, 2), Session.replaceThrough(items, [])))
    app.run(Session.commit)
    expect(app.rows('lines').slice(2)).toEqual([{ id: 4, quantity: 9, orderId: 2, itemId: null }])
  })
})

const byNumber = (a: number, b: number): number => a - b

describe('with subtypes', () => {
  const Thing = entity('Thing', 'things', { id, kind: text, name: text }, { discriminator: 'kind', identity: 'thing' })
  const Book = subtype(Thing)('Book', 'books', { pages: integer }, { identity: 'book' })
  const Box = entity('Box', 'boxes', { id, kind: text }, { discriminator: 'kind', identity: 'box' })
  const Crate = subtype(Box)('Crate', { weight: pipe(integer, nullable) }, { identity: 'crate' })
  const Place = entity('Place', 'places', { id, boxId: integer, thingId: integer })
  const store = defineModel({ Thing, Book, Box, Crate, Place })((r) => ({
    Box: { places: r.Box.hasMany('Place', { foreignKey: 'boxId', cascade: owned, orderBy: 'id' }) },
    Place: { thing: r.Place.belongsTo('Thing', { foreignKey: 'thingId' }) },
  }))
  const things = through(store.Crate, 'places', 'thing', { make: (thing) => ({ thing }) })
  const books = through(store.Box, 'places', 'thing')

  test('leads from a subtype over what it inherits, to instances of subtypes', () => {
    const app = openOn(store)
    const crate = app.run(Session.add(store.Crate, {}))
    app.run(
      pipe(
        crate,
        Session.appendThrough(things, { name: 'pen' }, { kind: 'book', name: 'sea', pages: 9 } as never),
        Session.chain(() => Session.commit),
      ),
    )
    app.run(Session.expireAll)
    expect(app.run(pipe(crate, Session.loadThrough(things)))).toMatchObject([
      { id: 1, kind: 'thing', name: 'pen' },
      { id: 2, kind: 'book', name: 'sea' },
    ])
    expect(app.run(pipe(crate, Session.loadThrough(books)))).toHaveLength(2)
    const crates = pipe(select(store.Crate), where(any(things, where('name', '=', 'sea'))))
    expect(app.run(Session.query(crates))).toHaveLength(1)
  })
})

describe('with hooks', () => {
  test('asks about links as about any other', () => {
    const watching = Session.defineHooks(model)({
      Order: { append: { labels: () => Session.refuse('no labels') } },
      Line: { set: { quantity: ({ value }) => Session.accept(value * 2) } },
    })
    const app = openOn(model, { hooks: watching })
    const order = app.run(Session.add(model.Order, { note: 'a' }))
    expect(app.fails(pipe(order, Session.appendThrough(labels, 'gift')))).toMatchObject({ _tag: 'HookRefused' })
    app.run(pipe(order, Session.appendThrough(items, apple)))
    app.run(Session.commit)
    expect(app.rows('lines')).toMatchObject([{ quantity: 2 }])
  })
})

describe('laws', () => {
  const all = [1, 2, 3] as const
  const members = fc.array(fc.constantFrom(...all), { maxLength: 5 })
  const words = fc.array(fc.constantFrom('gift', 'urgent', 'slow'), { maxLength: 5 })
  const flushes = fc.boolean()

  const itemsOf = (app: App, keys: ReadonlyArray<number>) => keys.map((key) => found(app, model.Item, key))
  const step = (app: App, isFlushed: boolean) => (isFlushed ? app.run(Session.flush) : undefined)

  test('what was put is got', () => {
    fc.assert(
      fc.property(members, members, words, flushes, (first, second, labelled, isFlushed) => {
        const app = filled()
        const order = found(app, model.Order, 1)
        for (const keys of [first, second]) {
          app.run(pipe(order, Session.replaceThrough(items, itemsOf(app, keys))))
          step(app, isFlushed)
          expect(app.run(pipe(order, Session.loadThrough(items))).map((item) => item.id)).toEqual(keys)
        }
        app.run(pipe(order, Session.replaceThrough(labels, labelled)))
        step(app, isFlushed)
        expect(app.run(pipe(order, Session.loadThrough(labels)))).toEqual(labelled)
        // and by another session, which has no order but that of the rows
        app.run(Session.commit)
        app.run(Session.expireAll)
        const stored = app.run(pipe(order, Session.loadThrough(items))).map((item) => item.id)
        expect([...stored].sort(byNumber)).toEqual([...second].sort(byNumber))
      }),
      { numRuns: 40 },
    )
  })

  test('to put what was got changes nothing', () => {
    fc.assert(
      fc.property(members, flushes, (keys, isFlushed) => {
        const app = filled()
        const order = found(app, model.Order, 1)
        app.run(pipe(order, Session.replaceThrough(items, itemsOf(app, keys))))
        step(app, isFlushed)
        const before = Session.explain(app.run(Session.flushPlan))
        const got = app.run(pipe(order, Session.loadThrough(items)))
        app.run(pipe(order, Session.replaceThrough(items, got)))
        expect(Session.explain(app.run(Session.flushPlan))).toBe(before)
      }),
      { numRuns: 40 },
    )
  })

  test('of two puts the second counts', () => {
    fc.assert(
      fc.property(members, members, (first, second) => {
        const [twice, once] = [filled(), filled()]
        for (const [app, puts] of [
          [twice, [first, second]],
          [once, [second]],
        ] as const) {
          const order = found(app, model.Order, 1)
          for (const keys of puts) app.run(pipe(order, Session.replaceThrough(items, itemsOf(app, keys))))
        }
        const shown = (app: App) => app.run(pipe(found(app, model.Order, 1), Session.loadThrough(items)))
        expect(shown(twice)).toEqual(shown(once))
      }),
      { numRuns: 40 },
    )
  })
})

describe('queries', () => {
  const asked = Session.gen(function* () {
    const dear = yield* pipe(select(model.Order), where(any(items, where('price', '>', 10))), Session.query)
    const gifts = yield* pipe(select(model.Order), where(any(labels, where('word', '=', 'gift'))), Session.query)
    const plums = yield* pipe(select(model.Order), where(any(itemNames, where('name', '=', 'plum'))), Session.query)
    const eds = yield* pipe(select(model.Order), where(any(customerName, where('name', '=', 'ed'))), Session.query)
    const buyers = yield* pipe(select(model.Customer), where(any(bought, where('name', '=', 'pear'))), Session.query)
    const others = yield* pipe(
      select(model.Order),
      where((eb) => eb.not(any(eb, labels))),
      Session.query,
    )
    return {
      dear: dear.map(({ note }) => note),
      gifts: gifts.map(({ note }) => note),
      plums: plums.map(({ note }) => note),
      eds: eds.length,
      buyers: names(buyers),
      others: others.map(({ note }) => note),
    }
  })

  const answers = { dear: ['first'], gifts: ['first'], plums: ['second'], eds: 2, buyers: ['ed'], others: ['second'] }

  test('ask for what a proxy leads to', () => {
    const app = filled()
    expect(app.run(asked)).toEqual(answers)
  })

  test('by nested conditions', () => {
    const app = filled()
    app.clear()
    app.run(pipe(select(model.Order), where(any(items, where('price', '>', 10))), Session.query))
    expect(app.asked().at(-1)).toMatchInlineSnapshot(
      `"select "orders"."id", "orders"."note", "orders"."customerId" from "orders" where exists (select 1 as "found" from "lines" as "unitary_any_1" where "unitary_any_1"."orderId" = "orders"."id" and exists (select 1 as "found" from "items" as "unitary_any_0" where "unitary_any_0"."id" = "unitary_any_1"."itemId" and "unitary_any_0"."price" > ?))"`,
    )
  })

  for (const { host, title, isMissing } of servers) {
    test.skipIf(isMissing)(`and changes answer alike on ${title}`, async () => {
      const app = await openOnServer(host, model)
      await app.run(fill)
      expect(await app.run(asked)).toEqual(answers)
      const shown = await app.run(
        Session.gen(function* () {
          const order = yield* pipe(select(model.Order), where('note', '=', 'first'), Session.one)
          const pears = yield* pipe(select(model.Item), where('name', '=', 'pear'), Session.one)
          yield* pipe(order, Session.replaceThrough(items, [pears, { name: 'fig', price: 4 }]))
          yield* Session.commit
          return yield* pipe(order, Session.loadThrough(items))
        }),
      )
      expect(names(shown)).toEqual(['pear', 'fig'])
    })
  }
})
