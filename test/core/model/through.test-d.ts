import {
  any,
  type DraftOrInstance,
  defineModel,
  entity,
  generated,
  integer,
  joined,
  type Managed,
  primaryKey,
  select,
  selectin,
  text,
  through,
  viewThrough,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { expectTypeOf, test } from 'vitest'

const id = pipe(integer, primaryKey, generated)
const Order = entity('Order', 'orders', { id, note: text })
const Line = entity('Line', 'lines', { id, quantity: integer, orderId: integer, itemId: integer })
const Item = entity('Item', 'items', { id, name: text, price: integer })
const model = defineModel({ Order, Line, Item })((r) => ({
  Order: { lines: r.Order.hasMany('Line', { foreignKey: 'orderId', inverse: 'order' }) },
  Line: {
    order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }),
    item: r.Line.belongsTo('Item', { foreignKey: 'itemId' }),
  },
}))

type M = typeof model
declare const order: Managed<M, 'Order'>
declare const line: Managed<M, 'Line'>
declare const app: Session.Runtime

type ValueOf<P> = P extends Session.Program<unknown, infer A> ? A : never

const items = through(model.Order, 'lines', 'item', {
  make: (item) => {
    expectTypeOf(item).toEqualTypeOf<DraftOrInstance<M, 'Item'>>()
    return { item, quantity: 1 }
  },
})
const names = through(model.Order, 'lines', through(model.Line, 'item', 'name'))
const quantities = through(model.Order, 'lines', 'quantity')
const note = through(model.Line, 'order', 'note')
const siblings = through(model.Line, 'order', 'lines')

test('shows lists over collections, and options otherwise', () => {
  const shown = pipe(order, Session.loadThrough(items))
  expectTypeOf<ValueOf<typeof shown>>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Item'>>>()
  const named = pipe(order, Session.loadThrough(names))
  expectTypeOf<ValueOf<typeof named>>().toEqualTypeOf<ReadonlyArray<string>>()
  const counted = pipe(order, Session.loadThrough(quantities))
  expectTypeOf<ValueOf<typeof counted>>().toEqualTypeOf<ReadonlyArray<number>>()
  const noted = pipe(line, Session.loadThrough(note))
  expectTypeOf<ValueOf<typeof noted>>().toEqualTypeOf<Option<string>>()
  const others = pipe(line, Session.loadThrough(siblings))
  expectTypeOf<ValueOf<typeof others>>().toEqualTypeOf<ReadonlyArray<Managed<M, 'Line'>>>()
})

test('views what is loaded, and nothing else', () => {
  const found = Session.runSync(app)(pipe(select(model.Order), selectin('lines', joined('item')), Session.query))
  if (found._tag === 'Right') {
    expectTypeOf(found.right.map(viewThrough(items))).toEqualTypeOf<ReadonlyArray<Managed<M, 'Item'>>[]>()
  }
  const shallow = Session.runSync(app)(pipe(select(model.Order), selectin('lines'), Session.query))
  if (shallow._tag === 'Right') {
    expectTypeOf(shallow.right.map(viewThrough(quantities))).toEqualTypeOf<ReadonlyArray<number>[]>()
    // @ts-expect-error its items are not loaded
    shallow.right.map(viewThrough(items))
  }
  // @ts-expect-error its lines are not loaded
  viewThrough(quantities)(order)
})

test('adds what links can be made of', () => {
  pipe(order, Session.appendThrough(items, { name: 'apple', price: 3 }))
  // @ts-expect-error not an item
  pipe(order, Session.appendThrough(items, { name: 'apple' }))
  // @ts-expect-error no instance of the proxy's entity
  pipe(line, Session.appendThrough(items, { name: 'apple', price: 3 }))
  // @ts-expect-error nobody knows how to make its links
  pipe(order, Session.appendThrough(names, 'apple'))
})

test('does not lead where there is nothing', () => {
  // @ts-expect-error no such relationship
  through(model.Order, 'items', 'name')
  // @ts-expect-error nothing of that name at the far side
  through(model.Order, 'lines', 'name')
  // @ts-expect-error a proxy of another entity
  through(model.Order, 'lines', items)
  // @ts-expect-error the draft of a link lacks its quantity
  through(model.Order, 'lines', 'item', { make: (item) => ({ item }) })
  // @ts-expect-error a link that leads to many cannot be made of one of them
  through(model.Order, 'lines', through(model.Line, 'order', 'lines'), { make: () => ({ quantity: 1, itemId: 1 }) })
})

test('asks for what it leads to', () => {
  pipe(select(model.Order), where(any(items, where('price', '>', 10))))
  pipe(
    select(model.Order),
    where((eb) => eb.or([any(eb, names, where('name', '=', 'apple')), any(eb, quantities)])),
  )
  // @ts-expect-error the proxy leads to items
  pipe(select(model.Order), where(any(items, where('quantity', '>', 10))))
  // @ts-expect-error a proxy of another entity
  pipe(select(model.Item), where(any(items)))
})
