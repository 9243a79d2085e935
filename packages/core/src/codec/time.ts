/**
 * Instants and days.
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
