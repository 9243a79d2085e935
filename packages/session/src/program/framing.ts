/**
 * Programs that end what they begin.
 */
import type { NoSavepoint, RequestError } from '../error.js'
import type { Frame, SessionState } from '../state/session-state.js'
import type { FlushError } from './flush.js'
import { catchError, chain, fail, map, of, type Program, suspend } from './program.js'
import { beginNested, commit, commitNested, rollback, rollbackTo } from './transaction.js'

/**
 * Runs a program and commits; where it fails, rolls back and fails with the same error. Defects roll back too: a run that
 * ends gives its connections back without having committed.
 *
 * @example
 * Session.transact(Session.add(model.User, { name: 'ed' }))
 *
 * @category transactions
 */
export const transact = <E, A>(program: Program<E, A>): Program<E | FlushError, A> =>
  catchError((error: E | FlushError) =>
    chain((): Program<E | FlushError | RequestError, never> => fail(error))(rollback),
  )(chain((value: A) => map(() => value)(commit))(program))

/**
 * Runs a program within a savepoint: kept where it succeeds; where it fails it leaves nothing behind, and the transaction
 * goes on. Nests. Savepoints that the program begins and does not end are ended with it; `NoSavepoint` where it has ended
 * the transaction itself.
 *
 * @example
 * pipe(Session.nested(risky), Session.catchError(() => Session.of(null)))
 *
 * @category transactions
 */
export const nested = <E, A>(program: Program<E, A>): Program<E | FlushError | NoSavepoint, A> =>
  chain(() =>
    suspend((state): Program<E | FlushError | NoSavepoint, A> => {
      const frame = state.frames as Frame
      return catchError((error: E | FlushError | NoSavepoint) =>
        chain((): Program<E | FlushError | NoSavepoint, never> => fail(error))(undo(frame)),
      )(chain((value: A) => map(() => value)(keep(frame)))(program))
    }),
  )(beginNested)

const isOpen = (state: SessionState, frame: Frame): boolean => {
  let open = state.frames
  while (open !== null && open !== frame) open = open.parent
  return open === frame
}

/** Ends the savepoint, and those in it before. */
const keep = (frame: Frame): Program<FlushError | NoSavepoint, undefined> =>
  suspend((state): Program<FlushError | NoSavepoint, undefined> => {
    if (!isOpen(state, frame)) return fail({ _tag: 'NoSavepoint' })
    return state.frames === frame ? commitNested : chain(() => keep(frame))(commitNested)
  })

/** What the program has ended itself needs no undoing. */
const undo = (frame: Frame): Program<RequestError, undefined> =>
  suspend((state) => (isOpen(state, frame) ? rollbackTo(frame) : of(undefined)))
