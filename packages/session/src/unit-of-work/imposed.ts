/**
 * Foreign keys that follow from what only the other side knows: imposed on the rows that hold them.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { edit, instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { rawOf } from '../transition/referred.js'
import { foreignKeyOf, targetOf } from '../transition/target.js'
import { isHeldByTarget, type Owners } from './owners.js'

type Instance = Instance.Instance

/** A relationship as the row that holds its foreign key sees it. @category model */
export interface Reference {
  readonly relationship: RelationshipMapping
  readonly target: InstanceId | null
}

/** Notes a reference of an instance. Of several to one relationship the last counts. @category combinators */
export const impose = (imposed: Map<InstanceId, Reference[]>, id: InstanceId, reference: Reference): void => {
  const list = imposed.get(id)
  if (list === undefined) imposed.set(id, [reference])
  else list.push(reference)
}

/**
 * What a collection or has-one knows of its children's foreign keys, and the children do not tell: they do not know the
 * relationship, have been expired since, or were given up by a has-one for another.
 *
 * @category combinators
 */
export const imposeReferences = (
  state: SessionState,
  owners: Owners,
  deleted: ReadonlySet<InstanceId>,
  imposed: Map<InstanceId, Reference[]>,
): void => {
  // removals first, so that a child that only moved ends with its new parent
  for (const changesOf of [Instance.removedFrom, Instance.addedTo]) {
    for (const owner of owners) {
      if (deleted.has(owner.id)) continue
      for (const relationship of owner.mapping.relationships) {
        const related = isHeldByTarget(relationship) ? Instance.relatedOf(owner, relationship) : undefined
        if (related === undefined) continue
        const target = changesOf === Instance.addedTo ? owner.id : null
        for (const id of changesOf(related)) {
          const child = instanceAt(state, id)
          if (tellsItself(child, relationship)) continue
          if (target === null && isElsewhere(child, relationship, owner.id)) continue
          impose(imposed, id, { relationship, target })
        }
      }
    }
  }
}

/** Does the child's own reference say where it went? */
const tellsItself = (child: Instance, { inverse }: RelationshipMapping): boolean => {
  const one = inverse === null ? undefined : Instance.relatedOf(child, inverse)
  // what is pending writes whatever it refers to
  return one?._tag === 'One' && (one.changed || child.status === 'pending')
}

/** Does the child refer to another by now? What it left may have gone on saying that it holds it. */
const isElsewhere = (child: Instance, { inverse }: RelationshipMapping, left: InstanceId): boolean => {
  const one = inverse === null ? undefined : Instance.relatedOf(child, inverse)
  return one?._tag === 'One' && one.target !== null && one.target !== left
}

/**
 * Children that stay when their parent goes lose their foreign key. Those that came since it was loaded keep it.
 *
 * @category combinators
 */
export const imposeNulls = (
  state: SessionState,
  deleted: ReadonlySet<InstanceId>,
  imposed: Map<InstanceId, Reference[]>,
): void => {
  if (deleted.size === 0) return
  const identityMap = edit(state)
  for (const id of deleted) {
    const owner = instanceAt(state, id)
    if (isExpired(state, owner)) continue
    for (const relationship of owner.mapping.relationships) {
      if (!isHeldByTarget(relationship) || relationship.passiveDeletes === 'all') continue
      const related = Instance.relatedOf(owner, relationship)
      if (related === undefined) continue
      for (const member of unchangedIn(related)) {
        if (deleted.has(member) || isTaken(imposed, member, relationship)) continue
        if (isAnothers(state, identityMap, instanceAt(state, member), relationship, owner)) continue
        impose(imposed, member, { relationship, target: null })
      }
      for (const member of Instance.removedFrom(related)) {
        const child = instanceAt(state, member)
        if (deleted.has(member) || isTaken(imposed, member, relationship)) continue
        if (tellsItself(child, relationship) || isElsewhere(child, relationship, id)) continue
        impose(imposed, member, { relationship, target: null })
      }
    }
  }
}

/** Has a child that does not know the relationship come to another by it? */
const isTaken = (
  imposed: ReadonlyMap<InstanceId, ReadonlyArray<Reference>>,
  child: InstanceId,
  relationship: RelationshipMapping,
): boolean => imposed.get(child)?.some((other) => other.relationship === relationship && other.target !== null) === true

/** Is a child known to belong to another than the one that holds it? What holds it may be out of date. */
const isAnothers = (
  state: SessionState,
  identityMap: Parameters<typeof targetOf>[1],
  child: Instance,
  relationship: RelationshipMapping,
  holder: Instance,
): boolean => {
  if (relationship.inverse !== null) {
    const target = targetOf(state, identityMap, child, relationship.inverse)
    return target !== undefined && target !== holder.id
  }
  const key = isExpired(state, child) ? null : foreignKeyOf(child, relationship, Instance.committedAt)
  if (key === undefined || key === null) return false
  return key !== (relationship.isByIdentity ? holder.key : rawOf(holder, relationship.key, Instance.committedAt))
}

/** Members that a relationship holds and that have not come to it since the last flush. @category combinators */
export const unchangedIn = (related: Instance.Related): ReadonlyArray<InstanceId> => {
  const members = Instance.membersOf(related) ?? []
  const added = Instance.addedTo(related)
  if (added.length === 0) return members
  const came = new Set(added)
  return members.filter((id) => !came.has(id))
}
