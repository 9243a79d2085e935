/**
 * Relationships over which an instance may belong to one owner only.
 */
import { type InstanceId, isKindOf, type RelationshipMapping } from '@unitary/core'
import type { SingleParent } from '../error.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { isExpired, type SessionState, type StateEdit } from '../state/session-state.js'

/**
 * The refusal to relate `target` to `owner`, where a single-parent relationship relates it to another that the state knows
 * of. Costs a look at the other side; without an inverse O(instances), which is the price of the check.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/relationship_api.html#sqlalchemy.orm.relationship.params.single_parent
 * @category guards
 */
export const singleParentFault = (
  state: SessionState,
  edit: StateEdit,
  relationship: RelationshipMapping,
  owner: InstanceId,
  target: InstanceId,
): SingleParent | null => {
  if (!relationship.singleParent) return null
  const { inverse } = relationship
  const other = inverse === null ? holder(state, relationship, owner, target) : heldBy(edit, inverse, owner, target)
  return other === null
    ? null
    : {
        _tag: 'SingleParent',
        entity: relationship.owner.name,
        relationship: relationship.name,
        target: relationship.target.name,
        key: edit.instances.get(target)?.key ?? null,
      }
}

const heldBy = (
  edit: StateEdit,
  inverse: RelationshipMapping,
  owner: InstanceId,
  target: InstanceId,
): InstanceId | null => {
  const instance = edit.instances.get(target)
  const back = instance === undefined ? undefined : Instance.relatedOf(instance, inverse)
  return (back === undefined ? null : Instance.membersOf(back))?.find((id) => id !== owner) ?? null
}

const holder = (
  state: SessionState,
  relationship: RelationshipMapping,
  owner: InstanceId,
  target: InstanceId,
): InstanceId | null => {
  let found: InstanceId | null = null
  IntMap.forEach(state.instances, (instance, id) => {
    if (found !== null || id === owner || !isKindOf(instance.mapping, relationship.owner) || isExpired(state, instance))
      return
    if (instance.status === 'deleted' || instance.status === 'detached') return
    const related = Instance.relatedOf(instance, relationship)
    if (related !== undefined && Instance.membersOf(related)?.includes(target) === true) found = id
  })
  return found
}
