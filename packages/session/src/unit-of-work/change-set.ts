/**
 * What a flush is about: which instances are inserted, updated, deleted, and which foreign keys follow from
 * relationships that only the other side knows.
 *
 * Costs the changes, not what is loaded.
 */
import type { InstanceId } from '@unitary/core'
import type { Instance } from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { type Carried, followKeys } from './changed-keys.js'
import { goingAmong } from './going.js'
import { imposeNulls, imposeReferences, type Reference } from './imposed.js'
import { instancesIn, ownersAmong } from './owners.js'
import { rowSwitches } from './row-switch.js'

/**
 * @category model
 */
export interface ChangeSet {
  /** By the index of the root of the mapping, in the order in which they became pending. */
  readonly inserts: ReadonlyArray<ReadonlyArray<Instance>>
  readonly updates: ReadonlyArray<ReadonlyArray<Instance>>
  readonly deletes: ReadonlyArray<ReadonlyArray<Instance>>
  /** References that an instance's own state does not tell: set by a has-many without inverse, or by a delete. */
  readonly imposed: ReadonlyMap<InstanceId, ReadonlyArray<Reference>>
  /** Instances whose foreign keys follow a parent's new key by themselves, in the database. */
  readonly carried: ReadonlyArray<Carried>
  /** Instances whose primary keys change, or what else foreign keys refer to. */
  readonly renamed: ReadonlySet<InstanceId>
  readonly isDeleted: (id: InstanceId) => boolean
  readonly isInserted: (id: InstanceId) => boolean
  /** Pending instances that lost their last parent, and are not inserted. */
  readonly orphans: ReadonlyArray<InstanceId>
  /** Pending instances, each with the deleted one whose key it has: its row is taken over instead. */
  readonly switches: ReadonlyMap<InstanceId, Instance>
}

/**
 * The change set of a state.
 *
 * @category constructors
 */
export const changeSet = (state: SessionState): ChangeSet => {
  const added = instancesIn(state, state.added)
  const changed = instancesIn(state, state.changed)
  const owners = ownersAmong(state, added, changed)
  const { deleted, orphans } = goingAmong(state, owners)
  const imposed = new Map<InstanceId, Reference[]>()
  imposeReferences(state, owners, deleted, imposed)
  imposeNulls(state, deleted, imposed)
  const { carried, renamed } = followKeys(state, changed, deleted, imposed)

  const inserts = orphans.size === 0 ? added : added.filter(({ id }) => !orphans.has(id))
  if (!isOrdered(inserts)) inserts.sort((a, b) => a.order - b.order)
  const switches = rowSwitches(state, inserts, deleted)
  const updates: Instance[] = switches.size === 0 ? [] : inserts.filter(({ id }) => switches.has(id))
  for (const instance of changed) if (!deleted.has(instance.id)) updates.push(instance)
  let more = false
  for (const id of imposed.keys()) {
    if (IntSet.has(state.changed, id) || deleted.has(id)) continue
    const instance = instanceAt(state, id)
    if (instance.status === 'persistent') {
      updates.push(instance)
      more = true
    }
  }
  if (more) updates.sort((a, b) => a.id - b.id)
  const switched = new Set(Array.from(switches.values(), ({ id }) => id))
  const deletes = Array.from(deleted)
    .filter((id) => !switched.has(id))
    .sort((a, b) => a - b)
    .map((id) => instanceAt(state, id))
  return {
    inserts: byMapping(state, switches.size === 0 ? inserts : inserts.filter(({ id }) => !switches.has(id))),
    updates: byMapping(state, updates),
    deletes: byMapping(state, deletes),
    imposed,
    carried,
    renamed,
    isDeleted: (id) => deleted.has(id),
    isInserted: (id) => IntSet.has(state.added, id) && !orphans.has(id) && !switches.has(id),
    orphans: [...orphans],
    switches,
  }
}

const isOrdered = (instances: ReadonlyArray<Instance>): boolean => {
  for (let i = 1; i < instances.length; i++) {
    if ((instances[i - 1] as Instance).order > (instances[i] as Instance).order) return false
  }
  return true
}

const none: ReadonlyArray<never> = []

const byMapping = (state: SessionState, instances: Instance[]): ReadonlyArray<ReadonlyArray<Instance>> => {
  const [first] = instances
  if (first === undefined) return none
  const { root } = first.mapping
  const all: Instance[][] = state.model.mappings.map(() => [])
  // mostly all are of one
  if (instances.every(({ mapping }) => mapping.root === root)) return all.with(root.index, instances)
  for (const instance of instances) (all[instance.mapping.root.index] as Instance[]).push(instance)
  return all
}
