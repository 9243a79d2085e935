/**
 * All kinds of columns, each with values for the tests that hold for every kind.
 */
import {
  arrayOf,
  bigint,
  blob,
  boolean,
  type Column,
  column,
  type Decimal,
  decimal,
  enumOf,
  instant,
  integer,
  isoDate,
  jsonOf,
  nullable,
  type PlainDate,
  type PlainTime,
  parseDecimal,
  parsePlainDate,
  parsePlainTime,
  plainDate,
  plainTime,
  real,
  text,
  uuid,
} from '@unitary/core'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { type Option, toNullable } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'

export interface Kind {
  readonly name: string
  readonly column: Column<unknown>
  /** Some values, each less than the next where the kind has an order that all databases agree on. */
  readonly values: ReadonlyArray<unknown>
  readonly isOrdered: boolean
  readonly arbitrary: fc.Arbitrary<unknown>
}

const kind = <A, O>(
  name: string,
  of: Column<A, O>,
  values: ReadonlyArray<A>,
  arbitrary: fc.Arbitrary<A>,
  isOrdered = true,
): Kind => ({ name, column: of as Column<unknown, never> as Column<unknown>, values, isOrdered, arbitrary })

export const some = <A>(option: Option<A>): A => {
  const value = toNullable(option)
  if (value === null) throw new Error('there is none')
  return value
}

export const number = (digits: string): Decimal => some(parseDecimal(digits))
export const day = (iso: string): PlainDate => some(parsePlainDate(iso))
export const time = (iso: string): PlainTime => some(parsePlainTime(iso))

interface UserIdBrand {
  readonly UserId: unique symbol
}
const UserId = t.brand(t.number, (n): n is t.Branded<number, UserIdBrand> => Number.isInteger(n) && n > 0, 'UserId')
export type UserId = t.TypeOf<typeof UserId>
export const userOf = (id: number): UserId => id as UserId
export const userId = column<UserId, number>(UserId, 'integer')

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

/** PostgreSQL has no text with a NUL in it, no lone surrogates; MySQL compares without regard to spaces at the end. */
const texts = fc
  .string({ unit: fc.oneof(fc.constantFrom('"', '\\', "'", ',', '{', '}', 'N', ' '), fc.string({ unit: 'grapheme' })) })
  .filter((s) => !s.includes('\0'))

const decimals = (whole: number, scale: number): fc.Arbitrary<Decimal> =>
  fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** BigInt(whole) - 1n }),
      fc.bigInt({ min: 0n, max: 10n ** BigInt(scale) - 1n }),
    )
    .map(([isNegative, a, b]) => number(`${isNegative ? '-' : ''}${a}.${String(b).padStart(scale, '0')}`))

const first = new Date('0001-01-01T00:00:00.000Z')
const last = new Date('9999-12-31T23:59:59.999Z')
const instants = fc.oneof(
  fc.date({ min: first, max: last, noInvalidDate: true }),
  // hours that a time zone leaves out or has twice
  fc.date({ min: new Date('2026-03-29T00:00:00Z'), max: new Date('2026-03-29T03:00:00Z'), noInvalidDate: true }),
  fc.constantFrom(first, last, new Date(0)),
)
const days = instants.map((date) => day(date.toISOString().slice(0, 10)))

const times = instants.map((date) => time(date.toISOString().slice(11, 23)))

const isStorable = (value: unknown): boolean => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value))
const documents = fc
  .jsonValue({ maxDepth: 3 })
  .filter((value) => isStorable(value) && !JSON.stringify(value).includes('__proto__'))

/** As JSON has numbers: there is no -0 in it. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const letter = enumOf('a', "b'\\", 'ü')
type Letter = t.TypeOf<(typeof letter)['codec']>

export const kinds: ReadonlyArray<Kind> = [
  kind('integer', integer, [-5, 0, 2_147_483_647], fc.integer()),
  kind('branded', userId, [1, 2, 3].map(userOf), fc.integer({ min: 1 }).map(userOf)),
  kind('bigint', bigint, [-(2n ** 63n), 9n, 2n ** 53n + 1n, 2n ** 63n - 1n], int64),
  kind(
    'real',
    real,
    [-1.5, 0.1, 95.18858168585065, 926309.2797966243, 1e300],
    fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 })
      .map((n) => n + 0)
      .filter((n) => n === 0 || Math.abs(n) > 1e-300),
  ),
  kind('text', text, ['', 'a"\\\'b', 'é€😀'], texts),
  kind('boolean', boolean, [false, true], fc.boolean()),
  kind('blob', blob, [new Uint8Array([]), new Uint8Array([0, 39, 92]), new Uint8Array([255])], fc.uint8Array()),
  kind(
    'decimal',
    decimal(38, 10),
    ['-1234567890123456789012345678.0123456789', '-12.5', '-12', '0', '9', '10.0000000001', '10.0000000002'].map(
      number,
    ),
    decimals(28, 10),
  ),
  kind(
    'instant',
    instant,
    [first, new Date('2026-03-29T01:30:00.123Z'), new Date('2026-03-29T02:30:00.123Z'), last],
    instants,
  ),
  kind(
    'isoDate of kind timestamp',
    column(isoDate, 'timestamp'),
    [new Date(0), new Date('2026-03-29T01:30:00.123Z')],
    instants,
  ),
  kind('isoDate of kind text', column(isoDate, 'text'), [new Date(0), new Date('2026-03-29T01:30:00.123Z')], instants),
  kind('plainDate', plainDate, ['0001-01-01', '2011-12-30', '9999-12-31'].map(day), days),
  kind('plainTime', plainTime, ['00:00:00', '09:30:00', '09:30:00.01', '09:30:00.5', '23:59:59.999'].map(time), times),
  kind(
    'uuid',
    uuid,
    [
      '00000000-0000-0000-0000-000000000000',
      '123e4567-e89b-12d3-a456-426614174000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ],
    fc.uuid(),
  ),
  kind<Letter, Letter>('enum', letter, ['a', "b'\\", 'ü'], fc.constantFrom<Letter>('a', "b'\\", 'ü')),
  kind(
    'json',
    jsonOf(t.unknown),
    ['null', 'a "text"', null, '1', 1, [], { a: [1, { b: null }], 'ü"': false }, [{ b: 1, a: 2 }]],
    documents.map(plain),
    false,
  ),
  kind('array of text', arrayOf(text), [[], ['a', 'b"\\,{}'], ['NULL', ' ', '']], fc.array(texts), false),
  kind(
    'array of nullable integers',
    arrayOf(pipe(integer, nullable)),
    [[null], [1, null, -2]],
    fc.array(fc.option(fc.integer())),
    false,
  ),
  kind('array of bigints', arrayOf(bigint), [[], [2n ** 63n - 1n, -1n]], fc.array(int64), false),
  kind('array of decimals', arrayOf(decimal(30, 5)), [['1.5', '-3'].map(number), []], fc.array(decimals(25, 5)), false),
  kind(
    'array of instants',
    arrayOf(instant),
    [[new Date(0)], []],
    fc.array(fc.date({ min: new Date(0), max: new Date('9999-12-01'), noInvalidDate: true })),
    false,
  ),
  kind('array of days', arrayOf(plainDate), [['2026-01-31'].map(day), []], fc.array(days), false),
  kind('array of times', arrayOf(plainTime), [['09:30:00', '09:30:00.5'].map(time), []], fc.array(times), false),
  kind('array of UUIDs', arrayOf(uuid), [['123e4567-e89b-12d3-a456-426614174000'], []], fc.array(fc.uuid()), false),
  kind('array of booleans', arrayOf(boolean), [[true, false], []], fc.array(fc.boolean()), false),
  kind('array of reals', arrayOf(real), [[0.1, -1e20], []], fc.array(fc.integer().map((n) => n / 8)), false),
]
