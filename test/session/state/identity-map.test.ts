import type { Mapping } from '@unitary/core'
import type { ShardToken } from '@unitary/session'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as IdentityMap from '../../../packages/session/src/state/identity-map.js'

// all that an identity map reads of a mapping is the place of its root
const mappings = [0, 1, 2].map((index) => ({ root: { index } }) as Mapping)

const identity = fc.record({
  mapping: fc.nat(2),
  token: fc.constantFrom<ShardToken | null>(null, 'asia', 'europe'),
  // small keys go to a trie, others to a hash map; 4096 is where a key counts as far from an empty trie
  key: fc.oneof(
    fc.nat(20),
    fc.integer({ min: 4090, max: 4100 }),
    fc.constantFrom(2 ** 30 - 1, 2 ** 30, 2 ** 40, -1, 1.5),
    fc.string({ maxLength: 2 }),
    fc.nat(20).map(String),
  ),
})

const command = fc.record({ at: fc.nat(), identity, id: fc.option(fc.nat(1000)) })

type Identity = typeof identity extends fc.Arbitrary<infer A> ? A : never

const textOf = ({ mapping, token, key }: Identity): string => JSON.stringify([mapping, token, typeof key, key])

const lookUp = (map: IdentityMap.IdentityMap, { mapping, token, key }: Identity): number | undefined =>
  IdentityMap.get(map, mappings[mapping] as Mapping, token, key)

describe('IdentityMap', () => {
  test('agrees with a Map by entity, shard and key, and no version changes after newer ones', () => {
    fc.assert(
      fc.property(fc.array(fc.array(command, { maxLength: 12 }), { maxLength: 8 }), (edits) => {
        const versions: Array<readonly [IdentityMap.IdentityMap, ReadonlyMap<string, number>]> = [
          [IdentityMap.empty, new Map()],
        ]
        for (const commands of edits) {
          const [map, model] = versions[(commands[0]?.at ?? 0) % versions.length] as (typeof versions)[number]
          const next = new Map(model)
          const edit = IdentityMap.edit(map)
          for (const { identity, id } of commands) {
            const mapping = mappings[identity.mapping] as Mapping
            if (id === null) {
              next.delete(textOf(identity))
              edit.delete(mapping, identity.token, identity.key)
            } else {
              next.set(textOf(identity), id)
              edit.set(mapping, identity.token, identity.key, id)
            }
            expect(edit.get(mapping, identity.token, identity.key)).toBe(next.get(textOf(identity)))
          }
          versions.push([edit.done(), next])
        }
        const probes = edits.flat().map(({ identity }) => identity)
        for (const [map, model] of versions) {
          for (const probe of probes) {
            expect(lookUp(map, probe)).toBe(model.get(textOf(probe)))
            for (const other of ['asia', 'europe', null]) {
              expect(lookUp(map, { ...probe, token: other })).toBe(model.get(textOf({ ...probe, token: other })))
            }
            const everywhere = IdentityMap.anywhere(map, mappings[probe.mapping] as Mapping, probe.key)
            expect(new Map(everywhere)).toEqual(
              new Map(
                ['asia', 'europe', null].flatMap((token) => {
                  const id = model.get(textOf({ ...probe, token }))
                  return id === undefined ? [] : [[token, id] as const]
                }),
              ),
            )
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  test('keeps a key that came while it was far from the others, when the others reach it', () => {
    const mapping = mappings[0] as Mapping
    const far = IdentityMap.edit(IdentityMap.empty)
    far.set(mapping, null, 5000, 1)
    const near = IdentityMap.edit(far.done())
    for (let key = 0; key < 5000; key++) near.set(mapping, null, key, key + 10)
    near.set(mapping, null, 5000, 2)
    const map = near.done()
    expect(IdentityMap.get(map, mapping, null, 5000)).toBe(2)
    const without = IdentityMap.edit(map)
    without.delete(mapping, null, 5000)
    expect(IdentityMap.get(without.done(), mapping, null, 5000)).toBeUndefined()
  })

  test('keeps one instance of a key that came while it was near the others, when they are gone', () => {
    const mapping = mappings[0] as Mapping
    const full = IdentityMap.edit(IdentityMap.empty)
    for (let key = 0; key < 5000; key++) full.set(mapping, null, key, key)
    full.set(mapping, null, 20_000, 1)
    for (let key = 0; key < 5000; key++) full.delete(mapping, null, key)
    const again = IdentityMap.edit(full.done())
    again.set(mapping, null, 20_000, 2)
    expect(again.get(mapping, null, 20_000)).toBe(2)
    expect(IdentityMap.get(again.done(), mapping, null, 20_000)).toBe(2)
  })

  test('gives back the same map where nothing changed', () => {
    const mapping = mappings[0] as Mapping
    const first = IdentityMap.edit(IdentityMap.empty)
    first.set(mapping, 'asia', 7, 1)
    first.set(mapping, 'asia', 'x', 2)
    const map = first.done()
    const edit = IdentityMap.edit(map)
    edit.get(mapping, 'europe', 7)
    edit.delete(mapping, 'asia', 8)
    edit.delete(mapping, 'europe', 7)
    edit.set(mapping, 'asia', 7, 1)
    edit.set(mapping, 'asia', 'x', 2)
    expect(edit.done()).toBe(map)
    expect(IdentityMap.edit(IdentityMap.empty).done()).toBe(IdentityMap.empty)
  })
})
