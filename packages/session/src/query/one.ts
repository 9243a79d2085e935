/**
 * Queries of which one result is wanted.
 */
import type { AnyQuery, ResultOf } from '@unitary/core'
import { isSome, none, type Option, some } from 'fp-ts/lib/Option.js'
import type { MultipleResults, NoResult } from '../error.js'
import { chain, fail, map, of, type Program } from '../program/program.js'
import { type QueryError, query } from './query.js'
import { rows } from './rows.js'

/**
 * The first result, if there is one. The query should say what is first, and ask for one row.
 *
 * @category queries
 */
export const first = <S extends AnyQuery>(statement: S): Program<QueryError, Option<ResultOf<S>>> =>
  map((found: ReadonlyArray<ResultOf<S>>) => (found.length === 0 ? none : some(found[0] as ResultOf<S>)))(
    resultsOf(statement),
  )

/**
 * The only result: `NoResult` where there is none, `MultipleResults` where there are several.
 *
 * @category queries
 */
export const one = <S extends AnyQuery>(statement: S): Program<QueryError | NoResult | MultipleResults, ResultOf<S>> =>
  chain(
    (found: Option<ResultOf<S>>): Program<NoResult, ResultOf<S>> =>
      isSome(found) ? of(found.value) : fail({ _tag: 'NoResult', entity: statement.entity.name }),
  )(oneOrNone(statement))

/**
 * The only result, if there is one: `MultipleResults` where there are several.
 *
 * @category queries
 */
export const oneOrNone = <S extends AnyQuery>(
  statement: S,
): Program<QueryError | MultipleResults, Option<ResultOf<S>>> =>
  chain(
    (found: ReadonlyArray<ResultOf<S>>): Program<MultipleResults, Option<ResultOf<S>>> =>
      found.length > 1
        ? fail({ _tag: 'MultipleResults', entity: statement.entity.name, count: found.length, shards: [] })
        : of(found.length === 0 ? none : some(found[0] as ResultOf<S>)),
  )(resultsOf(statement))

const resultsOf = <S extends AnyQuery>(statement: S): Program<QueryError, ReadonlyArray<ResultOf<S>>> =>
  (statement._tag === 'Select' ? query(statement) : rows(statement)) as Program<QueryError, never>
