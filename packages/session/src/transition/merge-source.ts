/**
 * What is merged: one node of a graph of plain data, or of instances of some state, seen alike.
 */
import {
  byOwnNames,
  isKindOf,
  isOnlyJoined,
  type Mapping,
  membersGiven,
  type RawKey,
  type RelationshipMapping,
  rawKeyOf,
  Snapshot,
  takes,
} from '@unitary/core'
import { type Option, toNullable } from 'fp-ts/lib/Option.js'
import type { InvalidValue, NotInSession } from '../error.js'
import * as Collection from '../state/collection.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { entityOf, faultOf, misfit, unwritable } from './draft.js'
import { instanceOf } from './transition.js'

type Values = Readonly<Record<string, unknown>>

/**
 * @category model
 */
export interface MergeSource {
  /** The same for the same node: graphs may come around. */
  readonly identity: unknown
  readonly mapping: Mapping
  /** Attributes that are known; no others are merged. */
  readonly values: Values
  readonly key: RawKey | null
  readonly token: ShardToken | null
  /** Has it a row, as far as is known? */
  readonly isStored: boolean
  readonly hasChanges: boolean
  /** What a relationship holds, undefined where that is not known. */
  readonly related: (relationship: RelationshipMapping) => MergeSource | ReadonlyArray<MergeSource> | null | undefined
}

/**
 * A node of what was given: an instance of `from`, or plain data.
 *
 * @category constructors
 */
export const mergeSource = (from: SessionState, mapping: Mapping, given: object): MergeSource => {
  const instance = instanceOf(from, given)
  return instance === undefined
    ? dataSource(from, entityOf(mapping, given as Values), given as Values)
    : instanceSource(from, instance)
}

const instanceSource = (from: SessionState, instance: Instance.Instance): MergeSource => {
  const isKnown = !isExpired(from, instance)
  const values: Record<string, unknown> = {}
  if (isKnown) {
    for (const attribute of instance.mapping.attributes) {
      if (!attribute.isStored) continue
      const value = Instance.valueAt(instance, attribute)
      if (value !== undefined) values[attribute.name] = value
    }
  }
  return {
    identity: instance.id,
    mapping: instance.mapping,
    values,
    key: instance.key ?? rawKeyOf(instance.mapping, values),
    token: instance.token,
    isStored: instance.key !== null,
    hasChanges: Instance.isChanged(instance),
    related: (relationship) => {
      const related = isKnown ? Instance.relatedOf(instance, relationship) : undefined
      if (related === undefined) return undefined
      if (related._tag === 'One') {
        return related.target === null ? null : instanceSource(from, instanceAt(from, related.target))
      }
      if (related.members === null) return undefined
      return Collection.toArray(related.members).map((id) => instanceSource(from, instanceAt(from, id)))
    },
  }
}

const dataSource = (from: SessionState, mapping: Mapping, data: Values): MergeSource => {
  const named = byOwnNames(mapping, data)
  const values: Record<string, unknown> = {}
  for (const { isStored, name } of mapping.attributes) {
    if (isStored && named[name] !== undefined) values[name] = named[name]
  }
  return {
    identity: data,
    mapping,
    values,
    key: rawKeyOf(mapping, values),
    token: null,
    isStored: Snapshot.instanceOf(data) !== null,
    hasChanges: false,
    related: (relationship) => {
      const given = heldBy(data, relationship)
      if (given === undefined || given === null) return given
      if (!relationship.isCollection) return mergeSource(from, relationship.target, given as object)
      // what cannot be given has been refused
      const members = membersGiven(relationship.collection, given) as ReadonlyArray<object>
      return members.map((one) => mergeSource(from, relationship.target, one))
    },
  }
}

/** A snapshot has what expressions compute, which nobody gives. */
const settable = (mapping: Mapping, data: Values): Values =>
  mapping.expressions.length === 0 || Snapshot.instanceOf(data) === null
    ? byOwnNames(mapping, data)
    : Object.fromEntries(Object.entries(data).filter(([name]) => !mapping.expressions.some((one) => one.name === name)))

/** A reference that was loaded beside a row is an option, where a draft has what it refers to or null. */
const heldBy = (data: Values, { isCollection, name }: RelationshipMapping): unknown => {
  const held = data[name]
  return isCollection || held === undefined || Snapshot.instanceOf(data) === null
    ? held
    : toNullable(held as Option<unknown>)
}

/**
 * Why a graph cannot be merged, whatever the session knows: data that does not fit its entity, an instance of another
 * entity than its place is for. Instances are not followed: what a state holds fits. O(plain data reached).
 *
 * @category guards
 */
export const mergeFault = (from: SessionState, root: Mapping, given: unknown): InvalidValue | NotInSession | null => {
  const visited = new Set<unknown>()
  const stack: Array<readonly [mapping: Mapping, given: unknown, over: RelationshipMapping | null]> = [
    [root, given, null],
  ]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const [wanted, data, over] = node
    if (visited.has(data)) continue
    visited.add(data)
    const instance = instanceOf(from, data)
    if (instance !== undefined) {
      const fits = over === null ? isKindOf(instance.mapping, wanted) : takes(over, instance.mapping)
      if (!fits) return { _tag: 'NotInSession', entity: wanted.name }
      continue
    }
    const mapping = entityOf(wanted, data as Values)
    const fault = faultOf(mapping, settable(mapping, data as Values))
    if (fault !== null) return fault
    for (const relationship of mapping.relationships) {
      const held = heldBy(data as Values, relationship)
      if (held === undefined || (held === null && !relationship.isCollection)) continue
      if (isOnlyJoined(relationship)) {
        // a row that was loaded with it may have it beside, and that is not merged
        if (Snapshot.instanceOf(data) !== null) continue
        return unwritable(relationship)
      }
      const members = relationship.isCollection ? membersGiven(relationship.collection, held) : [held]
      if (typeof members === 'string') return misfit(relationship, held, members)
      const { target } = relationship
      for (const one of members) {
        if (typeof one !== 'object' || one === null) {
          return misfit(relationship, one, `a draft or an instance of ${target.name} is needed`)
        }
        stack.push([target, one, relationship])
      }
    }
  }
  return null
}
