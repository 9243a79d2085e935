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
 * The keys that members of a collection stand under: those that they had when they came or were loaded.
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
  return ids.map((id) => keyIn(state, relationship, held, id) as CollectionKey)
}

/** What is not known when a member comes is read when it is asked for. */
const keyIn = (
  state: SessionState,
  relationship: RelationshipMapping,
  held: Collection.Collection | null,
  id: InstanceId,
): CollectionKey | undefined =>
  (held === null ? undefined : Collection.keyOf(held, id)) ?? keyOf(relationship, instanceAt(state, id))

/**
 * The member that stands under a key. O(members) where none is known to.
 *
 * @category combinators
 */
export const memberAt = (
  state: SessionState,
  relationship: RelationshipMapping,
  members: Collection.Collection,
  key: CollectionKey,
): InstanceId | undefined =>
  Collection.at(members, key) ??
  Collection.toArray(members).find((id) => keyIn(state, relationship, members, id) === key)
