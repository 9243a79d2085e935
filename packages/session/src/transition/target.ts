/**
 * What a reference refers to, as far as that is known without asking a database: what was set or loaded, or else what its
 * foreign key names.
 */
import type { InstanceId, RawKey, RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { instanceAt, isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { rawOf, referredAnywhere, referredAt } from './referred.js'
import { standingAt } from './standing.js'

type Instance = Instance.Instance

/**
 * What a belongs-to relationship refers to, as far as that is known without asking a database: what was set or loaded, or
 * else the instance in the identity map that the foreign key names. Undefined where it is not known.
 *
 * @category combinators
 */
export const targetOf = (
  state: SessionState,
  edit: Pick<StateEdit, 'identityMap'>,
  owner: Instance,
  relationship: RelationshipMapping,
): InstanceId | null | undefined => {
  const known = Instance.relatedOf(owner, relationship)
  if (known?._tag === 'One') return isExpired(state, owner) ? undefined : known.target
  if (isExpired(state, owner)) return undefined
  const key = foreignKeyOf(owner, relationship)
  if (key === undefined || key === null) return key
  return relationship.isByIdentity ? edit.identityMap.get(relationship.target, owner.token, key) : undefined
}

/**
 * The same, but that what a foreign key refers to by other attributes than the primary key is looked for among all that the
 * state has.
 *
 * @category combinators
 */
export const findTarget = (
  state: SessionState,
  edit: Pick<StateEdit, 'identityMap'>,
  owner: Instance,
  relationship: RelationshipMapping,
): InstanceId | null | undefined => {
  const target = targetOf(state, edit, owner, relationship)
  return target !== undefined || relationship.isByIdentity ? target : referredTo(state, owner, relationship)?.id
}

/**
 * The raw key that an instance's foreign key holds: null where a part is null, undefined where a part is not known.
 *
 * @category combinators
 */
export const foreignKeyOf = (
  owner: Instance,
  relationship: RelationshipMapping,
  read: typeof Instance.valueAt = Instance.valueAt,
): RawKey | null | undefined => rawOf(owner, relationship.foreignKey, read)

/**
 * The instance that a belongs-to relationship refers to, on whichever shard it lives; null where it refers to none, and
 * where that is not known. An instance that has no shard yet may name any shard's by its foreign key, if only one shard's
 * has that key.
 *
 * @category combinators
 */
export const referredTo = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
): Instance | null => {
  if (isExpired(state, owner)) return null
  const known = Instance.relatedOf(owner, relationship)
  if (known?._tag === 'One') return known.target === null ? null : instanceAt(state, known.target)
  const key = foreignKeyOf(owner, relationship)
  if (key === undefined || key === null) return null
  const { target } = relationship
  if (Instance.hasIdentity(owner)) return referredAt(state, relationship, target, owner.token, key) ?? null
  const [only, another] = referredAnywhere(state, relationship, target, key)
  return only === undefined || another !== undefined ? null : only
}

/**
 * What a reference held before it is set, undefined where that is not known: a belongs-to knows it by the foreign key that
 * the database has, where that names an instance which has not expired.
 *
 * @category combinators
 */
export const heldBefore = (
  state: SessionState,
  edit: StateEdit,
  owner: Instance,
  relationship: RelationshipMapping,
): InstanceId | null | undefined => {
  const isOutdated = isExpired(state, owner)
  const known = isOutdated ? undefined : Instance.relatedOf(owner, relationship)
  if (known?._tag === 'One') return known.target
  if (isNew(owner)) return null
  if (isOutdated || relationship.kind !== 'BelongsTo') return undefined
  const key = foreignKeyOf(owner, relationship, Instance.committedAt)
  if (key === undefined || key === null) return key
  if (!relationship.isByIdentity) return undefined
  const target = edit.identityMap.get(relationship.target, owner.token, key)
  return target === undefined || isExpired(state, standingAt(edit, target)) ? undefined : target
}

/** Has it no row yet? Then it can hold nothing that is not known. @category guards */
export const isNew = ({ status }: Instance): boolean => status === 'transient' || status === 'pending'
