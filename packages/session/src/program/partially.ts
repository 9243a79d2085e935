/**
 * Answers without the databases that cannot give theirs.
 *
 * That something is missing is not to be overlooked, so no option says it: a program that is run so gives another type, in
 * which the faults stand beside its value.
 */
import type { DatabaseError, RequestError } from '../error.js'
import { ask, catchError, chain, fail, map, type Program } from './program.js'

/**
 * A value, and why some databases are not in it.
 *
 * @category model
 */
export interface PartialResult<out A> {
  readonly value: A
  /** In the order in which they were met; `shard` of each names the database. */
  readonly faults: ReadonlyArray<DatabaseError>
}

/**
 * Runs a program whose queries, counts and streams over several databases go on without those that are down, do not answer in
 * time, or fail for a while. Order, limits and aggregates are then those of the databases that answered.
 *
 * Everything else fails as ever: writes, loads of relationships, gets by key, statements that a database refuses, and what is
 * read where the transaction has written.
 *
 * @example
 * const found = await run(app)(Session.partially(Session.query(select(model.Location))))()
 * // right({ value: [...], faults: [{ _tag: 'DatabaseError', shard: 'asia', ... }] })
 *
 * @category queries
 */
export const partially = <E, A>(program: Program<E, A>): Program<E | RequestError, PartialResult<A>> => {
  const end = ask({ _tag: 'EndPartial' })
  const within = catchError((error: E) => chain((): Program<E, never> => fail(error))(end))(program)
  return chain(() =>
    chain((value: A) => map((faults: ReadonlyArray<DatabaseError>): PartialResult<A> => ({ value, faults }))(end))(
      within,
    ),
  )(ask({ _tag: 'BeginPartial' }))
}
