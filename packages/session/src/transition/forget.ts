/**
 * Forgetting what was loaded: so that a session that goes through many rows does not come to hold them all.
 */
import type { InstanceId, RawKey } from '@unitary/core'
import * as Collection from '../state/collection.js'
import type { Instance, Related } from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, instanceAt, type SessionState } from '../state/session-state.js'

/**
 * The state without the instances that were loaded since an earlier one, as if nobody had met them: snapshots of them are
 * plain rows from here on. What the program has made stays, and so do changes that no flush has written and all that an
 * instance refers to which stays. O(instances made, loaded or changed since).
 *
 * @category transitions
 */
export const withoutLoadedSince = (before: SessionState, state: SessionState): SessionState => {
  const since = before.nextInstance
  if (state.nextInstance === since) return state
  const staying = stayingSince(before, state)
  const changes = edit(state)
  IntMap.forEach(
    state.instances,
    ({ key, mapping, token }, id) => {
      if (staying.has(id)) return
      changes.instances.delete(id)
      changes.gone.delete(id)
      changes.origins.delete(id)
      // a row that was deleted and met again belongs to another instance
      const isKnown = key !== null && changes.identityMap.get(mapping, token, key) === id
      if (isKnown) changes.identityMap.delete(mapping, token, key as RawKey)
    },
    since,
  )
  return done(state, changes)
}

/** The new instances that stay, for their own sake or since something refers to them. */
const stayingSince = (before: SessionState, state: SessionState): ReadonlySet<InstanceId> => {
  const since = before.nextInstance
  const staying = new Set<InstanceId>()
  const reached: InstanceId[] = []
  const reachFrom = ({ related }: Instance): void => {
    for (const one of related ?? [])
      if (one !== undefined) for (const id of idsIn(one)) if (id >= since) reached.push(id)
  }
  IntMap.forEach(
    state.instances,
    (instance, id) => {
      if (isOwn(state, instance)) reached.push(id)
    },
    since,
  )
  // what was there before may have come to refer to what is new, and so may what a rollback would return to
  IntMap.forEachDifference(state.instances, before.instances, reachFrom, since)
  IntMap.forEachDifference(state.origins, before.origins, reachFrom, since)
  for (let id = reached.pop(); id !== undefined; id = reached.pop()) {
    if (staying.has(id) || !IntMap.has(state.instances, id)) continue
    staying.add(id)
    reachFrom(instanceAt(state, id))
    const origin = IntMap.get(state.origins, id)
    if (origin !== undefined) reachFrom(origin)
  }
  return staying
}

/** Is it more than a row that was read? What was given an order was made by the program. */
const isOwn = (state: SessionState, { id, order, status, wasDeleted }: Instance): boolean =>
  order > 0 ||
  (status !== 'persistent' && status !== 'deleted' && !wasDeleted) ||
  IntSet.has(state.changed, id) ||
  IntSet.has(state.deleted, id)

/** All that a relationship names. */
const idsIn = (related: Related): ReadonlyArray<InstanceId> => {
  if (related._tag === 'Many') {
    const { added, members, removed } = related
    return [members ?? Collection.empty, added, removed].flatMap(Collection.toArray)
  }
  return [related.target, related.committed].filter((id) => typeof id === 'number')
}
