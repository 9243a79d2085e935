/**
 * A collection as a whole: other members put in the place of those that it holds, or the same ones in another order.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { collected, fitting } from './members.js'
import { append, detach, manyOf } from './relate.js'
import { freshen, put, standing, standingAt } from './standing.js'

/**
 * Those of the ids given that a collection can hold in the place of what it holds now, which stands from here on under the keys
 * that its members have by now: those that come are not to take them from it.
 *
 * @category combinators
 */
export const fitted = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  given: ReadonlyArray<InstanceId>,
): ReadonlyArray<InstanceId> => {
  const instance = freshen(state, standingAt(edit, owner))
  const many = manyOf(instance, relationship)
  if (relationship.collection.key !== null && many.members !== null) {
    const members = collected(relationship, Collection.toArray(many.members), standing(edit), many.members)
    put(edit, Instance.withRelated(instance, relationship, { ...many, members }))
  }
  return fitting(relationship, given, standing(edit))
}

/**
 * Makes what a collection holds the ids given, in their order, as far as it has room for all of them; what it held otherwise is
 * detached. Gives those that it holds.
 *
 * @category combinators
 */
export const replace = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  given: ReadonlyArray<InstanceId>,
): ReadonlyArray<InstanceId> => {
  const ids = fitted(state, edit, owner, relationship, given)
  const kept = new Set(ids)
  const { members, added } = manyOf(freshen(state, standingAt(edit, owner)), relationship)
  const held = Collection.toArray(members ?? added)
  // once for each time that a list holds it
  for (const id of held) if (!kept.has(id)) detach(state, edit, owner, relationship, id)
  const present = new Set(held)
  for (const id of kept) if (!present.has(id)) append(state, edit, owner, relationship, id)
  const { members: after } = manyOf(freshen(state, standingAt(edit, owner)), relationship)
  if (after !== null) reorder(state, edit, owner, relationship, collected(relationship, ids, standing(edit), after))
  return ids
}

/** Puts other members in the place of those that are loaded: the same ones, in another order. */
const reorder = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  members: Collection.Collection,
): void => {
  const instance = freshen(state, standingAt(edit, owner))
  const many = manyOf(instance, relationship)
  if (many.members === null) return
  const isMoved = relationship.collection.position !== null ? { isMoved: true as const } : {}
  put(edit, Instance.withRelated(instance, relationship, { ...many, members, ...isMoved }))
}

/**
 * Moves what stands at one place of a loaded list to another.
 *
 * @category combinators
 */
export const move = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  from: number,
  to: number,
): void => {
  const { members } = manyOf(freshen(state, standingAt(edit, owner)), relationship)
  if (members === null || from === to) return
  const ids = [...Collection.toArray(members)]
  ids.splice(to, 0, ...ids.splice(from, 1))
  reorder(state, edit, owner, relationship, Collection.inOrder(members, ids))
}
