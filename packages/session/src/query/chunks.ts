/**
 * Queries that are gone through in chunks, within a session: for more rows than one wants to hold at a time.
 *
 * The query runs once, in the session's transaction, and its rows are those of that moment. Between two chunks the program
 * does what it likes: it loads, changes, flushes, commits.
 */
import type { AnyQuery, ResultOf } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { requestRows } from '../hook/loaded.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import {
  catchError,
  chain,
  fail,
  map,
  type Outcome,
  of,
  type Program,
  request,
  transition,
} from '../program/program.js'
import type { SessionState } from '../state/session-state.js'
import { withoutLoadedSince } from '../transition/forget.js'
import { defaultChunk, type OpenQuery, openQuery, type Portion, showPortion, takePortion } from './open-query.js'
import type { QueryError } from './query.js'

/** @category model */
export interface ChunkOptions {
  /** How many rows make a chunk, 1000 by default; the last has what is left. */
  readonly chunk?: number
  /**
   * Whether what a chunk has brought into the session stays there; false by default, so that however many rows there are
   * the session holds those of one chunk.
   */
  readonly keep?: boolean
}

/**
 * Goes through the results of a query chunk by chunk, and folds them into a value.
 *
 * The results are what `query` gives, in its order, with what the query loads beside them: by one statement a relationship
 * and chunk. They are instances of the session for as long as their chunk lasts. Pending changes are flushed after each
 * chunk; then what it has loaded is forgotten, and snapshots of it are plain rows from then on. What the program has added,
 * and what that refers to, stays.
 *
 * A program may commit in between, and go on; a rollback, other than to a savepoint of its own, ends the rows that are
 * left, and is a failure where there are any. A query that locks its rows ends with the transaction in any case. Give a
 * chunk that may fail a savepoint of its own by `nested`.
 *
 * Memory stays flat on every engine. PostgreSQL keeps the rows that are left at the server. On SQLite they are set aside
 * before the first write, in a temporary file where they are many, and on MySQL before the first statement of any sort.
 *
 * @example
 * pipe(
 *   select(model.Post),
 *   Session.foldChunks(0, (words, posts) => Session.of(posts.reduce((sum, { body }) => sum + count(body), words))),
 * )
 *
 * @category queries
 */
export const foldChunks =
  <S extends AnyQuery, B, E>(
    initial: B,
    f: (value: B, chunk: ReadonlyArray<ResultOf<S>>) => Program<E, B>,
    options: ChunkOptions = {},
  ) =>
  (statement: S): Program<QueryError | E, B> => {
    const { chunk = defaultChunk, keep = false } = options
    return pipe(
      statement.options.autoflush === false ? of(undefined) : autoflush,
      chain(() => openQuery(statement, chunk, false)),
      chain((query) => closing(query)(goThrough({ query, chunk, keep }, initial, f as unknown as Fold<B, E>))),
    )
  }

/**
 * Runs a program for each chunk of a query's results. As `foldChunks`, with nothing to carry along.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   where('joined', '<', lastYear),
 *   Session.forEachChunk((users) =>
 *     pipe(users, Session.traverseArray(Session.set(model.User, { isOld: true })), Session.chain(() => Session.commit)),
 *   ),
 * )
 *
 * @category queries
 */
export const forEachChunk = <S extends AnyQuery, E>(
  f: (chunk: ReadonlyArray<ResultOf<S>>) => Program<E, unknown>,
  options: ChunkOptions = {},
): ((statement: S) => Program<QueryError | E, undefined>) =>
  foldChunks<S, undefined, E>(undefined, (_, chunk) => map(() => undefined)(f(chunk)), options)

type Fold<B, E> = (value: B, chunk: ReadonlyArray<unknown>) => Program<E, B>

/** A query that is being gone through. */
interface Going {
  readonly query: OpenQuery
  readonly chunk: number
  readonly keep: boolean
}

const closing =
  ({ cursor }: OpenQuery) =>
  <E, B>(program: Program<E, B>): Program<E, B> => {
    const close = request(
      { _tag: 'CloseCursor', cursor },
      (_, state): Outcome<never, undefined> => [right(undefined), state],
    )
    return pipe(
      program,
      catchError((error: E) => chain((): Program<E, never> => fail(error))(close)),
      chain((value) => map(() => value)(close)),
    )
  }

const goThrough = <B, E>(going: Going, value: B, f: Fold<B, E>): Program<QueryError | E, B> =>
  unlessFailed((before) =>
    pipe(
      fetch(before, going),
      chain((portion): Program<QueryError | E, B> => {
        if (portion.size === 0) return of(value)
        const { chunk, query } = going
        const folded = pipe(
          showPortion(query, portion),
          chain((shown: ReadonlyArray<unknown>) => f(value, shown)),
          chain((next: B) => map(() => next)(leave(going, before))),
        )
        // nothing comes after a chunk that is not full
        return portion.size < chunk ? folded : chain((next: B) => goThrough(going, next, f))(folded)
      }),
    ),
  )

const fetch = (
  before: SessionState,
  { query, chunk }: Going,
): Program<RequestError | DecodeError | HookError, Portion> =>
  requestRows(
    before,
    { _tag: 'Fetch', cursor: query.cursor, count: chunk },
    (answer, state, given): Outcome<RequestError | DecodeError | HookError, Portion> => {
      if (isLeft(answer)) return [answer, state]
      const taken = takePortion(state, query, answer.right, given)
      return isLeft(taken) ? [taken, state] : [right(taken.right[0]), taken.right[1]]
    },
  )

/** After a chunk: what it has changed is flushed, so that the session has no reason left to keep what it has brought. */
const leave = ({ query, keep }: Going, before: SessionState): Program<QueryError, undefined> =>
  pipe(
    query.statement.options.autoflush === false ? of(undefined) : autoflush,
    chain(() => transition((state) => right([undefined, keep ? state : withoutLoadedSince(before, state)] as const))),
  )
