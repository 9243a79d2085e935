/**
 * The save-update cascade: what joins the unit of work along with an instance.
 */
import type { InstanceId, RawKey, RelationshipMapping } from '@unitary/core'
import type { InvalidState } from '../error.js'
import * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { givenUpBy, reachedBy } from './reach.js'
import { keepReferred } from './relate.js'
import { standingAt } from './standing.js'

/**
 * Makes an instance pending where it is transient, persistent again where it is detached, and with it all that its
 * save-update relationships reach: depth first, the instance before what it refers to, in the order of its
 * relationships. It stops at what is in the unit of work already. O(instances and links reached).
 *
 * The cascade follows the relationships as they were set from this side, never along an inverse. An instance whose row
 * is gone, or whose identity another instance has, is refused.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/cascades.html#save-update
 * @category combinators
 */
export const cascadeAdd = (state: SessionState, edit: StateEdit, root: InstanceId): InvalidState | null => {
  const visited = new Set<InstanceId>()
  const stack: InstanceId[] = [root]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (visited.has(id)) continue
    visited.add(id)
    // what is in the unit of work has brought its own along
    if (id !== root && Instance.isInUnitOfWork(standingAt(edit, id))) continue
    const refused = join(state, edit, id)
    if (refused !== null) return refused
    const instance = standingAt(edit, id)
    // what it gave up comes back with it where it can
    for (const other of givenUpBy(instance)) if (isToCome(edit, other)) stack.push(other)
    const reached = reachedBy(state, instance, ({ cascade }) => cascade.has('save-update'))
    for (let i = reached.length - 1; i >= 0; i--) stack.push(reached[i] as InstanceId)
  }
  return null
}

const isToCome = (edit: StateEdit, id: InstanceId): boolean => {
  const { key, mapping, status, token, wasDeleted } = standingAt(edit, id)
  return status === 'detached' && !wasDeleted && edit.identityMap.get(mapping, token, key as RawKey) === undefined
}

/**
 * The cascade from an instance to one that it has come to refer to. What is in the unit of work already stays as it is, and
 * so does what that refers to.
 *
 * @category combinators
 */
export const cascadeTo = (
  state: SessionState,
  edit: StateEdit,
  owner: Instance.Instance,
  relationship: RelationshipMapping,
  target: InstanceId,
): InvalidState | null =>
  Instance.isInUnitOfWork(owner) &&
  relationship.cascade.has('save-update') &&
  !Instance.isInUnitOfWork(standingAt(edit, target))
    ? cascadeAdd(state, edit, target)
    : null

/**
 * Brings one instance into the unit of work: pending where it is transient, persistent again where it is detached.
 *
 * @category combinators
 */
export const join = (state: SessionState, edit: StateEdit, id: InstanceId): InvalidState | null => {
  const instance = standingAt(edit, id)
  switch (instance.status) {
    case 'transient':
      edit.instances.set(id, { ...instance, status: 'pending', order: edit.nextOrder++ })
      edit.added.add(id)
      keepReferred(state, edit, id)
      return null
    case 'detached': {
      const key = instance.key as RawKey
      const other = edit.identityMap.get(instance.mapping, instance.token, key)
      if (instance.wasDeleted || (other !== undefined && other !== id)) return refusal(instance)
      const attached: Instance.Instance = { ...instance, status: 'persistent', epoch: state.epoch }
      edit.instances.set(id, attached)
      edit.identityMap.set(instance.mapping, instance.token, key, id)
      if (Instance.isChanged(attached)) edit.changed.add(id)
      return null
    }
    case 'deleted':
      return refusal(instance)
    case 'pending':
    case 'persistent':
      return null
  }
}

const refusal = (instance: Instance.Instance): InvalidState => ({
  _tag: 'InvalidState',
  entity: instance.mapping.name,
  key: instance.key,
  status: instance.wasDeleted ? 'deleted' : instance.status,
  operation: 'add',
})
