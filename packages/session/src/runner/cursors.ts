/**
 * Queries that are read in portions, as interpreters answer them.
 */
import { type AnyQuery, compile, type DriverRow, type Engine, engineError } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { SelectModifierNode } from 'kysely'
import type { RequestError } from '../error.js'
import type {
  AnswerOf,
  CloseCursorRequest,
  CursorId,
  FetchRequest,
  OpenCursorRequest,
  QueryAnswer,
} from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import { call, type Effect } from './effect.js'
import { connectError, databaseError } from './execute.js'
import { failureOf } from './query.js'
import type { OpenedCursor, Transactions } from './transactions.js'

/**
 * A query that is read in portions, of one database or of several.
 *
 * @category model
 */
export interface Reader {
  /** The next rows, as many as asked for; fewer only at the end. */
  readonly fetch: (count: number) => Effect<Either<RequestError, QueryAnswer>>
  /** Ends it, wherever it stands. */
  readonly close: () => Effect<void>
}

/**
 * Opens a query on one database, in its transaction.
 *
 * @category constructors
 */
export function* openReader(
  transactions: Transactions,
  engine: Engine,
  { isAlone, statement }: Pick<OpenCursorRequest, 'isAlone' | 'statement'>,
  token: ShardToken | null,
): Effect<Either<RequestError, EngineReader>> {
  const { name } = statement.entity
  const connection = yield* transactions.connection(token, engine)
  if (isLeft(connection)) return left(connectError(token, connection.left))
  const compiled = compile(engine)(statement)
  if (isLeft(compiled)) return left(failureOf(compiled.left, 'query', name, token))
  const hold = !isAlone && !locksRows(statement)
  const opened = yield* transactions.openCursor(connection.right, compiled.right, hold)
  return isLeft(opened)
    ? left(databaseError('query', name, token, opened.left))
    : right(new EngineReader(transactions, engine, statement, token, opened.right))
}

/** Does a query lock its rows? Locks end with the transaction, and so do the rows of a query that takes them. */
export const locksRows = ({ node }: AnyQuery): boolean =>
  node.endModifiers?.some((item) => SelectModifierNode.is(item) && item.modifier?.startsWith('For') === true) === true

/** A query that is open on one database. */
export class EngineReader implements Reader {
  readonly #transactions: Transactions
  readonly #engine: Engine
  readonly #statement: AnyQuery
  readonly #token: ShardToken | null
  readonly #cursor: OpenedCursor

  constructor(
    transactions: Transactions,
    engine: Engine,
    statement: AnyQuery,
    token: ShardToken | null,
    cursor: OpenedCursor,
  ) {
    this.#transactions = transactions
    this.#engine = engine
    this.#statement = statement
    this.#token = token
    this.#cursor = cursor
  }

  *fetch(count: number): Effect<Either<RequestError, QueryAnswer>> {
    const rows = yield* this.fetchRows(count)
    return isLeft(rows)
      ? rows
      : right({
          batches: [{ dialect: this.#engine.dialect, token: this.#token, rows: rows.right }],
          order: null,
          isJoined: false,
        })
  }

  /** The rows alone. */
  *fetchRows(count: number): Effect<Either<RequestError, ReadonlyArray<DriverRow>>> {
    const { connection, name } = this.#cursor
    const fetched = yield* call(connection, { _tag: 'Fetch', name, count })
    return isLeft(fetched)
      ? left(databaseError('query', this.#statement.entity.name, this.#token, fetched.left))
      : fetched
  }

  close(): Effect<void> {
    return this.#transactions.closeCursor(this.#cursor)
  }
}

/**
 * The queries that are open in one run or store, by their numbers.
 */
export class Readers {
  readonly #open = new Map<CursorId, Reader>()
  #next: CursorId = 1

  /** Gives a query its number. */
  add(reader: Reader): CursorId {
    this.#open.set(this.#next, reader)
    return this.#next++
  }

  *answer(
    request: FetchRequest | CloseCursorRequest,
  ): Effect<Either<RequestError, AnswerOf<FetchRequest> | AnswerOf<CloseCursorRequest>>> {
    const reader = this.#open.get(request.cursor)
    switch (request._tag) {
      case 'Fetch':
        return reader === undefined ? left(notOpen) : yield* reader.fetch(request.count)
      case 'CloseCursor':
        this.#open.delete(request.cursor)
        if (reader !== undefined) yield* reader.close()
        return right(undefined)
    }
  }

  /** Forgets them all, when their connections have been given back. */
  clear(): void {
    this.#open.clear()
  }
}

const notOpen: RequestError = databaseError(
  'query',
  null,
  null,
  engineError({ _tag: 'Unavailable' }, 'the query that is to be read on is not open'),
)
