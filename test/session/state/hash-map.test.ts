import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as HashMap from '../../../packages/session/src/state/hash-map.js'

const colliding = findCollisions()

const key = fc.oneof(
  { weight: 1, arbitrary: fc.nat(30) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.double({ noNaN: true }).map((n) => n + 0) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
  { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
  { weight: 6, arbitrary: fc.constantFrom(...colliding) },
  // numbers and texts that print alike are different keys
  { weight: 1, arbitrary: fc.nat(30).map(String) },
)

const command = fc.record({ at: fc.nat(2), key, value: fc.option(fc.nat(5), { freq: 2 }) })

const change = <A>(map: HashMap.HashMap<A>, key: number | string, value: A | null): HashMap.HashMap<A> => {
  const edit = HashMap.edit(map)
  if (value === null) edit.delete(key)
  else edit.set(key, value)
  return edit.done()
}

describe('HashMap', () => {
  test('agrees with a Map, and no version changes after newer ones were made of it', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const versions: Array<readonly [HashMap.HashMap<number>, ReadonlyMap<number | string, number>]> = [
          [HashMap.empty, new Map()],
        ]
        for (const { at, key, value } of commands) {
          const [map, model] = versions[Math.max(0, versions.length - 1 - at)] as (typeof versions)[number]
          const next = new Map(model)
          if (value === null) next.delete(key)
          else next.set(key, value)
          versions.push([change(map, key, value), next])
        }
        for (const [map, model] of versions) {
          expect(map.size).toBe(model.size)
          for (const { key } of commands) expect(HashMap.get(map, key)).toBe(model.get(key))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('an edit reads its own writes', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const model = new Map<number | string, number>()
        const edit = HashMap.edit<number>(HashMap.empty)
        for (const { key, value } of commands) {
          if (value === null) {
            model.delete(key)
            edit.delete(key)
          } else {
            model.set(key, value)
            edit.set(key, value)
          }
          expect(edit.get(key)).toBe(model.get(key))
        }
        const map = edit.done()
        expect(map.size).toBe(model.size)
        for (const { key } of commands) expect(HashMap.get(map, key)).toBe(model.get(key))
      }),
      { numRuns: 150 },
    )
  })

  test('keeps keys apart whose hashes are equal', () => {
    const [a, b, c] = colliding as readonly [string, string, string]
    const all = change(change(change(HashMap.empty as HashMap.HashMap<string>, a, 'a'), b, 'b'), c, 'c')
    expect([a, b, c].map((key) => HashMap.get(all, key))).toEqual(['a', 'b', 'c'])
    const replaced = change(all, b, 'B')
    expect([a, b, c].map((key) => HashMap.get(replaced, key))).toEqual(['a', 'B', 'c'])
    expect(replaced.size).toBe(3)
    const fewer = change(change(replaced, a, null), c, null)
    expect([a, b, c].map((key) => HashMap.get(fewer, key))).toEqual([undefined, 'B', undefined])
    expect(fewer.size).toBe(1)
    expect(change(fewer, b, null)).toBe(HashMap.empty)
    expect([a, b, c].map((key) => HashMap.get(all, key))).toEqual(['a', 'b', 'c'])
  })

  test('gives back the same map where nothing changed', () => {
    const map = change(HashMap.empty as HashMap.HashMap<number>, 'a', 1)
    expect(HashMap.edit(map).done()).toBe(map)
    expect(change(map, 'b', null)).toBe(map)
    expect(change(map, 'a', 1)).toBe(map)
  })
})

/** Four texts of one FNV-1a hash, which is what the map hashes texts by. */
function findCollisions(): ReadonlyArray<string> {
  const fnv = (text: string): number => {
    let h = 0x811c9dc5
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    return h | 0
  }
  // FNV-1a is invertible: a last pair of characters can steer any prefix to a wanted hash
  const target = fnv('unitary')
  const inverse = Number(modularInverse(0x01000193n, 2n ** 32n))
  const found = ['unitary']
  for (let n = 0; found.length < 4; n++) {
    const prefix = `key${n}-`
    const before = fnv(prefix)
    // hash = ((before ^ c) * p ^ d) * p, with c and d of 16 bits
    const last = Math.imul(target, inverse)
    for (let c = 0; c < 0x10000; c++) {
      const d = Math.imul(before ^ c, 0x01000193) ^ last
      if (d >>> 16 !== 0) continue
      const text = prefix + String.fromCharCode(c, d)
      if (fnv(text) === target) {
        found.push(text)
        break
      }
    }
  }
  return found
}

function modularInverse(a: bigint, m: bigint): bigint {
  let [r0, r1, s0, s1] = [a, m, 1n, 0n]
  while (r1 !== 0n) {
    const q = r0 / r1
    ;[r0, r1, s0, s1] = [r1, r0 - q * r1, s1, s0 - q * s1]
  }
  return ((s0 % m) + m) % m
}
