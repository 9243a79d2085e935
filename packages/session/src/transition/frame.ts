/**
 * Transactions and savepoints, as far as the state is concerned.
 *
 * Beginning keeps the state, rolling back returns to it. Only what is known about the database carries over: an instance
 * that was merely loaded since stays in the identity map, and an instance that was made since is transient again, without
 * what its flush gave it, so that nobody's reference dangles.
 */
import type { InstanceId } from '@unitary/core'
import type { NoSavepoint } from '../error.js'
import { type Instance, membersOf } from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, type Frame, instanceAt, isExpired, revise, type SessionState } from '../state/session-state.js'
import { ungiven } from './given.js'

/**
 * Begins a savepoint: keeps the state to return to.
 *
 * @category transitions
 */
export const beginNested = (state: SessionState): SessionState => {
  const begun = state.frames === null ? revise(state, {}) : state
  const parent = begun.frames as Frame
  const depth = parent.depth + 1
  return {
    ...begun,
    frames: { kind: 'savepoint', name: `unitary_${depth}`, before: begun, parent, depth },
  }
}

/** The innermost savepoint, if one is open. @category combinators */
export const savepoint = (state: SessionState): Frame | NoSavepoint =>
  state.frames?.kind === 'savepoint' ? state.frames : { _tag: 'NoSavepoint' }

/** The transaction's own frame, if it has begun. @category combinators */
export const outermost = (state: SessionState): Frame | null => {
  let frame = state.frames
  while (frame !== null && frame.parent !== null) frame = frame.parent
  return frame
}

/**
 * Ends a savepoint, keeping what was done in it.
 *
 * @category transitions
 */
export const released = (state: SessionState, frame: Frame): SessionState => ({ ...state, frames: frame.parent })

/**
 * Returns to the state in which a frame began. What an earlier transaction had loaded has expired then: others may have
 * changed it in the meantime. After a savepoint, what was loaded in it and not written stays known: its rows are those of
 * the transaction that goes on. Costs the instances made or loaded since.
 *
 * @category transitions
 */
export const rolledBack = (state: SessionState, frame: Frame): SessionState => {
  const before = expiredFrom(underOptions(frame.before, state.options), frame)
  if (state.nextInstance === before.nextInstance) return before
  const changes = edit(before)
  changes.nextInstance = state.nextInstance
  IntMap.forEach(
    state.instances,
    (instance, id) => {
      const isKept = frame.kind === 'savepoint' && isUntouched(state, instance)
      const kept = isKept ? stillKnown(state, instance, before) : afterRollback(state, instance)
      const { mapping, token, key } = kept
      if (kept.status !== 'persistent' || key === null) {
        changes.instances.set(id, kept)
      } else if (changes.identityMap.get(mapping, token, key) === undefined) {
        changes.instances.set(id, kept)
        changes.identityMap.set(mapping, token, key, id)
      } else {
        // it was loaded after the instance that is known again had been expunged
        changes.instances.set(id, { ...kept, status: 'detached' })
      }
    },
    before.nextInstance,
  )
  return { ...done(before, changes), frames: before.frames }
}

/** A transaction that a commit without expiry came before began with instances that were known. */
const expiredFrom = (before: SessionState, { kind }: Frame): SessionState =>
  kind === 'savepoint' || before.options.expireOnCommit || before.instances.size === 0
    ? before
    : { ...before, epoch: before.epoch + 1 }

/** Was the instance merely loaded? */
const isUntouched = (state: SessionState, instance: Instance): boolean =>
  instance.status === 'persistent' &&
  !isExpired(state, instance) &&
  !IntMap.has(state.origins, instance.id) &&
  !IntSet.has(state.changed, instance.id)

/** What was loaded, but for relationships that hold what is not there any more. */
const stillKnown = (state: SessionState, instance: Instance, before: SessionState): Instance => ({
  ...instance,
  epoch: before.epoch,
  related:
    instance.related?.map((related) =>
      related === undefined || membersOf(related)?.some((id) => isInsertedSince(state, id, before))
        ? undefined
        : related,
    ) ?? null,
})

const isInsertedSince = (state: SessionState, id: InstanceId, before: SessionState): boolean =>
  id >= before.nextInstance && IntMap.get(state.origins, id)?.key === null

/** Options are the session's, not the transaction's: the frame may have begun while others held. */
const underOptions = (before: SessionState, options: SessionState['options']): SessionState => {
  const { autoflush, executionOptions, expireOnCommit } = before.options
  return autoflush === options.autoflush &&
    expireOnCommit === options.expireOnCommit &&
    executionOptions === options.executionOptions
    ? before
    : { ...before, options }
}

const afterRollback = (state: SessionState, instance: Instance): Instance => {
  const origin = IntMap.get(state.origins, instance.id)
  const before = origin ?? instance
  if (before.key === null) {
    // what has expired since it was flushed is as it was then
    return origin === undefined || isExpired(state, instance)
      ? { ...before, status: 'transient', order: 0 }
      : ungiven(state.model, instance, origin)
  }
  if (instance.status === 'detached') return instance
  return { ...before, status: 'persistent', epoch: -1, committed: null, related: null }
}

/**
 * After a flush has failed: the innermost frame is gone from the database, and its state with it. Nothing goes on until
 * that is rolled back here too.
 *
 * @category transitions
 */
export const failed = (state: SessionState, message: string): SessionState => {
  const frame = state.frames ?? (revise(state, {}).frames as Frame)
  return { ...rolledBack(state, frame), frames: frame, failure: { message, depth: frame.depth } }
}

/**
 * After a commit has failed: nothing goes on until the transaction is rolled back, and the state stays to be looked at.
 *
 * @category transitions
 */
export const commitFailed = (state: SessionState, message: string): SessionState => {
  const begun = revise(state, {})
  return { ...begun, frames: outermost(begun), failure: { message, depth: 0 } }
}

/**
 * After the transaction's connection is gone, whatever was open on it: what it had written is rolled back, so nothing goes
 * on from here until that is done in the state too. A state that had written nothing is as good as before.
 *
 * @category transitions
 */
export const cutOff = (state: SessionState): SessionState =>
  state.isWritten ? commitFailed(state, 'it ended before it was committed') : state

/**
 * The state in which the transaction began, or the same where none has.
 *
 * @category transitions
 */
export const undone = (state: SessionState): SessionState => {
  const frame = outermost(state)
  return frame === null ? state : rolledBack(state, frame)
}

/**
 * The transaction is committed: what it deleted is detached, and with `expire` everything is out of date. Costs the rows
 * deleted.
 *
 * @category transitions
 */
export const committed = (state: SessionState, options: { readonly expire: boolean }): SessionState => ({
  // a commit that keeps what is known keeps the standing of what is gone, too
  ...(options.expire && state.gone.size > 0 ? withDetached(state) : state),
  gone: IntSet.empty,
  origins: IntMap.empty,
  frames: null,
  isWritten: false,
  epoch: options.expire ? state.epoch + 1 : state.epoch,
})

const withDetached = (state: SessionState): SessionState => {
  const changes = edit(state)
  IntSet.forEach(state.gone, (id) => {
    changes.instances.set(id, { ...instanceAt(state, id), status: 'detached', wasDeleted: true })
  })
  return done(state, changes)
}
