/**
 * A row that is deleted and inserted again with one key in one flush: it is updated instead.
 */
import { decodedKeyOf, type InstanceId, type Mapping, type RawKey, rawKeyOf } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'

type Instance = Instance.Instance

const noSwitches: ReadonlyMap<InstanceId, Instance> = new Map()

/**
 * Pending instances, each with the deleted one whose row it takes over. Over several shards there are none: they are deleted and
 * inserted, as the new one may be on another. O(inserts + deletes).
 *
 * @category combinators
 */
export const rowSwitches = (
  state: SessionState,
  inserts: ReadonlyArray<Instance>,
  deleted: ReadonlySet<InstanceId>,
): ReadonlyMap<InstanceId, Instance> => {
  if (deleted.size === 0 || inserts.length === 0 || state.options.tokens.length > 1) return noSwitches
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
