/**
 * The engine of SQLite by better-sqlite3, called directly: synchronous, with its own cache of prepared statements.
 *
 * One `Database` is one connection, so one session at a time: `connect` waits its turn, `connectSync` does not wait.
 * Other processes and other `Database`s of the same file are held off by SQLite's own locks and the busy timeout.
 *
 * @example
 * import Database from 'better-sqlite3'
 * import { sqliteEngine } from '@unitary/core/engine/sqlite'
 *
 * const engine = sqliteEngine(new Database('shop.db'))
 */
import type { Database } from 'better-sqlite3'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Answer, EngineCall } from './call.js'
import type { Connection, Engine, SyncConnection } from './engine.js'
import { type EngineError, engineError } from './error.js'
import { type SqliteCallOptions, sqliteCalls } from './sqlite-calls.js'
import { compileForSqlite } from './sqlite-compile.js'
import { sqliteDialect, sqliteReturning } from './sqlite-dialect.js'
import { sqliteError } from './sqlite-error.js'

/**
 * How the engine sets up its database and runs on it. The settings are made when the first connection is taken.
 *
 * @category model
 */
export interface SqliteEngineOptions {
  /** `wal` by default, where the database is a file that may be written; `keep` leaves what is set. */
  readonly journalMode?: 'wal' | 'delete' | 'truncate' | 'persist' | 'memory' | 'keep'
  /** `normal` by default under WAL, where it is safe; otherwise what is set is kept. */
  readonly synchronous?: 'off' | 'normal' | 'full' | 'extra' | 'keep'
  /** Whether foreign keys are enforced; true by default. */
  readonly foreignKeys?: boolean
  /** How long a statement waits for another connection's lock, in ms; what the `Database` was opened with by default. */
  readonly busyTimeout?: number
  /**
   * The kind of BEGIN, `deferred` by default. `immediate` takes the write lock at once, so that a transaction that reads
   * first never finds that it cannot write.
   */
  readonly begin?: 'deferred' | 'immediate' | 'exclusive'
  /**
   * Inserts row by row where generated values are asked for. For tables whose generated values do not follow one another
   * (a default that is an expression, a trigger that inserts into the same table); false by default, and slower.
   */
  readonly rowByRow?: boolean
  /** How many prepared statements of each sort are kept, 500 by default. */
  readonly cachedStatements?: number
  /**
   * How many compiled statements are kept, each for all statements that differ in values only; 500 by default, 0 for none
   * (see `compileStatistics`).
   */
  readonly compiledStatements?: number
}

const unavailable = (message: string): EngineError => engineError({ _tag: 'Unavailable' }, message)

const engineClosed = unavailable('the engine is closed')
const closed = left(engineClosed)
const databaseClosed = unavailable('the database connection is not open')
const lentOut = left(unavailable('the database has one connection, and another session has it'))
const released = left(unavailable('the connection has been given back'))

/** Sets the database up as the options say; can throw. */
const prepareDatabase = (database: Database, options: SqliteEngineOptions): void => {
  if (options.busyTimeout !== undefined) database.pragma(`busy_timeout = ${Math.trunc(options.busyTimeout)}`)
  const canChange = !database.memory && !database.readonly
  const journalMode = options.journalMode ?? (canChange ? 'wal' : 'keep')
  // a mode that is asked for is answered with the one that is in force
  const inForce = database.pragma(journalMode === 'keep' ? 'journal_mode' : `journal_mode = ${journalMode}`, {
    simple: true,
  })
  const synchronous = options.synchronous ?? (inForce === 'wal' ? 'normal' : 'keep')
  const settings = [`pragma foreign_keys = ${options.foreignKeys === false ? 'off' : 'on'}`]
  if (synchronous !== 'keep') settings.push(`pragma synchronous = ${synchronous}`)
  database.exec(settings.join('; '))
}

/**
 * The engine of a better-sqlite3 database. `close` closes the database.
 *
 * Integers come as numbers; those of columns declared BIGINT, as `createAll` declares columns of kind `bigint`, come as
 * `bigint` where a double does not hold them. An Insert, Update or Delete of several rows outside a transaction is one
 * of its own; within a transaction a call that fails may have written some of its rows, and its rows stand until the
 * transaction or a savepoint is rolled back.
 *
 * While a cursor is open queries run beside it; before anything is written the rows that are left are set aside, in a
 * temporary file where they are many. The application's own statements can only read until then.
 *
 * @category constructors
 */
export const sqliteEngine = (database: Database, options: SqliteEngineOptions = {}): Engine => {
  const callOptions: SqliteCallOptions = {
    rowByRow: options.rowByRow ?? false,
    begin: options.begin ?? 'deferred',
    cachedStatements: options.cachedStatements ?? 500,
  }
  const calls = sqliteCalls(database, callOptions)
  const waiting: Array<(answer: Either<EngineError, Connection>) => void> = []
  let isPrepared = false
  let isLent = false
  let isClosed = false

  const prepared = (): EngineError | null => {
    if (isClosed) return engineClosed
    if (!database.open) return databaseClosed
    if (isPrepared) return null
    try {
      prepareDatabase(database, options)
      isPrepared = true
      return null
    } catch (cause) {
      return sqliteError(cause)
    }
  }

  /** Lends the connection, which must be free. */
  const lend = (): Either<EngineError, SyncConnection> => {
    const error = prepared()
    if (error !== null) return left(error)
    isLent = true
    // a transaction that the application has begun on its own is its own to end
    const isForeign = database.inTransaction
    let isOpen = true
    return right({
      _tag: 'SyncConnection',
      call: <C extends EngineCall>(call: C): Either<EngineError, Answer<C>> =>
        isClosed ? closed : isOpen ? (calls.call(call) as Either<EngineError, Answer<C>>) : released,
      release: () => {
        if (!isOpen) return
        isOpen = false
        calls.closeCursors()
        if (!isClosed && !isForeign) calls.call({ _tag: 'Rollback' })
        isLent = false
        lendToNext()
      },
    })
  }

  /** A connection that cannot be had is no reason for the others to wait on. */
  const lendToNext = (): void => {
    while (!isLent) {
      const next = waiting.shift()
      if (next === undefined) return
      next(lend())
    }
  }

  return {
    _tag: 'Engine',
    dialect: sqliteDialect,
    capabilities: { synchronous: true, returning: sqliteReturning, twoPhase: false, cursors: 'beside queries' },
    // a function of its own: what was compiled is found by it
    compile: (node) => compileForSqlite(node),
    compiledStatements: options.compiledStatements ?? 500,
    connect: () =>
      isLent && !isClosed
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve<Either<EngineError, Connection>>(lend()),
    connectSync: () => (isLent && !isClosed ? lentOut : lend()),
    close: () => {
      isClosed = true
      for (const resolve of waiting.splice(0)) resolve(closed)
      try {
        calls.closeCursors()
        database.close()
        return Promise.resolve()
      } catch {
        // a statement of the application's own is still being read; the engine is closed all the same
        return Promise.resolve()
      }
    },
  }
}
