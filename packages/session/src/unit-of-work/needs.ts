/**
 * What a flush has to know before it can be planned, and does not: what a has-one held that was set while nobody knew, the
 * version of a row that is written, the places in a list that something was added to, what refers to a row that goes or to a key that changes.
 *
 * Costs the changes, and nothing where the entities that changed can have no such needs.
 */
import type { AnyModel, InstanceId, Mapping, RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import type { LoadNeeded } from '../transition/remove.js'
import { isFollowing, isReferredAnew, renamedRows } from './changed-keys.js'
import { isWithinGroup } from './dependencies.js'
import { goingOf } from './going.js'
import { referredAttributes } from './key-links.js'
import { placed, placeNeeds } from './places.js'

type Instance = Instance.Instance

const nothing: ReadonlyArray<LoadNeeded> = []

/**
 * The loads without which the flush of a state would leave something undone. Once they are there, more may turn out to be
 * needed: what goes along with what was loaded.
 *
 * @category combinators
 */
export const flushNeeds = (given: SessionState): ReadonlyArray<LoadNeeded> => {
  const isByAttributes = referredAttributes(given.model).size > 0
  const isAdding = isByAttributes && given.added.size > 0
  if (given.deleted.size === 0 && !isAdding && (given.changed.size === 0 || !canNeed(given.model))) return nothing
  const state = placed(given)
  const going = goingOf(state).deleted
  const needs: LoadNeeded[] = [...placeNeeds(given)]
  IntSet.forEach(state.changed, (id) => {
    const instance = instanceAt(state, id)
    if (mayNeed(instance.mapping) && !going.has(id)) needsOfChange(state, instance, needs)
  })
  if (hasActiveUpdates(state)) needsOfKeys(state, going, needs)
  if (isByAttributes) needsOfReferences(state, going, needs)
  const taken = going.size === 0 ? nowhere : entitiesWritten(state)
  for (const id of going) {
    const instance = instanceAt(state, id)
    needsOfDelete(state, instance, taken.has(instance.mapping), needs)
  }
  return needs
}

const nowhere: ReadonlySet<Mapping> = new Set()

/** Entities with unique keys of which rows are inserted or changed: these may take what a deleted row frees. */
const entitiesWritten = ({ added, changed, instances, model }: SessionState): ReadonlySet<Mapping> => {
  const written = new Set<Mapping>()
  if (!model.mappings.some(({ uniqueKeys }) => uniqueKeys.length > 0)) return written
  for (const set of [added, changed]) {
    IntSet.forEach(set, (id) => {
      const instance = IntMap.get(instances, id)
      if (instance !== undefined && instance.mapping.uniqueKeys.length > 0) written.add(instance.mapping)
    })
  }
  return written
}

const models = new WeakMap<AnyModel, boolean>()

/** Can a change of anything in the model need anything, as long as nothing is deleted? */
const canNeed = (model: AnyModel): boolean => {
  const found =
    models.get(model) ??
    model.mappings.some(
      (mapping) =>
        mayNeed(mapping) ||
        mapping.relationships.some(
          ({ cascade, collection, isByIdentity, passiveUpdates }) =>
            cascade.has('delete-orphan') || collection.position !== null || !passiveUpdates || !isByIdentity,
        ),
    )
  models.set(model, found)
  return found
}

const known = new WeakMap<Mapping, boolean>()

/** Can a change of the entity's instances need anything? */
const mayNeed = (mapping: Mapping): boolean => {
  const found =
    known.get(mapping) ??
    (mapping.version !== null ||
      mapping.relationships.some(
        ({ cascade, kind }) => kind === 'HasOne' || (kind === 'BelongsTo' && cascade.has('delete-orphan')),
      ))
  known.set(mapping, found)
  return found
}

/** Is a key to be changed of something that the session itself carries it on from? */
const hasActiveUpdates = ({ changed, instances, model }: SessionState): boolean => {
  if (!model.mappings.some(({ relationships }) => relationships.some(({ passiveUpdates }) => !passiveUpdates)))
    return false
  let found = false
  IntSet.forEach(changed, (id) => {
    const instance = IntMap.get(instances, id)
    found ||= instance !== undefined && isReferredAnew(model, instance)
  })
  return found
}

/** Whatever refers to a key that changes, and does not follow by itself. */
const needsOfKeys = (state: SessionState, going: ReadonlySet<InstanceId>, needs: LoadNeeded[]): void => {
  for (const id of renamedRows(state, going)) {
    const instance = instanceAt(state, id)
    for (const relationship of instance.mapping.relationships) {
      const { kind, passiveUpdates, viewonly } = relationship
      if (viewonly || passiveUpdates || kind === 'BelongsTo' || isLoaded(state, instance, relationship)) continue
      if (!isFollowing(state.model, instance, relationship)) continue
      needs.push({ instance, relationship })
    }
  }
}

/** What rows come to refer to by other attributes than the primary key, which are not known. */
const needsOfReferences = (state: SessionState, going: ReadonlySet<InstanceId>, needs: LoadNeeded[]): void => {
  const need = (id: InstanceId, { key }: RelationshipMapping): void => {
    const instance = instanceAt(state, id)
    if (instance.status !== 'persistent' || going.has(id)) return
    const isUnknown =
      isExpired(state, instance) || key.some((attribute) => Instance.valueAt(instance, attribute) === undefined)
    if (isUnknown) needs.push({ instance, relationship: null })
  }
  for (const set of [state.added, state.changed]) {
    IntSet.forEach(set, (id) => {
      const instance = instanceAt(state, id)
      for (const relationship of instance.mapping.relationships) {
        const related = Instance.relatedOf(instance, relationship)
        if (related === undefined || relationship.isByIdentity || relationship.viewonly) continue
        const added = Instance.addedTo(related)
        if (relationship.kind === 'BelongsTo') for (const target of added) need(target, relationship)
        else if (added.length > 0) need(id, relationship)
      }
    })
  }
}

const needsOfChange = (state: SessionState, instance: Instance, needs: LoadNeeded[]): void => {
  if (isVersionUnknown(state, instance)) needs.push({ instance, relationship: null })
  for (const relationship of instance.mapping.relationships) {
    const { cascade, kind, viewonly } = relationship
    if (viewonly || (kind === 'BelongsTo' && !cascade.has('delete-orphan'))) continue
    const related = Instance.relatedOf(instance, relationship)
    const isReplaced = related?._tag === 'One' && related.changed && related.committed === Instance.unknown
    if (isReplaced) needs.push({ instance, relationship })
  }
}

const needsOfDelete = (state: SessionState, instance: Instance, isTaken: boolean, needs: LoadNeeded[]): void => {
  if (instance.status !== 'persistent') return
  const isFreeing = isTaken && (isExpired(state, instance) || instance.partial)
  if (isFreeing || isVersionUnknown(state, instance) || isPlaceUnknown(state, instance)) {
    needs.push({ instance, relationship: null })
  }
  for (const relationship of instance.mapping.relationships) {
    const { cascade, kind, passiveDeletes, viewonly } = relationship
    if (viewonly || passiveDeletes !== false || (kind === 'BelongsTo' && !cascade.has('delete'))) continue
    if (!isLoaded(state, instance, relationship)) needs.push({ instance, relationship })
  }
}

const isVersionUnknown = (state: SessionState, instance: Instance): boolean => {
  const { version } = instance.mapping
  return version !== null && (isExpired(state, instance) || Instance.committedAt(instance, version) === undefined)
}

/** Rows that refer to rows of their own kind are deleted in an order that follows from their foreign keys. */
const isPlaceUnknown = (state: SessionState, instance: Instance): boolean =>
  instance.mapping.relationships.some(
    (relationship) =>
      relationship.kind === 'BelongsTo' &&
      isWithinGroup(state.model, relationship) &&
      (isExpired(state, instance) ||
        relationship.foreignKey.some((attribute) => Instance.valueAt(instance, attribute) === undefined)),
  )

const isLoaded = (state: SessionState, instance: Instance, relationship: RelationshipMapping): boolean => {
  const related = isExpired(state, instance) ? undefined : Instance.relatedOf(instance, relationship)
  return Instance.isWhole(related)
}

/** What stands for a need: asked for once, whatever comes of it. @category combinators */
export const needKey = ({ instance, relationship }: LoadNeeded): string => `${instance.id} ${relationship?.name ?? ''}`
