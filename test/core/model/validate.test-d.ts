import { type Column, entity, generated, integer, nullable, primaryKey, text, validate } from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { expectTypeOf, test } from 'vitest'

test('a rule knows the values of its column', () => {
  const price = pipe(
    integer,
    validate('positive number', (value) => {
      expectTypeOf(value).toEqualTypeOf<number>()
      return value > 0
    }),
  )
  expectTypeOf(price).toEqualTypeOf<Column<number>>()
  const nickname = pipe(
    text,
    nullable,
    validate('nickname', (value) => value !== ''),
  )
  expectTypeOf(nickname).toEqualTypeOf<Column<string | null, string | null, 'nullable'>>()
  const filled = validate('filled text', (value: string) => value !== '')
  // @ts-expect-error a rule of texts
  pipe(integer, filled)
})

test('a rule of rows knows their attributes', () => {
  const columns = { id: pipe(integer, primaryKey, generated), from: integer, to: pipe(integer, nullable) }
  entity('Span', 'spans', columns, {
    validate: (row) => {
      expectTypeOf(row.from).toEqualTypeOf<number | undefined>()
      expectTypeOf(row.to).toEqualTypeOf<number | null | undefined>()
      return { to: 'it is before the start' }
    },
  })
  // @ts-expect-error no attribute of that name
  entity('Span', 'spans', columns, { validate: () => ({ end: 'it is before the start' }) })
})
