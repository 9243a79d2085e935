/**
 * Flushing: what the session has to write is planned, written in one order that the database accepts, and folded back into
 * the state.
 */
import { generatorName, type Services } from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError, PendingRollback, RequestError, StaleData } from '../error.js'
import { applied, type Flushed } from '../flushed/applied.js'
import { afterFlush, beforeFlush, changesFlush } from '../hook/session.js'
import { loadNeeded } from '../load/needed.js'
import { render } from '../render.js'
import { hasWork, type SessionState } from '../state/session-state.js'
import { withoutLoaded } from '../transition/expire.js'
import { failed } from '../transition/frame.js'
import type { LoadNeeded } from '../transition/remove.js'
import { wantsOf, withDrawn } from '../unit-of-work/draws.js'
import { flushNeeds, needKey } from '../unit-of-work/needs.js'
import { type PlanError, plan as planOf } from '../unit-of-work/plan.js'
import type { DrawnIds, FlushPlan } from '../unit-of-work/step.js'
import {
  ask,
  catchError,
  chain,
  fail,
  fromEither,
  map,
  type Outcome,
  of,
  type Program,
  request,
  suspend,
  transition,
} from './program.js'
import type { Draw } from './request.js'

/** Why a flush or commit fails. @category errors */
export type FlushError = PlanError | RequestError | DecodeError | StaleData | PendingRollback | HookError

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
const needsServices = ({ added, model }: SessionState): boolean =>
  model.mappings.some(
    ({ insertDefaults, updateDefaults, version }) =>
      // what is added or removed may change rows of others
      updateDefaults.length > 0 || (added.size > 0 && insertDefaults.some((attribute) => attribute !== version)),
  )

type Needs = ReadonlyArray<LoadNeeded>

/** Loads what a flush has to know, round by round: what comes may need more. Gives what it loaded. */
const prepared = (asked: Needs = []): Program<RequestError | DecodeError | HookError, Needs> =>
  suspend((state): Program<RequestError | DecodeError | HookError, Needs> => {
    const known = new Set(asked.map(needKey))
    const needs = flushNeeds(state).filter((need) => !known.has(needKey(need)))
    return needs.length === 0 ? of(asked) : chain(() => prepared([...asked, ...needs]))(loadNeeded(needs))
  })

/** The plan of the state as it stands, once all is known. Services are asked only where a row could need them. */
const planned: Program<FlushError, Planned> = unlessFailed(() =>
  chain((loaded: Needs) =>
    suspend((state): Program<FlushError, Planned> => {
      const before = state
      const wants = wantsOf(state)
      if (wants.length === 0) return map((plan: FlushPlan): Planned => ({ plan, loaded, before: null }))(planOne)
      const draws = wants.map(({ cells, generator }): Draw => ({ generator, count: cells.length }))
      const shown = draws.map(({ count, generator }): DrawnIds => ({ generator: generatorName(generator), count }))
      return chain(() =>
        map((plan: FlushPlan): Planned => ({ plan: { ...plan, draws: shown }, loaded, before }))(
          elseBack(before)(planOne),
        ),
      )(
        request(
          { _tag: 'Draw', draws },
          (answer, now): Outcome<RequestError, undefined> =>
            isLeft(answer) ? [answer, now] : [right(undefined), withDrawn(now, wants, answer.right)],
        ),
      )
    }),
  )(prepared()),
)

/** The state is the one before where a program fails. */
const elseBack = (before: SessionState): (<E, A>(program: Program<E, A>) => Program<E, A>) =>
  catchError(<E>(error: E) => chain((): Program<E, never> => fail(error))(transition(() => right([undefined, before]))))

const planOne: Program<FlushError, FlushPlan> = suspend(
  (state): Program<FlushError, FlushPlan> =>
    needsServices(state)
      ? chain((given: Services) => fromEither(planOf(state, given)))(ask({ _tag: 'Services' }))
      : fromEither(planOf(state)),
)

interface Planned {
  readonly plan: FlushPlan
  /** What was loaded to make it. */
  readonly loaded: Needs
  /** The state without what was drawn to make it; null where nothing was. */
  readonly before: SessionState | null
}

const routedPlan: Program<FlushError, FlushPlan> = chain(
  ({ plan }: Planned): Program<FlushError, FlushPlan> =>
    plan.steps.length === 0 ? of(plan) : ask({ _tag: 'Route', plan }),
)(planned)

/**
 * What the next flush would write, each step with its shard, without writing it. What it has to know and does not is
 * loaded. What `beforeFlush` hooks would add is in the plan, and not in the state after it.
 *
 * @example
 * pipe(Session.flushPlan, Session.map(explain))
 *
 * @category transactions
 */
export const flushPlan: Program<FlushError, FlushPlan> = unlessFailed(
  (before): Program<FlushError, FlushPlan> =>
    hasWork(before)
      ? chain(() =>
          suspend(
            (state): Program<FlushError, FlushPlan> =>
              state === before && wantsOf(state).length === 0 ? routedPlan : undoing(before, routedPlan),
          ),
        )(beforeFlush)
      : routedPlan,
)

/** The state after a program is the one before, whatever comes of it. */
const undoing = <E, A>(before: SessionState, program: Program<E, A>): Program<E, A> => {
  const undo: Program<never, undefined> = transition(() => right([undefined, before]))
  return chain((value: A) => map(() => value)(undo))(
    catchError((error: E) => chain((): Program<E, never> => fail(error))(undo))(program),
  )
}

export const nothingFlushed: Flushed = { inserted: 0, updated: 0, deleted: 0, notices: [] }

const runPlan = ({ before, loaded, plan }: Planned): Program<FlushError, Flushed> =>
  chain((outcome: Ran | StaleData): Program<FlushError, Flushed> => {
    if ('_tag' in outcome) return undone(outcome)
    return map(() => outcome.flushed)(catchError(undone)(afterFlush(outcome.plan, outcome.flushed)))
  })(
    request({ _tag: 'Flush', plan }, (answer, now): Outcome<FlushError, Ran | StaleData> => {
      const state = before ?? now
      if (isLeft(answer)) {
        // a plan that could not be routed has reached no database
        return [answer, answer.left._tag === 'RoutingError' ? state : failed(state, render(answer.left))]
      }
      const folded = applied(state, answer.right.plan, answer.right.results)
      if (isLeft(folded)) return [right(folded.left), state]
      const [flushed, next] = folded.right
      return [right({ plan: answer.right.plan, flushed }), withoutLoaded(next, loaded)]
    }),
  )

interface Ran {
  /** As it ran, each step with its shard. */
  readonly plan: FlushPlan
  readonly flushed: Flushed
}

/**
 * A flush that cannot be planned, that met a row that was not as expected, or that hooks refuse: what it wrote is undone.
 *
 * @category transactions
 */
export const undone = (error: FlushError): Program<FlushError, never> =>
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

const flushPlanned: Program<FlushError, Flushed> = chain(runPlan)(catchError(undone)(planned))

const flushHooked: Program<FlushError, Flushed> = chain(() =>
  suspend((state): Program<FlushError, Flushed> => (hasWork(state) ? flushPlanned : of(nothingFlushed))),
)(catchError(undone)(unlessFailed(() => beforeFlush)))

/**
 * Writes all pending changes, in one order that the database accepts. Gives what was written, and notices.
 *
 * Where it fails nothing of it stays written: the innermost savepoint, or else the transaction, is rolled back, in the
 * database and in the state, and the session refuses to work until `rollback` (or `rollbackNested`).
 *
 * @category transactions
 */
export const flush: Program<FlushError, Flushed> = suspend((state): Program<FlushError, Flushed> => {
  if (!hasWork(state)) return of(nothingFlushed)
  return changesFlush(state) ? flushHooked : flushPlanned
})

/**
 * Flushes if there is something to flush and the session flushes by itself.
 *
 * @category transactions
 */
export const autoflush: Program<FlushError, unknown> = unlessFailed(
  (state): Program<FlushError, unknown> => (state.options.autoflush && hasWork(state) ? flush : of(undefined)),
)
