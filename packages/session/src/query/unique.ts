/**
 * The unique-object recipe: one instance for one value, whoever asks first.
 *
 * @see https://github.com/sqlalchemy/sqlalchemy/wiki/UniqueObject
 */
import {
  type Criteria,
  type Draft,
  filterBy,
  limit,
  type Managed,
  type Mapped,
  type Select,
  type Snapshot,
  select,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone } from 'fp-ts/lib/Option.js'
import type { MultipleResults, NoResult, NoSavepoint } from '../error.js'
import { read } from '../load/get.js'
import { flush } from '../program/flush.js'
import { nested } from '../program/framing.js'
import { catchError, chain, fail, of, type Program } from '../program/program.js'
import { add } from '../program/work.js'
import type { AddError } from '../transition/add.js'
import { first, one, type QueryError } from './query.js'

/** Why the one instance cannot be had. @category errors */
export type UniqueError = QueryError | AddError | NoSavepoint | NoResult | MultipleResults

/**
 * The instance whose attributes have the given values, made of `draft` where there is none. Safe when others insert the
 * same at the same time, as long as a unique constraint says that there can be only one: who comes second gets what the
 * first has inserted.
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
  const wanted = pipe(select(entity), filterBy<Select<M, N>>(criteria))
  const insert: Program<UniqueError, Managed<M, N>> = pipe(
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
        error._tag === 'IntegrityError' && error.reason._tag === 'UniqueViolation' ? one(wanted) : fail(error),
    ),
  )
  return pipe(
    first(pipe(wanted, limit(1))),
    chain((found): Program<UniqueError, Managed<M, N>> => (isNone(found) ? insert : of(found.value))),
  )
}
