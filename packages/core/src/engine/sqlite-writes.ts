/**
 * Runs write calls on a better-sqlite3 database.
 *
 * Inserts run as multi-row statements of a few sizes. Updates and deletes run row by row, since in process a statement
 * costs less than what batching it would. Each statement is compiled and prepared once for its table and columns.
 */
import type { Database, RunResult, Statement } from 'better-sqlite3'
import { type Either, left, map, right } from 'fp-ts/lib/Either.js'
import { boundedCache } from './bounded-cache.js'
import type { DeleteCall, InsertCall, Returned, UpdateAnswer, UpdateCall } from './call.js'
import { chunkSizes } from './chunk.js'
import { type EngineError, engineError } from './error.js'
import { consecutiveIds, inOrder, type Matching, matchingOf, selectedBy } from './returned-rows.js'
import { compileForSqlite } from './sqlite-compile.js'
import { sqliteDialect, toSqlite } from './sqlite-dialect.js'
import { sqliteError } from './sqlite-error.js'
import { narrow, reads64 } from './sqlite-integers.js'
import { type RowIds, rowIds } from './sqlite-row-ids.js'
import { computedText, deleteTree, insertTree, updateTree } from './write-tree.js'

/** The statements of inserts of one shape, by their number of rows. */
interface InsertShape {
  readonly sizes: ReadonlyArray<number>
  /** What RETURNING names. */
  readonly selected: ReadonlyArray<string>
  readonly matching: Matching | null
  readonly statements: Map<number, InsertStatement>
  /** Where nothing but the key is asked for, which the database counts up: is it the row id? */
  readonly rowIds: RowIds | null
  /** The same statements without RETURNING, for rows whose ids follow from the last one's. */
  readonly silent: Map<number, Statement>
}

interface PreparedWrite {
  readonly statement: Statement
  /** Are the integers that it returns read as `bigint`? */
  readonly isWide: boolean
}

interface InsertStatement extends PreparedWrite {
  /** Does it give but the keys that it has counted up, rather than rows? */
  readonly isPlucked: boolean
}

type Row = ReadonlyArray<unknown>

/** From how many rows on it pays to ask whether keys are row ids. */
const fewestSilent = 2_000

/** The texts of updates and deletes: the same for every database, so a second one has but to prepare them. */
const texts = boundedCache<string>(1_000)

const textOf = (call: UpdateCall | DeleteCall): string => {
  // IS finds values and NULL alike, and by an index or the rowid as = does
  const comparisons = call.where.map(() => 'is' as const)
  return compileForSqlite(
    call._tag === 'Update'
      ? updateTree(call.table, call.set, call.where, comparisons, call.returning, call.computed)
      : deleteTree(call.table, call.where, comparisons),
  ).sql
}

export interface SqliteWriteOptions {
  /** Inserts row by row where generated values are asked for. */
  readonly rowByRow: boolean
  /** How many shapes of each sort are kept. */
  readonly cachedStatements: number
}

/** The values as better-sqlite3 binds them; the same array where nothing changes. */
export const bindable = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
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
    `the values of ${call.table}.${call.key.join()} that a multi-row insert returned are not consecutive, so they cannot be told apart; give sqliteEngine the option rowByRow: true`,
    { sql },
  )

const shapeKey = ({ table, columns, computed, key, returning }: InsertCall): string =>
  `${table}\n${columns.join('\n')}${computedText(computed)}\n\n${returning.length === 0 ? '' : `${returning.join('\n')}\n\n${key.join('\n')}`}`

/** What an INSERT of so many rows returns. All of it is done before the first row comes, and one row is less to ask for. */
const returnedBy = (statement: Statement, size: number, parameters: unknown[]): ReadonlyArray<unknown> =>
  size === 1 ? [statement.get(parameters)] : statement.all(parameters)

/** Puts the ids of rows that follow those before where they are answered; false where they do not follow. */
const takeNext = (ids: unknown[], at: number, size: number, { changes, lastInsertRowid }: RunResult): boolean => {
  const before = ids[at - 1] as number
  if (changes !== size || lastInsertRowid !== before + size) return false
  for (let i = 0; i < size; i++) ids[at + i] = before + 1 + i
  return true
}

/** Puts what a statement has returned where its rows are answered; false where nobody can tell which is whose. */
const take = (
  { rows }: InsertCall,
  { matching, selected }: InsertShape,
  { isPlucked, isWide }: InsertStatement,
  returned: ReadonlyArray<unknown>,
  answers: ReadonlyArray<unknown[]>,
  at: number,
  size: number,
): boolean => {
  if (isPlucked) {
    const ids = size === 1 ? returned : consecutiveIds(returned, size)
    if (ids === null) return false
    const [into] = answers
    for (let i = 0; i < size; i++) (into as unknown[])[at + i] = ids[i]
    return true
  }
  const read = (
    isWide ? (returned as ReadonlyArray<Row>).map((row) => row.map(narrow)) : returned
  ) as ReadonlyArray<Row>
  const keyOf = matching?.key.map((column) => {
    const place = selected.indexOf(column)
    return (row: Row): unknown => row[place]
  })
  const ordered =
    size === 1 || matching === null || keyOf === undefined ? read : inOrder(matching, read, keyOf, rows, at, size)
  if (ordered === null) return false
  for (let j = 0; j < answers.length; j++) {
    const into = answers[j] as unknown[]
    for (let i = 0; i < size; i++) into[at + i] = ordered[i]?.[j]
  }
  return true
}

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
  const others = boundedCache<PreparedWrite>(cachedStatements)

  const insertShape = (call: InsertCall): InsertShape => {
    const key = shapeKey(call)
    const known = inserts.get(key)
    if (known !== undefined) return known
    const returns = call.returning.length > 0
    const matching = returns ? matchingOf(call) : null
    const isEach = returns && (matching === null || (rowByRow && matching._tag === 'Counted'))
    const selected = selectedBy(call, matching)
    const isCounting = !isEach && matching?._tag === 'Counted' && selected.length === 1
    const isComputed = call.computed?.some(({ column }) => column === selected[0]) === true
    return inserts.set(key, {
      sizes: isEach ? [1] : chunkSizes(call.columns.length, sqliteDialect.limits),
      selected,
      matching,
      statements: new Map(),
      rowIds: isCounting && !isComputed ? rowIds(prepare, call.table, selected[0] as string) : null,
      silent: new Map(),
    })
  }

  const silentStatement = (call: InsertCall, { silent }: InsertShape, rows: number): Statement => {
    const known = silent.get(rows)
    if (known !== undefined) return known
    const { sql } = compileForSqlite(insertTree('sqlite', call.table, call.columns, rows, [], call.computed))
    const made = prepare(sql)
    silent.set(rows, made)
    return made
  }

  const insertStatement = (call: InsertCall, shape: InsertShape, rows: number): InsertStatement => {
    const { matching, selected, statements } = shape
    const known = statements.get(rows)
    if (known !== undefined) return known
    const { sql } = compileForSqlite(insertTree('sqlite', call.table, call.columns, rows, selected, call.computed))
    const statement = prepare(sql)
    const isPlucked = selected.length === 1 && matching?._tag === 'Counted'
    const isWide = selected.length > 0 && !isPlucked && reads64(statement)
    if (isPlucked) statement.pluck(true)
    else if (selected.length > 0) statement.raw(true).safeIntegers(isWide)
    const made = { statement, isPlucked, isWide }
    statements.set(rows, made)
    return made
  }

  /** Inserts some of a call's rows in statements of the sizes given; the error where one fails. */
  const insertRange = (
    call: InsertCall,
    shape: InsertShape,
    answers: ReadonlyArray<unknown[]>,
    from: number,
    to: number,
    sizes: ReadonlyArray<number>,
  ): EngineError | null => {
    const columns = call.columns.length
    let mayFollow = to - from >= fewestSilent
    let at = from
    for (const size of sizes) {
      if (to - at < size) continue
      const prepared = insertStatement(call, shape, size)
      const { statement } = prepared
      const parameters = new Array<unknown>(size * columns)
      // do the ids of the next rows follow the one before?
      let isFollowing = false
      for (; to - at >= size; at += size) {
        try {
          flatten(parameters, call.rows, at, at + size, columns)
          if (answers.length === 0) statement.run(parameters)
          else if (
            isFollowing
              ? !takeNext(answers[0] as unknown[], at, size, silentStatement(call, shape, size).run(parameters))
              : !take(call, shape, prepared, returnedBy(statement, size, parameters), answers, at, size)
          ) {
            return unmatched(call, statement.source)
          }
          if (mayFollow && !isFollowing) {
            // asked once something is written: who reads first does not wait for another connection's lock
            isFollowing = shape.rowIds?.() === true
            mayFollow = isFollowing
          }
        } catch (cause) {
          isFollowing = false
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

  const insert = (call: InsertCall): Either<EngineError, Returned> => {
    const answers = call.returning.map(() => new Array<unknown>(call.rows.length))
    const shape = insertShape(call)
    const error = insertRange(call, shape, answers, 0, call.rows.length, shape.sizes)
    return error === null ? right(answers) : left(error)
  }

  const statementOf = (call: UpdateCall | DeleteCall): PreparedWrite => {
    const [set, returning] = call._tag === 'Update' ? [call.set, call.returning] : [[], []]
    const computed = call._tag === 'Update' ? call.computed : undefined
    const shape = `${set.join('\n')}${computedText(computed)}\n\n${call.where.join('\n')}\n\n${returning.join('\n')}`
    const key = `${call._tag}\n${call.table}\n${shape}`
    const known = others.get(key)
    if (known !== undefined) return known
    const statement = prepare(texts.get(key) ?? texts.set(key, textOf(call)))
    const isWide = returning.length > 0 && reads64(statement)
    if (returning.length > 0) statement.raw(true).safeIntegers(isWide)
    return others.set(key, { statement, isWide })
  }

  const runEach = (
    call: UpdateCall | DeleteCall,
    returned: ReadonlyArray<unknown[]>,
  ): Either<EngineError, ReadonlyArray<number>> => {
    const { statement, isWide } = statementOf(call)
    const { rows } = call
    const matched = new Array<number>(rows.length)
    for (let i = 0; i < rows.length; i++) {
      try {
        const parameters = bindable(rows[i] as Row)
        if (returned.length === 0) {
          matched[i] = statement.run(parameters).changes
          continue
        }
        const found = statement.all(parameters) as ReadonlyArray<Row>
        matched[i] = found.length
        for (let j = 0; j < returned.length; j++) {
          const value = found[0]?.[j]
          ;(returned[j] as unknown[])[i] = isWide ? narrow(value) : value
        }
      } catch (cause) {
        return left(sqliteError(cause, { sql: statement.source, row: i }))
      }
    }
    return right(matched)
  }

  const update = (call: UpdateCall): Either<EngineError, UpdateAnswer> => {
    const returned = call.returning.map(() => new Array<unknown>(call.rows.length))
    return map((matched: ReadonlyArray<number>) => ({ matched, returned }))(runEach(call, returned))
  }

  return (call) => {
    switch (call._tag) {
      case 'Insert':
        return insert(call)
      case 'Update':
        return update(call)
      case 'Delete':
        return runEach(call, [])
    }
  }
}
