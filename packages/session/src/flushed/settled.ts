/**
 * What is in step with the database after a flush.
 */
import * as Instance from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'
import type { FlushPlan } from '../unit-of-work/step.js'

/**
 * What was written inside a savepoint, or has another key since, is known no more when that is rolled back.
 *
 * @category combinators
 */
export const keepOrigin = (changes: StateEdit, instance: Instance.Instance): void => {
  if (changes.origins.get(instance.id) === undefined) changes.origins.set(instance.id, instance)
}

/** A relationship whose changes have been written. */
const settled = (related: Instance.Related | undefined): Instance.Related | undefined => {
  if (related === undefined || !Instance.hasChanges(related)) return related
  if (related._tag === 'One') return Instance.one(related.target)
  return related.members === null ? undefined : Instance.many(related.members, related.narrowed)
}

/**
 * The same array where nothing in it has changes: the snapshots of a large flush share what they can.
 *
 * @category combinators
 */
export const settledAll = (related: Instance.Instance['related']): Instance.Instance['related'] =>
  related === null || !related.some(Instance.hasChanges) ? related : related.map(settled)

/** What was changed is in step with the database now, and orphans are outside of it. @category transitions */
export const settle = (state: SessionState, changes: StateEdit, plan: FlushPlan): void => {
  IntSet.forEach(state.changed, (id) => {
    const instance = standingAt(changes, id)
    if (instance.status !== 'persistent') return
    // also where only links were written, which are no rows of its own
    if (state.frames?.kind === 'savepoint') keepOrigin(changes, instance)
    changes.instances.set(id, {
      ...instance,
      committed: null,
      related: settledAll(instance.related),
    })
  })
  for (const id of plan.orphans) {
    changes.instances.set(id, { ...standingAt(changes, id), status: 'transient', order: 0 })
  }
}
