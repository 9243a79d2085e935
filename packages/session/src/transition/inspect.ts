/**
 * Looking at what a session knows, for people, tests and tools.
 */
import type { CollectionKey, InstanceId, RawKey, Snapshot } from '@unitary/core'
import * as Collection from '../state/collection.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { isExpired, type SessionState } from '../state/session-state.js'
import { instanceOf } from './transition.js'

/**
 * One instance, as plain data.
 *
 * @category model
 */
export interface Inspected {
  readonly id: InstanceId
  readonly entity: string
  readonly status: Instance.Status
  /** Entity, raw key and shard, from the first flush or load on. */
  readonly identity: { readonly entity: string; readonly key: RawKey; readonly shard: ShardToken | null } | null
  /** The attributes that are known. Empty where the instance has expired. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** The relationships that are known: instance ids. */
  readonly related: Readonly<Record<string, InstanceId | null | ReadonlyArray<InstanceId>>>
  /** Of collections that are kept by key: what their members stand under, in their order. */
  readonly keys: Readonly<Record<string, ReadonlyArray<CollectionKey | undefined>>>
  /** Attributes and relationships with changes that no flush has written. */
  readonly changed: ReadonlyArray<string>
  /** Will the next flush delete it? */
  readonly isMarkedForDeletion: boolean
}

/**
 * What the state knows of an instance; null where it does not know it at all.
 *
 * @category interpreters
 */
export const inspect = (state: SessionState, reference: Snapshot): Inspected | null => {
  const instance = instanceOf(state, reference)
  return instance === undefined ? null : inspectInstance(state, instance)
}

/** Every instance of the state, in the order of their ids. O(n). @category interpreters */
export const inspectAll = (state: SessionState): ReadonlyArray<Inspected> =>
  IntMap.values(state.instances).map((instance) => inspectInstance(state, instance))

const inspectInstance = (state: SessionState, instance: Instance.Instance): Inspected => {
  const expired = isExpired(state, instance)
  const attributes: Record<string, unknown> = {}
  const related: Record<string, InstanceId | null | ReadonlyArray<InstanceId>> = {}
  const keys: Record<string, ReadonlyArray<CollectionKey | undefined>> = {}
  const changed = Object.keys(instance.committed ?? {})
  if (!expired) {
    for (const attribute of instance.mapping.attributes) {
      const value = Instance.valueAt(instance, attribute)
      if (value !== undefined) attributes[attribute.name] = value
    }
    for (const relationship of instance.mapping.relationships) {
      const known = Instance.relatedOf(instance, relationship)
      if (known === undefined) continue
      if (known._tag === 'One') {
        related[relationship.name] = known.target
        if (known.changed) changed.push(relationship.name)
      } else {
        const { members } = known
        if (members !== null) {
          const ids = Collection.toArray(members)
          related[relationship.name] = ids
          if (relationship.collection.key !== null) {
            keys[relationship.name] = ids.map((id) => Collection.keyOf(members, id))
          }
        }
        if (Instance.hasChanges(known)) changed.push(relationship.name)
      }
    }
  }
  return {
    id: instance.id,
    entity: instance.mapping.name,
    status: instance.status,
    identity:
      instance.key === null ? null : { entity: instance.mapping.name, key: instance.key, shard: instance.token },
    attributes,
    related,
    keys,
    changed,
    isMarkedForDeletion: IntSet.has(state.deleted, instance.id),
  }
}
