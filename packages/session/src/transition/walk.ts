/**
 * Everything that can be reached from an instance.
 */
import type { InstanceId, Snapshot } from '@unitary/core'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { reachedBy } from './reach.js'
import { instanceOf } from './transition.js'

/**
 * The instance and all that its relationships reach, as far as they are loaded: each once, depth first, in the order of
 * the relationships; cycles are followed once. O(instances and links reached).
 *
 * @example
 * const graph = walk(store.getState(), ed)
 *
 * @category interpreters
 */
export const walk = (state: SessionState, from: Snapshot): ReadonlyArray<Snapshot> => {
  const root = instanceOf(state, from)
  if (root === undefined) return []
  const visited = new Set<InstanceId>()
  const reached: Snapshot[] = []
  const stack: InstanceId[] = [root.id]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (visited.has(id)) continue
    visited.add(id)
    const instance = instanceAt(state, id)
    reached.push(instance.snapshot)
    const next = reachedBy(state, instance, () => true)
    for (let i = next.length - 1; i >= 0; i--) stack.push(next[i] as InstanceId)
  }
  return reached
}
