import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as IntSet from '../../../packages/session/src/state/int-set.js'

/** Neighbours, members around the borders of words and nodes, and members far apart. */
const member = fc.oneof(
  fc.nat(70),
  fc.nat(4000),
  fc.constantFrom(31, 32, 1023, 1024, 32_767, 32_768, 2 ** 20 - 1, 2 ** 20, 2 ** 25, 2 ** 30 - 1, 2 ** 30),
)

type Command = { readonly at: number; readonly member: number; readonly isAdded: boolean }

/** A change of one of the versions made so far: so that histories branch. */
const command: fc.Arbitrary<Command> = fc.record({ at: fc.nat(), member, isAdded: fc.boolean() })

const agrees = (set: IntSet.IntSet, model: ReadonlySet<number>, probes: Iterable<number>): void => {
  expect(IntSet.members(set)).toEqual([...model].sort((a, b) => a - b))
  expect(set.size).toBe(model.size)
  for (const probe of probes) expect(IntSet.has(set, probe)).toBe(model.has(probe))
}

describe('IntSet', () => {
  test('single changes agree with a Set, and no version changes after newer ones were made of it', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const versions: Array<readonly [IntSet.IntSet, ReadonlySet<number>]> = [[IntSet.empty, new Set()]]
        for (const { at, member, isAdded } of commands) {
          const [set, model] = versions[at % versions.length] as (typeof versions)[number]
          const next = new Set(model)
          if (isAdded) next.add(member)
          else next.delete(member)
          versions.push([isAdded ? IntSet.add(set, member) : IntSet.remove(set, member), next])
        }
        const probes = commands.flatMap(({ member }) => [member, member + 1])
        for (const [set, model] of versions) agrees(set, model, probes)
      }),
      { numRuns: 200 },
    )
  })

  test('an edit reads its own writes, and leaves the set that it started from as it was', () => {
    const commands = fc.array(fc.record({ member, isAdded: fc.boolean() }), { maxLength: 80 })
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 4 }), (edits) => {
        let set = IntSet.empty
        let model = new Set<number>()
        const older: Array<readonly [IntSet.IntSet, ReadonlySet<number>]> = []
        for (const changes of edits) {
          older.push([set, model])
          model = new Set(model)
          const edit = IntSet.edit(set)
          for (const { member, isAdded } of changes) {
            if (isAdded) {
              model.add(member)
              edit.add(member)
            } else {
              model.delete(member)
              edit.delete(member)
            }
            expect(edit.has(member)).toBe(isAdded)
          }
          set = edit.done()
        }
        const probes = edits.flat().map(({ member }) => member)
        for (const [version, expected] of [...older, [set, model] as const]) agrees(version, expected, probes)
      }),
      { numRuns: 200 },
    )
  })

  test('gives back the same set where nothing changed', () => {
    const set = IntSet.add(IntSet.add(IntSet.empty, 3), 70)
    expect(IntSet.add(set, 3)).toBe(set)
    expect(IntSet.remove(set, 4)).toBe(set)
    expect(IntSet.remove(set, 2 ** 20)).toBe(set)
    const edit = IntSet.edit(set)
    edit.add(3)
    edit.delete(9)
    expect(edit.done()).toBe(set)
  })

  test('a set that lost its last member is the empty set', () => {
    expect(IntSet.remove(IntSet.add(IntSet.empty, 2 ** 20), 2 ** 20)).toBe(IntSet.empty)
  })
})
