import { compareDecimals, isDecimal, parseDecimal, sortableDecimal } from '@unitary/core'
import fc from 'fast-check'
import { none, some } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { decimalOfSortable } from '../../../packages/core/src/codec/decimal.js'

/** So many units of 10^-20. */
const units = fc.oneof(
  fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.tuple(fc.bigInt({ min: -1000n, max: 1000n }), fc.nat(38)).map(([n, power]) => n * 10n ** BigInt(power)),
)

const textOf = (n: bigint): string => {
  const digits = String(n < 0n ? -n : n).padStart(21, '0')
  return `${n < 0n ? '-' : ''}${digits.slice(0, -20)}.${digits.slice(-20)}`
}
const canonical = (n: bigint): string => {
  const parsed = parseDecimal(textOf(n))
  return parsed._tag === 'Some' ? parsed.value : expect.fail(textOf(n))
}

describe('decimals', () => {
  test.each([
    ['12.50', '12.5'],
    ['+12', '12'],
    ['-0.00', '0'],
    ['000', '0'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['-007.10', '-7.1'],
  ])('%s is %s', (text, expected) => {
    expect(parseDecimal(text)).toEqual(some(expected))
    expect(isDecimal(text)).toBe(false)
    expect(isDecimal(expected)).toBe(true)
  })

  test.each(['', '.', '-', '1e3', '1,5', ' 1', '1 ', '0x1', 'NaN', 'Infinity', '--1', '1.2.3', '١'])(
    '%o is none',
    (text) => {
      expect(parseDecimal(text)).toEqual(none)
      expect(isDecimal(text)).toBe(false)
    },
  )

  test('have one canonical form each', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        expect(isDecimal(canonical(a))).toBe(true)
        expect(canonical(a) === canonical(b)).toBe(a === b)
      }),
    )
  })

  test('sort as text as they do as numbers', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        const x = sortableDecimal(canonical(a))
        const y = sortableDecimal(canonical(b))
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(a < b ? -1 : a > b ? 1 : 0)
        expect(compareDecimals(canonical(a), canonical(b))).toBe(a < b ? -1 : a > b ? 1 : 0)
        expect(decimalOfSortable(x)).toBe(canonical(a))
      }),
    )
  })

  test.each(['12.5', '', '2:12.5', '03:12.5', '02:12.50', '-97:87.4', 'x'])('%o is not sortable text', (text) => {
    expect(decimalOfSortable(text)).toBeNull()
  })
})
