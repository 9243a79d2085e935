/**
 * How the databases of a transaction are begun and committed. A session over several can be given another way than one
 * after another.
 */
import { type Connection, type Engine, type EngineError, engineError, type IsolationLevel } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { isNone, some } from 'fp-ts/lib/Option.js'
import type { RequestError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Notice } from '../unit-of-work/step.js'
import { call, type Effect, within } from './effect.js'
import { databaseError } from './execute.js'

/** A database in the transaction. @category model */
export interface OpenTransaction {
  readonly token: ShardToken | null
  readonly engine: Engine
  readonly connection: Connection
}

/**
 * What has become of a commit. What is neither committed nor abandoned is rolled back after it.
 *
 * @category model
 */
export interface CommitOutcome {
  readonly result: Either<RequestError, ReadonlyArray<Notice>>
  readonly committed: ReadonlyArray<ShardToken | null>
  /** Whose connections may never answer again: nobody waits for them. */
  readonly abandoned: ReadonlyArray<ShardToken | null>
}

/**
 * Belongs to one run or store, and to one transaction at a time.
 *
 * @category model
 */
export interface CommitProtocol {
  /**
   * How to begin a transaction on a database: asked when it is first touched, before there is a connection. What is asked
   * then begins it on one, and gives what the session is to call instead.
   */
  readonly begin: (
    token: ShardToken | null,
    engine: Engine,
    isolationLevel: IsolationLevel | null,
  ) => (connection: Connection) => Effect<Either<EngineError, Connection>>
  /**
   * Commits what is open, in the order in which it was begun. `patience`: the milliseconds that a database may take where
   * nothing else is said; null for as long as it takes.
   */
  readonly commit: (open: ReadonlyArray<OpenTransaction>, patience: number | null) => Effect<CommitOutcome>
  /** The transaction is over, whichever way it ended. */
  readonly ended: () => void
}

/**
 * One after another: where one fails, those before it stay committed, and it and those after it are rolled back. Over
 * several databases this is no atomic commit, and the error says so.
 *
 * @category constructors
 */
export const oneAfterAnother: CommitProtocol = {
  begin: (_token, _engine, isolationLevel) => (connection) => beginOn(connection, isolationLevel),
  *commit(open, patience) {
    const committed: Array<ShardToken | null> = []
    for (const { connection, token } of open) {
      const committing = call(connection, { _tag: 'Commit' })
      const answered = patience === null ? some(yield* committing) : yield* within(patience, committing)
      const answer = isNone(answered) ? left(notCommitted(patience)) : answered.value
      if (isLeft(answer)) return { result: left(failedAfter(committed, token, answer.left)), committed, abandoned: [] }
      committed.push(token)
    }
    return { result: right([]), committed, abandoned: [] }
  },
  ended: () => {},
}

/** A coroutine that is made anew each time would take longer to make than to run: V8 gives each a map and a prototype. */
function* beginOn(
  connection: Connection,
  isolationLevel: IsolationLevel | null,
): Effect<Either<EngineError, Connection>> {
  const begun = yield* call(connection, { _tag: 'Begin', isolationLevel })
  return isLeft(begun) ? begun : right(connection)
}

/** Nobody knows whether a commit is done whose connection was lost. */
const failedAfter = (
  committed: ReadonlyArray<ShardToken | null>,
  shard: ShardToken | null,
  cause: EngineError,
): RequestError =>
  committed.length > 0
    ? { _tag: 'PartlyCommitted', committed: committed.filter((token) => token !== null), shard, cause }
    : cause.reason._tag === 'ConnectionLost' || cause.reason._tag === 'StatementTimeout'
      ? { _tag: 'CommitUnknown', transaction: null, shard, cause }
      : databaseError('commit', null, shard, cause)

const notCommitted = (patience: number | null): EngineError =>
  engineError({ _tag: 'StatementTimeout' }, `the database has not answered the commit within ${patience} ms`)
