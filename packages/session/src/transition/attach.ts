/**
 * Bringing instances of another session's state into this one.
 *
 * States share nothing that changes, so an instance moves by being copied: under a number of this state's own, with what is
 * known of it and the changes that no flush has written.
 */
import { type InstanceId, rowClassOf } from '@unitary/core'
import type { InvalidState } from '../error.js'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, type SessionState, type StateEdit } from '../state/session-state.js'
import { invalidState } from './expunge.js'
import { givenUpBy, reachedBy } from './reach.js'
import { put } from './standing.js'

type Instance = Instance.Instance

/** The other state's numbers, and those of the copies. */
type Copies = ReadonlyMap<InstanceId, InstanceId>

/**
 * The state with an instance of `from`, and all that its save-update cascade reaches there: pending where it is transient,
 * persistent where it is detached. What still belongs to the other session is refused, and so is what has the identity of
 * an instance of this one. O(instances reached).
 *
 * @category transitions
 */
export const attach = (
  state: SessionState,
  from: SessionState,
  root: Instance,
): InvalidState | readonly [id: InstanceId, state: SessionState] => {
  const changes = edit(state)
  const copies = new Map<InstanceId, InstanceId>()
  const stack: InstanceId[] = [root.id]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (copies.has(id)) continue
    const instance = instanceAt(from, id)
    if (instance.status !== 'transient' && instance.status !== 'detached') return invalidState(instance, 'attach')
    copies.set(id, changes.nextInstance++)
    for (const other of givenUpBy(instance)) if (!instanceAt(from, other).wasDeleted) stack.push(other)
    const reached = reachedBy(from, instance, ({ cascade }) => cascade.has('save-update'))
    for (let i = reached.length - 1; i >= 0; i--) stack.push(reached[i] as InstanceId)
  }
  for (const [id, copy] of copies) {
    const instance = instanceAt(from, id)
    const { key, mapping, token } = instance
    if (key !== null && instance.status === 'detached') {
      const isTaken = changes.identityMap.get(mapping, token, key) !== undefined
      if (isTaken || instance.wasDeleted) return invalidState(instance, 'attach')
      changes.identityMap.set(mapping, token, key, copy)
    }
    copyOne(state, changes, instance, copies)
  }
  return [copies.get(root.id) as InstanceId, done(state, changes)]
}

const copyOne = (state: SessionState, changes: StateEdit, instance: Instance, copies: Copies): void => {
  const id = copies.get(instance.id) as InstanceId
  const isNew = instance.status === 'transient'
  if (isNew) changes.added.add(id)
  put(changes, {
    ...instance,
    id,
    status: isNew ? 'pending' : 'persistent',
    snapshot: rowClassOf(instance.mapping).make(id, instance.snapshot as unknown as Readonly<Record<string, unknown>>),
    epoch: state.epoch,
    related: instance.related?.map((related) => renumbered(related, copies)) ?? null,
    order: isNew ? changes.nextOrder++ : 0,
  })
}

/** A relationship of copies; what holds others than copies is not known here. */
const renumbered = (related: Instance.Related | undefined, copies: Copies): Instance.Related | undefined => {
  if (related === undefined || !isAmong(related, copies)) return undefined
  const copyOf = (id: InstanceId): InstanceId => copies.get(id) as InstanceId
  if (related._tag === 'One') {
    const { committed, target } = related
    return {
      ...related,
      target: target === null ? null : copyOf(target),
      // what it held before is known by its foreign key at the most
      committed: typeof committed === 'number' ? Instance.unknown : committed,
    }
  }
  const renumber = (ids: Collection.Collection): Collection.Collection => Collection.map(ids, copyOf)
  const { added, members, removed } = related
  return {
    ...related,
    members: members === null ? null : renumber(members),
    added: renumber(added),
    removed: renumber(removed),
  }
}

const isAmong = (related: Instance.Related, copies: Copies): boolean =>
  [
    ...(Instance.membersOf(related) ?? []),
    ...Instance.addedTo(related),
    ...(related._tag === 'Many' ? Instance.removedFrom(related) : []),
  ].every((id) => copies.has(id))
