import { fc, test as property } from '@fast-check/vitest'
import {
  analyse,
  bigint,
  defineModel,
  entity,
  instant,
  integer,
  primaryKey,
  Ranges,
  real,
  select,
  text,
  where,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'

const { above, all, below, complement, has, integers, intersection, isAll, isEmpty, none, points, union } = Ranges

const Thing = entity('Thing', 'things', {
  id: pipe(integer, primaryKey),
  size: real,
  serial: bigint,
  made: instant,
  name: text,
})
const model = defineModel({ Thing })(() => ({}))

/** Some of the values around which the sets are cut. */
const samples: ReadonlyArray<number> = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3]

const value = fc.integer({ min: -2, max: 3 })
const { set } = fc.letrec<{ set: Ranges.Ranges }>((tie) => ({
  set: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(all, none),
    fc.array(value, { maxLength: 3 }).map(points),
    fc.tuple(value, fc.boolean()).map(([at, isClosed]) => below(at, isClosed)),
    fc.tuple(value, fc.boolean()).map(([at, isClosed]) => above(BigInt(at), isClosed)),
    fc.tuple(tie('set'), tie('set')).map(([a, b]) => union(a, b)),
    fc.tuple(tie('set'), tie('set')).map(([a, b]) => intersection(a, b)),
    tie('set').map(complement),
  ),
}))

describe('sets of ranges', () => {
  property.prop([set, set])('are a Boolean algebra', (a, b) => {
    for (const sample of samples) {
      const [inA, inB] = [has(sample)(a), has(sample)(b)]
      expect(has(sample)(union(a, b))).toBe(inA || inB)
      expect(has(sample)(intersection(a, b))).toBe(inA && inB)
      expect(has(sample)(complement(a))).toBe(!inA)
    }
    expect(isEmpty(intersection(a, complement(a)))).toBe(true)
    expect(isAll(union(a, complement(a)))).toBe(true)
    expect(complement(complement(a))).toEqual(a)
  })

  property.prop([set])('keep their integers, and are empty where they have none', (a) => {
    for (let sample = -3; sample <= 4; sample++) expect(has(sample)(integers(a))).toBe(has(sample)(a))
    expect(isEmpty(integers(intersection(above(0, false), below(1, false))))).toBe(true)
  })

  test('hold no NULL, and nothing that has no order', () => {
    expect(has(null)(all)).toBe(false)
    expect(has('a')(all)).toBe(false)
  })
})

describe('the ranges of a statement', () => {
  test('come from comparisons, lists and BETWEEN', () => {
    const analysis = analyse(
      pipe(
        select(model.Thing),
        where((eb) =>
          eb.and([
            eb.between('id', 10, 20),
            eb.or([eb('size', '<', 1.5), eb('size', '>=', 4)]),
            eb('serial', 'in', [1n, 7n]),
            eb('made', '>', new Date('2026-01-01T00:00:00.000Z')),
          ]),
        ),
      ),
    )
    expect(analysis.rangesOf(model.Thing, 'id')).toEqual(integers(intersection(above(10, true), below(20, true))))
    expect(analysis.rangesOf(model.Thing, 'size')).toEqual(union(below(1.5, false), above(4, true)))
    expect(analysis.rangesOf(model.Thing, 'serial')).toEqual(integers(points([1n, 7n])))
    // a database may keep it more exactly than it is read
    expect(analysis.rangesOf(model.Thing, 'made')).toEqual(integers(above(new Date('2026-01-01T00:00:00.000Z'), true)))
  })

  test('narrow the single values', () => {
    const { valuesOf } = analyse(
      pipe(
        select(model.Thing),
        where((eb) => eb.and([eb('id', 'in', [1, 5, 9]), eb.not(eb('id', '<=', 1)), eb('id', '<', 9)])),
      ),
    )
    expect([...valuesOf(model.Thing, 'id').members.values()]).toEqual([5])
  })

  test('contradict each other', () => {
    expect(analyse(pipe(select(model.Thing), where('id', '>', 4), where('id', '<', 5))).isEmpty).toBe(true)
    expect(analyse(pipe(select(model.Thing), where('size', '>', 4), where('size', '<', 5))).isEmpty).toBe(false)
  })

  test("of texts are not known: their order is the database's", () => {
    const { rangesOf } = analyse(pipe(select(model.Thing), where('name', '<', 'm')))
    expect(rangesOf(model.Thing, 'name')).toEqual(all)
  })
})
