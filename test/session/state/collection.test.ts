import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Collection from '../../../packages/session/src/state/collection.js'

// around 64 members a collection changes its form
const size = fc.constantFrom(0, 1, 2, 62, 63, 64, 65, 200)

const without = (model: ReadonlyArray<number>, id: number): ReadonlyArray<number> => {
  const at = model.indexOf(id)
  return at < 0 ? model : [...model.slice(0, at), ...model.slice(at + 1)]
}

describe('Collection', () => {
  test('agrees with a plain array, and older versions stay as they are', () => {
    fc.assert(
      fc.property(
        size,
        fc.array(fc.record({ at: fc.nat(), id: fc.nat(220), appends: fc.boolean() }), { maxLength: 40 }),
        (initial, commands) => {
          const ids = Array.from({ length: initial }, (_, i) => i * 3)
          const versions: Array<readonly [Collection.Collection, ReadonlyArray<number>]> = [[Collection.from(ids), ids]]
          for (const { at, id, appends } of commands) {
            const [collection, model] = versions[at % versions.length] as (typeof versions)[number]
            versions.push(
              appends
                ? [Collection.append(collection, id), [...model, id]]
                : [Collection.remove(collection, id), without(model, id)],
            )
          }
          for (const [collection, model] of versions) {
            expect(Collection.toArray(collection)).toEqual(model)
            expect(Collection.size(collection)).toBe(model.length)
            for (const { id } of commands) expect(Collection.has(collection, id)).toBe(model.includes(id))
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('grows past its change of form one by one, in order', () => {
    let collection: Collection.Collection = Collection.empty
    const ids = Array.from({ length: 150 }, (_, i) => 1000 - i)
    for (const id of ids) collection = Collection.append(collection, id)
    expect(Collection.toArray(collection)).toEqual(ids)
  })

  test.each([3, 100])('gives back the same collection of %i where nothing changed', (length) => {
    const collection = Collection.from(Array.from({ length }, (_, i) => i))
    expect(Collection.remove(collection, 999)).toBe(collection)
  })

  test('a member that is taken out and put back stands at the end', () => {
    const ids = Array.from({ length: 70 }, (_, i) => i)
    const moved = Collection.append(Collection.remove(Collection.from(ids), 5), 5)
    expect(Collection.toArray(moved)).toEqual([...ids.filter((id) => id !== 5), 5])
  })

  test('agrees with a map where it is kept by key, members by key and keys by member', () => {
    const keyOf = (id: number): string => `${id % 90}`
    fc.assert(
      fc.property(
        size,
        fc.array(fc.record({ at: fc.nat(), id: fc.nat(400), appends: fc.boolean() }), { maxLength: 40 }),
        (initial, commands) => {
          const ids = Array.from({ length: Math.min(initial, 90) }, (_, i) => i)
          type Version = readonly [Collection.Collection, ReadonlyMap<string, number>]
          const versions: Version[] = [[Collection.keyed(ids, keyOf), new Map(ids.map((id) => [keyOf(id), id]))]]
          for (const { at, id, appends } of commands) {
            const [collection, model] = versions[at % versions.length] as Version
            const other = model.get(keyOf(id))
            if (!appends) {
              const left = new Map([...model].filter(([, one]) => one !== id))
              versions.push([Collection.remove(collection, id), left])
            } else if (other !== id) {
              const next =
                other === undefined
                  ? Collection.append(collection, id, keyOf(id))
                  : Collection.remove(Collection.displace(collection, other, id), other)
              versions.push([next, new Map(model).set(keyOf(id), id)])
            }
          }
          for (const [collection, model] of versions) {
            expect(Collection.toArray(collection)).toEqual([...model.values()])
            expect(Collection.size(collection)).toBe(model.size)
            for (const { id } of commands) {
              const isThere = model.get(keyOf(id)) === id
              expect(Collection.at(collection, keyOf(id))).toBe(model.get(keyOf(id)))
              expect(Collection.has(collection, id)).toBe(isThere)
              expect(Collection.keyOf(collection, id)).toBe(isThere ? keyOf(id) : undefined)
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
