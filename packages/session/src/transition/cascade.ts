/**
 * The save-update cascade: what joins the unit of work along with an instance.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { isExpired, type SessionState, type StateEdit } from '../state/session-state.js'

/**
 * Makes an instance pending where it is transient, and with it all that its save-update relationships reach: depth
 * first, the instance before what it refers to, in the order of its relationships. What is in the unit of work already is
 * passed through, what is deleted or detached is left alone. O(instances and links reached).
 *
 * The cascade follows the relationships as they were set from this side, never along an inverse.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/cascades.html#save-update
 * @category combinators
 */
export const cascadeAdd = (state: SessionState, edit: StateEdit, root: InstanceId): void => {
  const visited = new Set<InstanceId>()
  const stack: InstanceId[] = [root]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (visited.has(id)) continue
    visited.add(id)
    const instance = edit.instances.get(id)
    if (instance === undefined) continue
    if (instance.status === 'transient') {
      edit.instances.set(id, { ...instance, status: 'pending', order: edit.nextOrder++ })
      edit.added.set(id, true)
    } else if (!Instance.isInUnitOfWork(instance)) {
      continue
    }
    const reached = reachedBy(state, instance, (relationship) => relationship.cascade.has('save-update'))
    for (let i = reached.length - 1; i >= 0; i--) stack.push(reached[i] as InstanceId)
  }
}

/**
 * The instances that an instance refers to over the relationships that `follows` lets through, as far as they are
 * loaded, in order.
 *
 * @category combinators
 */
export const reachedBy = (
  state: SessionState,
  instance: Instance.Instance,
  follows: (relationship: RelationshipMapping) => boolean,
): ReadonlyArray<InstanceId> => {
  const reached: InstanceId[] = []
  if (isExpired(state, instance)) return reached
  for (const relationship of instance.mapping.relationships) {
    if (!follows(relationship)) continue
    const related = Instance.relatedOf(instance, relationship)
    if (related === undefined) continue
    if (related._tag === 'One') {
      if (related.target !== null) reached.push(related.target)
    } else {
      for (const member of Collection.toArray(related.members ?? related.added)) reached.push(member)
    }
  }
  return reached
}
