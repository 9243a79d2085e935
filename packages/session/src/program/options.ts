/**
 * Programs that run under other options, or reach below the session.
 */
import { right } from 'fp-ts/lib/Either.js'
import type { RawBuilder } from 'kysely'
import type { RequestError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import type { SessionOptions } from '../state/session-state.js'
import { ask, catchError, chain, fail, map, type Program, suspend, transition } from './program.js'
import { autoflush, type FlushError } from './transaction.js'

const withOptions = (options: Partial<SessionOptions>): Program<never, undefined> =>
  transition((state) => right([undefined, { ...state, options: { ...state.options, ...options } }]))

/**
 * Runs a program in which nothing is flushed but by `flush` and `commit`.
 *
 * @example
 * Session.noAutoflush(Session.query(select(model.User)))
 *
 * @category transactions
 */
export const noAutoflush = <E, A>(program: Program<E, A>): Program<E, A> =>
  suspend((state) => {
    const restore = withOptions({ autoflush: state.options.autoflush })
    const inside = chain(() => program)(withOptions({ autoflush: false }))
    return chain((value: A) => map(() => value)(restore))(
      catchError((error: E) => chain((): Program<E, never> => fail(error))(restore))(inside),
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
