/**
 * The open transactions of a session: one for each database that it has touched, begun when it is first touched.
 *
 * A database that is first touched inside a savepoint begins its transaction and the savepoints together, so that rolling
 * back to any of them means the same everywhere.
 */
import type { Connection, Engine, EngineCall, EngineError, IsolationLevel } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { ShardToken } from '../state/identity-map.js'
import { call, connect, type Effect, release, together } from './effect.js'

/** A failure on one of the databases. */
export interface TransactionFailure {
  readonly token: ShardToken | null
  readonly error: EngineError
}

/**
 * Owns connections; belongs to one run or store.
 */
export class Transactions {
  readonly #isolationLevel: IsolationLevel | null
  readonly #open = new Map<ShardToken | null, Connection>()
  #savepoints: ReadonlyArray<string> = []

  constructor(isolationLevel: IsolationLevel | null) {
    this.#isolationLevel = isolationLevel
  }

  /** The databases in the transaction. */
  get tokens(): ReadonlyArray<ShardToken | null> {
    return [...this.#open.keys()]
  }

  /** The connection to a database, in its transaction. */
  *connection(token: ShardToken | null, engine: Engine): Effect<Either<EngineError, Connection>> {
    const open = this.#open.get(token)
    if (open !== undefined) return right(open)
    const connected = yield* connect(engine)
    if (isLeft(connected)) return connected
    const connection = connected.right
    const begun = yield* sequence(connection, [
      { _tag: 'Begin', isolationLevel: this.#isolationLevel },
      ...this.#savepoints.map((name): EngineCall => ({ _tag: 'Savepoint', name })),
    ])
    if (isLeft(begun)) {
      yield* release(connection)
      return begun
    }
    this.#open.set(token, connection)
    return right(connection)
  }

  *savepoint(name: string): Effect<Either<TransactionFailure, undefined>> {
    this.#savepoints = [...this.#savepoints, name]
    return yield* this.#everywhere([{ _tag: 'Savepoint', name }])
  }

  *releaseSavepoint(name: string): Effect<Either<TransactionFailure, undefined>> {
    this.#savepoints = this.#savepoints.filter((other) => other !== name)
    return yield* this.#everywhere([{ _tag: 'ReleaseSavepoint', name }])
  }

  /** Undoes a savepoint and ends it, and with it those that began in it. */
  *rollbackSavepoint(name: string): Effect<Either<TransactionFailure, undefined>> {
    const at = this.#savepoints.indexOf(name)
    if (at < 0) return right(undefined)
    this.#savepoints = this.#savepoints.slice(0, at)
    return yield* this.#everywhere([
      { _tag: 'RollbackToSavepoint', name },
      { _tag: 'ReleaseSavepoint', name },
    ])
  }

  /** After a failure: undoes the innermost savepoint, which stays open, or else the whole transaction. */
  *undo(): Effect<void> {
    const name = this.#savepoints.at(-1)
    if (name === undefined) yield* this.rollback()
    else yield* this.#everywhere([{ _tag: 'RollbackToSavepoint', name }])
  }

  /**
   * Commits every database, one after another. Where one fails, those before it stay committed, and it and those after it
   * are rolled back: over several databases this is no atomic commit.
   */
  *commit(): Effect<Either<TransactionFailure, undefined>> {
    this.#savepoints = []
    for (const [token, connection] of this.#open) {
      const committed = yield* call(connection, { _tag: 'Commit' })
      if (isLeft(committed)) {
        yield* this.rollback()
        return left({ token, error: committed.left })
      }
      this.#open.delete(token)
      yield* release(connection)
    }
    return right(undefined)
  }

  /** Undoes everything, everywhere. What cannot be told so is rolled back by its connection's end. */
  *rollback(): Effect<void> {
    this.#savepoints = []
    const open = [...this.#open.values()]
    this.#open.clear()
    yield* together(
      open.map(function* (connection): Effect<void> {
        yield* call(connection, { _tag: 'Rollback' })
        yield* release(connection)
      }),
    )
  }

  *#everywhere(calls: ReadonlyArray<EngineCall>): Effect<Either<TransactionFailure, undefined>> {
    for (const [token, connection] of this.#open) {
      const done = yield* sequence(connection, calls)
      if (isLeft(done)) return left({ token, error: done.left })
    }
    return right(undefined)
  }
}

function* sequence(connection: Connection, calls: ReadonlyArray<EngineCall>): Effect<Either<EngineError, undefined>> {
  for (const asked of calls) {
    const answer = yield* call(connection, asked)
    if (isLeft(answer)) return answer
  }
  return right(undefined)
}
