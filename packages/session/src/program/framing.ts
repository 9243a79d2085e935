/**
 * Programs that end what they begin.
 */
import type { NoSavepoint, RequestError } from '../error.js'
import type { FlushError } from './flush.js'
import { catchError, chain, fail, map, type Program } from './program.js'
import { beginNested, commit, commitNested, rollback, rollbackNested } from './transaction.js'

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
 * goes on. Nests.
 *
 * @example
 * pipe(Session.nested(risky), Session.catchError(() => Session.of(null)))
 *
 * @category transactions
 */
export const nested = <E, A>(program: Program<E, A>): Program<E | FlushError | NoSavepoint, A> =>
  chain(() =>
    catchError((error: E | FlushError | NoSavepoint) =>
      chain((): Program<E | FlushError | NoSavepoint, never> => fail(error))(rollbackNested),
    )(chain((value: A) => map(() => value)(commitNested))(program)),
  )(beginNested)
