import {
  arrayOf,
  bigInt,
  bigint,
  bytes,
  decimal,
  enumOf,
  IntegerType,
  instant,
  isoDate,
  json,
  NullableType,
  parsePlainTime,
  plainDate,
  plainTime,
  text,
  uuid,
} from '@unitary/core'
import fc from 'fast-check'
import { toNullable } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const someDate = fc.date({ noInvalidDate: true })
const instantOf = fc.date({
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})
const Point = t.type({ x: t.number, tags: t.array(t.string) })
const point = fc.record({
  x: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  tags: fc.array(fc.string()),
})

// biome-ignore lint/suspicious/noExplicitAny: codecs of any type
type AnyCodec = t.Type<any, unknown, unknown>

const codecs: ReadonlyArray<readonly [string, AnyCodec, fc.Arbitrary<unknown>]> = [
  ['integer', new IntegerType(), fc.maxSafeInteger()],
  ['bigint', bigInt, int64],
  ['bytes', bytes, fc.uint8Array()],
  ['isoDate', isoDate, someDate],
  ['json', json(Point), point],
  ['json of dates', json(t.array(isoDate)), fc.array(someDate)],
  ['instant', instant.codec, instantOf],
  ['plainDate', plainDate.codec, instantOf.map((date) => date.toISOString().slice(0, 10))],
  ['plainTime', plainTime.codec, instantOf.map((date) => toNullable(parsePlainTime(date.toISOString().slice(11, 23))))],
  ['uuid', uuid.codec, fc.uuid()],
  ['decimal', decimal(38, 10).codec, fc.tuple(int64, fc.integer({ min: 1, max: 9 })).map(([a, b]) => `${a}.${b}`)],
  ['enum', enumOf('a', 'b').codec, fc.constantFrom('a', 'b')],
  ['enum of one', enumOf('a').codec, fc.constant('a')],
  ['array of text', arrayOf(text).codec, fc.array(fc.string({ unit: 'grapheme' }))],
  ['array of bigints', arrayOf(bigint).codec, fc.array(int64)],
  ['nullable integer', new NullableType(new IntegerType()), fc.option(fc.maxSafeInteger())],
  ['nullable isoDate', new NullableType(isoDate), fc.option(someDate)],
  ['nullable json', new NullableType(json(Point)), fc.option(point)],
]

describe.each(codecs)('%s', (_, codec, value) => {
  test('decodes what it encoded', () => {
    fc.assert(
      fc.property(value, (a) => {
        expect(codec.is(a)).toBe(true)
        expect(codec.decode(codec.encode(a))).toEqual({ _tag: 'Right', right: a })
      }),
    )
  })

  test('knows what it decodes, and encodes it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), value), (u) => {
        const decoded = codec.decode(u)
        if (decoded._tag === 'Left') return
        expect(codec.is(decoded.right)).toBe(true)
        expect(codec.decode(codec.encode(decoded.right))).toEqual(decoded)
      }),
    )
  })
})

describe('a codec says no', () => {
  const refused: ReadonlyArray<readonly [string, AnyCodec, ReadonlyArray<unknown>]> = [
    ['integer', new IntegerType(), [1.5, Number.NaN, 2 ** 53, '1', null, 1n, undefined]],
    ['bigint', bigInt, ['1.5', '', 'x', 1.5, 2 ** 53, null, true]],
    ['bytes', bytes, [[1], 'x', null, new Uint16Array(1)]],
    ['isoDate', isoDate, ['yesterday', '', null, 5, new Date(Number.NaN)]],
    ['json', json(Point), ['{', '{"x":1}', null, { x: '1', tags: [] }]],
    ['nullable', new NullableType(t.string), [undefined, 5]],
  ]
  test.each(refused)('%s', (_, codec, values) => {
    for (const value of values) {
      expect(codec.decode(value)._tag).toBe('Left')
      expect(codec.is(value)).toBe(false)
    }
  })
})

describe('a codec reads the forms that drivers give', () => {
  test('bigint: numbers and decimal text', () => {
    expect(bigInt.decode(5)).toEqual({ _tag: 'Right', right: 5n })
    expect(bigInt.decode('-9223372036854775808')).toEqual({ _tag: 'Right', right: -(2n ** 63n) })
  })

  test('isoDate: dates, and ISO text of other forms', () => {
    expect(isoDate.decode('2026-11-21')).toEqual({ _tag: 'Right', right: new Date(Date.UTC(2026, 10, 21)) })
    expect(isoDate.decode(new Date(5))).toEqual({ _tag: 'Right', right: new Date(5) })
  })

  test('json: what the driver has parsed', () => {
    expect(json(Point).decode({ x: 1, tags: ['a'] })).toEqual({ _tag: 'Right', right: { x: 1, tags: ['a'] } })
  })

  test('json of text is the text that stands in the JSON', () => {
    expect(json(t.string).decode(json(t.string).encode('"quoted"'))).toEqual({ _tag: 'Right', right: '"quoted"' })
  })
})

test.each([
  ['09:30', '09:30:00'],
  ['09:30:00.000', '09:30:00'],
  ['23:59:59.500', '23:59:59.5'],
  ['00:00:00.001', '00:00:00.001'],
  ['24:00', null],
  ['09:60', null],
  ['9:30', null],
  ['09:30:00.0005', null],
  ['-01:00:00', null],
  ['noon', null],
])('the time of day of %s is %s', (given, time) => {
  expect(toNullable(parsePlainTime(given))).toBe(time)
})
