import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as IntMap from '../../../packages/session/src/state/int-map.js'

/** Dense keys, keys around the borders of nodes, and keys far apart. */
const key = fc.oneof(
  fc.nat(40),
  fc.nat(2000),
  fc.constantFrom(31, 32, 1023, 1024, 32_767, 32_768, 2 ** 20 - 1, 2 ** 20, 2 ** 25, 2 ** 30 - 1, 2 ** 30),
)

type Command = { readonly at: number; readonly key: number; readonly value: number | null }

/** A change of one of the versions made so far: so that histories branch. */
const command: fc.Arbitrary<Command> = fc.record({ at: fc.nat(), key, value: fc.option(fc.nat(5)) })

const contents = (map: IntMap.IntMap<number>): ReadonlyArray<readonly [number, number]> => {
  const entries: Array<readonly [number, number]> = []
  IntMap.forEach(map, (value, at) => entries.push([at, value]))
  return entries
}

const sorted = (model: ReadonlyMap<number, number>): ReadonlyArray<readonly [number, number]> =>
  [...model].sort(([a], [b]) => a - b)

const agrees = (map: IntMap.IntMap<number>, model: ReadonlyMap<number, number>, probes: Iterable<number>): void => {
  expect(contents(map)).toEqual(sorted(model))
  expect(map.size).toBe(model.size)
  expect(IntMap.keys(map)).toEqual(sorted(model).map(([at]) => at))
  expect(IntMap.values(map)).toEqual(sorted(model).map(([, value]) => value))
  for (const probe of probes) {
    expect(IntMap.get(map, probe)).toBe(model.get(probe))
    expect(IntMap.has(map, probe)).toBe(model.has(probe))
  }
}

describe('IntMap', () => {
  test('single changes agree with a Map, and no version changes after newer ones were made of it', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const versions: Array<readonly [IntMap.IntMap<number>, ReadonlyMap<number, number>]> = [
          [IntMap.empty, new Map()],
        ]
        for (const { at, key, value } of commands) {
          const [map, model] = versions[at % versions.length] as (typeof versions)[number]
          const next = new Map(model)
          if (value === null) next.delete(key)
          else next.set(key, value)
          versions.push([value === null ? IntMap.remove(map, key) : IntMap.set(map, key, value), next])
        }
        const probes = commands.flatMap(({ key }) => [key, key + 1])
        for (const [map, model] of versions) agrees(map, model, probes)
      }),
      { numRuns: 150 },
    )
  })

  test('an edit reads its own writes, and leaves the map that it started from as it was', () => {
    const commands = fc.array(fc.record({ key, value: fc.option(fc.nat(5)) }), { maxLength: 80 })
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 4 }), (edits) => {
        let map: IntMap.IntMap<number> = IntMap.empty
        let model = new Map<number, number>()
        const older: Array<readonly [IntMap.IntMap<number>, ReadonlyMap<number, number>]> = []
        for (const changes of edits) {
          older.push([map, model])
          model = new Map(model)
          const edit = IntMap.edit(map)
          for (const { key, value } of changes) {
            if (value === null) {
              model.delete(key)
              edit.delete(key)
            } else {
              model.set(key, value)
              edit.set(key, value)
            }
            expect(edit.get(key)).toBe(model.get(key))
            expect(edit.size()).toBe(model.size)
          }
          map = edit.done()
        }
        const probes = edits.flat().map(({ key }) => key)
        for (const [version, expected] of [...older, [map, model] as const]) agrees(version, expected, probes)
      }),
      { numRuns: 150 },
    )
  })

  test('forEach starts at the key that it is given', () => {
    fc.assert(
      fc.property(fc.array(key), key, (keys, from) => {
        const map = keys.reduce<IntMap.IntMap<number>>((all, at) => IntMap.set(all, at, at), IntMap.empty)
        const seen: number[] = []
        IntMap.forEach(map, (_, at) => seen.push(at), from)
        expect(seen).toEqual([...new Set(keys)].filter((at) => at >= from).sort((a, b) => a - b))
      }),
      { numRuns: 100 },
    )
  })

  test('forEachDifference finds the entries that another map does not have, below a key', () => {
    const entries = fc.array(fc.tuple(key, fc.nat(5)), { maxLength: 40 })
    fc.assert(
      fc.property(
        entries,
        entries,
        fc.array(key, { maxLength: 20 }),
        fc.option(key),
        (before, changed, removed, to) => {
          const put = (map: IntMap.IntMap<number>, all: typeof before) =>
            all.reduce((made, [at, value]) => IntMap.set(made, at, value), map)
          const from = put(IntMap.empty, before)
          const map = removed.reduce<IntMap.IntMap<number>>((made, at) => IntMap.remove(made, at), put(from, changed))
          for (const [self, other] of [
            [map, from],
            [from, map],
            [put(IntMap.empty, contents(map) as never), from],
          ] as const) {
            const seen: Array<readonly [number, number]> = []
            IntMap.forEachDifference(self, other, (value, at) => seen.push([at, value]), to ?? undefined)
            expect(seen).toEqual(
              contents(self).filter(
                ([at, value]) => IntMap.get(other, at) !== value && at < (to ?? Number.POSITIVE_INFINITY),
              ),
            )
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('what was removed leaves no leaves behind', () => {
    const keys = fc.uniqueArray(key, { maxLength: 60 })
    const leavesOf = (all: Iterable<number>) => new Set(Array.from(all, (at) => at >>> 5)).size
    fc.assert(
      fc.property(keys, keys, (added, removed) => {
        const edit = IntMap.edit(IntMap.empty as IntMap.IntMap<number>)
        for (const at of added) edit.set(at, at)
        for (const at of removed) edit.delete(at)
        const left = added.filter((at) => !removed.includes(at))
        expect(edit.leaves()).toBe(leavesOf(left))
        for (const at of [...left, ...removed]) edit.set(at, -1)
        expect(edit.done().leaves).toBe(leavesOf([...left, ...removed]))
      }),
      { numRuns: 200 },
    )
  })

  test('gives back the same map where nothing changed', () => {
    const one = {}
    const map = IntMap.set(IntMap.set(IntMap.empty as IntMap.IntMap<object>, 3, one), 70, {})
    expect(IntMap.set(map, 3, one)).toBe(map)
    expect(IntMap.remove(map, 4)).toBe(map)
    expect(IntMap.remove(map, 2 ** 20)).toBe(map)
    expect(IntMap.edit(map).done()).toBe(map)
    const edit = IntMap.edit(map)
    edit.set(3, one)
    edit.delete(9)
    expect(edit.done()).toBe(map)
  })

  test('a map that lost its last entry is the empty map', () => {
    expect(IntMap.remove(IntMap.set(IntMap.empty, 2 ** 20, 1), 2 ** 20)).toBe(IntMap.empty)
  })
})
