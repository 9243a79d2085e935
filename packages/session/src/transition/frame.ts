/**
 * Transactions and savepoints, as far as the state is concerned.
 *
 * Beginning keeps the state, rolling back returns to it. Only what is known about the database carries over: an instance
 * that was merely loaded since stays in the identity map, expired, and an instance that was made since is transient
 * again, as it was when it was flushed, so that nobody's reference dangles.
 */
import type { NoSavepoint } from '../error.js'
import type { Instance } from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, type Frame, instanceAt, revise, type SessionState } from '../state/session-state.js'

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
 * Returns to the state in which a frame began. Costs the instances made or loaded since.
 *
 * @category transitions
 */
export const rolledBack = (state: SessionState, frame: Frame): SessionState => {
  const before = underOptions(frame.before, state.options)
  if (state.nextInstance === before.nextInstance) return before
  const changes = edit(before)
  changes.nextInstance = state.nextInstance
  IntMap.forEach(
    state.instances,
    (instance, id) => {
      const kept = afterRollback(instance, IntMap.get(state.origins, id))
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

/** Options are the session's, not the transaction's: the frame may have begun while others held. */
const underOptions = (before: SessionState, options: SessionState['options']): SessionState =>
  before.options.autoflush === options.autoflush && before.options.expireOnCommit === options.expireOnCommit
    ? before
    : { ...before, options }

const afterRollback = (instance: Instance, origin: Instance | undefined): Instance => {
  const before = origin ?? instance
  if (before.key === null) return { ...before, status: 'transient', order: 0 }
  if (instance.status === 'detached') return instance
  return { ...before, status: 'persistent', epoch: -1, committed: null, related: null }
}

/**
 * After a flush failed (the innermost frame is gone from the database) or a commit (all of them are): nothing goes on until
 * that is rolled back here too.
 *
 * @category transitions
 */
export const failed = (state: SessionState, lost: 'innermost' | 'all', message: string): SessionState => {
  const frame = (lost === 'all' ? outermost(state) : state.frames) ?? (revise(state, {}).frames as Frame)
  return { ...rolledBack(state, frame), frames: frame, failure: { message, depth: frame.depth } }
}

/**
 * The transaction is committed: what it deleted is detached, and with `expire` everything is out of date. Costs the rows
 * deleted.
 *
 * @category transitions
 */
export const committed = (state: SessionState, options: { readonly expire: boolean }): SessionState => {
  const changes = edit(state)
  IntMap.forEach(state.gone, (_, id) => {
    // a commit that keeps what is known keeps the standing of what is gone, too
    if (options.expire) changes.instances.set(id, { ...instanceAt(state, id), status: 'detached', wasDeleted: true })
    changes.gone.delete(id)
  })
  return {
    ...done(state, changes),
    origins: IntMap.empty,
    frames: null,
    epoch: options.expire ? state.epoch + 1 : state.epoch,
  }
}
