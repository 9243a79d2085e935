/**
 * Runs write calls on any database that Kysely reaches.
 *
 * How returned values find their rows differs by database, and nowhere rests on the order of RETURNING. Rows that bring
 * their keys are told apart by them. Of rows whose key is generated:
 * - PostgreSQL: the keys are drawn from the column's sequence by the statement that inserts the rows (see `postgres-insert.ts`),
 *   or first, in one query for the whole call, where more than keys is asked for. A column without a sequence, or one that is
 *   GENERATED ALWAYS, is inserted row by row.
 * - SQLite: one multi-row statement draws consecutive keys, which is verified.
 * - MySQL and MariaDB: row by row, each answered with its own insert id, or with what MariaDB's RETURNING gives.
 *
 * Updates and deletes run in batches on PostgreSQL (see `postgres-batch.ts`), else row by row, since each row's count is asked
 * for.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type QueryResult, type RawNode, sql } from 'kysely'
import type { DeleteCall, DriverRow, InsertCall, Returned, UpdateAnswer, UpdateCall } from './call.js'
import { chunkSizes, fitsStatement } from './chunk.js'
import type { Dialect } from './dialect.js'
import { type EngineError, engineError } from './error.js'
import { toInteger } from './from-driver.js'
import { runBatch } from './postgres-batch.js'
import { keysOf, runInsertBatch, sequenceNames, sequenceQuery } from './postgres-insert.js'
import { inOrder, type Matching, matchingOf, selectedBy } from './returned-rows.js'
import { isFaultOfRow } from './row-fault.js'
import type { WriteConnection } from './write-connection.js'
import {
  type Comparison,
  computedText,
  deleteTree,
  insertTree,
  kindsText,
  lockTree,
  returningOf,
  updateTree,
} from './write-tree.js'

/** A statement of several rows that failed: its first row and how many. */
interface FailedChunk {
  readonly error: EngineError
  readonly at: number
  readonly size: number
}

/** An insert under way. */
interface Insertion {
  readonly call: InsertCall
  readonly matching: Matching | null
  /** What RETURNING names. */
  readonly selected: ReadonlyArray<string>
  /** Is the key asked for as the insert id, since there is no RETURNING? */
  readonly byInsertId: boolean
  /** By column asked for. */
  readonly answers: ReadonlyArray<unknown[]>
}

const insertion = (call: InsertCall, { name }: Dialect): Insertion => {
  const matching = call.returning.length === 0 ? null : matchingOf(call)
  // a statement of MySQL answers with its insert id in any case
  const byInsertId = name === 'mysql' && matching?._tag === 'Counted' && call.returning.length === 1
  return {
    call,
    matching,
    selected: byInsertId ? [] : selectedBy(call, matching),
    byInsertId,
    answers: call.returning.map(() => new Array<unknown>(call.rows.length)),
  }
}

const insertChunk = async (
  connection: WriteConnection,
  insertion: Insertion,
  at: number,
  size: number,
): Promise<EngineError | null> => {
  const { dialect } = connection
  const { answers, call, selected } = insertion
  const shape = `${call.table}\n${call.columns.join('\n')}${computedText(call.computed)}\n\n${selected.join('\n')}\n\n${kindsText(selected, call.kinds)}`
  const text = connection.textOf(`Insert\n${size}\n${shape}`, () =>
    insertTree(dialect.name, call.table, call.columns, size, returningOf(selected, call.kinds, dialect), call.computed),
  )
  const parameters: unknown[] = []
  for (let i = at; i < at + size; i++) {
    for (const value of call.rows[i] as ReadonlyArray<unknown>) parameters.push(dialect.toDriver(value))
  }
  const result = await connection.run(text, parameters, size === 1 ? at : null)
  if (isLeft(result)) return result.left
  if (answers.length === 0) return null
  const rows = returned(insertion, result.right, at, size)
  if (rows === null) return unmatched(call, dialect, text)
  call.returning.forEach((column, j) => {
    const into = answers[j] as unknown[]
    for (let i = 0; i < size; i++) into[at + i] = rows[i]?.[column]
  })
  return null
}

const returned = (
  { byInsertId, call, matching }: Insertion,
  { rows, insertId }: QueryResult<DriverRow>,
  at: number,
  size: number,
): ReadonlyArray<DriverRow | undefined> | null => {
  if (byInsertId) return insertId === undefined ? null : [{ [call.key[0] as string]: toInteger(String(insertId)) }]
  if (size === 1 || matching === null) return rows
  const keyOf = matching.key.map((column) => (row: DriverRow) => row[column])
  return inOrder(matching, rows, keyOf, call.rows, at, size)
}

const unmatched = (call: InsertCall, dialect: Dialect, text: string): EngineError =>
  engineError(
    { _tag: 'Unsupported' },
    dialect.name === 'mysql'
      ? `MySQL gave no insert id for ${call.table}.${call.key.join()}: the column is not AUTO_INCREMENT`
      : `the values of ${call.table}.${call.key.join()} that a multi-row insert returned are not consecutive, so they cannot be told apart; give kyselyEngine the option rowByRow: true`,
    { sql: text },
  )

/** Inserts rows in statements of the sizes given, until one fails. */
const insertRange = async (
  connection: WriteConnection,
  insertion: Insertion,
  from: number,
  to: number,
  sizes: ReadonlyArray<number>,
): Promise<FailedChunk | null> => {
  const { limits } = connection.dialect
  const { rows } = insertion.call
  for (let at = from; at < to; ) {
    const fits = (size: number): boolean =>
      size <= to - at &&
      (size === 1 || limits.bytes === null || fitsStatement(rows.slice(at, at + size).flat(), limits))
    const size = sizes.find(fits) ?? 1
    const error = await insertChunk(connection, insertion, at, size)
    if (error !== null) return { error, at, size }
    at += size
  }
  return null
}

/**
 * Inserts rows in chunks, and finds the row at fault where a chunk fails by running its rows alone. A failed statement
 * undoes itself on SQLite and MySQL; PostgreSQL needs a savepoint to go on from, after which the chunks before are run
 * again.
 */
const insertChunks = async (
  connection: WriteConnection,
  insertion: Insertion,
  sizes: ReadonlyArray<number>,
): Promise<EngineError | null> => {
  const total = insertion.call.rows.length
  const needsSavepoint = connection.dialect.name === 'postgres' && sizes.some((size) => size > 1 && size <= total)
  if (needsSavepoint) {
    const opened = await connection.savepoint('savepoint')
    if (isLeft(opened)) return opened.left
  }
  for (let from = 0; from < total; ) {
    const failed = await insertRange(connection, insertion, from, total, sizes)
    if (failed === null) break
    if (failed.size === 1 || !isFaultOfRow(failed.error)) return failed.error
    if (needsSavepoint) {
      const back = await connection.savepoint('rollbackTo')
      if (isLeft(back)) return back.left
      const again = await insertRange(connection, insertion, 0, failed.at, sizes)
      if (again !== null) return again.error
    }
    const end = failed.at + failed.size
    const single = await insertRange(connection, insertion, failed.at, end, [1])
    if (single !== null) return single.error
    from = end
  }
  if (!needsSavepoint) return null
  const released = await connection.savepoint('release')
  return isLeft(released) ? released.left : null
}

/**
 * Draws values from the sequence of a column, as its default would; none where the column has no sequence of its own or
 * takes no value from outside.
 */
const drawFromSequence = async (
  connection: WriteConnection,
  call: InsertCall,
  key: string,
): Promise<Either<EngineError, ReadonlyArray<unknown>>> => {
  const names = sequenceNames(connection, call.table, key)
  const text = connection.textOf(
    'Sequence',
    () =>
      sql`select array_to_string(array_agg(nextval(q.sequence)), ',') as keys from (${sequenceQuery}) as q cross join generate_series(1, ${0}::int) where q.sequence is not null`.toOperationNode() as RawNode,
  )
  const drawn = await connection.run(text, [...names, ...names, call.rows.length], null)
  return isLeft(drawn) ? drawn : right(keysOf(drawn.right.rows[0]?.keys))
}

/**
 * Inserts the rows of a call. Several rows have to stand within a transaction.
 */
export const runInsert = async (
  connection: WriteConnection,
  call: InsertCall,
  rowByRow: boolean,
): Promise<Either<EngineError, Returned>> => {
  const { dialect } = connection
  const batched = await inserted(connection, call, rowByRow)
  if (isLeft(batched)) return batched
  if (batched.right !== null) return right(batched.right)
  const made = insertion(call, dialect)
  const { answers, matching } = made
  if (dialect.name === 'postgres' && matching?._tag === 'Counted' && call.rows.length > 1 && !rowByRow) {
    const drawn = await drawFromSequence(connection, call, matching.key[0])
    if (isLeft(drawn)) return drawn
    if (drawn.right.length === call.rows.length) return insertWithKeys(connection, call, matching.key[0], drawn.right)
  }
  const isTold = matching?._tag === 'Given' || (matching?._tag === 'Counted' && dialect.name === 'sqlite' && !rowByRow)
  const sizes = answers.length > 0 && !isTold ? [1] : chunkSizes(call.columns.length, dialect.limits)
  const error = await insertChunks(connection, made, sizes)
  return error === null ? right(answers) : left(error)
}

/** Rows that one statement inserts many of; null where there is no such statement. */
const inserted = (
  connection: WriteConnection,
  call: InsertCall,
  rowByRow: boolean,
): Promise<Either<EngineError, Returned | null>> =>
  connection.dialect.name !== 'postgres' || (rowByRow && call.returning.length > 0)
    ? Promise.resolve(nothing)
    : runInsertBatch(connection, call)

/** Inserts rows with keys that were drawn for them; what else is asked for finds its row by them. */
const insertWithKeys = async (
  connection: WriteConnection,
  call: InsertCall,
  key: string,
  keys: ReadonlyArray<unknown>,
): Promise<Either<EngineError, Returned>> => {
  const keyed: InsertCall = {
    ...call,
    columns: [...call.columns, key],
    rows: call.rows.map((row, i) => [...row, keys[i]]),
    returning: call.returning.filter((column) => column !== key),
  }
  const batched = await runInsertBatch(connection, keyed)
  const others = isLeft(batched) || batched.right !== null ? batched : await insertInChunks(connection, keyed)
  return isLeft(others) ? others : right((others.right ?? []).toSpliced(call.returning.indexOf(key), 0, keys))
}

const insertInChunks = async (
  connection: WriteConnection,
  call: InsertCall,
): Promise<Either<EngineError, Returned>> => {
  const made = insertion(call, connection.dialect)
  const error = await insertChunks(connection, made, chunkSizes(call.columns.length, connection.dialect.limits))
  return error === null ? right(made.answers) : left(error)
}

/**
 * Updates the rows of a call. Several rows have to stand within a transaction.
 */
export const runUpdate = async (
  connection: WriteConnection,
  call: UpdateCall,
): Promise<Either<EngineError, UpdateAnswer>> => {
  const batched = await inBatches(connection, call)
  if (isLeft(batched)) return batched
  if (batched.right !== null) return right(batched.right)
  const returned = call.returning.map(() => new Array<unknown>(call.rows.length))
  const matched = await runEach(connection, call, returned)
  return isLeft(matched) ? matched : right({ matched: matched.right, returned })
}

/**
 * Deletes the rows of a call. Several rows have to stand within a transaction.
 */
export const runDelete = async (
  connection: WriteConnection,
  call: DeleteCall,
): Promise<Either<EngineError, ReadonlyArray<number>>> => {
  const batched = await inBatches(connection, call)
  if (isLeft(batched)) return batched
  return batched.right === null ? runEach(connection, call, []) : right(batched.right.matched)
}

const nothing: Either<never, null> = right(null)

const inBatches = (
  connection: WriteConnection,
  call: UpdateCall | DeleteCall,
): Promise<Either<EngineError, UpdateAnswer | null>> =>
  connection.dialect.name === 'postgres' ? runBatch(connection, call) : Promise.resolve(nothing)

const runEach = async (
  connection: WriteConnection,
  call: UpdateCall | DeleteCall,
  returned: ReadonlyArray<unknown[]>,
): Promise<Either<EngineError, ReadonlyArray<number>>> => {
  const matched: number[] = []
  for (let i = 0; i < call.rows.length; i++) {
    const count = await runOne(connection, call, call.rows[i] as ReadonlyArray<unknown>, i, returned)
    if (isLeft(count)) return count
    matched.push(count.right)
  }
  return right(matched)
}

const runOne = async (
  connection: WriteConnection,
  call: UpdateCall | DeleteCall,
  row: ReadonlyArray<unknown>,
  index: number,
  returned: ReadonlyArray<unknown[]>,
): Promise<Either<EngineError, number>> => {
  const [set, returning] = call._tag === 'Update' ? [call.set, call.returning] : [[], []]
  const computed = call._tag === 'Update' ? call.computed : undefined
  const wanted = row.slice(set.length)
  // IS NOT DISTINCT FROM would find NULL too, but by no index on PostgreSQL
  const comparisons = wanted.map((value): Comparison => (value === null ? 'is null' : '='))
  const shape = `${call.table}\n${set.join('\n')}${computedText(computed)}\n\n${call.where.join('\n')}\n${comparisons.join()}`
  const kinds = call._tag === 'Update' ? call.kinds : undefined
  const returnedText = `${returning.join('\n')}\n${kindsText(returning, kinds)}`
  const text = connection.textOf(`${call._tag}\n${shape}\n${returnedText}`, () =>
    call._tag === 'Update'
      ? updateTree(
          call.table,
          set,
          call.where,
          comparisons,
          returningOf(returning, kinds, connection.dialect),
          computed,
        )
      : deleteTree(call.table, call.where, comparisons),
  )
  const found = wanted.filter((value) => value !== null).map(connection.dialect.toDriver)
  const parameters = [...row.slice(0, set.length).map(connection.dialect.toDriver), ...found]
  const result = await connection.run(text, parameters, index)
  if (isLeft(result)) return result
  returning.forEach((column, j) => {
    ;(returned[j] as unknown[])[index] = result.right.rows[0]?.[column]
  })
  // drivers of SQLite count nothing where rows come back
  const affected = returning.length > 0 ? result.right.rows.length : Number(result.right.numAffectedRows ?? 0n)
  if (affected > 0 || call._tag === 'Delete' || connection.dialect.name !== 'mysql') return right(affected)
  // without the flag FOUND_ROWS, which mysql2 sets, MySQL counts only rows that the update has changed
  const check = connection.textOf(
    `Lock
${shape}`,
    () => lockTree(call.table, call.where, comparisons),
  )
  const rows = await connection.run(check, found, index)
  return isLeft(rows) ? rows : right(rows.right.rows.length)
}
