/**
 * Runs calls on a better-sqlite3 database, without a promise anywhere.
 *
 * Statements are prepared once and kept: queries by their text, writes by their table and columns. Inserts run as
 * multi-row statements; updates and deletes run row by row, since in process a statement costs less than what batching
 * it would.
 */
import type { Database, Statement } from 'better-sqlite3'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { createQueryId, type RawBuilder, type RawNode, type RootOperationNode, SqliteQueryCompiler, sql } from 'kysely'
import { boundedCache } from './bounded-cache.js'
import type {
  CompiledStatement,
  DeleteCall,
  DriverRow,
  EngineCall,
  InsertCall,
  QueryAnswer,
  QueryCall,
  TransactionCall,
  UpdateCall,
} from './call.js'
import { chunkSizes } from './chunk.js'
import { type EngineError, engineError } from './error.js'
import { consecutiveIds } from './returned-ids.js'
import { toSqlite } from './sqlite-dialect.js'
import { sqliteError } from './sqlite-error.js'
import { deleteTree, insertTree, updateTree } from './write-tree.js'

type WriteCall = InsertCall | UpdateCall | DeleteCall
type SavepointCall = Extract<TransactionCall, { readonly name: string }>

/** A query's statement. `reads64` lists the columns of rows that have to be read as 64-bit integers, or is null. */
interface PreparedQuery {
  readonly statement: Statement
  readonly reads64: ReadonlyArray<string> | null
  readonly isSchemaChange: boolean
}

/** The statements of inserts of one shape, by their number of rows. */
interface InsertShape {
  readonly sizes: ReadonlyArray<number>
  readonly statements: Map<number, Statement>
}

export interface SqliteCallOptions {
  /** Inserts row by row where ids are asked for. */
  readonly rowByRow: boolean
  readonly begin: 'deferred' | 'immediate' | 'exclusive'
  /** Prepared statements that are kept. */
  readonly cachedStatements: number
}

const begins = { deferred: 'begin', immediate: 'begin immediate', exclusive: 'begin exclusive' } as const

const compiler = new SqliteQueryCompiler()
const queryId = createQueryId()

export const compileForSqlite = (node: RootOperationNode): CompiledStatement => {
  const { sql, parameters } = compiler.compileQuery(node, queryId)
  return { sql, parameters }
}

/** SQLite's default limit of parameters, with which better-sqlite3 is built. */
const limits = { rows: 100, parameters: 32_766 }

/** The values as better-sqlite3 binds them; the same array where nothing changes. */
const bindable = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  for (const value of values) {
    if (typeof value === 'boolean' || value instanceof Date) return values.map(toSqlite)
  }
  return values
}

/** Copies rows into one array of parameters. */
const flatten = (
  into: unknown[],
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  from: number,
  to: number,
  columns: number,
): void => {
  let at = 0
  for (let i = from; i < to; i++) {
    const row = rows[i] as ReadonlyArray<unknown>
    for (let j = 0; j < columns; j++) {
      const value = row[j]
      into[at++] = typeof value === 'string' || typeof value === 'number' ? value : toSqlite(value)
    }
  }
}

/** Whether a failed multi-row statement failed for one of its rows, so that running them alone tells which. */
const isFaultOfRow = (cause: unknown): boolean =>
  cause instanceof TypeError ||
  cause instanceof RangeError ||
  (cause instanceof Error && 'code' in cause && /^SQLITE_(CONSTRAINT|MISMATCH)/.test(String(cause.code)))

/** Integers that a double holds come as numbers, as they do from other statements; only larger ones stay `bigint`. */
const narrow = (rows: ReadonlyArray<DriverRow>, columns: ReadonlyArray<string>): void => {
  for (const row of rows as Array<Record<string, unknown>>) {
    for (const column of columns) {
      const value = row[column]
      if (typeof value === 'bigint') {
        const number = Number(value)
        if (Number.isSafeInteger(number)) row[column] = number
      }
    }
  }
}

const savepointCommands: Readonly<Record<SavepointCall['_tag'], (name: string) => RawBuilder<unknown>>> = {
  Savepoint: (name) => sql`savepoint ${sql.id(name)}`,
  ReleaseSavepoint: (name) => sql`release ${sql.id(name)}`,
  RollbackToSavepoint: (name) => sql`rollback to ${sql.id(name)}`,
}

const consecutiveOrOne = (ids: ReadonlyArray<unknown>, rows: number): ReadonlyArray<unknown> | null =>
  rows === 1 ? ids : consecutiveIds(ids, rows)

const unmatched = (call: InsertCall, text: string): EngineError =>
  engineError(
    { _tag: 'Unsupported' },
    `the values of ${call.table}.${call.returning} that a multi-row insert returned are not consecutive, so they cannot be told apart; give sqliteEngine the option rowByRow: true`,
    { sql: text },
  )

const nothing: Either<never, undefined> = right(undefined)

/**
 * The calls of one database. Nothing throws: what SQLite throws is answered as an error.
 */
export const sqliteCalls = (
  database: Database,
  options: SqliteCallOptions,
): ((call: EngineCall) => Either<EngineError, unknown>) => {
  const queries = boundedCache<PreparedQuery>(options.cachedStatements)
  const inserts = boundedCache<InsertShape>(options.cachedStatements)
  const writes = boundedCache<Statement>(options.cachedStatements)
  /** The text being prepared or run, for the error that may come of it. */
  let running: string | null = null

  const prepare = (text: string): Statement => {
    running = text
    return database.prepare(text)
  }

  const prepareQuery = (text: string): PreparedQuery => {
    const statement = prepare(text)
    const columns = statement.reader ? statement.columns() : []
    const reads64 = columns.some(({ type }) => type !== null && /^(unsigned )?big ?int|^int8$/i.test(type))
    return queries.set(text, {
      statement: reads64 ? statement.safeIntegers(true) : statement,
      reads64: reads64 ? columns.map(({ name }) => name) : null,
      isSchemaChange: !statement.reader && /^\s*(create|alter|drop)\b/i.test(text),
    })
  }

  const query = ({ statement: { sql: text, parameters } }: QueryCall): Either<EngineError, QueryAnswer> => {
    running = text
    const { statement, reads64, isSchemaChange } = queries.get(text) ?? prepareQuery(text)
    if (!statement.reader) {
      const { changes } = statement.run(bindable(parameters))
      if (isSchemaChange) {
        // what is known of columns may be wrong now
        queries.clear()
      }
      return right({ rows: [], affected: changes })
    }
    const rows = statement.all(bindable(parameters)) as DriverRow[]
    if (reads64 !== null) narrow(rows, reads64)
    return right({ rows, affected: statement.readonly ? 0 : rows.length })
  }

  const insertShape = (call: InsertCall): InsertShape => {
    const key = `${call.returning ?? ''}\n${call.table}\n${call.columns.join('\n')}`
    return (
      inserts.get(key) ??
      inserts.set(key, {
        sizes: options.rowByRow && call.returning !== null ? [1] : chunkSizes(call.columns.length, limits),
        statements: new Map(),
      })
    )
  }

  const insertStatement = (call: InsertCall, shape: InsertShape, rows: number): Statement => {
    const known = shape.statements.get(rows)
    if (known !== undefined) return known
    const statement = prepare(
      compileForSqlite(insertTree('sqlite', call.table, call.columns, rows, call.returning)).sql,
    )
    if (statement.reader) statement.pluck(true)
    shape.statements.set(rows, statement)
    return statement
  }

  /** Inserts some of a call's rows in statements of the sizes given; the error where one fails. */
  const insertRange = (
    call: InsertCall,
    shape: InsertShape,
    answers: unknown[] | null,
    from: number,
    to: number,
    sizes: ReadonlyArray<number>,
  ): EngineError | null => {
    const columns = call.columns.length
    let at = from
    for (const size of sizes) {
      if (to - at < size) continue
      const statement = insertStatement(call, shape, size)
      const parameters = new Array<unknown>(size * columns)
      for (; to - at >= size; at += size) {
        try {
          flatten(parameters, call.rows, at, at + size, columns)
          if (answers === null) {
            statement.run(parameters)
          } else {
            const ids = consecutiveOrOne(statement.all(parameters), size)
            if (ids === null) return unmatched(call, statement.source)
            for (let i = 0; i < size; i++) answers[at + i] = ids[i]
          }
        } catch (cause) {
          if (size === 1) return sqliteError(cause, { sql: statement.source, row: at })
          // the statement has undone itself, and its rows say one by one which of them it was
          const error = isFaultOfRow(cause)
            ? insertRange(call, shape, answers, at, at + size, [1])
            : sqliteError(cause, { sql: statement.source })
          if (error !== null) return error
        }
      }
    }
    return null
  }

  const insert = (call: InsertCall): Either<EngineError, ReadonlyArray<unknown> | null> => {
    const answers = call.returning === null ? null : new Array<unknown>(call.rows.length)
    const shape = insertShape(call)
    const error = insertRange(call, shape, answers, 0, call.rows.length, shape.sizes)
    return error === null ? right(answers) : left(error)
  }

  const writeStatement = (call: UpdateCall | DeleteCall): Statement => {
    const set = call._tag === 'Update' ? call.set : []
    const key = `${call._tag}\n${call.table}\n${set.join('\n')}\n\n${call.where.join('\n')}`
    const known = writes.get(key)
    if (known !== undefined) return known
    // IS finds values and NULL alike, and by an index or the rowid as = does
    const comparisons = call.where.map(() => 'is' as const)
    const tree =
      call._tag === 'Update'
        ? updateTree(call.table, set, call.where, comparisons)
        : deleteTree(call.table, call.where, comparisons)
    return writes.set(key, prepare(compileForSqlite(tree).sql))
  }

  const runEach = (call: UpdateCall | DeleteCall): Either<EngineError, ReadonlyArray<number>> => {
    const statement = writeStatement(call)
    const { rows } = call
    const matched = new Array<number>(rows.length)
    for (let i = 0; i < rows.length; i++) {
      try {
        matched[i] = statement.run(bindable(rows[i] as ReadonlyArray<unknown>)).changes
      } catch (cause) {
        return left(sqliteError(cause, { sql: statement.source, row: i }))
      }
    }
    return right(matched)
  }

  const run = (text: string): void => {
    const statement = writes.get(text) ?? writes.set(text, prepare(text))
    running = text
    statement.run()
  }

  const attempt = <A>(work: () => Either<EngineError, A>): Either<EngineError, A> => {
    try {
      return work()
    } catch (cause) {
      return left(sqliteError(cause, { sql: running }))
    }
  }

  /** SQLite may have rolled back by itself (when the disk is full, say). */
  const rollback = (): Either<EngineError, undefined> => {
    if (database.inTransaction) run('rollback')
    return nothing
  }

  const commit = (): Either<EngineError, undefined> => {
    run('commit')
    return nothing
  }

  /** A call of several rows that stands outside a transaction gets one of its own: all of its rows or none. */
  const write = (call: WriteCall): Either<EngineError, unknown> => {
    const perform = (): Either<EngineError, unknown> => (call._tag === 'Insert' ? insert(call) : runEach(call))
    if (call.rows.length < 2 || database.inTransaction) return perform()
    run(begins[options.begin])
    const answer = attempt(perform)
    const committed = isLeft(answer) ? answer : attempt(commit)
    if (isLeft(committed)) attempt(rollback)
    return isLeft(committed) ? committed : answer
  }

  const savepoints = boundedCache<string>(options.cachedStatements)

  const savepoint = (call: SavepointCall): Either<EngineError, undefined> => {
    const key = `${call._tag} ${call.name}`
    const text = () => compileForSqlite(savepointCommands[call._tag](call.name).toOperationNode() as RawNode).sql
    run(savepoints.get(key) ?? savepoints.set(key, text()))
    return nothing
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
        // transactions of SQLite are serializable, which is as much as any level asks for
        run(begins[options.begin])
        return nothing
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
    running = null
    return attempt(() => perform(call))
  }
}
