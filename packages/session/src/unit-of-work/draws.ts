/**
 * What a flush draws from generators before it can be planned: the values that the rows to be inserted lack. Pure.
 */
import { type Attribute, type Generator, type InstanceId, rowClassOf } from '@unitary/core'
import * as Instance from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, instanceAt, type SessionState } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'

/** Values of one generator, and where they go. */
interface Want {
  readonly generator: Generator
  readonly cells: Array<readonly [id: InstanceId, attribute: Attribute]>
}

/**
 * The values that are wanted, by generator, in the order of their names: two that draw from the same ones do not wait for each
 * other crosswise. O(pending instances), and nothing where no entity has a generator.
 *
 * @category combinators
 */
export const wantsOf = (state: SessionState): ReadonlyArray<Want> => {
  if (state.added.size === 0 || !state.model.mappings.some(({ drawn }) => drawn.length > 0)) return []
  const pending: Instance.Instance[] = []
  IntSet.forEach(state.added, (id) => {
    const instance = instanceAt(state, id)
    if (instance.mapping.drawn.length > 0) pending.push(instance)
  })
  const wants = new Map<string, Want>()
  for (const instance of pending.sort((a, b) => a.order - b.order)) {
    for (const attribute of instance.mapping.drawn) {
      const value = Instance.valueAt(instance, attribute)
      const { generator } = attribute.column
      if ((value !== undefined && value !== null) || generator === null) continue
      const name = JSON.stringify(generator)
      const want = wants.get(name) ?? { generator, cells: [] }
      wants.set(name, want)
      want.cells.push([instance.id, attribute])
    }
  }
  return [...wants].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, want]) => want)
}

/**
 * The state with the values that were drawn: what a plan is made of. The session goes on from the one before, as it does with
 * all else that a flush gives.
 *
 * @category transitions
 */
export const withDrawn = (
  state: SessionState,
  wants: ReadonlyArray<Want>,
  drawn: ReadonlyArray<ReadonlyArray<bigint>>,
): SessionState => {
  const changes = edit(state)
  wants.forEach(({ cells }, i) => {
    cells.forEach(([id, { column, name }], j) => {
      const instance = standingAt(changes, id)
      const value = drawn[i]?.[j] as bigint
      const patch = { [name]: column.kind === 'bigint' ? value : Number(value) }
      const snapshot = rowClassOf(instance.mapping).patch(instance.snapshot, id, patch)
      changes.instances.set(id, { ...instance, snapshot })
    })
  })
  return done(state, changes)
}
