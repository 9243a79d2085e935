/**
 * What a flush is about: which instances are inserted, updated, deleted, and which foreign keys follow from
 * relationships that only the other side knows.
 *
 * Costs the changes, not what is loaded.
 */
import {
  type AnyModel,
  decodedKeyOf,
  type InstanceId,
  isKindOf,
  type Mapping,
  type RawKey,
  type RelationshipMapping,
  rawKeyOf,
} from '@unitary/core'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { edit, type InstanceSet, instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { reachedBy } from '../transition/reach.js'
import { rawOf } from '../transition/referred.js'
import { findTarget, foreignKeyOf, targetOf } from '../transition/relate.js'
import { isInKey, isReferred, keyLinksOf, referredAttributes, referredBy } from './key-links.js'
import { sortByLevels } from './topological-sort.js'

type Instance = Instance.Instance

/** A relationship as the row that holds its foreign key sees it. */
export interface Reference {
  readonly relationship: RelationshipMapping
  readonly target: InstanceId | null
}

/** An instance that goes on referring to one whose key changes. */
export interface Carried {
  readonly instance: InstanceId
  readonly relationship: RelationshipMapping
  readonly target: InstanceId
}

/**
 * @category model
 */
export interface ChangeSet {
  /** By the index of the root of the mapping, in the order in which they became pending. */
  readonly inserts: ReadonlyArray<ReadonlyArray<Instance>>
  readonly updates: ReadonlyArray<ReadonlyArray<Instance>>
  readonly deletes: ReadonlyArray<ReadonlyArray<Instance>>
  /** References that an instance's own state does not tell: set by a has-many without inverse, or by a delete. */
  readonly imposed: ReadonlyMap<InstanceId, ReadonlyArray<Reference>>
  /** Instances whose foreign keys follow a parent's new key by themselves, in the database. */
  readonly carried: ReadonlyArray<Carried>
  /** Instances whose primary keys change, or what else foreign keys refer to. */
  readonly renamed: ReadonlySet<InstanceId>
  readonly isDeleted: (id: InstanceId) => boolean
  readonly isInserted: (id: InstanceId) => boolean
  /** Pending instances that lost their last parent, and are not inserted. */
  readonly orphans: ReadonlyArray<InstanceId>
  /** Pending instances, each with the deleted one whose key it has: its row is taken over instead. */
  readonly switches: ReadonlyMap<InstanceId, Instance>
}

/**
 * The change set of a state.
 *
 * @category constructors
 */
export const changeSet = (state: SessionState): ChangeSet => {
  const added = instancesIn(state, state.added)
  const changed = instancesIn(state, state.changed)
  const owners = ownersAmong(state, added, changed)
  const { deleted, orphans } = goingAmong(state, owners)
  const imposed = new Map<InstanceId, Reference[]>()
  imposeReferences(state, owners, deleted, imposed)
  imposeNulls(state, deleted, imposed)
  const { carried, renamed } = followKeys(state, changed, deleted, imposed)

  const inserts = orphans.size === 0 ? added : added.filter(({ id }) => !orphans.has(id))
  if (!isOrdered(inserts)) inserts.sort((a, b) => a.order - b.order)
  const switches = rowSwitches(state, inserts, deleted)
  const updates: Instance[] = switches.size === 0 ? [] : inserts.filter(({ id }) => switches.has(id))
  for (const instance of changed) if (!deleted.has(instance.id)) updates.push(instance)
  let more = false
  for (const id of imposed.keys()) {
    if (IntMap.has(state.changed, id) || deleted.has(id)) continue
    const instance = instanceAt(state, id)
    if (instance.status === 'persistent') {
      updates.push(instance)
      more = true
    }
  }
  if (more) updates.sort((a, b) => a.id - b.id)
  const switched = new Set(Array.from(switches.values(), ({ id }) => id))
  const deletes = Array.from(deleted)
    .filter((id) => !switched.has(id))
    .sort((a, b) => a - b)
    .map((id) => instanceAt(state, id))
  return {
    inserts: byMapping(state, switches.size === 0 ? inserts : inserts.filter(({ id }) => !switches.has(id))),
    updates: byMapping(state, updates),
    deletes: byMapping(state, deletes),
    imposed,
    carried,
    renamed,
    isDeleted: (id) => deleted.has(id),
    isInserted: (id) => IntMap.has(state.added, id) && !orphans.has(id) && !switches.has(id),
    orphans: [...orphans],
    switches,
  }
}

/** What goes with the next flush: rows to be deleted, and pending instances that are not inserted after all. */
interface Going {
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

const goingAmong = (state: SessionState, owners: Owners): Going => {
  if (!mayGo(state)) return nothingGoes
  const deleted = new Set<InstanceId>(IntMap.keys(state.deleted))
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

/** Instances of a set, in the order of their ids. */
const instancesIn = (state: SessionState, ids: InstanceSet): Instance[] => {
  const instances: Instance[] = []
  IntMap.forEach(ids, (_, id) => instances.push(instanceAt(state, id)))
  return instances
}

const noSwitches: ReadonlyMap<InstanceId, Instance> = new Map()

/** A row that is deleted and inserted again with one key is updated. */
const rowSwitches = (
  state: SessionState,
  inserts: ReadonlyArray<Instance>,
  deleted: ReadonlySet<InstanceId>,
): ReadonlyMap<InstanceId, Instance> => {
  if (deleted.size === 0 || inserts.length === 0) return noSwitches
  const byKey = new Map<Mapping, Map<RawKey, Instance>>()
  for (const id of deleted) {
    const instance = instanceAt(state, id)
    const keys = byKey.get(instance.mapping) ?? new Map<RawKey, Instance>()
    if (instance.key !== null) keys.set(instance.key, instance)
    byKey.set(instance.mapping, keys)
  }
  const switches = new Map<InstanceId, Instance>()
  for (const instance of inserts) {
    const keys = byKey.get(instance.mapping)
    const key = keys === undefined ? null : keyToBe(state, instance)
    const replaced = key === null ? undefined : keys?.get(key)
    if (replaced !== undefined) switches.set(instance.id, replaced)
  }
  return switches
}

/** The key that a new row will have, as far as it is known: of what it refers to it may be made. */
const keyToBe = (state: SessionState, instance: Instance): RawKey | null => {
  const { mapping, snapshot } = instance
  const known = rawKeyOf(mapping, snapshot as never)
  if (known !== null) return known
  const values: Record<string, unknown> = { ...snapshot }
  for (const relationship of mapping.relationships) {
    const one = relationship.kind === 'BelongsTo' ? Instance.relatedOf(instance, relationship) : undefined
    if (one?._tag !== 'One' || one.target === null) continue
    const target = instanceAt(state, one.target)
    const given = !relationship.isByIdentity
      ? relationship.key.map((attribute) => Instance.valueAt(target, attribute))
      : target.key === null
        ? []
        : decodedKeyOf(target.mapping, target.key)
    relationship.foreignKey.forEach(({ isKey, name }, i) => {
      if (isKey) values[name] ??= given[i]
    })
  }
  return rawKeyOf(mapping, values)
}

const isOrdered = (instances: ReadonlyArray<Instance>): boolean => {
  for (let i = 1; i < instances.length; i++) {
    if ((instances[i - 1] as Instance).order > (instances[i] as Instance).order) return false
  }
  return true
}

const none: ReadonlyArray<never> = []

const byMapping = (state: SessionState, instances: ReadonlyArray<Instance>): ReadonlyArray<ReadonlyArray<Instance>> => {
  if (instances.length === 0) return none
  const all: Instance[][] = state.model.mappings.map(() => [])
  for (const instance of instances) (all[instance.mapping.root.index] as Instance[]).push(instance)
  return all
}

/** Can the entity's relationships say anything that its own rows do not? */
const mayOwn = (mapping: Mapping): boolean =>
  mapping.relationships.some(({ cascade, kind }) => kind !== 'BelongsTo' || cascade.has('delete-orphan'))

/** Is it over a foreign key that the other side holds, and written? */
const isHeldByTarget = ({ kind, viewonly }: RelationshipMapping): boolean =>
  (kind === 'HasMany' || kind === 'HasOne') && !viewonly

/** Instances whose collections may have changed: pending ones, then those that have rows. */
type Owners = ReadonlyArray<Instance>

const nobody: Owners = []

const ownersOf = (state: SessionState): Owners =>
  ownersAmong(state, instancesIn(state, state.added), instancesIn(state, state.changed))

const ownersAmong = (
  { model }: SessionState,
  added: ReadonlyArray<Instance>,
  changed: ReadonlyArray<Instance>,
): Owners => {
  if (!model.mappings.some(mayOwn)) return nobody
  const owners: Instance[] = []
  for (const instances of [added, changed]) {
    for (const instance of instances) if (instance.related !== null) owners.push(instance)
  }
  return owners
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

const impose = (imposed: Map<InstanceId, Reference[]>, id: InstanceId, reference: Reference): void => {
  const list = imposed.get(id)
  if (list === undefined) imposed.set(id, [reference])
  else list.push(reference)
}

/**
 * What a collection or has-one knows of its children's foreign keys, and the children do not tell: they do not know the
 * relationship, have been expired since, or were given up by a has-one for another.
 */
const imposeReferences = (
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

/** Children that stay when their parent goes lose their foreign key. Those that came since it was loaded keep it. */
const imposeNulls = (
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

const unchangedIn = (related: Instance.Related): ReadonlyArray<InstanceId> => {
  const members = Instance.membersOf(related) ?? []
  const added = Instance.addedTo(related)
  if (added.length === 0) return members
  const came = new Set(added)
  return members.filter((id) => !came.has(id))
}

/** Is the primary key of the row to be changed, by itself or by what the row comes to refer to? @category guards */
export const isRenamed = (instance: Instance): boolean => {
  const { committed, mapping, related } = instance
  if (committed !== null && mapping.key.some(({ name }) => name in committed)) return true
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
 */
const followKeys = (
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
