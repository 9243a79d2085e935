/**
 * The work of the next flush, as snapshots.
 */
import { isKindOf, type Mapped, type Pending } from '@unitary/core'
import type { Instance } from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import type { Known } from '../state/known.js'
import { type InstanceSet, instanceAt, type SessionState } from '../state/session-state.js'
import { freshen } from '../transition/standing.js'

/**
 * What the next flush is about: instances that are pending, changed, and marked for deletion. What is marked may have
 * changed too, and stands in both.
 *
 * @category model
 */
export interface UnitOfWork<M, N extends string> {
  /** In the order in which they became pending. */
  readonly added: ReadonlyArray<Pending<M, N>>
  readonly changed: ReadonlyArray<Known<M, N>>
  readonly deleted: ReadonlyArray<Known<M, N>>
}

/**
 * The work of the next flush on one entity: SQLAlchemy's `new`, `dirty` and `deleted`. O(instances with work, of all
 * entities).
 *
 * @example
 * const { changed } = Session.unitOfWork(model.User)(state)
 *
 * @category interpreters
 */
export const unitOfWork =
  <M, N extends string>(entity: Mapped<M, N>) =>
  (state: SessionState): UnitOfWork<M, N> => {
    const own = (ids: InstanceSet): Instance[] =>
      IntSet.members(ids).flatMap((id) => {
        const instance = instanceAt(state, id)
        return isKindOf(instance.mapping, entity.mapping) ? [instance] : []
      })
    const show = <A>(instances: ReadonlyArray<Instance>): ReadonlyArray<A> =>
      instances.map((instance) => freshen(state, instance).snapshot as unknown as A)
    return {
      added: show(own(state.added).sort((a, b) => a.order - b.order)),
      changed: show(own(state.changed)),
      deleted: show(own(state.deleted)),
    }
  }
