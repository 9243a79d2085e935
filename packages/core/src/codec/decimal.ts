/**
 * Exact decimal numbers as text.
 *
 * A number with a fraction that has to be exact (money, say) is no double. Its canonical form is the shortest text that says
 * it - `12.5`, never `12.50`, `+12.5` or `012.5` - so that equal numbers are equal values, whatever the scale of the column
 * that they come from.
 */
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'

declare const decimalBrand: unique symbol

/** A decimal number in canonical form. @category model */
export type Decimal = string & { readonly [decimalBrand]: 'Decimal' }

const canonical = /^(?:0|-?(?:[1-9]\d*|0(?=\.\d*[1-9]))(?:\.\d*[1-9])?)$/

/** @category guards */
export const isDecimal = (value: unknown): value is Decimal => typeof value === 'string' && canonical.test(value)

/**
 * A number written in digits, in canonical form: none where it is no such number. An exponent is none either.
 *
 * @example
 * parseDecimal('12.50') // some('12.5')
 *
 * @category constructors
 */
export const parseDecimal = (text: string): Option<Decimal> => {
  const found = /^([+-]?)0*(\d*?)(?:\.(\d*?)0*)?$/.exec(text)
  if (found === null || !/\d/.test(text)) return none
  const [, sign, whole = '', fraction = ''] = found
  const digits = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`
  return some((sign === '-' && digits !== '0' ? `-${digits}` : digits) as Decimal)
}

/**
 * Decimals of so many digits in all, `scale` of them after the point. Reads what a driver gives: text with zeros at its end,
 * whole numbers.
 *
 * @category codecs
 */
export class DecimalType extends t.Type<Decimal, Decimal, unknown> {
  readonly _tag = 'DecimalType'
  readonly precision: number
  readonly scale: number
  constructor(precision: number, scale: number) {
    const fits = (u: unknown): u is Decimal => isDecimal(u) && digitsFit(u, precision, scale)
    super(
      `decimal(${precision}, ${scale})`,
      fits,
      (u, c) => {
        const parsed =
          typeof u === 'string'
            ? parseDecimal(u)
            : Number.isSafeInteger(u) || typeof u === 'bigint'
              ? parseDecimal(String(u))
              : none
        return parsed._tag === 'Some' && fits(parsed.value) ? t.success(parsed.value) : t.failure(u, c)
      },
      t.identity,
    )
    this.precision = precision
    this.scale = scale
  }
}

const digitsFit = (value: Decimal, precision: number, scale: number): boolean => {
  const [whole = '', fraction = ''] = value.replace(/^-/, '').split('.')
  return (whole === '0' ? 0 : whole.length) <= precision - scale && fraction.length <= scale
}

/**
 * Decimals by their number; as for `sort`. O(digits).
 *
 * @category combinators
 */
export const compareDecimals = (a: string, b: string): number => {
  const x = sortableDecimal(a)
  const y = sortableDecimal(b)
  return x < y ? -1 : x > y ? 1 : 0
}

/**
 * Text that sorts by its bytes as the canonical decimals sort by their numbers, and is equal where they are: `02:12.5` has its
 * number of whole digits before it; one below zero, `-97:87.4~` for -12.5, has the complements of all digits.
 *
 * @category combinators
 */
export const sortableDecimal = (canonicalText: string): string => {
  const isNegative = canonicalText.startsWith('-')
  const digits = isNegative ? canonicalText.slice(1) : canonicalText
  const point = digits.indexOf('.')
  const length = point === -1 ? digits.length : point
  return isNegative
    ? `-${String(99 - length).padStart(2, '0')}:${complement(digits)}~`
    : `${String(length).padStart(2, '0')}:${digits}`
}

/** The canonical decimal of a sortable text; null where it is none. */
export const decimalOfSortable = (text: string): string | null => {
  const found = /^(?:\d\d:([\d.]+)|-\d\d:([\d.]+)~)$/.exec(text)
  if (found === null) return null
  const digits = found[1] ?? `-${complement(found[2] ?? '')}`
  return isDecimal(digits) && sortableDecimal(digits) === text ? digits : null
}

const complement = (digits: string): string => digits.replace(/\d/g, (digit) => String(9 - Number(digit)))
