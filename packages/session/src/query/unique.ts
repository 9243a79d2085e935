/**
 * The unique-object recipe: one instance for one value, whoever asks first.
 *
 * @see https://github.com/sqlalchemy/sqlalchemy/wiki/UniqueObject
 */
import {
  type AnySelect,
  type Criteria,
  type Draft,
  filterBy,
  limit,
  type Managed,
  type Mapped,
  modify,
  type Select,
  type Snapshot,
  selectOwn,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone, type Option } from 'fp-ts/lib/Option.js'
import type { IntegrityError, NoSavepoint } from '../error.js'
import { read } from '../load/refresh.js'
import { flush } from '../program/flush.js'
import { nested } from '../program/framing.js'
import { catchError, chain, fail, of, type Program, suspend } from '../program/program.js'
import { add } from '../program/work.js'
import type { AddError } from '../transition/add.js'
import { first } from './one.js'
import type { QueryError } from './query.js'

/** Why the one instance cannot be had. @category errors */
export type UniqueError = QueryError | AddError | NoSavepoint

/**
 * The instance whose attributes have the given values, made of `draft` where there is none. Safe when others insert the
 * same at the same time, as long as a unique constraint says that there can be only one: who comes second gets what the
 * first has inserted. Where the transaction cannot see that (SQLite once it has read; repeatable read of PostgreSQL) it is
 * an error, and finds it when it is tried again in another.
 *
 * @example
 * Session.unique(model.Tag, { name: 'red' }, () => ({ name: 'red' }))
 *
 * @category queries
 */
export const unique = <M, N extends string>(
  entity: Mapped<M, N>,
  criteria: Criteria<Select<M, N>>,
  draft: () => Draft<M, N>,
): Program<UniqueError, Managed<M, N>> => {
  const wanted = pipe(selectOwn(entity), filterBy<Select<M, N>>(criteria), limit(1))
  const insert: Program<UniqueError, Managed<M, N>> = suspend(() =>
    pipe(
      add(entity, draft()),
      chain((made: Snapshot<N>) =>
        pipe(
          flush,
          chain(() => read(entity)(made)),
        ),
      ),
      nested,
      catchError(
        (error: UniqueError): Program<UniqueError, Managed<M, N>> =>
          error._tag === 'IntegrityError' && error.reason._tag === 'UniqueViolation'
            ? inserted<M, N>(wanted, error)
            : fail(error),
      ),
    ),
  )
  return orElse(first(wanted), insert)
}

const orElse = <M, N extends string>(
  look: Program<UniqueError, Option<Managed<M, N>>>,
  otherwise: Program<UniqueError, Managed<M, N>>,
): Program<UniqueError, Managed<M, N>> =>
  chain(
    (found: Option<Managed<M, N>>): Program<UniqueError, Managed<M, N>> =>
      isNone(found) ? otherwise : of(found.value),
  )(look)

/**
 * What others have inserted, since that was refused here. A transaction that sees an older state does not see it, but for
 * MySQL's with a lock; then, and where it was another constraint, the refusal stands.
 */
const inserted = <M, N extends string>(
  wanted: Select<M, N>,
  refusal: IntegrityError,
): Program<UniqueError, Managed<M, N>> => {
  const locked = modify<AnySelect>((query) => query.forShare())(wanted) as Select<M, N>
  return suspend((state) =>
    // nothing goes on where it was the flush before the savepoint that failed
    state.failure === null ? orElse(first(wanted), orElse(first(locked), fail(refusal))) : fail(refusal),
  )
}
