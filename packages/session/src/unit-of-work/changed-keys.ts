/**
 * Keys that a flush changes, and the foreign keys that follow them.
 */
import { type AnyModel, type Attribute, type InstanceId, isKindOf, type RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { edit, instanceAt, type SessionState } from '../state/session-state.js'
import { findTarget } from '../transition/target.js'
import { impose, imposeReferences, type Reference, unchangedIn } from './imposed.js'
import { isInKey, isReferred, keyLinksOf, referredAttributes, referredBy } from './key-links.js'
import { instancesIn, isHeldByTarget, ownersOf } from './owners.js'
import { sortByLevels } from './topological-sort.js'

type Instance = Instance.Instance

/** An instance that goes on referring to one whose key changes. @category model */
export interface Carried {
  readonly instance: InstanceId
  readonly relationship: RelationshipMapping
  readonly target: InstanceId
}

/** Is the value of one of the attributes there? Asked of each row that is changed. */
const isAnyIn = (attributes: ReadonlyArray<Attribute>, values: Readonly<Record<string, unknown>>): boolean => {
  for (let i = 0; i < attributes.length; i++) if ((attributes[i] as Attribute).name in values) return true
  return false
}

/** Is the primary key of the row to be changed, by itself or by what the row comes to refer to? @category guards */
export const isRenamed = (instance: Instance): boolean => {
  const { committed, mapping, related } = instance
  if (committed !== null && isAnyIn(mapping.key, committed)) return true
  if (related === null) return false
  return mapping.relationships.some((relationship) => {
    if (relationship.kind !== 'BelongsTo' || relationship.viewonly || !isInKey(relationship)) return false
    const one = Instance.relatedOf(instance, relationship)
    return one?._tag === 'One' && one.changed && one.target !== null
  })
}

/** Is anything to be changed that other rows refer to the row by: its primary key, or other attributes? @category guards */
export const isReferredAnew = (model: AnyModel, instance: Instance): boolean => {
  if (isRenamed(instance)) return true
  const referred = referredAttributes(model)
  if (referred.size === 0) return false
  const { committed, mapping, related } = instance
  if (committed !== null && mapping.attributes.some((one) => one.name in committed && referred.has(one))) return true
  if (related === null) return false
  return mapping.relationships.some((relationship) => {
    if (relationship.kind !== 'BelongsTo' || relationship.viewonly || !isReferred(model, relationship)) return false
    const one = Instance.relatedOf(instance, relationship)
    return one?._tag === 'One' && one.changed && one.target !== null
  })
}

/**
 * May a relationship's foreign keys follow a change of the instance: does what they refer to change, or follow itself?
 *
 * @category guards
 */
export const isFollowing = (model: AnyModel, { committed, mapping }: Instance, { key }: RelationshipMapping): boolean =>
  key.some(
    (attribute) =>
      (committed !== null && attribute.name in committed) ||
      keyLinksOf(model, mapping).some(({ relationship: { foreignKey } }) => foreignKey.includes(attribute)),
  )

/**
 * The rows whose primary keys are to be changed, or what else refers to them, also by those that they refer to.
 *
 * @category combinators
 */
export const renamedRows = (state: SessionState, deleted: ReadonlySet<InstanceId>): ReadonlySet<InstanceId> => {
  const imposed = new Map<InstanceId, Reference[]>()
  imposeReferences(state, ownersOf(state), deleted, imposed)
  return followKeys(state, instancesIn(state, state.changed), deleted, imposed).renamed
}

interface Followed {
  readonly renamed: ReadonlySet<InstanceId>
  readonly carried: ReadonlyArray<Carried>
}

const nothingFollowed: Followed = { renamed: new Set(), carried: [] }

/**
 * Rows that refer to one whose key changes: their foreign keys follow, by updates of their own or, with passive updates, by
 * the database's ON UPDATE CASCADE, and then in memory only. Where that changes their keys, the rows that refer to them
 * follow in turn.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/relationship_persistence.html#mutable-primary-keys-update-cascades
 *
 * @category combinators
 */
export const followKeys = (
  state: SessionState,
  changed: ReadonlyArray<Instance>,
  deleted: ReadonlySet<InstanceId>,
  imposed: Map<InstanceId, Reference[]>,
): Followed => {
  const renamed = new Set<InstanceId>()
  for (const instance of changed) {
    if (!deleted.has(instance.id) && isReferredAnew(state.model, instance)) renamed.add(instance.id)
  }
  for (const [id, references] of imposed) {
    if (deleted.has(id) || instanceAt(state, id).status !== 'persistent') continue
    if (references.some(({ relationship, target }) => target !== null && isReferred(state.model, relationship))) {
      renamed.add(id)
    }
  }
  if (renamed.size === 0) return nothingFollowed
  const carried: Carried[] = []
  const follow = (id: InstanceId, relationship: RelationshipMapping, target: InstanceId): void => {
    if (deleted.has(id) || !isFollowing(state.model, instanceAt(state, target), relationship)) return
    if (relationship.passiveUpdates) carried.push({ instance: id, relationship, target })
    else impose(imposed, id, { relationship, target })
    if (isReferred(state.model, relationship)) renamed.add(id)
  }
  // who refers without the other side's knowing has to be looked for
  const oneSided = referringAlone(state, deleted)
  // those that follow are renamed in turn
  for (const id of renamed) {
    const parent = instanceAt(state, id)
    for (const relationship of parent.mapping.relationships) {
      const related = isHeldByTarget(relationship) ? Instance.relatedOf(parent, relationship) : undefined
      for (const child of related === undefined ? [] : unchangedIn(related)) follow(child, relationship, id)
    }
    for (const { instance, relationship } of oneSided.get(id) ?? []) follow(instance, relationship, id)
  }
  return { renamed, carried: inOrder(carried) }
}

/**
 * What refers to each instance over relationships that have no inverse, or by part of its key: that would not be found
 * again. O(instances) where a model has such.
 */
const referringAlone = (
  state: SessionState,
  deleted: ReadonlySet<InstanceId>,
): ReadonlyMap<InstanceId, ReadonlyArray<Pick<Carried, 'instance' | 'relationship'>>> => {
  const found = new Map<InstanceId, Array<Pick<Carried, 'instance' | 'relationship'>>>()
  const oneSided = state.model.mappings.flatMap((mapping) =>
    mapping.relationships.filter(
      ({ kind, inverse, owner, viewonly }) =>
        owner === mapping && kind === 'BelongsTo' && inverse === null && !viewonly,
    ),
  )
  if (oneSided.length === 0 && state.model.mappings.every((mapping) => keyLinksOf(state.model, mapping).length === 0)) {
    return found
  }
  const identityMap = edit(state)
  const put = (target: InstanceId, instance: InstanceId, relationship: RelationshipMapping): void => {
    const known = found.get(target)
    if (known === undefined) found.set(target, [{ instance, relationship }])
    else known.push({ instance, relationship })
  }
  IntMap.forEach(state.instances, (instance, id) => {
    if (instance.status !== 'persistent' || deleted.has(id)) return
    for (const link of keyLinksOf(state.model, instance.mapping)) {
      const target = isMoving(instance, link.relationship) ? undefined : referredBy(state, instance, link)
      if (target !== undefined) put(target, id, link.relationship)
    }
    for (const relationship of oneSided) {
      if (!isKindOf(instance.mapping, relationship.owner) || isReferred(state.model, relationship)) continue
      const one = Instance.relatedOf(instance, relationship)
      if (one?._tag === 'One' && one.changed) continue
      // what the database carries is known again when it is read, what it does not has to be written
      if (one === undefined && relationship.passiveUpdates) continue
      const target = findTarget(state, identityMap, instance, relationship)
      if (target !== undefined && target !== null) put(target, id, relationship)
    }
  })
  return found
}

/** Does the row come to refer to another, or to nothing? */
const isMoving = (instance: Instance, relationship: RelationshipMapping): boolean => {
  const own = relationship.kind === 'BelongsTo' ? relationship : relationship.inverse
  const one = own === null ? undefined : Instance.relatedOf(instance, own)
  return one?._tag === 'One' && one.changed
}

/** What follows another that follows itself comes after it. */
const inOrder = (carried: ReadonlyArray<Carried>): ReadonlyArray<Carried> => {
  const byInstance = new Map<InstanceId, Carried[]>()
  for (const one of carried) {
    const known = byInstance.get(one.instance)
    if (known === undefined) byInstance.set(one.instance, [one])
    else known.push(one)
  }
  const sorted = sortByLevels(carried, ({ target }) => byInstance.get(target) ?? [])
  return sorted._tag === 'Levels' ? sorted.levels.flat() : carried
}
