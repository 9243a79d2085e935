/**
 * Expiry: forgetting what is known of rows, so that the next read asks the database.
 */
import { rowClassOf } from '@unitary/core'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, revise, type SessionState } from '../state/session-state.js'

/**
 * Expires an instance: all of it, or the attributes and relationships named. Changes to them that no flush has written
 * are forgotten too. Nothing happens to an instance that has no row.
 *
 * @category transitions
 */
export const expire = (
  state: SessionState,
  instance: Instance.Instance,
  names: ReadonlyArray<string> | null,
): SessionState => {
  if (instance.status !== 'persistent') return state
  const changes = edit(state)
  const next = names === null ? forgetAll(instance) : forget(state, instance, names)
  changes.instances.set(instance.id, next)
  if (Instance.isChanged(next)) changes.changed.set(instance.id, true)
  else changes.changed.delete(instance.id)
  return done(state, changes)
}

const forgetAll = (instance: Instance.Instance): Instance.Instance => ({
  ...instance,
  epoch: -1,
  committed: null,
  related: null,
})

const forget = (state: SessionState, instance: Instance.Instance, names: ReadonlyArray<string>): Instance.Instance => {
  if (instance.epoch < state.epoch) return instance
  const values: Record<string, unknown> = { ...instance.snapshot }
  const committed: Record<string, unknown> = { ...instance.committed }
  let related = instance.related
  let partial = instance.partial
  for (const name of names) {
    const relationship = instance.mapping.relationshipOf.get(name)
    if (relationship === undefined) {
      delete values[name]
      delete committed[name]
      partial = true
    } else {
      related = Instance.replaceRelated({ ...instance, related }, relationship, undefined)
    }
  }
  return {
    ...instance,
    snapshot: partial ? rowClassOf(instance.mapping).make(instance.id, values) : instance.snapshot,
    committed: Object.keys(committed).length === 0 ? null : committed,
    related,
    partial,
  }
}

/**
 * Expires every persistent instance. Costs the instances that have changes, however many are loaded: the state's epoch
 * moves on, and what was known in an earlier one is out of date.
 *
 * @category transitions
 */
export const expireAll = (state: SessionState): SessionState => {
  const changes = edit(state)
  IntMap.forEach(state.changed, (_, id) => {
    const instance = IntMap.get(state.instances, id)
    if (instance !== undefined) changes.instances.set(id, forgetAll(instance))
    changes.changed.delete(id)
  })
  return revise(done(state, changes), { epoch: state.epoch + 1 })
}
