/**
 * What goes with a flush: rows to be deleted, and pending instances that lost their last parent and are not inserted.
 */
import type { AnyModel, InstanceId, RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { reachedBy } from '../transition/reach.js'
import { isHeldByTarget, type Owners, ownersOf } from './owners.js'

type Instance = Instance.Instance

/**
 * What goes with the next flush: rows to be deleted, and pending instances that are not inserted after all.
 *
 * @category model
 */
export interface Going {
  readonly deleted: ReadonlySet<InstanceId>
  readonly orphans: ReadonlySet<InstanceId>
}

const nothingGoes: Going = { deleted: new Set(), orphans: new Set() }

/**
 * What goes with the next flush. O(changes), and nothing where nothing is deleted and the model knows no orphans.
 *
 * @category combinators
 */
export const goingOf = (state: SessionState): Going => (mayGo(state) ? goingAmong(state, ownersOf(state)) : nothingGoes)

const mayGo = ({ deleted, model }: SessionState): boolean => deleted.size > 0 || hasOrphans(model)

/** The same, for those who have the owners at hand. @category combinators */
export const goingAmong = (state: SessionState, owners: Owners): Going => {
  if (!mayGo(state)) return nothingGoes
  const deleted = new Set<InstanceId>(IntSet.members(state.deleted))
  const orphans = new Set<InstanceId>()
  spareAdded(owners, deleted)
  findOrphans(state, owners, deleted, orphans)
  return { deleted, orphans }
}

const orphaning = new WeakMap<AnyModel, boolean>()

/** Does anything in the model go with its parent? */
const hasOrphans = (model: AnyModel): boolean => {
  const found =
    orphaning.get(model) ??
    model.mappings.some(({ relationships }) => relationships.some(({ cascade }) => cascade.has('delete-orphan')))
  orphaning.set(model, found)
  return found
}

/**
 * Children that left a collection with the delete-orphan cascade and went to no other parent: deleted if they have rows,
 * and not inserted if they are pending. What their own delete cascade reaches goes with them.
 */
const findOrphans = (state: SessionState, owners: Owners, deleted: Set<InstanceId>, orphans: Set<InstanceId>): void => {
  const left: Array<readonly [relationship: RelationshipMapping, child: InstanceId, owner: InstanceId | null]> = []
  // who holds a child over a relationship that the child does not know
  const adopted = new Map<RelationshipMapping, Set<InstanceId>>()
  for (const owner of owners) {
    for (const relationship of owner.mapping.relationships) {
      // the parent may have been expired since, and forgotten that the child left it
      if (hasLeft(owner, relationship)) left.push([relationship.inverse as RelationshipMapping, owner.id, null])
      if (!relationship.cascade.has('delete-orphan')) continue
      const related = Instance.relatedOf(owner, relationship)
      if (related === undefined) continue
      for (const id of Instance.removedFrom(related)) left.push([relationship, id, owner.id])
      if (isKnownToChild(relationship)) continue
      const known = adopted.get(relationship) ?? new Set()
      for (const id of Instance.addedTo(related)) known.add(id)
      adopted.set(relationship, known)
    }
  }
  const stack = left.flatMap(([relationship, id, owner]) =>
    adopted.get(relationship)?.has(id) === true || hasParent(state, instanceAt(state, id), relationship, owner)
      ? []
      : [id],
  )
  let joined: ReturnType<typeof joinedTo> | null = null
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const instance = instanceAt(state, id)
    const known = instance.status === 'pending' ? orphans : deleted
    if (known.has(id) || !Instance.isInUnitOfWork(instance)) continue
    known.add(id)
    for (const next of reachedBy(state, instance, (relationship) => relationship.cascade.has('delete'))) {
      joined ??= joinedTo(owners)
      if (!joined.get(next)?.some((owner) => !deleted.has(owner) && !orphans.has(owner))) stack.push(next)
    }
  }
}

/** Who took what into a collection or has-one since the last flush: with whoever stays, it stays. */
const joinedTo = (owners: Owners): ReadonlyMap<InstanceId, ReadonlyArray<InstanceId>> => {
  const joined = new Map<InstanceId, InstanceId[]>()
  for (const owner of owners) {
    for (const relationship of owner.mapping.relationships) {
      const related = isHeldByTarget(relationship) ? Instance.relatedOf(owner, relationship) : undefined
      for (const id of related === undefined ? [] : Instance.addedTo(related)) {
        const known = joined.get(id)
        if (known === undefined) joined.set(id, [owner.id])
        else known.push(owner.id)
      }
    }
  }
  return joined
}

/** Does a child refer to its parent, so that it knows where it belongs? Not over links, nor where the parent refers to it. */
const isKnownToChild = ({ inverse, kind }: RelationshipMapping): boolean =>
  inverse !== null && (kind === 'HasMany' || kind === 'HasOne')

/** Did the child leave a parent that it is an orphan without? */
const hasLeft = (child: Instance, relationship: RelationshipMapping): boolean => {
  if (relationship.kind !== 'BelongsTo' || relationship.inverse?.cascade.has('delete-orphan') !== true) return false
  const one = Instance.relatedOf(child, relationship)
  if (one?._tag !== 'One' || !one.changed || one.target !== null) return false
  return one.hasLeft === true || typeof one.committed === 'number'
}

/** Has the child another parent than the one that it left? What a has-one gave up may still refer to its owner. */
const hasParent = (
  state: SessionState,
  child: Instance,
  relationship: RelationshipMapping,
  left: InstanceId | null,
): boolean => {
  if (relationship.inverse === null || !isKnownToChild(relationship)) return false
  const one = Instance.relatedOf(child, relationship.inverse)
  if (one?._tag !== 'One' || one.target === null || one.target === left) return false
  const held = Instance.relatedOf(instanceAt(state, one.target), relationship)
  return held?._tag !== 'One' || held.target === child.id
}

/** What joined a collection of something that stays is not deleted by this flush, though it was to be. */
const spareAdded = (owners: Owners, deleted: Set<InstanceId>): void => {
  if (deleted.size === 0) return
  for (const [id, joined] of joinedTo(owners)) if (joined.some((owner) => !deleted.has(owner))) deleted.delete(id)
}
