/**
 * Work of several statements that is done as a whole or not at all.
 */
import type { RequestError } from '../error.js'
import { ask, attempt, catchError, chain, fail, map, type Program } from './program.js'

const name = 'unitary_all_or_none'

/**
 * Runs work that changes the state last, if at all. Where it fails, what it wrote is undone on every database that it
 * touched, and the transaction goes on.
 *
 * @category transactions
 */
export const allOrNone = <E, A>(work: Program<E, A>): Program<E | RequestError, A> =>
  chain(() =>
    chain((value: A) => map(() => value)(ask({ _tag: 'ReleaseSavepoint', name })))(
      catchError((error: E) =>
        // what failed may have ended the transaction, and the savepoint with it
        chain((): Program<E, never> => fail(error))(attempt(ask({ _tag: 'RollbackToSavepoint', name }))),
      )(work),
    ),
  )(ask({ _tag: 'Savepoint', name }))
