import { fc, test } from '@fast-check/vitest'
import { ValueSet as Values } from '@unitary/core'
import { none, some } from 'fp-ts/lib/Option.js'
import { describe, expect } from 'vitest'

const value = fc.oneof(
  fc.constantFrom<unknown>(null, 'a', 'b', '1', 1, 1n, 2, 0, -0, true, new Date(1), new Date(1), new Uint8Array([1])),
  fc.integer({ min: 0, max: 3 }),
)
const set = fc
  .tuple(fc.boolean(), fc.array(value, { maxLength: 5 }))
  .map(([isListed, values]) => (isListed ? Values.oneOf(values) : Values.noneOf(values)))

const same = (a: Values.ValueSet, b: Values.ValueSet): void => expect(Values.equals(a, b)).toBe(true)

describe('sets of values', () => {
  test.prop([set, set, set])('are a lattice', (a, b, c) => {
    same(Values.intersection(a, b), Values.intersection(b, a))
    same(Values.union(a, b), Values.union(b, a))
    same(Values.intersection(a, Values.intersection(b, c)), Values.intersection(Values.intersection(a, b), c))
    same(Values.union(a, Values.union(b, c)), Values.union(Values.union(a, b), c))
    same(Values.intersection(a, Values.union(a, b)), a)
    same(Values.union(a, Values.intersection(a, b)), a)
    same(Values.intersection(a, Values.any), a)
    same(Values.union(a, Values.none), a)
  })

  test.prop([set, set, set])('distribute, and have complements', (a, b, c) => {
    same(Values.intersection(a, Values.union(b, c)), Values.union(Values.intersection(a, b), Values.intersection(a, c)))
    same(Values.union(a, Values.complement(a)), Values.any)
    same(Values.intersection(a, Values.complement(a)), Values.none)
    same(Values.complement(Values.complement(a)), a)
  })

  test.prop([set, set])("keep De Morgan's laws", (a, b) => {
    same(Values.complement(Values.union(a, b)), Values.intersection(Values.complement(a), Values.complement(b)))
    same(Values.complement(Values.intersection(a, b)), Values.union(Values.complement(a), Values.complement(b)))
  })

  test.prop([set, set, value])('hold a value as logic says', (a, b, x) => {
    const [inA, inB] = [Values.has(x)(a), Values.has(x)(b)]
    expect(Values.has(x)(Values.intersection(a, b))).toBe(inA && inB)
    expect(Values.has(x)(Values.union(a, b))).toBe(inA || inB)
    expect(Values.has(x)(Values.complement(a))).toBe(!inA)
    expect(Values.isSubset(Values.intersection(a, b), a)).toBe(true)
  })

  test('take values for the same that a database does', () => {
    const listed = Values.oneOf([1, new Date(5), new Uint8Array([1, 2])])
    expect([1n, 1.0, new Date(5), new Uint8Array([1, 2])].every((x) => Values.has(x)(listed))).toBe(true)
    expect(['1', true, 5, null].some((x) => Values.has(x)(listed))).toBe(false)
  })

  test('list their values where they can', () => {
    expect(Values.values(Values.oneOf(['b', 'a', 'b']))).toEqual(some(['b', 'a']))
    expect(Values.values(Values.noneOf(['a']))).toEqual(none)
  })
})
