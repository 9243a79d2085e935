/**
 * What the state knows of relationships, and what it keeps of those that were loaded.
 */
import type { InstanceId, Mapping, RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { collected } from '../transition/members.js'
import { rawOf } from '../transition/referred.js'
import { freshen, standing, standingAt } from '../transition/standing.js'
import { referredTo, targetOf } from '../transition/target.js'

type Instance = Instance.Instance

/** The targets of each owner, in order. */
export type LoadedTargets = ReadonlyMap<InstanceId, ReadonlyArray<InstanceId>>

/** All targets, owner by owner. @category combinators */
export const allTargets = (targets: LoadedTargets): InstanceId[] => {
  const ids: InstanceId[] = []
  for (const some of targets.values()) for (const id of some) ids.push(id)
  return ids
}

/** Does the instance's snapshot have all that the entity has, and is not out of date? It may be of a subtype. */
export const isKnown = (state: SessionState, instance: Instance, mapping: Mapping): boolean =>
  !isExpired(state, instance) && !Instance.isPartialAs(instance, mapping)

/**
 * What the state knows without asking; null where it does not. Of a collection that was narrowed by other criteria than those
 * given by their key it does not. A reference that it holds, or that the identity map has, is known whatever criteria say.
 */
export const knownTargets = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
  narrowed: string | null,
): ReadonlyArray<InstanceId> | null => {
  const isNew = owner.status === 'transient' || owner.status === 'pending'
  if (isLoadedPending(owner, relationship)) return knownOfPending(state, owner, relationship)
  if (relationship.kind !== 'BelongsTo') {
    const known = isExpired(state, owner) ? undefined : Instance.relatedOf(owner, relationship)
    return (
      (known === undefined || !(isNew || isUnder(known, narrowed)) ? null : Instance.membersOf(known)) ??
      (isNew ? [] : null)
    )
  }
  if (isNew) {
    const referred = referredTo(state, owner, relationship)
    return referred === null ? [] : [referred.id]
  }
  const target = targetOf(state, edit(state), owner, relationship)
  if (target === undefined) return null
  return target === null ? [] : [target]
}

/** Is it loaded though its owner has no row yet? @category guards */
export const isLoadedPending = ({ status }: Instance, { loadOnPending }: RelationshipMapping): boolean =>
  loadOnPending && status === 'pending'

/** What a pending owner was given, or what the keys that it was given say without asking. */
const knownOfPending = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
): ReadonlyArray<InstanceId> | null => {
  const related = Instance.relatedOf(owner, relationship)
  if (related !== undefined) return Instance.membersOf(related) ?? null
  const isHolder = relationship.kind === 'BelongsTo'
  const key = rawOf(owner, isHolder ? relationship.foreignKey : relationship.key, Instance.valueAt)
  if (key === null || key === undefined) return []
  const referred = isHolder ? referredTo(state, owner, relationship) : null
  return referred === null ? null : [referred.id]
}

/**
 * Does the state know all that a collection or has-one holds, as `knownTargets` would tell it? O(1).
 *
 * @category guards
 */
export const areMembersKnown = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
  narrowed: string | null,
): boolean => {
  if (isLoadedPending(owner, relationship)) return knownOfPending(state, owner, relationship) !== null
  if (owner.status === 'transient' || owner.status === 'pending') return true
  const known = isExpired(state, owner) ? undefined : Instance.relatedOf(owner, relationship)
  return known !== undefined && isUnder(known, narrowed) && (known._tag === 'One' || known.members !== null)
}

const isUnder = (known: Instance.Related, narrowed: string | null): boolean =>
  known._tag === 'One' || known.narrowed === narrowed || (narrowed === null && known.narrowed === Instance.byHooks)

/**
 * What was loaded, with the changes that no flush has written, becomes what the collection or has-one holds. A has-one of
 * which a narrowed load has found nothing is as little known as before.
 */
export const keepMembers = (
  state: SessionState,
  changes: StateEdit,
  id: InstanceId,
  relationship: RelationshipMapping,
  loaded: ReadonlyArray<InstanceId>,
  narrowed: string | null,
): ReadonlyArray<InstanceId> => {
  const owner = freshen(state, standingAt(changes, id))
  const known = Instance.relatedOf(owner, relationship)
  if (!relationship.isCollection) {
    if (loaded.length === 0 && narrowed !== null) {
      if (known?._tag === 'One' && known.changed) return known.target === null ? [] : [known.target]
      if (known !== undefined) changes.instances.set(id, Instance.withRelated(owner, relationship, undefined))
      return []
    }
    const one = loadedOne(known, loaded[0] ?? null)
    changes.instances.set(id, Instance.withRelated(owner, relationship, one))
    return one.target === null ? [] : [one.target]
  }
  const gather = (ids: ReadonlyArray<InstanceId>): Collection.Collection =>
    collected(relationship, ids, standing(changes))
  // an array that was filled one by one has room for more, which one that is kept has no use for
  let many = Instance.many(gather(loaded.slice()), narrowed)
  if (known?._tag === 'Many') {
    const present = new Set(loaded)
    const { added, removed } = known
    const members = loaded.filter((member) => !Collection.has(removed, member))
    for (const member of Collection.toArray(added)) if (!present.has(member)) members.push(member)
    many = { ...known, members: gather(members), narrowed }
  }
  changes.instances.set(id, Instance.withRelated(owner, relationship, many))
  return Collection.toArray(many.members ?? Collection.empty)
}

/** A reference that was set while nobody knew what it held has replaced what was loaded. */
export const loadedOne = (known: Instance.Related | undefined, loaded: InstanceId | null): Instance.One =>
  known?._tag === 'One' && known.changed
    ? { ...known, changed: known.target !== loaded, committed: loaded }
    : Instance.one(loaded)

/**
 * The state in which owners hold the references that were looked up for them, where they held none.
 *
 * @category transitions
 */
export const withReferences = (
  state: SessionState,
  relationship: RelationshipMapping,
  targets: LoadedTargets,
): SessionState => {
  const changes = edit(state)
  for (const [id, [target = null]] of targets) {
    const owner = instanceAt(state, id)
    if (owner.status !== 'persistent' || Instance.relatedOf(owner, relationship) !== undefined) continue
    changes.instances.set(id, Instance.withRelated(owner, relationship, Instance.one(target)))
  }
  return done(state, changes)
}
