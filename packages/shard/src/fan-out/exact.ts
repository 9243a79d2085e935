/**
 * Exact numbers: integers of any size, and decimals as many digits behind the point as they have.
 */
import type { Dialect } from '@unitary/core'

/** `digits / 10 ** scale`. */
export interface Exact {
  readonly digits: bigint
  readonly scale: number
}

/** Exact where it can be; a double else. */
export type Numeric = Exact | number

/** A whole number. */
export const whole = (value: number | bigint): Exact => ({ digits: BigInt(value), scale: 0 })

/**
 * A number as drivers give it: null where it is none. Text keeps its zeros, so that `12.50` has two digits behind the point.
 *
 * @category constructors
 */
export const numericOf = (value: unknown): Numeric | null => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? whole(value) : value
  if (typeof value === 'bigint') return whole(value)
  const found = typeof value === 'string' ? /^([+-]?\d*)(?:\.(\d*))?$/.exec(value) : null
  if (found === null || !/\d/.test(value as string)) {
    // PostgreSQL's numeric knows NaN and infinities, and doubles may come as text
    return typeof value === 'string' && /^[+-]?(\d|\.\d|NaN$|Infinity$)/.test(value) ? Number(value) : null
  }
  const [, before = '', after = ''] = found
  const digits = `${before}${after}`
  return { digits: BigInt(digits.startsWith('+') ? digits.slice(1) : digits), scale: after.length }
}

const isExact = (value: Numeric): value is Exact => typeof value !== 'number'

const atScale = ({ digits, scale }: Exact, to: number): bigint => digits * 10n ** BigInt(to - scale)

/** As plain text, with as many digits behind the point as it has. */
export const textOf = ({ digits, scale }: Exact): string => {
  if (scale === 0) return String(digits)
  const sign = digits < 0n ? '-' : ''
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`
}

/** The nearest double. */
export const numberOf = (value: Numeric): number =>
  isExact(value) ? (value.scale === 0 ? Number(value.digits) : Number(textOf(value))) : value

/** As for `sort`. */
export const compareNumeric = (a: Numeric, b: Numeric): number => {
  if (isExact(a) && isExact(b)) {
    const scale = Math.max(a.scale, b.scale)
    const [x, y] = [atScale(a, scale), atScale(b, scale)]
    return x < y ? -1 : x > y ? 1 : 0
  }
  const [x, y] = [numberOf(a), numberOf(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** The operators that are computed in memory as databases do it. Division is none: they differ in what becomes of the rest. */
export const arithmetic: Readonly<Record<string, (a: Numeric, b: Numeric) => Numeric>> = {
  '+': (a, b) => (isExact(a) && isExact(b) ? added(a, b) : numberOf(a) + numberOf(b)),
  '-': (a, b) => (isExact(a) && isExact(b) ? added(a, negated(b)) : numberOf(a) - numberOf(b)),
  '*': (a, b) =>
    isExact(a) && isExact(b) ? { digits: a.digits * b.digits, scale: a.scale + b.scale } : numberOf(a) * numberOf(b),
}

const added = (a: Exact, b: Exact): Exact => {
  const scale = Math.max(a.scale, b.scale)
  return { digits: atScale(a, scale) + atScale(b, scale), scale }
}

const negated = ({ digits, scale }: Exact): Exact => ({ digits: -digits, scale })

export const negate = (value: Numeric): Numeric => (isExact(value) ? negated(value) : -value)

/**
 * A running sum: of exact numbers exactly, of doubles with what rounding loses kept beside (Neumaier's variant of Kahan's
 * summation).
 *
 * @see https://en.wikipedia.org/wiki/Kahan_summation_algorithm#Further_enhancements
 */
export class Sum {
  #exact: Exact = whole(0)
  #double = 0
  #lost = 0
  #isExact = true

  add(value: Numeric): void {
    if (isExact(value)) {
      this.#exact = added(this.#exact, value)
      return
    }
    this.#isExact = false
    const sum = this.#double + value
    if (Number.isFinite(sum)) {
      this.#lost += Math.abs(this.#double) >= Math.abs(value) ? this.#double - sum + value : value - sum + this.#double
    }
    this.#double = sum
  }

  get value(): Numeric {
    return this.#isExact ? this.#exact : this.#double + (this.#lost + numberOf(this.#exact))
  }
}

/**
 * A mean, with the digits that the database gives one of exact numbers: PostgreSQL sixteen that count or more (its
 * `select_div_scale`), MySQL four more than the numbers have (its default of `div_precision_increment`), and SQLite a double.
 *
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c
 * @see https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_div_precision_increment
 */
export const mean = (sum: Numeric, count: Exact, dialect: Dialect['name']): Numeric => {
  if (!isExact(sum) || dialect === 'sqlite') return numberOf(sum) / numberOf(count)
  const scale = dialect === 'mysql' ? Math.min(sum.scale + 4, 30) : postgresScale(sum, count)
  const divisor = count.digits
  const dividend = sum.digits * 10n ** BigInt(Math.max(scale - sum.scale, 0))
  const shift = 10n ** BigInt(Math.max(sum.scale - scale, 0))
  return { digits: dividedHalfUp(dividend, divisor * shift), scale }
}

const dividedHalfUp = (a: bigint, b: bigint): bigint => {
  const [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  const quotient = (2n * x + y) / (2n * y)
  return a < 0n === b < 0n ? quotient : -quotient
}

/** PostgreSQL keeps numbers in digits of base 10,000. */
const postgresScale = (a: Exact, b: Exact): number => {
  const [x, y] = [leading(a), leading(b)]
  const weight = x.weight - y.weight - (x.digit <= y.digit ? 1 : 0)
  return Math.min(Math.max(16 - 4 * weight, a.scale, b.scale, 0), 1000)
}

/** The first digit of base 10,000 that is not zero, and its power. */
const leading = (value: Exact): { readonly weight: number; readonly digit: number } => {
  if (value.digits === 0n) return { weight: 0, digit: 0 }
  const [before = '', after = ''] = textOf(value).replace('-', '').split('.')
  const padded =
    before.padStart(Math.ceil(before.length / 4) * 4, '0') + after.padEnd(Math.ceil(after.length / 4) * 4, '0')
  const highest = Math.ceil(before.length / 4) - 1
  for (let at = 0; at < padded.length; at += 4) {
    const digit = Number(padded.slice(at, at + 4))
    if (digit !== 0) return { weight: highest - at / 4, digit }
  }
  return { weight: 0, digit: 0 }
}
