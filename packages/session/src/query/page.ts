/**
 * Queries of entities, page by page.
 *
 * A page starts after a place in the order, not after a number of rows: it costs the same however far it is, and rows that
 * come or go meanwhile shift no others.
 */
import {
  type AnySelect,
  type Extent,
  type PageTerm,
  pageAfter,
  pageTerms,
  type Resulting,
  type Select,
} from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { isNone, none, type Option, some } from 'fp-ts/lib/Option.js'
import { type InvalidValue, invalidStatement } from '../error.js'
import { chain, fail, map, type Program } from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import { type AnsweredRow, cursorOf, type PageCursor, placeIn } from './cursor.js'
import { asRewritten, type Found, type QueryError, type ReadAnswer, type Result, resultsOf, rowsOf } from './query.js'

/**
 * Which page: the first, or the one after a place.
 *
 * @category model
 */
export interface PageOptions {
  /** Rows of a page at the most, from 1. */
  readonly size: number
  /** Where the page before ended, as its `next` says: any text, since it may come from anyone. */
  readonly after: Option<string>
}

/**
 * A page of a query's results.
 *
 * @category model
 */
export interface Page<A> {
  readonly rows: ReadonlyArray<A>
  /** The place after which the next page starts; none where this is the last. */
  readonly next: Option<PageCursor>
}

/**
 * A page of a query's results, in its order: the first, or the one after a place that an earlier page ended with. All pages
 * together are the whole result. Pending changes are flushed first.
 *
 * The query is ordered by attributes, its own or those that it joined, asc and desc as you like; keys are added where they
 * leave rows in the same place. NULL is below every value on every database, unless the order says where it stands; say so
 * where an index of PostgreSQL is to serve it, which has it above. Rows are taken as they are when the page is asked for.
 *
 * `next` holds the values that the last row is ordered by: order by nothing that whoever gets it must not know. One that was
 * made up, or belongs to another order, is an `InvalidValue`.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   orderBy('joined', 'desc'),
 *   Session.page({ size: 20, after: O.fromNullable(request.query.after) }),
 * )
 *
 * @category queries
 */
export const page =
  ({ after, size }: PageOptions) =>
  <M, N extends string, L, X extends Extent>(
    statement: Select<M, N, L, X>,
  ): Program<QueryError, Page<Resulting<M, N, L, X>>> =>
    Number.isSafeInteger(size) && size > 0
      ? chain((asked: AnySelect) => pageOf<M, N, L, X>(asked, size, after))(asRewritten(statement))
      : fail(wrongSize(statement.entity.name, size))

const wrongSize = (entity: string, size: number): InvalidValue => ({
  _tag: 'InvalidValue',
  entity,
  attribute: 'size',
  value: size,
  problem: 'a page is a whole number of rows, at least one',
})

const pageOf = <M, N extends string, L, X extends Extent>(
  query: AnySelect,
  size: number,
  after: Option<string>,
): Program<QueryError, Page<Result<M, N, L, X>>> => {
  const terms = pageTerms(query)
  if (isLeft(terms)) return fail(invalidStatement('query', terms.left))
  const place = isNone(after) ? null : placeIn(query.entity.name, terms.right, after.value)
  if (place !== null && isLeft(place)) return fail(place.left)
  // one row more tells whether another page follows
  const asked = pageAfter(query, terms.right, place === null ? null : place.right, size + 1)
  return chain((found: Found<Option<PageCursor>>) =>
    map((rows: ReadonlyArray<Result<M, N, L, X>>): Page<Result<M, N, L, X>> => ({ rows, next: found.read }))(
      resultsOf<M, N, L, X>(asked, found, found.ids.slice(0, size)),
    ),
  )(rowsOf(asked, endOf(terms.right, size)))
}

/** The place of the last row of a page, where another page follows. */
const endOf =
  (terms: ReadonlyArray<PageTerm>, size: number): ReadAnswer<Option<PageCursor>> =>
  (answer, own) => {
    const count = own === null ? answer.batches.reduce((sum, { rows }) => sum + rows.length, 0) : own.length
    if (count <= size) return none
    return some(cursorOf(terms, rowAt(answer, own === null ? size - 1 : (own[size - 1] as number))))
  }

/** A row of an answer by its place in it. */
const rowAt = ({ batches, order }: QueryAnswer, index: number): AnsweredRow => {
  const next = batches.map(() => 0)
  const sequence = order ?? batches.flatMap(({ rows }, batch) => rows.map(() => batch))
  for (const batch of sequence.slice(0, index)) next[batch] = (next[batch] as number) + 1
  const from = sequence[index] as number
  const { dialect, rows, token } = batches[from] as QueryAnswer['batches'][number]
  return { dialect, token, row: rows[next[from] as number] as AnsweredRow['row'] }
}
