/** What columns say in types. Checked by `tsc`; nothing here runs. */
import {
  arrayOf,
  bigint,
  type Column,
  column,
  type Decimal,
  type Draft,
  decimal,
  defineModel,
  entity,
  enumOf,
  filterBy,
  instant,
  integer,
  jsonOf,
  type Key,
  nullable,
  type PlainDate,
  type PlainTime,
  plainDate,
  plainTime,
  primaryKey,
  type Row,
  type Services,
  select,
  set,
  text,
  trusted,
  update,
  uuid,
  where,
  withDefault,
  withInsertDefault,
  withUpdateDefault,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { sql } from 'kysely'
import { expectTypeOf } from 'vitest'

interface OrderIdBrand {
  readonly OrderId: unique symbol
}
const OrderId = t.brand(t.number, (n): n is t.Branded<number, OrderIdBrand> => n > 0, 'OrderId')
type OrderId = t.TypeOf<typeof OrderId>

const Order = entity('Order', 'orders', {
  id: pipe(column(OrderId, 'integer'), primaryKey),
  at: pipe(
    instant,
    withDefault((services) => services.now),
  ),
  day: plainDate,
  from: plainTime,
  total: decimal(12, 2),
  state: pipe(
    enumOf('open', 'paid'),
    withDefault(() => 'open'),
  ),
  token: pipe(
    uuid,
    withDefault((services) => services.uuid()),
  ),
  tags: arrayOf(text),
  counts: pipe(arrayOf(pipe(integer, nullable)), nullable),
  big: arrayOf(bigint),
  options: jsonOf(t.type({ colour: t.string })),
})
const model = defineModel({ Order })(() => ({}))

expectTypeOf(enumOf('a')).toEqualTypeOf<Column<'a'>>()
expectTypeOf(enumOf('a', 'b')).toEqualTypeOf<Column<'a' | 'b'>>()
expectTypeOf(decimal(3, 1)).toEqualTypeOf<Column<Decimal>>()
expectTypeOf(instant).toEqualTypeOf<Column<Date, string>>()
expectTypeOf(arrayOf(instant)).toEqualTypeOf<Column<ReadonlyArray<Date>, string>>()
// @ts-expect-error an enum has values
enumOf()

expectTypeOf<Row<typeof Order>>().toEqualTypeOf<{
  readonly id: OrderId
  readonly at: Date
  readonly day: PlainDate
  readonly from: PlainTime
  readonly total: Decimal
  readonly state: 'open' | 'paid'
  readonly token: string
  readonly tags: ReadonlyArray<string>
  readonly counts: ReadonlyArray<number | null> | null
  readonly big: ReadonlyArray<bigint>
  readonly options: { colour: string }
}>()
expectTypeOf<Key<typeof Order>>().toEqualTypeOf<OrderId>()
expectTypeOf<Draft<typeof model, 'Order'>['total']>().toEqualTypeOf<Decimal>()

const orders = select(model.Order)
expectTypeOf(pipe(orders, trusted)).toEqualTypeOf(orders)
pipe(orders, where('tags', '=', ['new']), where('state', 'in', ['open']), where('at', '<', new Date()))
pipe(orders, filterBy({ state: 'paid', options: { colour: 'red' } }))
pipe(update(model.Order), set({ tags: ['a'], state: 'open' }))
// @ts-expect-error no value of the enum
where<typeof orders, 'state', '='>('state', '=', 'lost')
// @ts-expect-error text may be no decimal
where<typeof orders, 'total', '>'>('total', '>', '12.50')
// @ts-expect-error nor a day
where<typeof orders, 'day', '='>('day', '=', '2026-02-30')
// @ts-expect-error nor a time
where<typeof orders, 'from', '='>('from', '=', '24:00')
// @ts-expect-error any number may be the id of something else
where<typeof orders, 'id', '='>('id', '=', 7)
// @ts-expect-error a list is one value, and not its item
where<typeof orders, 'tags', '='>('tags', '=', 'new')
pipe(text, withDefault('a'))
pipe(integer, nullable, withInsertDefault(null), withUpdateDefault(7))
pipe(
  instant,
  withDefault((services) => {
    expectTypeOf(services).toEqualTypeOf<Services>()
    return services.now
  }),
)
const now = withDefault(sql<string>`now()`)
// @ts-expect-error what the database computes is no value, not even of a column that takes any
pipe(jsonOf(t.unknown), now)
const seven = withDefault(7)
// @ts-expect-error the default is no value of the column
pipe(text, seven)
const lost = withDefault(() => 'lost')
// @ts-expect-error the default is no value of the enum
lost(enumOf('open', 'paid'))
