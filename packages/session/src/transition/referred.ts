/**
 * What foreign keys refer to that are no primary keys: instances by the attributes that some relationship goes by.
 *
 * The identity map knows instances by their primary keys alone. What is found here is found by going through all that a state
 * has: once for each relationship and state, where somebody asks.
 */
import { type Attribute, type Mapping, type RawKey, type RelationshipMapping, rawKeyOfValue } from '@unitary/core'
import * as IdentityMap from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'

type Instance = Instance.Instance

/**
 * The raw key that some attributes of an instance make: null where a part is null, undefined where a part is not known.
 *
 * @category combinators
 */
export const rawOf = (
  instance: Instance,
  attributes: ReadonlyArray<Attribute>,
  read: typeof Instance.valueAt,
): RawKey | null | undefined => {
  const parts: unknown[] = []
  for (const attribute of attributes) {
    const value = read(instance, attribute)
    if (value === undefined || value === null) return value
    const encoded = attribute.encode(value)
    parts.push(typeof encoded === 'bigint' ? String(encoded) : encoded)
  }
  return parts.length === 1 ? rawKeyOfValue(parts[0]) : JSON.stringify(parts)
}

/**
 * The instances on whichever shard that a foreign key with a raw key refers to, as far as the state has them.
 *
 * @category combinators
 */
export const referredAnywhere = (
  state: SessionState,
  relationship: RelationshipMapping,
  referred: Mapping,
  key: RawKey,
): ReadonlyArray<Instance> =>
  relationship.isByIdentity
    ? IdentityMap.anywhere(state.identityMap, referred, key).map(([, id]) => instanceAt(state, id))
    : (byAttributes(state, relationship, referred).get(key) ?? nobody)

/**
 * The one of them that is on a shard.
 *
 * @category combinators
 */
export const referredAt = (
  state: SessionState,
  relationship: RelationshipMapping,
  referred: Mapping,
  token: Instance['token'],
  key: RawKey,
): Instance | undefined => {
  if (!relationship.isByIdentity) {
    return referredAnywhere(state, relationship, referred, key).find((instance) => instance.token === token)
  }
  const id = IdentityMap.get(state.identityMap, referred, token, key)
  return id === undefined ? undefined : instanceAt(state, id)
}

const nobody: ReadonlyArray<Instance> = []

type ByKey = ReadonlyMap<RawKey, ReadonlyArray<Instance>>

const indexes = new WeakMap<SessionState, Map<RelationshipMapping, ByKey>>()

/** As the database has them. O(instances), once for each state and relationship. */
const byAttributes = (state: SessionState, relationship: RelationshipMapping, referred: Mapping): ByKey => {
  const known = indexes.get(state) ?? new Map<RelationshipMapping, ByKey>()
  indexes.set(state, known)
  const index = known.get(relationship)
  if (index !== undefined) return index
  const made = new Map<RawKey, Instance[]>()
  IntMap.forEach(state.instances, (instance) => {
    if (instance.mapping.root !== referred.root || instance.status !== 'persistent' || isExpired(state, instance))
      return
    const key = rawOf(instance, relationship.key, Instance.committedAt)
    if (key === null || key === undefined) return
    const list = made.get(key)
    if (list === undefined) made.set(key, [instance])
    else list.push(instance)
  })
  known.set(relationship, made)
  return made
}
