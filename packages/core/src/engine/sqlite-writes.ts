/**
 * Runs write calls on a better-sqlite3 database.
 *
 * Inserts run as multi-row statements of a few sizes. Updates and deletes run row by row, since in process a statement
 * costs less than what batching it would. Each statement is compiled and prepared once for its table and columns.
 */
import type { Database, Statement } from 'better-sqlite3'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { boundedCache } from './bounded-cache.js'
import type { DeleteCall, InsertCall, UpdateCall } from './call.js'
import { chunkSizes } from './chunk.js'
import { type EngineError, engineError } from './error.js'
import { consecutiveIds } from './returned-ids.js'
import { compileForSqlite } from './sqlite-compile.js'
import { toSqlite } from './sqlite-dialect.js'
import { sqliteError } from './sqlite-error.js'
import { deleteTree, insertTree, updateTree } from './write-tree.js'

/** The statements of inserts of one shape, by their number of rows. */
interface InsertShape {
  readonly sizes: ReadonlyArray<number>
  readonly statements: Map<number, Statement>
}

export interface SqliteWriteOptions {
  /** Inserts row by row where generated values are asked for. */
  readonly rowByRow: boolean
  /** How many shapes of each sort are kept. */
  readonly cachedStatements: number
}

/** SQLite's default limit of parameters, with which better-sqlite3 is built. */
const limits = { rows: 100, parameters: 32_766 }

/** The values as better-sqlite3 binds them; the same array where nothing changes. */
export const bindable = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
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

const unmatched = (call: InsertCall, sql: string): EngineError =>
  engineError(
    { _tag: 'Unsupported' },
    `the values of ${call.table}.${call.returning} that a multi-row insert returned are not consecutive, so they cannot be told apart; give sqliteEngine the option rowByRow: true`,
    { sql },
  )

/**
 * The write calls of one database. Several rows have to stand within a transaction. Preparing a statement can throw;
 * running one does not.
 */
export const sqliteWrites = (
  database: Database,
  prepare: (sql: string) => Statement,
  { rowByRow, cachedStatements }: SqliteWriteOptions,
): ((call: InsertCall | UpdateCall | DeleteCall) => Either<EngineError, unknown>) => {
  const inserts = boundedCache<InsertShape>(cachedStatements)
  const others = boundedCache<Statement>(cachedStatements)

  const insertShape = (call: InsertCall): InsertShape => {
    const key = `${call.returning ?? ''}\n${call.table}\n${call.columns.join('\n')}`
    const sizes = () => (rowByRow && call.returning !== null ? [1] : chunkSizes(call.columns.length, limits))
    return inserts.get(key) ?? inserts.set(key, { sizes: sizes(), statements: new Map() })
  }

  const insertStatement = (call: InsertCall, shape: InsertShape, rows: number): Statement => {
    const known = shape.statements.get(rows)
    if (known !== undefined) return known
    const { sql } = compileForSqlite(insertTree('sqlite', call.table, call.columns, rows, call.returning))
    const statement = prepare(sql)
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
            const returned = statement.all(parameters)
            const ids = size === 1 ? returned : consecutiveIds(returned, size)
            if (ids === null) return unmatched(call, statement.source)
            for (let i = 0; i < size; i++) answers[at + i] = ids[i]
          }
        } catch (cause) {
          if (size === 1) return sqliteError(cause, { sql: statement.source, row: at })
          // The statement has undone itself, and its rows say one by one which of them it was - unless a conflict clause
          // or a trigger has rolled back the whole transaction.
          const error =
            isFaultOfRow(cause) && database.inTransaction
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

  const statementOf = (call: UpdateCall | DeleteCall): Statement => {
    const set = call._tag === 'Update' ? call.set : []
    const key = `${call._tag}\n${call.table}\n${set.join('\n')}\n\n${call.where.join('\n')}`
    const known = others.get(key)
    if (known !== undefined) return known
    // IS finds values and NULL alike, and by an index or the rowid as = does
    const comparisons = call.where.map(() => 'is' as const)
    const tree =
      call._tag === 'Update'
        ? updateTree(call.table, set, call.where, comparisons)
        : deleteTree(call.table, call.where, comparisons)
    return others.set(key, prepare(compileForSqlite(tree).sql))
  }

  const runEach = (call: UpdateCall | DeleteCall): Either<EngineError, ReadonlyArray<number>> => {
    const statement = statementOf(call)
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

  return (call) => (call._tag === 'Insert' ? insert(call) : runEach(call))
}
