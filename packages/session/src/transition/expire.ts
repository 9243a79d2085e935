/**
 * Expiry: forgetting what is known of rows, so that the next read asks the database.
 */
import { type InstanceId, rowClassOf } from '@unitary/core'
import type { InvalidState } from '../error.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, instanceAt, revise, type SessionState } from '../state/session-state.js'
import { invalidState } from './expunge.js'
import { reachedBy } from './reach.js'
import type { LoadNeeded } from './remove.js'
import { put } from './standing.js'

/**
 * Expires an instance: all of it, and all that its refresh-expire cascade reaches, or the attributes and relationships
 * named. Changes that no flush has written are forgotten too, and what is pending leaves the unit of work with a relationship
 * that it is an orphan without; other pending instances stay. Only for what is persistent.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/cascades.html#refresh-expire
 * @category transitions
 */
export const expire = (
  state: SessionState,
  root: Instance.Instance,
  names: ReadonlyArray<string> | null,
): InvalidState | SessionState => {
  if (root.status !== 'persistent') return invalidState(root, 'expire')
  const changes = edit(state)
  if (names !== null) {
    put(changes, forget(state, root, names))
    return done(state, changes)
  }
  const visited = new Set<InstanceId>()
  const stack: InstanceId[] = [root.id]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (visited.has(id)) continue
    visited.add(id)
    const instance = instanceAt(state, id)
    if (!Instance.isInUnitOfWork(instance)) continue
    const reached = (isOrphaning: boolean): ReadonlyArray<InstanceId> =>
      reachedBy(
        state,
        instance,
        ({ cascade }) => cascade.has('refresh-expire') && cascade.has('delete-orphan') === isOrphaning,
      )
    stack.push(...reached(false).filter((other) => instanceAt(state, other).status === 'persistent'), ...reached(true))
    if (instance.status === 'pending') {
      // nobody that it could belong to knows of it any more
      changes.added.delete(id)
      changes.instances.set(id, { ...instance, status: 'transient', order: 0 })
      continue
    }
    // the flush that deletes a row needs to know what refers to it
    put(changes, { ...forgetAll(instance), related: IntSet.has(state.deleted, id) ? instance.related : null })
  }
  return done(state, changes)
}

/** The instance, expired. @category combinators */
export const forgetAll = (instance: Instance.Instance): Instance.Instance => ({
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
      // what is deferred is loaded when it is asked for
      if (instance.mapping.attributeOf.get(name)?.isDeferred === false) partial = true
    } else {
      related = Instance.replaceRelated({ ...instance, related }, relationship, undefined)
    }
  }
  return {
    ...instance,
    snapshot: rowClassOf(instance.mapping).make(instance.id, values),
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
  IntSet.forEach(state.changed, (id) => {
    const instance = IntMap.get(state.instances, id)
    if (instance !== undefined) changes.instances.set(id, forgetAll(instance))
    changes.changed.delete(id)
  })
  return revise(done(state, changes), { epoch: state.epoch + 1 })
}

/**
 * Forgets what a flush loaded for its own work of instances that it has deleted.
 *
 * @category transitions
 */
export const withoutLoaded = (state: SessionState, loaded: ReadonlyArray<LoadNeeded>): SessionState => {
  const changes = edit(state)
  for (const { instance, relationship } of loaded) {
    const current = instanceAt(state, instance.id)
    if (relationship === null || current.status !== 'deleted') continue
    changes.instances.set(current.id, Instance.withRelated(current, relationship, undefined))
  }
  return done(state, changes)
}
