import {
  boolean,
  computed,
  computedValue,
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  type NotEvaluable,
  primaryKey,
  type Rows,
  select,
  selectRows,
  text,
  where,
} from '@unitary/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { expectTypeOf, test } from 'vitest'

const id = pipe(integer, primaryKey, generated)
const Line = entity('Line', 'lines', { id, quantity: integer, price: integer })
const Item = entity('Item', 'items', { id, name: text })
const model = defineModel({ Line, Item })(() => ({}))

declare const line: Managed<typeof model, 'Line'>
declare const item: Managed<typeof model, 'Item'>

const total = computed(model.Line, integer, (eb) => eb('quantity', '*', eb.ref('price')))

test('knows the attributes of its entity, and its own values', () => {
  expectTypeOf(computedValue(total)(line)).toEqualTypeOf<Either<NotEvaluable, number>>()
  pipe(
    select(model.Line),
    where((eb) => eb(total(eb), '>', 10)),
  )
  // @ts-expect-error no such attribute
  computed(model.Line, integer, (eb) => eb.ref('cost'))
  // @ts-expect-error a value of another type than its column
  computed(model.Line, boolean, (eb) => eb('price', '>', 1), { value: () => 1 })
  // @ts-expect-error compared with a text
  where<never>((eb) => eb(total(eb), '>', true))
  // @ts-expect-error a snapshot of another entity
  computedValue(total)(item)
})

test('is read as its column beside an entity', () => {
  const rows = pipe(
    select(model.Line),
    selectRows((q) => ({ line: q.entity(), total: q.computed(total) })),
  )
  type Row = typeof rows extends Rows<infer _M, infer _N, infer R> ? R : never
  expectTypeOf<Row['total']>().toEqualTypeOf<number>()
  pipe(
    select(model.Item),
    // @ts-expect-error it is computed of lines
    selectRows((q) => ({ total: q.computed(total) })),
  )
})

test('is of statements on its entity', () => {
  pipe(
    select(model.Item),
    // @ts-expect-error it is computed of lines
    where((eb) => eb(total(eb), '>', 10)),
  )
})
