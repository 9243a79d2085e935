/**
 * Changes of relationships, with both sides kept in step.
 *
 * All of it works on an edit: one call may touch four instances (an address that moves to another user: the address, the
 * old user, the new one, and whatever stood in its place). Setting one side sets the other and goes no further.
 */
import type { InstanceId, RawKey, RelationshipMapping, Snapshot } from '@unitary/core'
import { decodedKeyOf, rowClassOf } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { collected, fitting, type Instances, joining, leaving } from './members.js'
import { reachedBy } from './reach.js'
import { rawOf, referredAnywhere, referredAt } from './referred.js'

type Instance = Instance.Instance

/**
 * The instance as it may be changed: if it is out of date, what was known of it is forgotten first, so that a change
 * never makes old values look current.
 *
 * @category combinators
 */
export const freshen = (state: SessionState, instance: Instance): Instance =>
  isExpired(state, instance)
    ? {
        ...instance,
        snapshot: keyOnly(instance),
        epoch: state.epoch,
        partial: true,
        related: null,
      }
    : instance

/** An instance that has expired is still known by its key. */
const keyOnly = ({ id, key, mapping }: Instance): Snapshot => {
  const values = key === null ? [] : decodedKeyOf(mapping, key)
  const known = Object.fromEntries(mapping.key.map(({ name }, i) => [name, values[i]]))
  return rowClassOf(mapping).make(id, known)
}

/** Writes an instance back, and keeps the set of changed ones right. @category combinators */
export const put = (edit: StateEdit, instance: Instance): void => {
  edit.instances.set(instance.id, instance)
  if (instance.status !== 'persistent') return
  if (Instance.isChanged(instance)) edit.changed.set(instance.id, true)
  else edit.changed.delete(instance.id)
}

const at = (edit: StateEdit, id: InstanceId): Instance => edit.instances.get(id) as Instance

/**
 * What a belongs-to relationship refers to, as far as that is known without asking a database: what was set or loaded, or
 * else the instance in the identity map that the foreign key names. Undefined where it is not known.
 *
 * @category combinators
 */
export const targetOf = (
  state: SessionState,
  edit: Pick<StateEdit, 'identityMap'>,
  owner: Instance,
  relationship: RelationshipMapping,
): InstanceId | null | undefined => {
  const known = Instance.relatedOf(owner, relationship)
  if (known?._tag === 'One') return isExpired(state, owner) ? undefined : known.target
  if (isExpired(state, owner)) return undefined
  const key = foreignKeyOf(owner, relationship)
  if (key === undefined || key === null) return key
  return relationship.isByIdentity ? edit.identityMap.get(relationship.target, owner.token, key) : undefined
}

/**
 * The same, but that what a foreign key refers to by other attributes than the primary key is looked for among all that the
 * state has.
 *
 * @category combinators
 */
export const findTarget = (
  state: SessionState,
  edit: Pick<StateEdit, 'identityMap'>,
  owner: Instance,
  relationship: RelationshipMapping,
): InstanceId | null | undefined => {
  const target = targetOf(state, edit, owner, relationship)
  return target !== undefined || relationship.isByIdentity ? target : referredTo(state, owner, relationship)?.id
}

/**
 * The raw key that an instance's foreign key holds: null where a part is null, undefined where a part is not known.
 *
 * @category combinators
 */
export const foreignKeyOf = (
  owner: Instance,
  relationship: RelationshipMapping,
  read: typeof Instance.valueAt = Instance.valueAt,
): RawKey | null | undefined => rawOf(owner, relationship.foreignKey, read)

/**
 * The instance that a belongs-to relationship refers to, on whichever shard it lives; null where it refers to none, and
 * where that is not known. An instance that has no shard yet may name any shard's by its foreign key, if only one shard's
 * has that key.
 *
 * @category combinators
 */
export const referredTo = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
): Instance | null => {
  if (isExpired(state, owner)) return null
  const known = Instance.relatedOf(owner, relationship)
  if (known?._tag === 'One') return known.target === null ? null : instanceAt(state, known.target)
  const key = foreignKeyOf(owner, relationship)
  if (key === undefined || key === null) return null
  const { target } = relationship
  if (Instance.hasIdentity(owner)) return referredAt(state, relationship, target, owner.token, key) ?? null
  const [only, another] = referredAnywhere(state, relationship, target, key)
  return only === undefined || another !== undefined ? null : only
}

/**
 * What a reference held before it is set, undefined where that is not known: a belongs-to knows it by the foreign key that
 * the database has, where that names an instance which has not expired.
 *
 * @category combinators
 */
export const heldBefore = (
  state: SessionState,
  edit: StateEdit,
  owner: Instance,
  relationship: RelationshipMapping,
): InstanceId | null | undefined => {
  const isOutdated = isExpired(state, owner)
  const known = isOutdated ? undefined : Instance.relatedOf(owner, relationship)
  if (known?._tag === 'One') return known.target
  if (isNew(owner)) return null
  if (isOutdated || relationship.kind !== 'BelongsTo') return undefined
  const key = foreignKeyOf(owner, relationship, Instance.committedAt)
  if (key === undefined || key === null) return key
  if (!relationship.isByIdentity) return undefined
  const target = edit.identityMap.get(relationship.target, owner.token, key)
  return target === undefined || isExpired(state, at(edit, target)) ? undefined : target
}

/** What has no row yet can hold nothing that is not known. */
const isNew = ({ status }: Instance): boolean => status === 'transient' || status === 'pending'

/** Sets a reference alone. */
const putTarget = (
  state: SessionState,
  edit: StateEdit,
  ownerId: InstanceId,
  relationship: RelationshipMapping,
  target: InstanceId | null,
): void => {
  const owner = freshen(state, at(edit, ownerId))
  if (relationship.viewonly) {
    put(edit, Instance.withRelated(owner, relationship, Instance.one(target)))
    return
  }
  const old = Instance.relatedOf(owner, relationship)
  const held = heldBefore(state, edit, owner, relationship)
  edit.moves?.push({ event: 'set', owner: ownerId, relationship, value: target, before: held })
  const committed = old?._tag === 'One' && old.changed ? old.committed : held === undefined ? Instance.unknown : held
  const changed = isNew(owner) || committed !== target
  const hasLeft =
    target === null && !isNew(owner) && (typeof held === 'number' || (old?._tag === 'One' && old.hasLeft === true))
  const one: Instance.One = { _tag: 'One', target, changed, committed, ...(hasLeft ? { hasLeft } : {}) }
  put(edit, Instance.withRelated(owner, relationship, one))
  if (target !== null) noteTaker(edit, ownerId, relationship, target)
  // what a reference gave up belongs to nothing now
  if (typeof held === 'number' && held !== target && !isElsewhere(state, edit, ownerId, relationship, held)) {
    leaveOrphan(state, edit, relationship, held)
  }
}

/**
 * Notes who takes what is pending already, and may be another's, where nothing else tells: when that one gives it up it is no
 * orphan, and stays.
 */
const noteTaker = (edit: StateEdit, owner: InstanceId, relationship: RelationshipMapping, member: InstanceId): void => {
  if (relationship.inverse !== null || !relationship.cascade.has('delete-orphan')) return
  const taken = at(edit, member)
  if (taken.status !== 'pending') return
  edit.instances.set(member, { ...taken, takenBy: new Map(taken.takenBy).set(relationship, owner) })
}

/** Does what an owner gives up belong to another by now? */
const isElsewhere = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): boolean => {
  const { inverse, kind } = relationship
  const given = at(edit, member)
  if (inverse === null) return (given.takenBy?.get(relationship) ?? owner) !== owner
  if (kind !== 'HasOne') return false
  const holder = heldBefore(state, edit, given, inverse)
  return typeof holder === 'number' && holder !== owner
}

const manyOf = (instance: Instance, relationship: RelationshipMapping): Instance.Many => {
  const known = Instance.relatedOf(instance, relationship)
  if (known?._tag === 'Many') return known
  if (!isNew(instance)) return Instance.unloaded
  return Instance.many(relationship.collection.key === null ? Collection.empty : Collection.keyed([], () => undefined))
}

/** Instances as they stand in an edit. */
const standing =
  (edit: StateEdit): Instances =>
  (id) =>
    at(edit, id)

/**
 * Is what was said last of a member all that counts? Of a collection that is not loaded nobody knows whether a row belongs
 * to it, so that coming and going is not the same as having stayed away.
 */
const isLastWord = (
  edit: StateEdit,
  members: Collection.Collection | null,
  { through }: RelationshipMapping,
  member: InstanceId,
): boolean => members === null && through === null && !isNew(at(edit, member))

/** Adds to a collection alone. Has it a place for the member? */
const putMember = (
  state: SessionState,
  edit: StateEdit,
  ownerId: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): boolean => {
  const owner = freshen(state, at(edit, ownerId))
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
  const owner = freshen(state, at(edit, ownerId))
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
  while (Collection.has(manyOf(at(edit, owner), relationship).members ?? Collection.empty, member)) {
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
  const held = heldBefore(state, edit, at(edit, owner), relationship)
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
  const old = heldBefore(state, edit, at(edit, owner), relationship)
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
  const { members } = manyOf(freshen(state, at(edit, owner)), relationship)
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
  const old = heldBefore(state, edit, at(edit, member), inverse)
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
  const { members } = manyOf(at(edit, owner), relationship)
  if (members !== null && Collection.has(members, member)) return
  if (inverse === null || inverse.through !== null) {
    if (inverse !== null) dropMember(state, edit, member, inverse, owner)
    if (!isElsewhere(state, edit, owner, relationship, member)) leaveOrphan(state, edit, relationship, member)
    return
  }
  leave(state, edit, member, inverse, owner)
  const target = heldBefore(state, edit, at(edit, member), inverse)
  if (target === null) leaveOrphan(state, edit, relationship, member)
}

/**
 * A pending member that left a relationship with the delete-orphan cascade leaves the unit of work too, with what its own
 * delete cascade reaches. (One with a row is deleted by the flush, if it went to no other owner by then.)
 */
const leaveOrphan = (
  state: SessionState,
  edit: StateEdit,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  if (!relationship.cascade.has('delete-orphan')) return
  const stack: InstanceId[] = [member]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const instance = at(edit, id)
    if (instance.status !== 'pending') continue
    edit.added.delete(id)
    const { takenBy: _, ...forsaken } = instance
    edit.instances.set(id, { ...forsaken, status: 'transient', order: 0 })
    stack.push(...reachedBy(state, instance, ({ cascade }) => cascade.has('delete')))
  }
}

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
  const instance = freshen(state, at(edit, owner))
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
  const { members, added } = manyOf(freshen(state, at(edit, owner)), relationship)
  const held = Collection.toArray(members ?? added)
  // once for each time that a list holds it
  for (const id of held) if (!kept.has(id)) detach(state, edit, owner, relationship, id)
  const present = new Set(held)
  for (const id of kept) if (!present.has(id)) append(state, edit, owner, relationship, id)
  const { members: after } = manyOf(freshen(state, at(edit, owner)), relationship)
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
  const instance = freshen(state, at(edit, owner))
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
  const { members } = manyOf(freshen(state, at(edit, owner)), relationship)
  if (members === null || from === to) return
  const ids = [...Collection.toArray(members)]
  ids.splice(to, 0, ...ids.splice(from, 1))
  reorder(state, edit, owner, relationship, Collection.inOrder(members, ids))
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
  const { members, added, removed } = manyOf(freshen(state, at(edit, owner)), relationship)
  if (members !== null) return Collection.has(members, member)
  if (Collection.has(added, member)) return true
  if (Collection.has(removed, member)) return false
  // of a collection that is not loaded, the member's own side may know
  const { inverse } = relationship
  const target =
    inverse === null || inverse.through !== null ? undefined : targetOf(state, edit, at(edit, member), inverse)
  // what has no row yet is a member only where it was appended
  return target === undefined ? !isNew(at(edit, member)) : target === owner
}

/**
 * Makes those that an instance has come to hold refer to it, where they are known to refer to another, or to none: after a
 * rollback has taken that back on their side, the instance joins the unit of work again with what it has kept. A collection
 * that is loaded stays as it is, as with any foreign key, until it expires. O(links).
 *
 * @category combinators
 */
export const keepReferred = (state: SessionState, edit: StateEdit, id: InstanceId): void => {
  const instance = at(edit, id)
  for (const relationship of instance.mapping.relationships) {
    const { inverse } = relationship
    const related = Instance.relatedOf(instance, relationship)
    if (inverse === null || inverse.isCollection || related === undefined) continue
    for (const target of Instance.addedTo(related)) {
      const other = at(edit, target)
      const known = isExpired(state, other) ? undefined : Instance.relatedOf(other, inverse)
      if (known?._tag !== 'One' || known.target === id) continue
      putTarget(state, edit, target, inverse, id)
      if (known.target !== null) leave(state, edit, known.target, relationship, target)
    }
  }
}
