/**
 * Runs calls on a better-sqlite3 database, without a promise anywhere. Statements are prepared once and kept.
 */
import type { Database, Statement } from 'better-sqlite3'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type RawBuilder, type RawNode, sql } from 'kysely'
import { boundedCache } from './bounded-cache.js'
import type {
  DeleteCall,
  DriverRow,
  EngineCall,
  InsertCall,
  QueryAnswer,
  QueryCall,
  TransactionCall,
  UpdateCall,
} from './call.js'
import { type EngineError, rolledBack } from './error.js'
import { compileForSqlite } from './sqlite-compile.js'
import { sqliteError } from './sqlite-error.js'
import { narrow, reads64 } from './sqlite-integers.js'
import { bindable, type SqliteWriteOptions, sqliteWrites } from './sqlite-writes.js'

type SavepointCall = Extract<TransactionCall, { readonly name: string }>

/** A query's statement. `wideColumns` lists the columns of rows that have to be read as 64-bit integers, or is null. */
interface PreparedQuery {
  readonly statement: Statement
  readonly wideColumns: ReadonlyArray<string> | null
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

/** Integers that a double holds come as numbers, as they do from other statements; only larger ones stay `bigint`. */
const narrowRows = (rows: ReadonlyArray<DriverRow>, columns: ReadonlyArray<string>): void => {
  for (const row of rows as Array<Record<string, unknown>>) {
    for (const column of columns) row[column] = narrow(row[column])
  }
}

const nothing: Either<never, undefined> = right(undefined)

/**
 * The calls of one database. Nothing throws: what SQLite throws is answered as an error.
 */
export const sqliteCalls = (
  database: Database,
  options: SqliteCallOptions,
): ((call: EngineCall) => Either<EngineError, unknown>) => {
  const queries = boundedCache<PreparedQuery>(options.cachedStatements)
  const commands = boundedCache<Statement>(options.cachedStatements)
  const savepoints = boundedCache<string>(options.cachedStatements)
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

  const prepareQuery = (text: string): PreparedQuery => {
    const statement = prepare(text)
    const isWide = statement.reader && reads64(statement)
    return queries.set(text, {
      statement: isWide ? statement.safeIntegers(true) : statement,
      wideColumns: isWide ? statement.columns().map(({ name }) => name) : null,
      isSchemaChange: !statement.reader && /^\s*(create|alter|drop)\b/i.test(text),
    })
  }

  const query = ({ statement: { sql: text, parameters } }: QueryCall): Either<EngineError, QueryAnswer> => {
    running = text
    const { statement, wideColumns, isSchemaChange } = queries.get(text) ?? prepareQuery(text)
    if (!statement.reader) {
      const { changes } = statement.run(bindable(parameters))
      // what is known of columns may be wrong now
      if (isSchemaChange) queries.clear()
      return right({ rows: [], affected: changes })
    }
    const rows = statement.all(bindable(parameters)) as DriverRow[]
    if (wideColumns !== null) narrowRows(rows, wideColumns)
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

  const begin = (): Either<EngineError, undefined> => {
    // transactions of SQLite are serializable, which is as much as any isolation level asks for
    run(begins[options.begin])
    isBegun = true
    return nothing
  }

  const commit = (): Either<EngineError, undefined> => {
    run('commit')
    isBegun = false
    return nothing
  }

  const rollback = (): Either<EngineError, undefined> => {
    undoneBy = null
    if (database.inTransaction) run('rollback')
    isBegun = false
    return nothing
  }

  /** A call of several rows that stands outside a transaction gets one of its own: all of its rows or none. */
  const write = (call: InsertCall | UpdateCall | DeleteCall): Either<EngineError, unknown> => {
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
    return run(savepoints.get(key) ?? savepoints.set(key, text()))
  }

  const perform = (call: EngineCall): Either<EngineError, unknown> => {
    switch (call._tag) {
      case 'Query':
        return query(call)
      case 'Insert':
      case 'Update':
      case 'Delete':
        return write(call)
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
    }
  }

  return (call) => {
    if (undoneBy !== null && call._tag !== 'Rollback') return left(rolledBack(undoneBy))
    running = null
    const answer = attempt(() => perform(call))
    // a full disk, a conflict clause or a trigger can end the transaction; what follows must not run outside it
    if (isLeft(answer) && isBegun && !database.inTransaction) undoneBy = answer.left
    return answer
  }
}
