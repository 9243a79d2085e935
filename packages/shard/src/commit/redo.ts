/**
 * Taking part in a commit over several shards without PREPARE, on SQLite.
 *
 * To prepare, a shard undoes what the transaction has done, keeping the lock under which it was done, and stores it instead
 * as a record to do it again: what was checked (versions, unique keys) is still so at that instant. Once the transaction is
 * decided the record is applied and deleted, in one local transaction; one that is not there has been applied already.
 *
 * Between the two the shard is reserved: transactions of this library that begin there fail, as on a lock. Whoever writes
 * past it may get in the way of the record, which then stays, and `recover` tells why.
 *
 * This is the redo log of Vitess' atomic distributed transactions, with a typed plan in the place of SQL text.
 */
import {
  type Connection,
  type Engine,
  type EngineCall,
  type EngineError,
  engineError,
  type QueryAnswer,
} from '@unitary/core'
import { call, type Effect } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { sql } from 'kysely'
import { queryOf } from './decision.js'
import { decodeWrites, encodeWrites, type StoredWrite } from './stored-write.js'
import { redoTable, sayingWhatIsMissing } from './tables.js'

/** Where a transaction stands that may be undone without giving up its lock. */
const savepoint = 'unitary_redo'

const table = sql.table(redoTable)

function* inOrder(connection: Connection, calls: ReadonlyArray<EngineCall>): Effect<Either<EngineError, undefined>> {
  for (const asked of calls) {
    const answer = yield* call(connection, asked)
    if (isLeft(answer)) return answer
  }
  return right(undefined)
}

/** After BEGIN: whether the shard is free, and a savepoint to go back to. Its reads hold for the whole transaction. */
export function* beginRedo(connection: Connection, engine: Engine): Effect<Either<EngineError, undefined>> {
  const reserved = yield* call(connection, queryOf(engine, sql`select id from ${table} limit 1`))
  if (isLeft(reserved)) return left(sayingWhatIsMissing(reserved.left))
  const [row] = reserved.right.rows
  if (row !== undefined) {
    return left(
      engineError(
        { _tag: 'LockTimeout' },
        `the database is reserved by the commit ${String(row.id)}, which is not finished there; try again, or recover what a crash has left`,
      ),
    )
  }
  return yield* inOrder(connection, [{ _tag: 'Savepoint', name: savepoint }])
}

/** Ends the transaction with a record of what it has done. */
export function* prepareRedo(
  connection: Connection,
  engine: Engine,
  transaction: string,
  writes: ReadonlyArray<StoredWrite>,
  now: Date,
): Effect<Either<EngineError, undefined>> {
  const broken = yield* deferredViolations(connection, engine)
  if (isLeft(broken)) return broken
  const undone = yield* call(connection, { _tag: 'RollbackToSavepoint', name: savepoint })
  if (isLeft(undone)) return undone
  const before = broken.right === 0 ? broken : yield* deferredViolations(connection, engine)
  if (isLeft(before)) return before
  if (broken.right > before.right) return left(foreignKeyFailed)
  return yield* inOrder(connection, [
    {
      _tag: 'Insert',
      table: redoTable,
      columns: ['id', 'writes', 'prepared_at'],
      rows: [[transaction, encodeWrites(writes), now.toISOString()]],
      key: ['id'],
      returning: [],
    },
    { _tag: 'Commit' },
  ])
}

const foreignKeyFailed = engineError(
  { _tag: 'ForeignKeyViolation', constraint: null, table: null, columns: [] },
  'FOREIGN KEY constraint failed',
)

/**
 * How many rows break a foreign key, where any may be broken until COMMIT: what is stored instead of being committed is
 * not checked by one. 0 where all are checked at once.
 */
function* deferredViolations(connection: Connection, engine: Engine): Effect<Either<EngineError, number>> {
  const may = yield* call(
    connection,
    queryOf(
      engine,
      sql`select 1 from pragma_foreign_keys where foreign_keys = 1 and (exists (select 1 from pragma_defer_foreign_keys where defer_foreign_keys = 1) or exists (select 1 from sqlite_schema where sql like '%initially%deferred%'))`,
    ),
  )
  if (isLeft(may)) return may
  if (may.right.rows.length === 0) return right(0)
  const counted = yield* call(connection, queryOf(engine, sql`select count(*) as broken from pragma_foreign_key_check`))
  return isLeft(counted) ? counted : right(Number(counted.right.rows[0]?.broken))
}

/** Does what a record says, unless that is done. */
export function* applyRedo(
  connection: Connection,
  engine: Engine,
  transaction: string,
): Effect<Either<EngineError, undefined>> {
  const begun = yield* call(connection, { _tag: 'Begin', isolationLevel: null })
  if (isLeft(begun)) return begun
  const applied = yield* applyIn(connection, engine, transaction)
  if (isLeft(applied)) yield* call(connection, { _tag: 'Rollback' })
  return applied
}

function* applyIn(connection: Connection, engine: Engine, transaction: string): Effect<Either<EngineError, undefined>> {
  const found = yield* call(connection, queryOf(engine, sql`select writes from ${table} where id = ${transaction}`))
  if (isLeft(found)) return found
  const [row] = found.right.rows
  if (row !== undefined) {
    const writes = decodeWrites(String(row.writes))
    if (writes === null) return left(conflict(transaction, 'its record cannot be read'))
    const deleted = yield* deleteRedo(connection, engine, transaction)
    if (isLeft(deleted)) return deleted
    for (const write of writes) {
      const done = yield* repeat(connection, write, transaction)
      if (isLeft(done)) return done
    }
  }
  return yield* call(connection, { _tag: 'Commit' })
}

const conflict = (transaction: string, problem: string): EngineError =>
  engineError({ _tag: 'Unknown' }, `the commit ${transaction} cannot be finished: ${problem}`)

function* repeat(
  connection: Connection,
  { call: write, expected }: StoredWrite,
  transaction: string,
): Effect<Either<EngineError, undefined>> {
  const answer = yield* call(connection, write)
  if (isLeft(answer)) return answer
  const matched =
    write._tag === 'Insert'
      ? null
      : write._tag === 'Update'
        ? (answer.right as { readonly matched: ReadonlyArray<number> }).matched
        : write._tag === 'Delete'
          ? (answer.right as ReadonlyArray<number>)
          : (answer.right as QueryAnswer).affected
  return JSON.stringify(matched) === JSON.stringify(expected)
    ? right(undefined)
    : left(
        conflict(
          transaction,
          `${'table' in write ? `rows of ${write.table} have` : 'what a statement of it writes has'} been changed since by someone who did not ask`,
        ),
      )
}

/** Takes a record back, if it is there. */
export function* deleteRedo(
  connection: Connection,
  engine: Engine,
  transaction: string,
): Effect<Either<EngineError, undefined>> {
  const deleted = yield* call(connection, queryOf(engine, sql`delete from ${table} where id = ${transaction}`))
  return isLeft(deleted) ? deleted : right(undefined)
}

/** The transactions that have records. None where there is no table for them. */
export function* listRedo(connection: Connection, engine: Engine): Effect<Either<EngineError, ReadonlyArray<string>>> {
  const found = yield* call(connection, queryOf(engine, sql`select id from ${table}`))
  if (isLeft(found)) return found.left.reason._tag === 'UnknownTable' ? right([]) : found
  return right(found.right.rows.map(({ id }) => String(id)))
}
