/**
 * Programs that write: flush, commit, rollback, savepoints.
 */
import type { Services } from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, NoSavepoint, PendingRollback, RequestError, StaleData } from '../error.js'
import { render } from '../error.js'
import { loadNeeded } from '../load/needed.js'
import { type Frame, hasWork, type SessionState } from '../state/session-state.js'
import { applied, type Flushed } from '../transition/applied.js'
import {
  commitFailed,
  committed,
  failed,
  beginNested as nest,
  outermost,
  released,
  rolledBack,
  savepoint,
} from '../transition/frame.js'
import { flushNeeds, needKey } from '../unit-of-work/needs.js'
import { type PlanError, plan as planOf } from '../unit-of-work/plan.js'
import type { FlushPlan } from '../unit-of-work/step.js'
import {
  ask,
  catchError,
  chain,
  fail,
  fromEither,
  type Outcome,
  of,
  type Program,
  request,
  suspend,
} from './program.js'

/** Why a flush or commit fails. @category errors */
export type FlushError = PlanError | RequestError | DecodeError | StaleData | PendingRollback

/** The failure that everything but a rollback meets after a flush or commit has failed. */
const refused = (state: SessionState): PendingRollback | null =>
  state.failure === null ? null : { _tag: 'PendingRollback', message: state.failure.message }

/**
 * Goes on only where no earlier failure waits to be rolled back.
 *
 * @category combinators
 */
export const unlessFailed = <E, A>(f: (state: SessionState) => Program<E, A>): Program<E | PendingRollback, A> =>
  suspend((state): Program<E | PendingRollback, A> => {
    const refusal = refused(state)
    return refusal === null ? f(state) : fail(refusal)
  })

/** Could a row of the next flush get a value that services give? A version counter starts without asking any. */
const needsServices = ({ added, changed, model }: SessionState): boolean =>
  model.mappings.some(
    ({ insertDefaults, updateDefaults, version }) =>
      (changed.size > 0 && updateDefaults.length > 0) ||
      (added.size > 0 && insertDefaults.some((attribute) => attribute !== version)),
  )

/** Loads what a flush has to know, round by round: what comes may need more. */
const prepared = (asked: ReadonlySet<string> = new Set()): Program<RequestError | DecodeError, undefined> =>
  suspend((state) => {
    const needs = flushNeeds(state).filter((need) => !asked.has(needKey(need)))
    return needs.length === 0
      ? of(undefined)
      : chain(() => prepared(new Set([...asked, ...needs.map(needKey)])))(loadNeeded(needs))
  })

/** The plan of the state as it stands, once all is known. Services are asked only where a row could need them. */
const planned: Program<FlushError, FlushPlan> = unlessFailed(() =>
  chain(() =>
    suspend(
      (state): Program<FlushError, FlushPlan> =>
        needsServices(state)
          ? chain((given: Services) => fromEither(planOf(state, given)))(ask({ _tag: 'Services' }))
          : fromEither(planOf(state)),
    ),
  )(prepared()),
)

/**
 * What the next flush would write, each step with its shard, without writing it. What it has to know and does not is
 * loaded.
 *
 * @example
 * pipe(Session.flushPlan, Session.map(explain))
 *
 * @category transactions
 */
export const flushPlan: Program<FlushError, FlushPlan> = chain(
  (plan: FlushPlan): Program<FlushError, FlushPlan> =>
    plan.steps.length === 0 ? of(plan) : ask({ _tag: 'Route', plan }),
)(planned)

const nothingFlushed: Flushed = { inserted: 0, updated: 0, deleted: 0, notices: [] }

/**
 * Writes all pending changes, in one order that the database accepts. Gives what was written, and notices.
 *
 * Where it fails nothing of it stays written: the innermost savepoint, or else the transaction, is rolled back, in the
 * database and in the state, and the session refuses to work until `rollback` (or `rollbackNested`).
 *
 * @category transactions
 */
export const flush: Program<FlushError, Flushed> = suspend(
  (state): Program<FlushError, Flushed> =>
    hasWork(state) ? chain(runPlan)(catchError(undone)(planned)) : of(nothingFlushed),
)

const runPlan = (plan: FlushPlan): Program<FlushError, Flushed> =>
  chain(
    (outcome: Flushed | StaleData): Program<FlushError, Flushed> => ('_tag' in outcome ? undone(outcome) : of(outcome)),
  )(
    request({ _tag: 'Flush', plan }, (answer, state): Outcome<FlushError, Flushed | StaleData> => {
      if (isLeft(answer)) {
        // a plan that could not be routed has reached no database
        return [answer, answer.left._tag === 'RoutingError' ? state : failed(state, render(answer.left))]
      }
      const folded = applied(state, answer.right.plan, answer.right.results)
      return isLeft(folded) ? [right(folded.left), state] : [right(folded.right[0]), folded.right[1]]
    }),
  )

/** A flush that cannot be planned, or that met a row that was not as expected: what it wrote is undone. */
const undone = (error: FlushError): Program<FlushError, never> =>
  error._tag === 'PendingRollback' || error._tag === 'RoutingError'
    ? fail(error)
    : suspend((state) =>
        request(
          state.frames?.kind === 'savepoint'
            ? { _tag: 'RollbackToSavepoint', name: state.frames.name }
            : { _tag: 'Rollback' },
          (_, after): Outcome<FlushError, never> => [left(error), failed(after, render(error))],
        ),
      )

/**
 * Flushes and commits. Where the commit fails everything is rolled back in the database, and in the state by the
 * `rollback` that has to follow.
 *
 * Over several databases they are committed one after another: where one fails, those before it are committed. The
 * error names the shard.
 *
 * @category transactions
 */
export const commit: Program<FlushError, Flushed> = unlessFailed(() =>
  chain((flushed: Flushed) => commitFlushed(flushed))(flush),
)

const commitFlushed = (flushed: Flushed): Program<FlushError, Flushed> =>
  request(
    { _tag: 'Commit' },
    (answer, state): Outcome<FlushError, Flushed> =>
      isLeft(answer)
        ? [answer, commitFailed(state, render(answer.left))]
        : [right(flushed), committed(state, { expire: state.options.expireOnCommit })],
  )

/**
 * Rolls the transaction back, with all savepoints in it: the state is what it was when the transaction began.
 *
 * @category transactions
 */
export const rollback: Program<RequestError, undefined> = request(
  { _tag: 'Rollback' },
  (answer, state): Outcome<RequestError, undefined> => {
    const frame = outermost(state)
    return [answer, frame === null ? state : rolledBack(state, frame)]
  },
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
      request(
        { _tag: 'ReleaseSavepoint', name: frame.name },
        (answer, state): Outcome<RequestError, undefined> => [answer, isLeft(answer) ? state : released(state, frame)],
      ),
    ),
  )(flush),
)

/**
 * Undoes the innermost savepoint, in the database and in the state.
 *
 * @category transactions
 */
export const rollbackNested: Program<RequestError | NoSavepoint, undefined> = inSavepoint((frame) =>
  request(
    { _tag: 'RollbackToSavepoint', name: frame.name },
    (answer, state): Outcome<RequestError, undefined> => [answer, isLeft(answer) ? state : rolledBack(state, frame)],
  ),
)

/**
 * Flushes if there is something to flush and the session flushes by itself.
 *
 * @category transactions
 */
export const autoflush: Program<FlushError, unknown> = unlessFailed(
  (state): Program<FlushError, unknown> => (state.options.autoflush && hasWork(state) ? flush : of(undefined)),
)
