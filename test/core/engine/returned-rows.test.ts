import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inOrder, matchingOf, selectedBy } from '../../../packages/core/src/engine/returned-rows.js'
import { insert } from './engine-conformance.js'

interface Row {
  readonly id: unknown
  readonly other: unknown
}
const idOf = [(row: Row): unknown => row.id]

/** Rows in any order, with what each is by its place. */
const shuffled = (ids: fc.Arbitrary<ReadonlyArray<unknown>>) =>
  ids.chain((given) => {
    const rows = given.map((id, i) => ({ id, other: i }))
    return fc.record({
      given: fc.constant(given),
      rows: fc.constant(rows),
      returned: fc.shuffledSubarray(rows, { minLength: rows.length }),
    })
  })

describe('returned rows', () => {
  test('are put in the order of the keys that were given', () => {
    const keys = fc.uniqueArray(fc.oneof(fc.integer(), fc.string(), fc.uint8Array()), {
      selector: String,
      minLength: 1,
    })
    fc.assert(
      fc.property(shuffled(keys), ({ given, rows, returned }) => {
        const call = insert(
          't',
          ['id'],
          given.map((id) => [id]),
          ['other'],
          ['id'],
        )
        const matching = matchingOf(call) ?? expect.fail('the rows bring their keys')
        expect(inOrder(matching, returned, idOf, call.rows, 0, given.length)).toEqual(rows)
      }),
    )
  })

  test('are put in the order of the keys that were counted up', () => {
    const counted = fc
      .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 50 }))
      .map(([first, count]) => Array.from({ length: count }, (_, i) => first + i))
    fc.assert(
      fc.property(shuffled(counted), ({ rows, returned }) => {
        const call = insert(
          't',
          [],
          rows.map(() => []),
          ['id', 'other'],
          ['id'],
        )
        const matching = matchingOf(call) ?? expect.fail('the database gives the key')
        expect(inOrder(matching, returned, idOf, call.rows, 0, rows.length)).toEqual(rows)
      }),
    )
  })

  test('cannot be told apart where counted keys leave gaps, or nothing is a key', () => {
    const call = insert('t', ['a'], [[1], [2]], ['id'], ['id'])
    const rows = [
      { id: 1, other: 0 },
      { id: 3, other: 1 },
    ]
    expect(inOrder({ _tag: 'Counted', key: ['id'] }, rows, idOf, call.rows, 0, 2)).toBeNull()
    expect(matchingOf(insert('t', ['a'], [], ['b'], []))).toBeNull()
    expect(matchingOf(insert('t', ['a'], [], ['b'], ['id']))).toBeNull()
  })

  test('are undefined where their key is another than the one given', () => {
    const call = insert('t', ['id'], [['a'], ['b']], ['other'], ['id'])
    const matching = matchingOf(call) ?? expect.fail('the rows bring their keys')
    const rows = [
      { id: 'A', other: 0 },
      { id: 'b', other: 1 },
    ]
    expect(inOrder(matching, rows, idOf, call.rows, 0, 2)).toEqual([undefined, rows[1]])
  })

  test('of keys of several columns, booleans and instants among them, are told apart as drivers give those', () => {
    const at = '2026-01-31T12:34:56.789Z'
    const call = insert(
      't',
      ['x', 'at', 'is', 'n'],
      [
        ['a', at, true, 10n],
        ['a', at, false, 10n],
      ],
      ['v'],
      ['at', 'is', 'n'],
    )
    const matching = matchingOf(call) ?? expect.fail('the rows bring their keys')
    expect(selectedBy(call, matching)).toEqual(['v', 'at', 'is', 'n'])
    const returned = [
      [1, new Date(at), 0, '10'],
      [2, new Date(at), 1, '10'],
    ]
    const keyOf = [1, 2, 3].map((place) => (row: ReadonlyArray<unknown>) => row[place])
    expect(inOrder(matching, returned, keyOf, call.rows, 0, 2)?.map((row) => row?.[0])).toEqual([2, 1])
  })
})
