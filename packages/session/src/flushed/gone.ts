/**
 * Rows that a flush has deleted, and those that it has given to others.
 */
import { decodedKeyOf, type InstanceId, type Mapping, type RawKey, rowClassOf } from '@unitary/core'
import type { StaleData } from '../error.js'
import * as Instance from '../state/instance.js'
import { isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'
import type { DeleteStep, Notice } from '../unit-of-work/step.js'
import { type Values, valueIn } from './filled.js'
import { stale } from './matched.js'
import { settledAll } from './settled.js'

/** Nobody is found by the instance's key any more, unless another instance has taken it. @category combinators */
export const forget = (changes: StateEdit, { id, key, mapping, token }: Instance.Instance): void => {
  if (changes.identityMap.get(mapping, token, key as RawKey) === id) {
    changes.identityMap.delete(mapping, token, key as RawKey)
  }
}

/** A pending instance has taken over the row of a deleted one. @category transitions */
export const switched = (state: SessionState, changes: StateEdit, id: InstanceId, replaced: InstanceId): void => {
  const old = standingAt(changes, replaced)
  leave(state, changes, old)
  const pending = standingAt(changes, id)
  const { mapping, snapshot } = pending
  const { version } = mapping
  const kept: Values = {}
  // an update has counted up the version that the old row had; one that wrote nothing has not
  if (version !== null && Instance.valueAt(pending, version) === undefined) {
    kept[version.name] = Instance.valueAt(old, version)
  }
  const key = decodedKeyOf(mapping, old.key as RawKey)
  mapping.key.forEach(({ name }, i) => {
    kept[name] = key[i]
  })
  const current = rowClassOf(mapping).patch(snapshot, id, kept)
  changes.instances.set(id, {
    ...pending,
    status: 'persistent',
    key: old.key,
    token: old.token,
    snapshot: current,
    epoch: state.epoch,
    partial: mapping.attributes.some((attribute) => !attribute.isDeferred && valueIn(current, attribute) === undefined),
    committed: null,
    related: settledAll(pending.related),
  })
  changes.origins.set(id, pending)
  changes.identityMap.set(mapping, old.token, old.key as RawKey, id)
}

/** A row is gone from the database. */
const leave = (state: SessionState, changes: StateEdit, instance: Instance.Instance): void => {
  const { id, mapping } = instance
  // what had expired can be known no more
  const known = isExpired(state, instance)
    ? { snapshot: rowClassOf(mapping).make(id, {}), partial: true, related: null }
    : {}
  changes.instances.set(id, { ...instance, ...known, status: 'deleted', committed: null })
  forget(changes, instance)
  changes.deleted.delete(id)
  changes.gone.add(id)
}

/**
 * Folds the rows of a delete back. One that was gone already is a notice, or `StaleData` where its version was checked.
 *
 * @category transitions
 */
export const deleted = (
  state: SessionState,
  changes: StateEdit,
  mapping: Mapping,
  step: DeleteStep,
  counts: ReadonlyArray<number>,
  notices: Notice[],
): StaleData | null => {
  // the root's table tells whether the row was there
  if (mapping.parent !== null) return null
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const instance = standingAt(changes, id)
    if (counts[i] === 0 && mapping.version !== null) return stale(step, instance.mapping.name, instance.key, 0)
    if (counts[i] === 0) {
      notices.push({ _tag: 'AlreadyGone', entity: instance.mapping.name, key: instance.key, shard: step.token })
    }
    leave(state, changes, instance)
  }
  return null
}
