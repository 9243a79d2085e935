import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Spool } from '../../../packages/core/src/engine/spool.js'

const value = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'grapheme' }),
  fc.double(),
  fc.boolean(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.date(),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.jsonValue(),
)

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })

/** Rows with the same columns, as a statement has them. */
const rows = names.chain((columns) =>
  fc.array(fc.record(Object.fromEntries(columns.map((name) => [name, value])), { noNullPrototype: true }), {
    maxLength: 30,
  }),
)

describe('a spool', () => {
  test('gives the rows that it was given, in their order, whatever sizes they come and go in', () => {
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (given, block, sizes) => {
          const spool = new Spool(block)
          for (const row of given) spool.append(row)
          const taken: unknown[] = []
          for (const size of sizes) {
            const expected = given.slice(taken.length, taken.length + size)
            const portion = spool.take(size)
            expect(portion).toEqual(expected)
            taken.push(...portion)
          }
          expect(spool.take(1000)).toEqual(given.slice(taken.length))
          expect(spool.take(1)).toEqual([])
          spool.close()
        },
      ),
      { numRuns: 200 },
    )
  })

  test('leaves no file behind, and shows none while it is open', () => {
    const files = () => readdirSync(tmpdir()).filter((name) => name.startsWith('unitary-')).length
    const before = files()
    const spool = new Spool(2)
    for (let i = 0; i < 100; i++) spool.append({ i })
    expect(files()).toBe(before)
    expect(spool.take(50)).toHaveLength(50)
    spool.close()
    spool.close()
    expect(files()).toBe(before)
  })

  test('can be closed before anything was read, and when it is empty', () => {
    new Spool(1).close()
    const spool = new Spool(1)
    spool.append({ i: 1 })
    spool.append({ i: 2 })
    spool.close()
    expect(spool.take(1)).toEqual([])
  })
})
