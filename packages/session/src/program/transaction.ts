/**
 * Programs that end what a transaction has done: commit, rollback, savepoints.
 */
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { NoSavepoint, RequestError, TransactionBegun } from '../error.js'
import type { Flushed } from '../flushed/applied.js'
import { afterCommit, afterRollback, endlessFlushes } from '../hook/session.js'
import { render } from '../render.js'
import { type Frame, hasWork, revise } from '../state/session-state.js'
import {
  commitFailed,
  committed,
  beginNested as nest,
  outermost,
  released,
  rolledBack,
  savepoint,
} from '../transition/frame.js'
import type { Notice } from '../unit-of-work/step.js'
import { type FlushError, flush, nothingFlushed, undone, unlessFailed } from './flush.js'
import { chain, fail, map, type Outcome, of, type Program, request, suspend, transition } from './program.js'

/**
 * Begins a transaction outright, where it would begin with the first change or request: `TransactionBegun` where it has.
 *
 * @category transactions
 */
export const begin: Program<TransactionBegun, undefined> = transition((state) =>
  state.frames === null ? right([undefined, revise(state, {})]) : left({ _tag: 'TransactionBegun' }),
)

/**
 * Flushes and commits. Where the commit fails everything is rolled back in the database, and in the state by the
 * `rollback` that has to follow.
 *
 * Over several databases it is for the runtime to say whether all are committed or none (see `atomic` of the shard
 * package); where it does not, one that fails leaves those before it committed, and the error is `PartlyCommitted`.
 *
 * @category transactions
 */
export const commit: Program<FlushError, Flushed> = unlessFailed(() =>
  chain((flushed: Flushed) => commitFlushed(flushed))(flushAll(nothingFlushed, mostFlushes)),
)

/** A flush may leave work: what it spared, what its hooks changed. Then there is another, but not without end. */
const mostFlushes = 100

const flushAll = (before: Flushed, left: number): Program<FlushError, Flushed> =>
  chain((flushed: Flushed) =>
    suspend((state): Program<FlushError, Flushed> => {
      const all = sum(before, flushed)
      if (!hasWork(state)) return of(all)
      if (left > 1) return flushAll(all, left - 1)
      return state.hooks === null ? of(all) : undone(endlessFlushes(mostFlushes))
    }),
  )(flush)

const sum = (a: Flushed, b: Flushed): Flushed => ({
  inserted: a.inserted + b.inserted,
  updated: a.updated + b.updated,
  deleted: a.deleted + b.deleted,
  notices: [...a.notices, ...b.notices],
})

const commitFlushed = (flushed: Flushed): Program<FlushError, Flushed> =>
  chain((value: Flushed) => map(() => value)(afterCommit('transaction')))(
    request(
      { _tag: 'Commit' },
      (answer, state): Outcome<FlushError, Flushed> =>
        isLeft(answer)
          ? [answer, commitFailed(state, render(answer.left))]
          : [right(noticing(flushed, answer.right)), committed(state, { expire: state.options.expireOnCommit })],
    ),
  )

const noticing = (flushed: Flushed, notices: ReadonlyArray<Notice>): Flushed =>
  notices.length === 0 ? flushed : { ...flushed, notices: [...flushed.notices, ...notices] }

/**
 * Rolls the transaction back, with all savepoints in it: the state is what it was when the transaction began.
 *
 * @category transactions
 */
export const rollback: Program<RequestError, undefined> = chain(
  (frame: Frame | null): Program<never, undefined> => (frame === null ? of(undefined) : afterRollback(frame.kind)),
)(
  request({ _tag: 'Rollback' }, (answer, state): Outcome<RequestError, Frame | null> => {
    const frame = outermost(state)
    return [isLeft(answer) ? answer : right(frame), frame === null ? state : rolledBack(state, frame)]
  }),
)

/**
 * Flushes, then begins a savepoint. Savepoints nest.
 *
 * @category transactions
 */
export const beginNested: Program<FlushError, undefined> = unlessFailed(() =>
  chain(() =>
    suspend((state) => {
      const nested = nest(state)
      const frame = nested.frames as Frame
      return request(
        { _tag: 'Savepoint', name: frame.name },
        (answer, current): Outcome<RequestError, undefined> => [answer, isLeft(answer) ? current : nested],
      )
    }),
  )(flush),
)

const inSavepoint = <E>(f: (frame: Frame) => Program<E, undefined>): Program<E | NoSavepoint, undefined> =>
  suspend((state): Program<E | NoSavepoint, undefined> => {
    const frame = savepoint(state)
    return '_tag' in frame ? fail(frame) : f(frame)
  })

/**
 * Flushes, and ends the innermost savepoint; what was done in it stays part of the transaction.
 *
 * @category transactions
 */
export const commitNested: Program<FlushError | NoSavepoint, undefined> = unlessFailed(() =>
  chain(() =>
    inSavepoint((frame) =>
      chain(() => afterCommit(frame.kind))(
        request(
          { _tag: 'ReleaseSavepoint', name: frame.name },
          (answer, state): Outcome<RequestError, undefined> => [
            answer,
            isLeft(answer) ? state : released(state, frame),
          ],
        ),
      ),
    ),
  )(flush),
)

/**
 * Undoes the innermost savepoint, in the database and in the state.
 *
 * @category transactions
 */
export const rollbackNested: Program<RequestError | NoSavepoint, undefined> = inSavepoint((frame) => rollbackTo(frame))

/** Undoes a savepoint that is open, with those that began in it. */
export const rollbackTo = (frame: Frame): Program<RequestError, undefined> =>
  chain(() => afterRollback(frame.kind))(
    request(
      { _tag: 'RollbackToSavepoint', name: frame.name },
      (answer, state): Outcome<RequestError, undefined> => [answer, isLeft(answer) ? state : rolledBack(state, frame)],
    ),
  )
