/**
 * What a bulk update or delete means for the instances that the session holds.
 */
import type { AnyUpdate, Attribute, InstanceId, Mapping, RawKey } from '@unitary/core'
import { evaluateChanges, rowClassOf } from '@unitary/core'
import type { ShardToken } from '../state/identity-map.js'
import type * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, instanceAt, isExpired, type SessionState } from '../state/session-state.js'

type Row = Readonly<Record<string, unknown>>

/**
 * The persistent instances of an entity that are known well enough to be looked at. O(instances in the state).
 *
 * @category combinators
 */
export const knownInstances = (state: SessionState, mapping: Mapping): ReadonlyArray<Instance.Instance> => {
  const found: Instance.Instance[] = []
  IntMap.forEach(state.instances, (instance) => {
    if (instance.mapping === mapping && instance.status === 'persistent' && !isExpired(state, instance)) {
      found.push(instance)
    }
  })
  return found
}

/** The instance's attributes as a row. @category combinators */
export const rowOf = (instance: Instance.Instance): Row => instance.snapshot as unknown as Row

/**
 * After a bulk update: the instances that it met have the new values, as far as they can be told; the rest of what it set
 * is expired, and so is a row to which the database has given another version. Attributes with changes that no flush has
 * written keep them.
 *
 * @category transitions
 */
export const bulkUpdated = (
  state: SessionState,
  statement: AnyUpdate,
  ids: ReadonlyArray<InstanceId>,
): SessionState => {
  const changes = edit(state)
  const assignments = evaluateChanges(statement)
  for (const id of ids) {
    const instance = instanceAt(state, id)
    changes.instances.set(id, withAssignments(instance, assignments))
  }
  return done(state, changes)
}

const withAssignments = (
  instance: Instance.Instance,
  assignments: ReturnType<typeof evaluateChanges>,
): Instance.Instance => {
  const row = rowOf(instance)
  const { serverVersion } = instance.mapping
  if (serverVersion !== null && instance.committed === null) return { ...instance, epoch: -1 }
  const values: Record<string, unknown> = { ...row }
  let { partial } = instance
  for (const [attribute, assigned] of assignments) {
    if (isPending(instance, attribute)) continue
    const value = assigned?.(row)
    values[attribute.name] = value
    if (value === undefined) partial = true
  }
  if (serverVersion !== null) {
    values[serverVersion.name] = undefined
    partial = true
  }
  return { ...instance, snapshot: rowClassOf(instance.mapping).make(instance.id, values), partial }
}

const isPending = (instance: Instance.Instance, attribute: Attribute): boolean =>
  instance.committed !== null && attribute.name in instance.committed

/**
 * After a bulk delete: the instances that it met are deleted.
 *
 * @category transitions
 */
export const bulkDeleted = (state: SessionState, ids: ReadonlyArray<InstanceId>): SessionState => {
  const changes = edit(state)
  for (const id of ids) {
    const instance = instanceAt(state, id)
    changes.instances.set(id, { ...instance, status: 'deleted', committed: null })
    changes.identityMap.delete(instance.mapping, instance.token, instance.key as RawKey)
    changes.changed.delete(id)
    changes.deleted.delete(id)
    changes.gone.set(id, true)
  }
  return done(state, changes)
}

/** The instances among these that live on one of the databases. @category combinators */
export const onShards = (
  state: SessionState,
  ids: ReadonlyArray<InstanceId>,
  tokens: ReadonlyArray<ShardToken | null>,
): ReadonlyArray<InstanceId> => {
  const touched = new Set(tokens)
  return ids.filter((id) => touched.has(instanceAt(state, id).token))
}
