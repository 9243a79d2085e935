/**
 * The io-ts codecs that database columns need and io-ts does not bring.
 *
 * They are ordinary `t.Type`s. Those that generated checks understand carry a `_tag`, as io-ts' own do.
 */
import { chain } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'

/**
 * Integers from -(2^53 - 1) to 2^53 - 1.
 *
 * @category codecs
 */
export class IntegerType extends t.Type<number, number, unknown> {
  readonly _tag = 'IntegerType'
  constructor() {
    super(
      'integer',
      (u): u is number => Number.isSafeInteger(u),
      (u, c) => (Number.isSafeInteger(u) ? t.success(u as number) : t.failure(u, c)),
      t.identity,
    )
  }
}

/**
 * A codec's values, or null on both sides.
 *
 * @category codecs
 */
export class NullableType<A, O> extends t.Type<A | null, O | null, unknown> {
  readonly _tag = 'NullableType'
  readonly type: t.Type<A, O, unknown>
  constructor(type: t.Type<A, O, unknown>) {
    super(
      `${type.name} | null`,
      (u): u is A | null => u === null || type.is(u),
      (u, c) => (u === null ? t.success(null) : type.validate(u, c)),
      // where the codec's own encode does nothing, so does this one, and decoders can tell
      type.encode === (t.identity as unknown) ? (t.identity as never) : (a) => (a === null ? null : type.encode(a)),
    )
    this.type = type
  }
}

/**
 * 64-bit integers as `bigint`; reads numbers and decimal text too, as some drivers give them.
 *
 * @category codecs
 */
export const bigInt: t.Type<bigint, bigint, unknown> = new t.Type(
  'bigint',
  (u): u is bigint => typeof u === 'bigint',
  (u, c) =>
    typeof u === 'bigint'
      ? t.success(u)
      : Number.isSafeInteger(u) || (typeof u === 'string' && /^-?\d+$/.test(u))
        ? t.success(BigInt(u as number | string))
        : t.failure(u, c),
  t.identity,
)

/** @category codecs */
export const bytes: t.Type<Uint8Array, Uint8Array, unknown> = new t.Type(
  'bytes',
  (u): u is Uint8Array => u instanceof Uint8Array,
  (u, c) => (u instanceof Uint8Array ? t.success(u) : t.failure(u, c)),
  t.identity,
)

/**
 * Dates as ISO 8601 text in UTC with milliseconds (`2026-01-31T12:00:00.000Z`), which sorts as text in time order.
 * Reads any ISO text and the `Date`s that some drivers give.
 *
 * @category codecs
 */
export const isoDate: t.Type<Date, string, unknown> = new t.Type(
  'isoDate',
  (u): u is Date => u instanceof Date && !Number.isNaN(u.getTime()),
  (u, c) => {
    const date = typeof u === 'string' ? new Date(u) : u
    return date instanceof Date && !Number.isNaN(date.getTime()) ? t.success(date) : t.failure(u, c)
  },
  (date) => date.toISOString(),
)

/**
 * A value kept as JSON text, decoded by its own codec. Reads parsed JSON too, as some drivers give it. Properties are written
 * in the order of their names: databases that keep JSON as text then find equal what is equal.
 *
 * @category codecs
 */
export const json = <A, O>(codec: t.Type<A, O, unknown>): t.Type<A, string, unknown> =>
  new t.Type(
    `json(${codec.name})`,
    codec.is,
    (u, c) =>
      typeof u === 'string'
        ? pipe(
            parse(u, c),
            chain((value) => codec.validate(value, c)),
          )
        : codec.validate(u, c),
    (a) => JSON.stringify(codec.encode(a), sortedByName),
  )

const sortedByName = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

const parse = (text: string, c: t.Context): t.Validation<unknown> => {
  try {
    return t.success(JSON.parse(text))
  } catch {
    return t.failure(text, c, 'not JSON')
  }
}
