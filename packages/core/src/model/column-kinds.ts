/**
 * Ready-made columns, each with the type that every dialect has for it (see `ColumnKind`).
 *
 * @example
 * const price = pipe(decimal(12, 2), nullable)
 */
import * as t from 'io-ts'
import { bigInt as bigIntCodec, bytes, IntegerType, json } from '../codec/codecs.js'
import { type Decimal, DecimalType } from '../codec/decimal.js'
import { listOf } from '../codec/list.js'
import {
  InstantType,
  type PlainDate,
  type PlainTime,
  plainDate as plainDateCodec,
  plainTime as plainTimeCodec,
} from '../codec/time.js'
import { uuid as uuidCodec } from '../codec/uuid.js'
import { type Column, type ColumnFlag, column } from './column.js'

/** A whole number that a double holds exactly. For larger ones see `bigint`. @category constructors */
export const integer: Column<number> = column(new IntegerType(), 'integer')

/** A 64-bit integer as `bigint`. @category constructors */
export const bigint: Column<bigint> = column(bigIntCodec, 'bigint')

/** A floating-point number. @category constructors */
export const real: Column<number> = column(t.number, 'real')

/** @category constructors */
export const text: Column<string> = column(t.string, 'text')

/** Kept as 0 and 1 where the database has no booleans. @category constructors */
export const boolean: Column<boolean> = column(t.boolean, 'boolean')

/** Bytes. @category constructors */
export const blob: Column<Uint8Array> = column(bytes, 'blob')

/**
 * An instant as a `Date`, to the millisecond, in the years 1 to 9999: `timestamptz(3)` on PostgreSQL, `datetime(3)` in UTC on
 * MySQL, ISO text in UTC on SQLite. Whatever the time zone of server, driver and process is, it is the same instant.
 *
 * @category constructors
 */
export const instant: Column<Date, string> = column(new InstantType(), 'timestamp')

/**
 * A day of the calendar without a time zone, as `YYYY-MM-DD` (see `parsePlainDate`): `date`, and text on SQLite.
 *
 * @category constructors
 */
export const plainDate: Column<PlainDate> = column(plainDateCodec, 'date')

/**
 * A time of day without a date or time zone, to the millisecond, in its shortest form: `09:30:00`, `23:59:59.5` (see
 * `parsePlainTime`): `time(3)`, and text on SQLite.
 *
 * @category constructors
 */
export const plainTime: Column<PlainTime> = column(plainTimeCodec, 'time')

/**
 * A UUID in its canonical form of lower case: `uuid` on PostgreSQL, `char(36)` on MySQL, text on SQLite.
 *
 * @example
 * const id = pipe(uuid, primaryKey, withDefault((services) => services.uuid()))
 *
 * @category constructors
 */
export const uuid: Column<string> = column(uuidCodec, 'uuid')

/**
 * An exact decimal number of at most `precision` digits, `scale` of them after the point, as canonical text (see
 * `parseDecimal`): `numeric` on PostgreSQL and `decimal` on MySQL (65 digits, 38 after the point, at most). SQLite has no exact
 * numbers with a fraction: there it is text that sorts and compares as the numbers do, and that SQL cannot calculate with.
 *
 * @example
 * const price = decimal(12, 2)
 *
 * @category constructors
 */
export const decimal = (precision: number, scale: number): Column<Decimal> => ({
  ...column(new DecimalType(precision, scale), 'decimal'),
  detail: { _tag: 'Decimal', precision, scale },
})

/**
 * One of some texts, which the table checks: by a CHECK constraint on every database, since it can be changed in a migration
 * like any other, and takes part in transactions.
 *
 * @example
 * const status = enumOf('open', 'paid', 'sent') // Column<'open' | 'paid' | 'sent'>
 *
 * @category constructors
 */
export const enumOf = <const V extends readonly [string, ...string[]]>(...values: V): Column<V[number]> => {
  const [first, second, ...others] = values.map((value): t.Mixed => t.literal(value)) as [t.Mixed, ...t.Mixed[]]
  const codec: t.Mixed = second === undefined ? first : t.union([first, second, ...others])
  return { ...column(codec as t.Type<V[number], V[number], unknown>, 'enum'), detail: { _tag: 'Enum', values } }
}

/**
 * A value kept as JSON, checked by its own codec: `jsonb` on PostgreSQL, `json` on MySQL, text on SQLite. Two values are equal
 * where their JSON is, whatever the order of its properties.
 *
 * `null` of the codec is JSON's null. `pipe(jsonOf(codec), nullable)` has SQL's NULL for `null`.
 *
 * @example
 * const options = jsonOf(t.type({ colour: t.string, sizes: t.array(t.number) }))
 *
 * @category constructors
 */
export const jsonOf = <A, O>(codec: t.Type<A, O, unknown>): Column<A, string> => column(json(codec), 'json')

/**
 * A list of another column's values: an array of PostgreSQL, JSON elsewhere. It is one value, compared as a whole: in a
 * condition too.
 *
 * @example
 * const tags = arrayOf(text) // Column<ReadonlyArray<string>, string>
 * // where('tags', '=', ['new', 'red'])
 *
 * @category constructors
 */
export const arrayOf = <A, O, F extends ColumnFlag>(item: Column<A, O, F>): Column<ReadonlyArray<A>, string> => ({
  ...column(listOf(item.codec, item.kind === 'bigint' || item.kind === 'decimal'), 'array'),
  rules: item.rules.map(({ holds, name }) => ({ name: `list of ${name}`, holds: (values) => values.every(holds) })),
  detail: { _tag: 'Array', item: { kind: item.kind, detail: item.detail } },
})
