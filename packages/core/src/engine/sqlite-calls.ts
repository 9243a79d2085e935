/**
 * Runs calls on a better-sqlite3 database, without a promise anywhere. Statements are prepared once and kept.
 */
import type { Database, Statement } from 'better-sqlite3'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type RawBuilder, type RawNode, sql } from 'kysely'
import { boundedCache } from './bounded-cache.js'
import type {
  CursorCall,
  DeleteCall,
  DriverRow,
  EngineCall,
  FetchCall,
  InsertCall,
  OpenCursorCall,
  QueryAnswer,
  QueryCall,
  TransactionCall,
  UpdateCall,
} from './call.js'
import {
  cursorNeedsTransaction,
  cursorNotOpen,
  cursorOnlyReads,
  type EngineError,
  noTwoPhase,
  rolledBack,
} from './error.js'
import { compileForSqlite } from './sqlite-compile.js'
import { SqliteCursors } from './sqlite-cursors.js'
import { sqliteError } from './sqlite-error.js'
import { type PreparedQuery, prepareQuery } from './sqlite-query.js'
import { bindable, type SqliteWriteOptions, sqliteWrites } from './sqlite-writes.js'

type SavepointCall = Extract<TransactionCall, { readonly name: string }>

/** A query that is kept. */
interface KeptQuery extends PreparedQuery {
  readonly isSchemaChange: boolean
}

export interface SqliteCallOptions extends SqliteWriteOptions {
  readonly begin: 'deferred' | 'immediate' | 'exclusive'
}

const begins = { deferred: 'begin', immediate: 'begin immediate', exclusive: 'begin exclusive' } as const

const savepointCommands: Readonly<Record<SavepointCall['_tag'], (name: string) => RawBuilder<unknown>>> = {
  Savepoint: (name) => sql`savepoint ${sql.id(name)}`,
  ReleaseSavepoint: (name) => sql`release ${sql.id(name)}`,
  RollbackToSavepoint: (name) => sql`rollback to ${sql.id(name)}`,
}

const nothing: Either<never, undefined> = right(undefined)

export interface SqliteCalls {
  readonly call: (call: EngineCall) => Either<EngineError, unknown>
  /** Ends all cursors, those that a commit has kept too. Never fails. */
  readonly closeCursors: () => void
}

/**
 * The calls of one database. Nothing throws: what SQLite throws is answered as an error.
 */
export const sqliteCalls = (database: Database, options: SqliteCallOptions): SqliteCalls => {
  const queries = boundedCache<KeptQuery>(options.cachedStatements)
  const commands = boundedCache<Statement>(options.cachedStatements)
  const savepoints = boundedCache<string>(options.cachedStatements)
  const cursors = new SqliteCursors()
  /** The text being prepared or run, for the error that may come of it. */
  let running: string | null = null
  /** Whether a transaction was begun here and not ended. */
  let isBegun = false
  /** What made SQLite roll back the transaction that was begun here. */
  let undoneBy: EngineError | null = null

  const prepare = (text: string): Statement => {
    running = text
    // whatever the application has made the default of its database
    return database.prepare(text).safeIntegers(false)
  }

  const runWrite = sqliteWrites(database, prepare, options)

  const keepQuery = (text: string): KeptQuery => {
    const query = prepareQuery(prepare(text))
    const isSchemaChange = !query.statement.reader && /^\s*(create|alter|drop)\b/i.test(text)
    return queries.set(text, { ...query, isSchemaChange })
  }

  const query = ({ statement: { sql: text, parameters } }: QueryCall): Either<EngineError, QueryAnswer> => {
    running = text
    const { statement, toRows, isSchemaChange } = queries.get(text) ?? keepQuery(text)
    if (!statement.readonly || !statement.reader) cursors.setAside()
    if (!statement.reader) {
      const { changes } = statement.run(bindable(parameters))
      // what is known of columns may be wrong now
      if (isSchemaChange) queries.clear()
      return right({ rows: [], affected: changes })
    }
    const rows = toRows(statement.all(bindable(parameters)))
    return right({ rows, affected: statement.readonly ? 0 : rows.length })
  }

  const run = (text: string): Either<EngineError, undefined> => {
    const statement = commands.get(text) ?? commands.set(text, prepare(text))
    running = text
    statement.run()
    return nothing
  }

  const attempt = <A>(work: () => Either<EngineError, A>): Either<EngineError, A> => {
    try {
      return work()
    } catch (cause) {
      return left(sqliteError(cause, { sql: running }))
    }
  }

  const openCursor = (call: OpenCursorCall): Either<EngineError, undefined> => {
    if (!database.inTransaction) return left(cursorNeedsTransaction(call.name))
    const query = prepareQuery(prepare(call.statement.sql))
    if (!query.statement.readonly || !query.statement.reader) return left(cursorOnlyReads(call.statement.sql))
    cursors.open(call, query)
    return nothing
  }

  const fetch = (call: FetchCall): Either<EngineError, ReadonlyArray<DriverRow>> => {
    running = cursors.sqlOf(call.name)
    return running === null ? left(cursorNotOpen(call.name)) : right(cursors.fetch(call))
  }

  const cursor = (call: CursorCall): Either<EngineError, unknown> => {
    switch (call._tag) {
      case 'OpenCursor':
        return openCursor(call)
      case 'Fetch':
        return fetch(call)
      case 'CloseCursor':
        cursors.close(call.name)
        return nothing
    }
  }

  const begin = (): Either<EngineError, undefined> => {
    cursors.setAside()
    // transactions of SQLite are serializable, which is as much as any isolation level asks for
    run(begins[options.begin])
    isBegun = true
    return nothing
  }

  const commit = (): Either<EngineError, undefined> => {
    cursors.beforeCommit()
    run('commit')
    cursors.committed()
    isBegun = false
    return nothing
  }

  const rollback = (): Either<EngineError, undefined> => {
    undoneBy = null
    cursors.rollback()
    if (database.inTransaction) run('rollback')
    isBegun = false
    return nothing
  }

  /** A call of several rows that stands outside a transaction gets one of its own: all of its rows or none. */
  const write = (call: InsertCall | UpdateCall | DeleteCall): Either<EngineError, unknown> => {
    cursors.setAside()
    if (call.rows.length < 2 || database.inTransaction) return runWrite(call)
    begin()
    const answer = attempt(() => runWrite(call))
    const committed = isLeft(answer) ? answer : attempt(commit)
    if (isLeft(committed)) attempt(rollback)
    return isLeft(committed) ? committed : answer
  }

  const savepoint = (call: SavepointCall): Either<EngineError, undefined> => {
    const key = `${call._tag} ${call.name}`
    const text = () => compileForSqlite(savepointCommands[call._tag](call.name).toOperationNode() as RawNode).sql
    if (call._tag === 'RollbackToSavepoint') cursors.rollbackToSavepoint(call.name)
    cursors.setAside()
    const done = run(savepoints.get(key) ?? savepoints.set(key, text()))
    if (call._tag === 'Savepoint') cursors.savepoint(call.name)
    if (call._tag === 'ReleaseSavepoint') cursors.releaseSavepoint(call.name)
    return done
  }

  const perform = (call: EngineCall): Either<EngineError, unknown> => {
    switch (call._tag) {
      case 'Query':
        return query(call)
      case 'Insert':
      case 'Update':
      case 'Delete':
        return write(call)
      case 'OpenCursor':
      case 'Fetch':
      case 'CloseCursor':
        return cursor(call)
      case 'Begin':
        return begin()
      case 'Commit':
        return commit()
      case 'Rollback':
        return rollback()
      case 'Savepoint':
      case 'ReleaseSavepoint':
      case 'RollbackToSavepoint':
        return savepoint(call)
      case 'Prepare':
      case 'CommitPrepared':
      case 'RollbackPrepared':
      case 'ListPrepared':
        return left(noTwoPhase)
    }
  }

  const call: SqliteCalls['call'] = (asked) => {
    if (undoneBy !== null && asked._tag !== 'Rollback' && asked._tag !== 'CloseCursor')
      return left(rolledBack(undoneBy))
    running = null
    const answer = attempt(() => perform(asked))
    // a full disk, a conflict clause or a trigger can end the transaction; what follows must not run outside it
    if (isLeft(answer) && isBegun && !database.inTransaction) undoneBy = answer.left
    return answer
  }

  const closeCursors = (): void => {
    attempt(() => {
      cursors.clear()
      return nothing
    })
  }

  return { call, closeCursors }
}
