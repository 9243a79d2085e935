/**
 * Instants, days, and times of day.
 */
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'

/** The years 1 to 9999, which all databases know, and ISO text writes with four digits. */
const first = Date.parse('0001-01-01T00:00:00.000Z')
const last = Date.parse('9999-12-31T23:59:59.999Z')

const isInstant = (value: unknown): value is Date =>
  value instanceof Date && value.getTime() >= first && value.getTime() <= last

/** ISO text that says which instant it means. */
const zoned = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)$/

/**
 * Instants as `Date`s, in the database ISO 8601 text in UTC with milliseconds. Text without a time zone is none: it could mean
 * any.
 *
 * @category codecs
 */
export class InstantType extends t.Type<Date, string, unknown> {
  readonly _tag = 'InstantType'
  constructor() {
    super(
      'instant',
      isInstant,
      (u, c) => {
        const date = typeof u === 'string' && zoned.test(u) ? new Date(u) : u
        return isInstant(date) ? t.success(date) : t.failure(u, c)
      },
      (date) => date.toISOString(),
    )
  }
}

declare const plainDateBrand: unique symbol

/** A day of the calendar, `YYYY-MM-DD`. @category model */
export type PlainDate = string & { readonly [plainDateBrand]: 'PlainDate' }

const isPlainDate = (value: unknown): value is PlainDate => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value) || value.startsWith('0000')) return false
  const date = new Date(`${value}T00:00:00.000Z`)
  // a day that is not there is another one, or none
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

/**
 * The day that a text names; none where there is no such day in the years 1 to 9999.
 *
 * @example
 * parsePlainDate('2026-02-30') // none
 *
 * @category constructors
 */
export const parsePlainDate = (text: string): Option<PlainDate> => (isPlainDate(text) ? some(text) : none)

/** Days of the calendar. @category codecs */
export const plainDate: t.Type<PlainDate, PlainDate, unknown> = new t.Type(
  'plainDate',
  isPlainDate,
  (u, c) => (isPlainDate(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
)

declare const plainTimeBrand: unique symbol

/** A time of day, `HH:MM:SS` or `HH:MM:SS.mmm`, without zeros at the end of the fraction. @category model */
export type PlainTime = string & { readonly [plainTimeBrand]: 'PlainTime' }

const isPlainTime = (value: unknown): value is PlainTime =>
  typeof value === 'string' && /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,2}[1-9])?$/.test(value)

const isWhole = /^\d\d:\d\d$/

/** A time of day in its shortest form; what is none stays as it is. */
export const shortestTime = (text: string): string =>
  isWhole.test(text) ? `${text}:00` : text.replace(/^(\d\d:\d\d:\d\d)(?:\.0+|(\.\d*[1-9])0*)$/, '$1$2')

/**
 * The time of day that a text names, to the millisecond, with seconds or without; none where there is no such time.
 *
 * @example
 * parsePlainTime('09:30') // some('09:30:00')
 * parsePlainTime('24:00') // none
 *
 * @category constructors
 */
export const parsePlainTime = (text: string): Option<PlainTime> => {
  const time = shortestTime(text)
  return isPlainTime(time) ? some(time) : none
}

/** Times of day. @category codecs */
export const plainTime: t.Type<PlainTime, PlainTime, unknown> = new t.Type(
  'plainTime',
  isPlainTime,
  (u, c) => (isPlainTime(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
)
