/**
 * Collections as the program sees them: their members, as the kind of the relationship shows them.
 */
import { asList, type CollectionKey, type InstanceId, type RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { keyOf } from '../transition/members.js'

/** Is a collection shown as the array that it is? @category guards */
export const isList = ({ collection }: RelationshipMapping): boolean => collection.from === asList.from

/**
 * The collection of an owner with some members, `members` being those with the ids given, in the same order.
 *
 * @category combinators
 */
export const shownMembers = (
  state: SessionState,
  owner: InstanceId,
  relationship: RelationshipMapping,
  ids: ReadonlyArray<InstanceId>,
  members: ReadonlyArray<unknown>,
): unknown => {
  if (isList(relationship)) return members
  const { collection } = relationship
  return collection.from(members, collection.key === null ? [] : keysOf(state, owner, relationship, ids))
}

/**
 * The keys that members of a collection stand under: those that they had when they came.
 *
 * @category combinators
 */
export const keysOf = (
  state: SessionState,
  owner: InstanceId,
  relationship: RelationshipMapping,
  ids: ReadonlyArray<InstanceId>,
): ReadonlyArray<CollectionKey> => {
  const instance = instanceAt(state, owner)
  const known = isExpired(state, instance) ? undefined : Instance.relatedOf(instance, relationship)
  const held = known?._tag === 'Many' ? known.members : null
  return ids.map((id) =>
    held !== null && Collection.has(held, id)
      ? (Collection.keyOf(held, id) as CollectionKey)
      : (keyOf(relationship, instanceAt(state, id)) as CollectionKey),
  )
}
