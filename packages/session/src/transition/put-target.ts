/**
 * A reference set by itself, and what becomes of what it gave up. The other side does not follow here.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { reachedBy } from './reach.js'
import { freshen, put, standingAt } from './standing.js'
import { heldBefore, isNew } from './target.js'

/** Sets a reference alone. @category combinators */
export const putTarget = (
  state: SessionState,
  edit: StateEdit,
  ownerId: InstanceId,
  relationship: RelationshipMapping,
  target: InstanceId | null,
): void => {
  const owner = freshen(state, standingAt(edit, ownerId))
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
 *
 * @category combinators
 */
export const noteTaker = (
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  if (relationship.inverse !== null || !relationship.cascade.has('delete-orphan')) return
  const taken = standingAt(edit, member)
  if (taken.status !== 'pending') return
  edit.instances.set(member, { ...taken, takenBy: new Map(taken.takenBy).set(relationship, owner) })
}

/** Does what an owner gives up belong to another by now? @category guards */
export const isElsewhere = (
  state: SessionState,
  edit: StateEdit,
  owner: InstanceId,
  relationship: RelationshipMapping,
  member: InstanceId,
): boolean => {
  const { inverse, kind } = relationship
  const given = standingAt(edit, member)
  if (inverse === null) return (given.takenBy?.get(relationship) ?? owner) !== owner
  if (kind !== 'HasOne') return false
  const holder = heldBefore(state, edit, given, inverse)
  return typeof holder === 'number' && holder !== owner
}

/**
 * A pending member that left a relationship with the delete-orphan cascade leaves the unit of work too, with what its own
 * delete cascade reaches. (One with a row is deleted by the flush, if it went to no other owner by then.)
 *
 * @category combinators
 */
export const leaveOrphan = (
  state: SessionState,
  edit: StateEdit,
  relationship: RelationshipMapping,
  member: InstanceId,
): void => {
  if (!relationship.cascade.has('delete-orphan')) return
  const stack: InstanceId[] = [member]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const instance = standingAt(edit, id)
    if (instance.status !== 'pending') continue
    edit.added.delete(id)
    const { takenBy: _, ...forsaken } = instance
    edit.instances.set(id, { ...forsaken, status: 'transient', order: 0 })
    stack.push(...reachedBy(state, instance, ({ cascade }) => cascade.has('delete')))
  }
}
