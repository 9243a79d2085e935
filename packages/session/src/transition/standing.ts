/**
 * An instance as it stands in an edit: read, made fit to be changed, and put back.
 */
import { decodedKeyOf, type InstanceId, rowClassOf, type Snapshot } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import type { Instances } from './members.js'

type Instance = Instance.Instance

/**
 * The instance as it may be changed: if it is out of date, what was known of it is forgotten first, so that a change
 * never makes old values look current.
 *
 * @category combinators
 */
export const freshen = (state: SessionState, instance: Instance): Instance =>
  isExpired(state, instance)
    ? {
        ...instance,
        snapshot: keyOnly(instance),
        epoch: state.epoch,
        partial: true,
        related: null,
      }
    : instance

/** An instance that has expired is still known by its key. */
const keyOnly = ({ id, key, mapping }: Instance): Snapshot => {
  const values = key === null ? [] : decodedKeyOf(mapping, key)
  const known = Object.fromEntries(mapping.key.map(({ name }, i) => [name, values[i]]))
  return rowClassOf(mapping).make(id, known)
}

/** Writes an instance back, and keeps the set of changed ones right. @category combinators */
export const put = (edit: StateEdit, instance: Instance): void => {
  edit.instances.set(instance.id, instance)
  if (instance.status !== 'persistent') return
  if (Instance.isChanged(instance)) edit.changed.add(instance.id)
  else edit.changed.delete(instance.id)
}

/** The instance as it stands in an edit. @category combinators */
export const standingAt = (edit: StateEdit, id: InstanceId): Instance => edit.instances.get(id) as Instance

/** Reads instances as they stand in an edit. @category combinators */
export const standing =
  (edit: StateEdit): Instances =>
  (id) =>
    standingAt(edit, id)
