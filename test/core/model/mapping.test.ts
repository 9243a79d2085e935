import {
  bigint,
  column,
  decodedKeyOf,
  defineModel,
  encodedKeyOf,
  entity,
  integer,
  isoDate,
  type Mapping,
  primaryKey,
  rawKeyOf,
  text,
} from '@unitary/core'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'

const One = entity('One', 'ones', { id: pipe(integer, primaryKey) })
const Big = entity('Big', 'bigs', { id: pipe(bigint, primaryKey) })
const Text = entity('Text', 'texts', { code: pipe(text, primaryKey) })
const Day = entity('Day', 'days', { at: pipe(column(isoDate, 'text'), primaryKey) })
const All = entity('All', 'alls', {
  a: pipe(integer, primaryKey),
  b: pipe(bigint, primaryKey),
  c: pipe(text, primaryKey),
  d: pipe(column(isoDate, 'text'), primaryKey),
})
const model = defineModel({ One, Big, Text, Day, All })(() => ({}))

const parts = {
  a: fc.maxSafeInteger(),
  b: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  c: fc.string({ unit: 'binary' }),
  d: fc.date({ noInvalidDate: true }),
}

const keys: ReadonlyArray<readonly [Mapping, fc.Arbitrary<Record<string, unknown>>]> = [
  [model.One.mapping, fc.record({ id: parts.a })],
  [model.Big.mapping, fc.record({ id: parts.b })],
  [model.Text.mapping, fc.record({ code: parts.c })],
  [model.Day.mapping, fc.record({ at: parts.d })],
  [model.All.mapping, fc.record(parts)],
]

describe('raw keys', () => {
  test.each(keys.map(([mapping, key]) => [mapping.name, mapping, key] as const))(
    'of %s give back the key that they were made of',
    (_, mapping, key) => {
      fc.assert(
        fc.property(key, (values) => {
          const raw = rawKeyOf(mapping, values)
          if (raw === null) throw new Error('no key')
          expect(decodedKeyOf(mapping, raw)).toEqual(mapping.key.map(({ name }) => values[name]))
          expect(encodedKeyOf(mapping, raw)).toEqual(
            mapping.key.map(({ name, column: { codec } }) => codec.encode(values[name])),
          )
        }),
      )
    },
  )

  test.each(keys.map(([mapping, key]) => [mapping.name, mapping, key] as const))(
    'of %s are equal where the keys are, and only there',
    (_, mapping, key) => {
      fc.assert(
        fc.property(key, key, (a, b) => {
          const same = mapping.key.every(({ name, encode }) => encode(a[name]) === encode(b[name]))
          expect(rawKeyOf(mapping, a) === rawKeyOf(mapping, b)).toBe(same)
          expect(rawKeyOf(mapping, { ...a })).toBe(rawKeyOf(mapping, a))
        }),
      )
    },
  )

  test('of a key that lacks a part there is none', () => {
    expect(rawKeyOf(model.One.mapping, {})).toBeNull()
    expect(rawKeyOf(model.One.mapping, { id: null })).toBeNull()
    expect(rawKeyOf(model.All.mapping, { a: 1, b: 1n, c: 'x' })).toBeNull()
    expect(rawKeyOf(model.One.mapping, { id: 0 })).toBe(0)
    expect(rawKeyOf(model.Text.mapping, { code: '' })).toBe('')
  })
})
