/**
 * Programs that run under other options, or reach below the session.
 */
import { allCriteriaOff, criteriaOff, type EntityCriteria, type ExecutionOptions, optionsOver } from '@unitary/core'
import { type Either, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { RawBuilder } from 'kysely'
import type { RequestError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import { revise, type SessionOptions, type SessionState } from '../state/session-state.js'
import { autoflush, type FlushError } from './flush.js'
import { ask, catchError, chain, fail, map, type Program, suspend, transition } from './program.js'

/**
 * Runs a program in which nothing is flushed but by `flush` and `commit`.
 *
 * @example
 * Session.noAutoflush(Session.query(select(model.User)))
 *
 * @category transactions
 */
export const noAutoflush = <E, A>(program: Program<E, A>): Program<E, A> =>
  under((options) => ({ ...options, autoflush: false }))(program)

/**
 * Runs a program whose statements run with execution options, under their own and over the session's.
 *
 * @example
 * pipe(program, Session.withOptions({ tenant: 'acme' }))
 *
 * @category transactions
 */
export const withOptions = (given: ExecutionOptions): (<E, A>(program: Program<E, A>) => Program<E, A>) =>
  under((options) => ({ ...options, executionOptions: optionsOver(options.executionOptions)(given) }))

/**
 * Runs a program whose statements are not under criteria: those of the names given, or all of a value's; without arguments
 * none that there are.
 *
 * @example
 * pipe(Session.get(model.Post, 1), Session.withoutCriteria(rules, 'visible'))
 *
 * @category transactions
 */
export const withoutCriteria = <Names extends string = never>(
  from?: EntityCriteria<Names>,
  ...some: ReadonlyArray<NoInfer<Names>>
): (<E, A>(program: Program<E, A>) => Program<E, A>) =>
  withOptions(from === undefined ? allCriteriaOff : criteriaOff(from, ...some))

/** Runs a program in a session of other options, and leaves them as they were, whichever way it ends. */
const under =
  (change: (options: SessionOptions) => SessionOptions) =>
  <E, A>(program: Program<E, A>): Program<E, A> =>
    suspend((before) => {
      // the transaction begins with the options as they were, so that a rollback returns to them
      const inside: SessionState = { ...revise(before, {}), options: change(before.options) }
      const enter = transition((): Either<never, readonly [undefined, SessionState]> => right([undefined, inside]))
      const leave = transition(
        (state): Either<never, readonly [undefined, SessionState]> =>
          right([undefined, state === inside ? before : { ...state, options: before.options }]),
      )
      return pipe(
        enter,
        chain(() => program),
        catchError((error: E) =>
          pipe(
            leave,
            chain((): Program<E, never> => fail(error)),
          ),
        ),
        chain((value) =>
          pipe(
            leave,
            map(() => value),
          ),
        ),
      )
    })

/**
 * Runs a statement of Kysely's `sql` in the session's transaction and gives its rows as the driver does. Pending changes
 * are flushed first; what the statement changes the session does not learn.
 *
 * @example
 * Session.sql(sql`update users set visits = visits + 1`)
 *
 * @category queries
 */
export const sql = <R>(
  statement: RawBuilder<R>,
  options: { readonly shard?: ShardToken } = {},
): Program<FlushError | RequestError, ReadonlyArray<R>> =>
  chain(() =>
    map(({ rows }: { readonly rows: ReadonlyArray<unknown> }) => rows as ReadonlyArray<R>)(
      ask({ _tag: 'Sql', node: statement.toOperationNode(), token: options.shard ?? null }),
    ),
  )(autoflush)
