/**
 * Programs that take instances out of the session, or change their standing towards it.
 */
import type { Mapped, Snapshot } from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, ModelMismatch, NotInSession, RequestError } from '../error.js'
import type { Instance } from '../state/instance.js'
import type { SessionState } from '../state/session-state.js'
import {
  closed,
  expungeAll as everythingExpunged,
  expunge as expunged,
  madeDetached,
  madeTransient,
} from '../transition/expunge.js'
import { resolve } from '../transition/transition.js'
import { chain, type Outcome, type Program, request, transition } from './program.js'

/** Why an instance cannot leave. @category errors */
export type LeaveError = ModelMismatch | NotInSession | InvalidState

const changed =
  (f: (state: SessionState, instance: Instance) => InvalidState | SessionState) =>
  <M, N extends string>(entity: Mapped<M, N>) =>
  (instance: Snapshot<N>): Program<LeaveError, undefined> =>
    transition((state) => {
      const found = resolve(state, entity, instance)
      if (isLeft(found)) return found
      const next = f(state, found.right)
      return next._tag === 'SessionState' ? right([undefined, next]) : left(next)
    })

/**
 * Takes an instance out of the session, with all that the expunge cascade reaches. What was pending is transient, what was
 * persistent is detached; `add` brings either back.
 *
 * @example
 * pipe(ed, Session.expunge(model.User))
 *
 * @category work
 */
export const expunge = changed((state, { id }) => expunged(state, id))

/**
 * Makes an instance transient: the session forgets its identity and keeps its attributes.
 *
 * @category work
 */
export const makeTransient = changed((state, { id }) => madeTransient(state, id))

/**
 * Pretends that a transient instance, whose key is set, was stored and detached.
 *
 * @category work
 */
export const makeDetached = changed((state, { id }) => madeDetached(state, id))

/** Takes everything out of the session. @category work */
export const expungeAll: Program<never, undefined> = transition((state) =>
  right([undefined, everythingExpunged(state)]),
)

/**
 * Rolls back what is not committed and takes everything out of the session, which can be used again afterwards.
 *
 * @category transactions
 */
export const close: Program<RequestError, undefined> = chain(() =>
  transition((state) => right([undefined, closed(state)])),
)(request({ _tag: 'Rollback' }, (answer, state): Outcome<RequestError, undefined> => [answer, state]))
