/**
 * Changes of relationships, with both sides kept in step.
 *
 * All of it works on an edit: one call may touch four instances (an address that moves to another user: the address, the
 * old user, the new one, and whatever stood in its place). Setting one side sets the other and goes no further.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { joining, leaving } from './members.js'
import { isElsewhere, leaveOrphan, noteTaker, putTarget } from './put-target.js'
import { freshen, put, standing, standingAt } from './standing.js'
import { heldBefore, isNew, targetOf } from './target.js'

type Instance = Instance.Instance

/** What an instance is known to hold of a collection: nothing where it has no row yet. @category combinators */
export const manyOf = (instance: Instance, relationship: RelationshipMapping): Instance.Many => {
  const known = Instance.relatedOf(instance, relationship)
  if (known?._tag === 'Many') return known
  if (!isNew(instance)) return Instance.unloaded
  return Instance.many(relationship.collection.key === null ? Collection.empty : Collection.keyed([], () => undefined))
}

/**
 * Is what was said last of a member all that counts? Of a collection that is not loaded nobody knows whether a row belongs
 * to it, so that coming and going is not the same as having stayed away.
 */
const isLastWord = (
  edit: StateEdit,
  members: Collection.Collection | null,
  { through }: RelationshipMapping,
  member: InstanceId,
): boolean => members === null && through === null && !isNew(standingAt(edit, member))

/** Adds to a collection alone. Has it a place for the member? */
const putMember = (
  state: SessionState,
  edit: StateEdit,
  ownerId: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): boolean => {
  const owner = freshen(state, standingAt(edit, ownerId))
  const many = manyOf(owner, relationship)
  const { members, added, removed, narrowed } = many
  const next = members === null ? null : joining(relationship, members, member, standing(edit))
  if (next !== null && !Collection.has(next.members, member)) return false
  if (relationship.viewonly) {
    put(edit, Instance.withRelated(owner, relationship, Instance.many(next?.members ?? null, narrowed)))
    return true
  }
  edit.moves?.push({ event: 'append', owner: ownerId, relationship, value: member, before: undefined })
  const wasRemoved = Collection.has(removed, member)
  // a list may hold it twice: over links these are two, over a foreign key one
  const isAnother =
    (relationship.through !== null && !relationship.collection.isUnique) || !Collection.has(members ?? added, member)
  put(
    edit,
    Instance.withRelated(owner, relationship, {
      ...many,
      members: next?.members ?? null,
      added:
        (wasRemoved && !isLastWord(edit, members, relationship, member)) || !isAnother
          ? added
          : Collection.append(added, member),
      removed: Collection.remove(removed, member),
    }),
  )
  noteTaker(edit, ownerId, relationship, member)
  for (const other of next?.displaced ?? []) detach(state, edit, ownerId, relationship, other)
  return true
}

/** Takes from a collection alone. */
const dropMember = (
  state: SessionState,
  edit: StateEdit,
  ownerId: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  const owner = freshen(state, standingAt(edit, ownerId))
  const many = manyOf(owner, relationship)
  const { members, added, removed, narrowed } = many
  if (members !== null && !Collection.has(members, member)) return
  const next = members === null ? null : leaving(relationship, members, member, standing(edit))
  const left = next?.members ?? null
  if (relationship.viewonly) {
    put(edit, Instance.withRelated(owner, relationship, Instance.many(left, narrowed)))
    return
  }
  edit.moves?.push({ event: 'remove', owner: ownerId, relationship, value: member, before: undefined })
  if (left !== null && Collection.has(left, member) && relationship.through === null) {
    // it is still there
    put(edit, Instance.withRelated(owner, relationship, { ...many, members: left }))
    return
  }
  const wasAdded = Collection.has(added, member)
  const isBack = wasAdded && !isLastWord(edit, members, relationship, member)
  put(
    edit,
    Instance.withRelated(owner, relationship, {
      ...many,
      members: left,
      added: Collection.remove(added, member),
      removed: isBack || Collection.has(removed, member) ? removed : Collection.append(removed, member),
    }),
  )
  for (const other of next?.displaced ?? []) detach(state, edit, ownerId, relationship, other)
}

/** The other side of a link that came. */
const join = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  if (!relationship.isCollection) {
    putTarget(state, edit, owner, relationship, member)
    return
  }
  const { inverse } = relationship
  if (!putMember(state, edit, owner, relationship, member) && inverse !== null) {
    putTarget(state, edit, member, inverse, null)
  }
}

/** Takes all there is of a member from a collection alone: it belongs elsewhere now, however often the list held it. */
const dropAll: typeof dropMember = (state, edit, owner, relationship, member) => {
  dropMember(state, edit, owner, relationship, member)
  while (Collection.has(manyOf(standingAt(edit, owner), relationship).members ?? Collection.empty, member)) {
    dropMember(state, edit, owner, relationship, member)
  }
}

/** The other side of a link that went; a reference that holds another by now keeps it. */
const leave = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  if (relationship.isCollection) {
    dropAll(state, edit, owner, relationship, member)
    return
  }
  const held = heldBefore(state, edit, standingAt(edit, owner), relationship)
  if (held === member || held === undefined) putTarget(state, edit, owner, relationship, null)
}

/**
 * Makes `owner` refer to `target` (or to nothing), and the other side follows: what it referred to loses it, the target has
 * it. Nobody else changes: what another has-one held, or who held the target, still says so until it is loaded again.
 *
 * @category combinators
 */
export const refer = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  target: InstanceId | null,
): void => {
  const old = heldBefore(state, edit, standingAt(edit, owner), relationship)
  putTarget(state, edit, owner, relationship, target)
  const { inverse } = relationship
  if (inverse === null || old === target) return
  if (typeof old === 'number') leave(state, edit, old, inverse, owner)
  if (target !== null) join(state, edit, target, inverse, owner)
  else if (relationship.kind === 'BelongsTo') leaveOrphan(state, edit, inverse, owner)
}

/**
 * Adds `member` to a collection of `owner`; the other side follows. Over a foreign key it leaves the collection of the
 * instance that it belonged to. A program's own collection may have no place for it: false, and nothing changes.
 *
 * @category combinators
 */
export const append = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): boolean => {
  const { members } = manyOf(freshen(state, standingAt(edit, owner)), relationship)
  // a member already: then the other side is in step too, whether or not it is loaded
  const isMember = members !== null && Collection.has(members, member)
  if (!putMember(state, edit, owner, relationship, member)) return false
  const { inverse } = relationship
  if (inverse === null || isMember) return true
  if (inverse.through !== null) {
    if (putMember(state, edit, member, inverse, owner)) return true
    dropMember(state, edit, owner, relationship, member)
    return false
  }
  const old = heldBefore(state, edit, standingAt(edit, member), inverse)
  if (old === owner) return true
  putTarget(state, edit, member, inverse, owner)
  if (old !== undefined && old !== null) dropAll(state, edit, old, relationship, member)
  return true
}

/**
 * Takes `member` out of a collection of `owner`; the other side follows. Over a foreign key it then belongs to nothing.
 *
 * @category combinators
 */
export const detach = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  dropMember(state, edit, owner, relationship, member)
  const { inverse } = relationship
  const { members } = manyOf(standingAt(edit, owner), relationship)
  if (members !== null && Collection.has(members, member)) return
  if (inverse === null || inverse.through !== null) {
    if (inverse !== null) dropMember(state, edit, member, inverse, owner)
    if (!isElsewhere(state, edit, owner, relationship, member)) leaveOrphan(state, edit, relationship, member)
    return
  }
  leave(state, edit, member, inverse, owner)
  const target = heldBefore(state, edit, standingAt(edit, member), inverse)
  if (target === null) leaveOrphan(state, edit, relationship, member)
}

/**
 * Is `member` in a collection of `owner`, as far as is known?
 *
 * @category guards
 */
export const isMember = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): boolean => {
  const { members, added, removed } = manyOf(freshen(state, standingAt(edit, owner)), relationship)
  if (members !== null) return Collection.has(members, member)
  if (Collection.has(added, member)) return true
  if (Collection.has(removed, member)) return false
  // of a collection that is not loaded, the member's own side may know
  const { inverse } = relationship
  const target =
    inverse === null || inverse.through !== null ? undefined : targetOf(state, edit, standingAt(edit, member), inverse)
  // what has no row yet is a member only where it was appended
  return target === undefined ? !isNew(standingAt(edit, member)) : target === owner
}

/**
 * Makes those that an instance has come to hold refer to it, where they are known to refer to another, or to none: after a
 * rollback has taken that back on their side, the instance joins the unit of work again with what it has kept. A collection
 * that is loaded stays as it is, as with any foreign key, until it expires. O(links).
 *
 * @category combinators
 */
export const keepReferred = (state: SessionState, edit: StateEdit, id: InstanceId): void => {
  const instance = standingAt(edit, id)
  for (const relationship of instance.mapping.relationships) {
    const { inverse } = relationship
    const related = Instance.relatedOf(instance, relationship)
    if (inverse === null || inverse.isCollection || related === undefined) continue
    for (const target of Instance.addedTo(related)) {
      const other = standingAt(edit, target)
      const known = isExpired(state, other) ? undefined : Instance.relatedOf(other, inverse)
      if (known?._tag !== 'One' || known.target === id) continue
      putTarget(state, edit, target, inverse, id)
      if (known.target !== null) leave(state, edit, known.target, relationship, target)
    }
  }
}
