/**
 * The places that members have in collections which keep them in an attribute: given by a flush, so that any number of moves
 * before it writes each row once, and only rows whose place is another than before.
 */
import type { AnyModel, Attribute, InstanceId, Mapping, RelationshipMapping } from '@unitary/core'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, instanceAt, isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import type { LoadNeeded } from '../transition/remove.js'
import { withValues } from '../transition/set.js'
import { freshen, put, standingAt } from '../transition/standing.js'
import { goingOf } from './going.js'

/**
 * The state with all members of changed collections at their places; the same state where no place changes. Those that the flush
 * deletes have none, and what is not in the unit of work keeps its own. O(members of changed collections that keep places).
 *
 * @category transitions
 */
export const placed = (state: SessionState): SessionState => {
  if (!keepsPlaces(state.model)) return state
  const changes = edit(state)
  const going = goingOf(state).deleted
  forEachChanged(state, (owner, relationship, { members }) => {
    if (members !== null && !going.has(owner.id)) placeAll(state, changes, going, relationship, members)
  })
  return done(state, changes)
}

/**
 * What has to be loaded for that: lists that something was added to unseen, rows of members whose places are not known.
 *
 * @category combinators
 */
export const placeNeeds = (state: SessionState): ReadonlyArray<LoadNeeded> => {
  const needs: LoadNeeded[] = []
  if (!keepsPlaces(state.model)) return needs
  forEachChanged(state, (owner, relationship, { added, members }) => {
    if (members === null) {
      if (Collection.size(added) > 0) needs.push({ instance: owner, relationship })
      return
    }
    const attribute = placeOf(relationship)
    for (const id of Collection.toArray(members)) {
      const instance = instanceAt(state, id)
      const isUnknown = isExpired(state, instance) || Instance.valueAt(instance, attribute) === undefined
      if (instance.status === 'persistent' && isUnknown) needs.push({ instance, relationship: null })
    }
  })
  return needs
}

const placeAll = (
  state: SessionState,
  changes: StateEdit,
  going: ReadonlySet<InstanceId>,
  relationship: RelationshipMapping,
  members: Collection.Collection,
): void => {
  const { name } = placeOf(relationship)
  let place = relationship.collection.position?.first ?? 0
  for (const id of new Set(Collection.toArray(members))) {
    const instance = standingAt(changes, id)
    if (!Instance.isInUnitOfWork(instance) || going.has(id)) continue
    const known = freshen(state, instance)
    const next = withValues(known, { [name]: place })
    if (next !== known) put(changes, next)
    place++
  }
}

/** Changed collections that keep places, of whatever is in the unit of work. */
const forEachChanged = (
  state: SessionState,
  f: (owner: Instance.Instance, relationship: RelationshipMapping, many: Instance.Many) => void,
): void => {
  for (const set of [state.added, state.changed]) {
    IntSet.forEach(set, (id) => {
      const owner = instanceAt(state, id)
      for (const relationship of placesOf(owner.mapping)) {
        const many = isExpired(state, owner) ? undefined : Instance.relatedOf(owner, relationship)
        if (many?._tag === 'Many' && Instance.hasChanges(many)) f(owner, relationship, many)
      }
    })
  }
}

const placeOf = ({ collection, target }: RelationshipMapping): Attribute =>
  target.attributeOf.get(collection.position?.attribute ?? '') as Attribute

const byMapping = new WeakMap<Mapping, ReadonlyArray<RelationshipMapping>>()

const placesOf = (mapping: Mapping): ReadonlyArray<RelationshipMapping> => {
  const found =
    byMapping.get(mapping) ??
    mapping.relationships.filter(({ collection, viewonly }) => collection.position !== null && !viewonly)
  byMapping.set(mapping, found)
  return found
}

const byModel = new WeakMap<AnyModel, boolean>()

const keepsPlaces = (model: AnyModel): boolean => {
  const found = byModel.get(model) ?? model.mappings.some((mapping) => placesOf(mapping).length > 0)
  byModel.set(model, found)
  return found
}
