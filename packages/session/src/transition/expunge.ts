/**
 * Taking instances out of the session.
 */
import { type InstanceId, type Mapping, type RawKey, rawKeyOf, rowClassOf } from '@unitary/core'
import type { InvalidState } from '../error.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, instanceAt, type SessionState, type StateEdit } from '../state/session-state.js'
import { reachedBy } from './reach.js'
import { freshen, standingAt } from './standing.js'

type Instance = Instance.Instance

/** The operation is not for an instance of that standing. @category constructors */
export const invalidState = (instance: Instance, operation: string): InvalidState => ({
  _tag: 'InvalidState',
  entity: instance.mapping.name,
  key: instance.key,
  status: instance.status,
  operation,
})

/**
 * Takes an instance out of the session, and all that the expunge cascade reaches: what is pending is transient again, what
 * is persistent is detached and keeps what is known of it.
 *
 * @category transitions
 */
export const expunge = (state: SessionState, root: InstanceId): InvalidState | SessionState => {
  const instance = instanceAt(state, root)
  if (!Instance.isInUnitOfWork(instance)) return invalidState(instance, 'expunge')
  const changes = edit(state)
  const visited = new Set<InstanceId>()
  const stack: InstanceId[] = [root]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (visited.has(id)) continue
    visited.add(id)
    const reached = reachedBy(state, instanceAt(state, id), ({ cascade }) => cascade.has('expunge'))
    for (let i = reached.length - 1; i >= 0; i--) stack.push(reached[i] as InstanceId)
    leave(state, changes, id)
  }
  return done(state, changes)
}

/**
 * Takes everything out of the session. What was deleted stays deleted. O(instances).
 *
 * @category transitions
 */
export const expungeAll = (state: SessionState): SessionState => {
  const changes = edit(state)
  IntMap.forEach(state.instances, ({ status }, id) => {
    if (status === 'deleted') changes.gone.delete(id)
    else leave(state, changes, id)
  })
  return done(state, changes)
}

/**
 * Takes everything out of the session, and ends the transaction that was rolled back. O(instances).
 *
 * @category transitions
 */
export const closed = (state: SessionState): SessionState => ({
  ...expungeAll(state),
  origins: IntMap.empty,
  frames: null,
  isWritten: false,
  failure: null,
})

const leave = (state: SessionState, changes: StateEdit, id: InstanceId): void => {
  const instance = standingAt(changes, id)
  changes.added.delete(id)
  changes.changed.delete(id)
  changes.deleted.delete(id)
  changes.gone.delete(id)
  if (instance.status === 'pending') {
    changes.instances.set(id, { ...instance, status: 'transient', order: 0 })
  } else if (instance.status === 'persistent' || instance.status === 'deleted') {
    changes.instances.set(id, {
      ...freshen(state, instance),
      status: 'detached',
      wasDeleted: instance.status === 'deleted',
    })
    changes.identityMap.delete(instance.mapping, instance.token, instance.key as RawKey)
  }
}

/**
 * Makes an instance transient, whatever it was: the session forgets its identity and keeps its attributes, so that it can
 * be added as a new one.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.make_transient
 * @category transitions
 */
export const madeTransient = (state: SessionState, id: InstanceId): SessionState => {
  const changes = edit(state)
  leave(state, changes, id)
  changes.origins.delete(id)
  const instance = standingAt(changes, id)
  changes.instances.set(id, {
    ...instance,
    status: 'transient',
    key: null,
    token: null,
    // it has no row that the rest could be read from
    partial: false,
    committed: null,
    wasDeleted: false,
  })
  return done(state, changes)
}

/**
 * Pretends that a transient instance with a key was stored and detached; nothing is known of its row.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.make_transient_to_detached
 * @category transitions
 */
export const madeDetached = (state: SessionState, id: InstanceId): InvalidState | SessionState => {
  const instance = instanceAt(state, id)
  const key = rawKeyOf(instance.mapping, instance.snapshot as unknown as Readonly<Record<string, unknown>>)
  if (instance.status !== 'transient' || key === null) return invalidState(instance, 'makeDetached')
  const changes = edit(state)
  changes.instances.set(id, { ...instance, status: 'detached', key, ...nothingKnown(instance.mapping, id) })
  return done(state, changes)
}

const nothingKnown = (mapping: Mapping, id: InstanceId) => ({
  snapshot: rowClassOf(mapping).make(id, {}),
  partial: true,
  related: null,
})
