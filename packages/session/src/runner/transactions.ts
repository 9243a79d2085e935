/**
 * The open transactions of a session: one for each database that it has touched, begun when it is first touched.
 *
 * A database that is first touched inside a savepoint begins its transaction and the savepoints together, so that rolling
 * back to any of them means the same everywhere.
 *
 * A query that is read in portions may outlive the transaction in which it was opened. Its connection is kept then, and the
 * next transaction begins on it.
 */
import {
  type CompiledStatement,
  type Connection,
  type Engine,
  type EngineCall,
  type EngineError,
  engineError,
  type IsolationLevel,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { isNone } from 'fp-ts/lib/Option.js'
import type { RequestError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Notice } from '../unit-of-work/step.js'
import { Blocks } from './blocks.js'
import { type CommitProtocol, type OpenTransaction, oneAfterAnother } from './commit-protocol.js'
import { call, connect, type Effect, release, together, wait, within } from './effect.js'
import { databaseError } from './execute.js'

/** A failure on one of the databases. */
export interface TransactionFailure {
  readonly token: ShardToken | null
  readonly error: EngineError
}

/** A cursor on a connection. */
export interface OpenedCursor {
  readonly connection: Connection
  readonly name: string
}

/** A connection as the tables of a token are on it. */
interface Lent {
  readonly open: OpenTransaction
  readonly connection: Connection
}

/** What a connection is wanted for, beside its transaction. */
interface CursorEntry {
  readonly hold: boolean
  /** Has a commit kept it? */
  isKept: boolean
}

/**
 * Owns connections; belongs to one run or store.
 */
export class Transactions {
  readonly #isolationLevel: IsolationLevel | null
  readonly #protocol: CommitProtocol
  /** By the token that touched the database first. */
  readonly #open = new Map<ShardToken | null, OpenTransaction>()
  /** The connections to them, as each token has it: several may share a database. */
  readonly #lent = new Map<ShardToken | null, Lent>()
  // most runs need none of these, and a run may be as short as one statement
  /** Connections without a transaction, on which cursors are open, by the engines of their databases. */
  #kept: Map<Engine, Connection> | null = null
  #cursors: Map<Connection, Map<string, CursorEntry>> | null = null
  /** Databases in which the transaction has written, or locked rows. */
  #written: Set<ShardToken | null> | null = null
  /** Databases whose part of the transaction is lost, with what it had written. */
  #lost: Map<ShardToken | null, EngineError> | null = null
  /** What is left of the ids that were drawn. */
  readonly blocks = new Blocks()
  #nextCursor = 1
  #patience: number | null = null
  #savepoints: ReadonlyArray<string> = []

  constructor(isolationLevel: IsolationLevel | null, protocol: CommitProtocol = oneAfterAnother) {
    this.#isolationLevel = isolationLevel
    this.#protocol = protocol
  }

  /** The connection to a database, if it is in the transaction already. */
  opened(token: ShardToken | null): Connection | undefined {
    return this.#lent.get(token)?.connection
  }

  /** From here on, ending a transaction or a savepoint takes no more than so many milliseconds on each database. */
  hurry(milliseconds: number): void {
    this.#patience = milliseconds
  }

  /** Notes that something is written in a database, or locked. */
  noteWrite(token: ShardToken | null): void {
    this.#written ??= new Set()
    this.#written.add(token)
  }

  /** Would the transaction miss something if its part in a database began anew? */
  hasWritten(token: ShardToken | null): boolean {
    const written = this.#written
    if (written === null) return false
    if (written.has(token)) return true
    const open = this.#lent.get(token)?.open
    return open !== undefined && this.#sharing(open).some((other) => written.has(other))
  }

  /**
   * Takes a database out of the transaction after a failure, so that its part begins anew when it is next touched. Where it
   * had written, nothing but a rollback of the whole is left.
   */
  *leave(token: ShardToken | null, cause: EngineError): Effect<void> {
    const connection = this.#lent.get(token)?.open.connection
    this.lose(token, cause)
    if (connection !== undefined) yield* release(connection)
  }

  /** The same where the connection has been discarded, and is not waited for. */
  lose(token: ShardToken | null, cause: EngineError): void {
    const open = this.#lent.get(token)?.open
    if (this.hasWritten(token)) {
      this.#lost ??= new Map()
      for (const lost of open === undefined ? [token] : this.#sharing(open)) this.#lost.set(lost, cause)
    }
    if (open === undefined) return
    this.#cursors?.delete(open.connection)
    this.#forget(open)
  }

  /** The tokens that a transaction is lent to. */
  #sharing(open: OpenTransaction): ReadonlyArray<ShardToken | null> {
    if (this.#lent.size === 1) return [...this.#lent.keys()]
    return Array.from(this.#lent).flatMap(([token, lent]) => (lent.open === open ? [token] : []))
  }

  /** The connection to a database, in its transaction. */
  *connection(token: ShardToken | null, engine: Engine): Effect<Either<EngineError, Connection>> {
    const known = this.#lent.get(token)
    if (known !== undefined) return right(known.connection)
    const lost = this.#lost?.get(token)
    if (lost !== undefined) return left(partLost(lost))
    const { layout } = engine
    const opened = yield* this.#openOn(token, layout?.engine ?? engine)
    if (isLeft(opened)) return opened
    const { connection } = opened.right
    const lent = { open: opened.right, connection: layout === undefined ? connection : layout.over(connection) }
    this.#lent.set(token, lent)
    return right(lent.connection)
  }

  /** The transaction on the database of an engine, which is begun where it is not. */
  *#openOn(token: ShardToken | null, engine: Engine): Effect<Either<EngineError, OpenTransaction>> {
    for (const open of this.#open.values()) if (open.engine === engine) return right(open)
    const begin = this.#protocol.begin(token, engine, this.#isolationLevel)
    const kept = this.#kept?.get(engine)
    const connected = kept === undefined ? yield* connect(engine) : right(kept)
    if (isLeft(connected)) return connected
    const started = yield* begin(connected.right)
    const begun = this.#savepoints.length === 0 ? started : yield* this.#withSavepoints(started)
    if (isLeft(begun)) {
      if (kept === undefined) yield* release(connected.right)
      return begun
    }
    this.#kept?.delete(engine)
    const open = { token, engine, connection: begun.right }
    this.#open.set(token, open)
    return right(open)
  }

  *#withSavepoints(begun: Either<EngineError, Connection>): Effect<Either<EngineError, Connection>> {
    if (isLeft(begun)) return begun
    const savepoints = yield* sequence(
      begun.right,
      this.#savepoints.map((name): EngineCall => ({ _tag: 'Savepoint', name })),
    )
    return isLeft(savepoints) ? savepoints : begun
  }

  /** Opens a cursor on a connection that is in the transaction. */
  *openCursor(
    connection: Connection,
    statement: CompiledStatement,
    hold: boolean,
  ): Effect<Either<EngineError, OpenedCursor>> {
    const name = `unitary_cursor_${this.#nextCursor++}`
    const opened = yield* call(connection, { _tag: 'OpenCursor', name, statement, hold })
    if (isLeft(opened)) return opened
    const of = this.#ownerOf(connection)
    this.#cursors ??= new Map()
    const cursors = this.#cursors.get(of) ?? new Map<string, CursorEntry>()
    this.#cursors.set(of, cursors.set(name, { hold, isKept: false }))
    return right({ connection: of, name })
  }

  /** The connection that a lent one is. */
  #ownerOf(connection: Connection): Connection {
    for (const { connection: lent, open } of this.#lent.values()) if (lent === connection) return open.connection
    return connection
  }

  /** Closes a cursor, if it is still open, and gives its connection back where that was kept for it alone. */
  *closeCursor({ connection, name }: OpenedCursor): Effect<void> {
    const cursors = this.#cursors?.get(connection)
    if (cursors?.delete(name) !== true) return
    yield* call(connection, { _tag: 'CloseCursor', name })
    for (const [engine, kept] of this.#kept ?? []) {
      if (kept !== connection || cursors.size > 0) continue
      this.#kept?.delete(engine)
      yield* this.#release(connection)
    }
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
    this.blocks.forget()
    return yield* this.#everywhere([
      { _tag: 'RollbackToSavepoint', name },
      { _tag: 'ReleaseSavepoint', name },
    ])
  }

  /** After a failure: undoes the innermost savepoint, which stays open, or else the whole transaction. */
  *undo(): Effect<void> {
    const name = this.#savepoints.at(-1)
    if (name === undefined) yield* this.rollback()
    else {
      this.blocks.forget()
      yield* this.#everywhere([{ _tag: 'RollbackToSavepoint', name }])
    }
  }

  /** Commits every database, as the protocol does. Where that fails, what it has not committed is rolled back. */
  *commit(): Effect<Either<RequestError, ReadonlyArray<Notice>>> {
    for (const [token, cause] of this.#lost ?? []) {
      yield* this.rollback()
      return left(databaseError('commit', null, token, partLost(cause)))
    }
    this.#savepoints = []
    const { abandoned, committed, result } = yield* this.#protocol.commit([...this.#open.values()], this.#patience)
    for (const token of committed) {
      const open = this.#open.get(token) as OpenTransaction
      const { connection } = open
      for (const lentTo of this.#sharing(open)) {
        this.#written?.delete(lentTo)
        this.blocks.committed(lentTo)
      }
      for (const cursor of this.#cursors?.get(connection)?.values() ?? []) cursor.isKept = cursor.hold
      if (abandoned.includes(token)) continue
      this.#forget(open)
      yield* this.#giveBack(open.engine, connection)
    }
    for (const token of abandoned) yield* this.#abandon(token)
    if (isLeft(result)) yield* this.rollback()
    else this.#protocol.ended()
    return result
  }

  /** Gives a connection back that may never answer again, and waits for nothing. */
  *#abandon(token: ShardToken | null): Effect<void> {
    const open = this.#open.get(token) as OpenTransaction
    const { connection } = open
    this.#forget(open)
    this.#cursors?.delete(connection)
    yield* wait(async () => {
      void connection.release()
    })
  }

  /** Undoes everything, everywhere. What cannot be told so is rolled back by its connection's end. */
  *rollback(): Effect<void> {
    this.#savepoints = []
    this.#written = null
    this.#lost = null
    this.blocks.forget()
    // those that were left or lost have been in it too
    this.#protocol.ended()
    if (this.#open.size === 0) return
    const open = [...this.#open.values()]
    this.#open.clear()
    this.#lent.clear()
    yield* together(open.map(({ connection, engine }) => this.#rollbackOne(engine, connection)))
  }

  /** Rolls back what is open, and gives all connections back, whatever is read on them. */
  *end(): Effect<void> {
    const kept = this.#kept
    this.#kept = null
    this.#cursors = null
    yield* this.rollback()
    if (kept !== null) yield* together(Array.from(kept.values(), release))
  }

  *#rollbackOne(engine: Engine, connection: Connection): Effect<void> {
    yield* this.#inTime(sequence(connection, [{ _tag: 'Rollback' }]))
    yield* this.#giveBack(engine, connection)
  }

  #forget(open: OpenTransaction): void {
    this.#open.delete(open.token)
    for (const token of this.#sharing(open)) this.#lent.delete(token)
  }

  /** Gives a connection back when its transaction is over, unless cursors are open on it that outlive that. */
  *#giveBack(engine: Engine, connection: Connection): Effect<void> {
    const cursors = this.#cursors?.get(connection)
    for (const [name, { isKept }] of cursors ?? []) if (!isKept) cursors?.delete(name)
    if (cursors !== undefined && cursors.size > 0) {
      this.#kept ??= new Map()
      this.#kept.set(engine, connection)
    } else yield* this.#release(connection)
  }

  *#release(connection: Connection): Effect<void> {
    this.#cursors?.delete(connection)
    yield* release(connection)
  }

  /** Given up where it takes longer than it may, the connection with it. */
  *#inTime(work: Effect<Either<EngineError, undefined>>): Effect<Either<EngineError, undefined>> {
    if (this.#patience === null) return yield* work
    const done = yield* within(this.#patience, work)
    return isNone(done) ? left(notEnded(this.#patience)) : done.value
  }

  *#everywhere(calls: ReadonlyArray<EngineCall>): Effect<Either<TransactionFailure, undefined>> {
    for (const [token, { connection }] of this.#open) {
      const done = yield* this.#inTime(sequence(connection, calls))
      if (isLeft(done)) return left({ token, error: done.left })
    }
    return right(undefined)
  }
}

/** The answer of a database that gives none. Whether a commit was done then nobody knows. */
const notEnded = (milliseconds: number): EngineError =>
  engineError({ _tag: 'StatementTimeout' }, `the database has not ended the transaction within ${milliseconds} ms`)

/** The answer where a part of the transaction is gone. It may be retried where what it was lost for may. */
const partLost = (cause: EngineError): EngineError =>
  engineError(cause.reason, `the transaction can only be rolled back, since a part of it is lost: ${cause.message}`, {
    cause,
  })

function* sequence(connection: Connection, calls: ReadonlyArray<EngineCall>): Effect<Either<EngineError, undefined>> {
  for (const asked of calls) {
    const answer = yield* call(connection, asked)
    if (isLeft(answer)) return answer
  }
  return right(undefined)
}
