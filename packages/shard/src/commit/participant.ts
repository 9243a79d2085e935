/**
 * A shard in a transaction that may have to be committed with others.
 */
import type { BranchId, Connection, Engine, EngineError } from '@unitary/core'
import { call, type Effect } from '@unitary/session'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { type Means, meansOf, type Part } from './commit-plan.js'
import { endBranch } from './end-branch.js'
import type { Recording } from './recording.js'
import { applyRedo, deleteRedo, prepareRedo } from './redo.js'
import { shardKey } from './transaction-id.js'
import { callWithin, isSilent, releaseWithin } from './within.js'

/** Belongs to one transaction. */
export class Participant {
  readonly token: string
  readonly engine: Engine
  readonly means: Means
  /** Under the one that the session calls. */
  readonly connection: Connection
  readonly recording: Recording
  /** Whether it is committed, or bound to be. */
  isCommitted = false
  /** Its connection may be busy for ever. */
  isSilent = false
  readonly #timeout: number

  constructor(token: string, engine: Engine, connection: Connection, recording: Recording, timeout: number) {
    this.token = token
    this.engine = engine
    this.means = meansOf(engine)
    this.connection = connection
    this.recording = recording
    this.#timeout = timeout
  }

  get part(): Part {
    const { means, recording, token } = this
    const { hasCursor, hasLocked, hasWritten } = recording
    return { token, means, hasWritten, hasLocked, hasCursor }
  }

  branch(transaction: string): BranchId {
    return { transaction, branch: shardKey(this.token) }
  }

  /** A call on its own connection, not waited for longer than a step may take. */
  *ask<C extends Parameters<typeof callWithin>[1]>(asked: C): ReturnType<typeof callWithin<C>> {
    const answer = yield* callWithin(this.connection, asked, this.#timeout)
    if (isLeft(answer) && isSilent(answer.left)) this.isSilent = true
    return answer
  }

  *commit(): Effect<Either<EngineError, undefined>> {
    const committed = yield* this.ask({ _tag: 'Commit' })
    if (!isLeft(committed)) this.isCommitted = true
    return committed
  }

  *prepare(transaction: string, now: Date): Effect<Either<EngineError, undefined>> {
    return this.means === 'redo'
      ? yield* prepareRedo(this.connection, this.engine, transaction, this.recording.writes, now)
      : yield* this.ask({ _tag: 'Prepare', branch: this.branch(transaction) })
  }

  /** Commits what is prepared. It is bound to be committed, whether that can be done now or not. */
  *finish(transaction: string): Effect<Either<EngineError, undefined>> {
    this.isCommitted = true
    return this.means === 'redo'
      ? yield* applyRedo(this.connection, this.engine, transaction)
      : yield* this.#end('CommitPrepared', transaction)
  }

  /** Undoes what is prepared, or may be. */
  *undo(transaction: string): Effect<Either<EngineError, undefined>> {
    if (this.means !== 'redo') return yield* this.#end('RollbackPrepared', transaction)
    yield* call(this.connection, { _tag: 'Rollback' })
    return yield* deleteRedo(this.connection, this.engine, transaction)
  }

  *#end(_tag: 'CommitPrepared' | 'RollbackPrepared', transaction: string): Effect<Either<EngineError, undefined>> {
    const asked = { _tag, branch: this.branch(transaction) } as const
    if (!this.isSilent) {
      const own = yield* this.ask(asked)
      if (!isLeft(own)) return right(undefined)
    }
    // MariaDB lets another do it when the connection that has prepared it is gone
    if (!this.isSilent) yield* releaseWithin(this.connection, this.#timeout)
    const ended = yield* endBranch(this.engine, asked, this.#timeout)
    return isLeft(ended) ? ended : right(undefined)
  }
}
