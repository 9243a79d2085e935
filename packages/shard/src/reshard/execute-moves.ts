/**
 * Executing moves: batch after batch, each a transaction of its own over the two shards.
 *
 * The target's transaction decides the commit, and the source's is prepared before it and finished after it. So whenever a
 * batch is half done its rows are on both shards and never on none, and whoever asks the source before the target sees them.
 */
import type { Services } from '@unitary/core'
import {
  type CommittedPending,
  databaseError,
  drive,
  driveSync,
  type Effect,
  type Interrupted,
  isTransient,
  type Notice,
  patient,
  pause,
  type RequestError,
  type RetryPolicy,
  systemServices,
  Transactions,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { AtomicCommit } from '../commit/coordinator.js'
import { faultyMap, unknownShard } from '../error.js'
import { shardMap } from '../shard-map.js'
import { rowText, Tallying } from './checksum.js'
import { type ExecuteMovesError, type MoveMismatch, mismatch, moveFailed, undirected } from './error.js'
import { type Gathered, gather, keysIn } from './gather.js'
import type { MoveBatch, MovePlan } from './move-plan.js'
import { type Family, familiesOf, type MovedTable } from './moved-tables.js'
import { type Resharding, reshardingFault } from './resharding.js'
import { type At, type Cells, deleteRows, insertRows, rowsWith, without } from './table-rows.js'

/** A batch that has been committed. @category model */
export interface MovedBatch extends Omit<MoveBatch, 'keys'> {
  /** Its place in the plan, from 0. */
  readonly batch: number
  /** How many rows of each table it took to the target, what belongs beside them included. */
  readonly rows: Readonly<Record<string, number>>
  /** Rows of the plan that were no longer at the source, or, of copies, were at the target already. */
  readonly passed: number
  /** Where the source could not be told that the batch is committed; `recover` tells it. */
  readonly pending: ReadonlyArray<CommittedPending>
}

/** @category model */
export interface ExecuteMovesOptions {
  /** Milliseconds to wait between two batches; 0 by default. */
  readonly pause?: number
  /** Aborting it ends the moves before the next batch, as `Interrupted`. */
  readonly signal?: AbortSignal
  /** Told of each batch when it is committed. */
  readonly onBatch?: (moved: MovedBatch) => void
  /** When a batch is run again that has met others; `patient` by default. */
  readonly retry?: RetryPolicy
  /** The clock, randomness and ids; the system's by default. */
  readonly services?: () => Services
}

/** @category model */
export interface MovesReport {
  readonly batches: number
  /** How many rows of each table were taken to their targets. */
  readonly rows: Readonly<Record<string, number>>
  readonly passed: number
  readonly pending: ReadonlyArray<CommittedPending>
}

/**
 * Executes a plan. In each batch the rows are read at the source, and locked there where the database can; inserted at the
 * target, with all that belongs beside them; read back, counted and compared by checksum; and deleted at the source. Where they
 * differ the batch is undone, and the moves end with `MoveFailed`.
 *
 * What is no longer at its source is passed by, so a plan may be run again, and two at once do no harm. After a crash run
 * `recover` as after any commit that was broken off.
 *
 * @example
 * const report = await executeMoves(adding, plan, { pause: 50, onBatch: ({ batch }) => console.log(batch) })()
 *
 * @category interpreters
 */
export const executeMoves =
  (
    resharding: Resharding,
    plan: MovePlan,
    options: ExecuteMovesOptions = {},
  ): TaskEither<ExecuteMovesError, MovesReport> =>
  async () =>
    drive(new Executing(resharding, options).all(plan))

/**
 * The same without a promise, where every engine answers at once.
 *
 * @category interpreters
 */
export const executeMovesSync = (
  resharding: Resharding,
  plan: MovePlan,
  options: ExecuteMovesOptions = {},
): Either<ExecuteMovesError, MovesReport> => driveSync(new Executing(resharding, options).all(plan))

type BatchError = RequestError | MoveMismatch

const interrupted: Interrupted = { _tag: 'Interrupted' }

class Executing {
  readonly #resharding: Resharding
  readonly #options: ExecuteMovesOptions
  readonly #services: () => Services
  readonly #families: ReadonlyArray<Family>

  constructor(resharding: Resharding, options: ExecuteMovesOptions) {
    this.#resharding = resharding
    this.#options = options
    this.#services = options.services ?? systemServices
    this.#families = familiesOf(resharding.model, resharding.to)
  }

  *all({ batches }: MovePlan): Effect<Either<ExecuteMovesError, MovesReport>> {
    const { onBatch, pause: between = 0, signal } = this.#options
    const fault = reshardingFault(this.#resharding, 'moves') ?? this.#faultOf(batches)
    if (fault !== null) return left(fault)
    const rows: Record<string, number> = {}
    const pending: CommittedPending[] = []
    let passed = 0
    for (const [place, batch] of batches.entries()) {
      if (place > 0 && between > 0) yield* pause(between)
      if (signal?.aborted === true) return left(interrupted)
      const moved = yield* this.#retrying(batch, place)
      if (isLeft(moved)) return left(moveFailed(batch, place, moved.left))
      for (const [table, count] of Object.entries(moved.right.rows)) rows[table] = (rows[table] ?? 0) + count
      passed += moved.right.passed
      pending.push(...moved.right.pending)
      onBatch?.(moved.right)
    }
    return right({ batches: batches.length, rows, passed, pending })
  }

  #faultOf(batches: ReadonlyArray<MoveBatch>): ExecuteMovesError | null {
    const { directions, shards } = this.#resharding
    const known = new Set(directions.map((direction) => JSON.stringify(direction)))
    for (const { _tag, entity, from, keys, to } of batches) {
      const unknown = [from, to].find((token) => !shards.places.has(token))
      if (unknown !== undefined) return unknownShard(shards, 'moves', entity, unknown, 'the plan')
      if (!this.#families.some(({ root }) => root.name === entity)) {
        return faultyMap('moves', `the plan moves ${entity}, which is no entity of the model, or a subtype of another`)
      }
      if (_tag === 'Move' && !known.has(JSON.stringify([from, to]))) return undirected(entity, from, to, keys[0] ?? [])
    }
    return null
  }

  *#retrying(batch: MoveBatch, place: number): Effect<Either<BatchError, MovedBatch>> {
    const { attempts, delay, mayRetry = isTransient } = this.#options.retry ?? patient
    for (let count = 1; ; count++) {
      const moved = yield* this.#transaction(batch, place)
      if (!isLeft(moved) || count >= attempts || !mayRetry(moved.left)) return moved
      yield* pause(delay(count, this.#services()))
    }
  }

  *#transaction(batch: MoveBatch, place: number): Effect<Either<BatchError, MovedBatch>> {
    const { commit, shards } = this.#resharding
    const { from, to } = batch
    const pair = shardMap(
      Object.fromEntries([from, to].map((token) => [token, shards.engines.get(token) as At['engine']])),
    )
    const protocol = new AtomicCommit(commit, pair, this.#services, to)
    const transactions = new Transactions('read committed', protocol)
    const done = yield* this.#move(transactions, batch)
    if (isLeft(done)) {
      yield* transactions.end()
      return done
    }
    const committed = yield* transactions.commit()
    yield* transactions.end()
    if (isLeft(committed)) return committed
    const { _tag, entity } = batch
    return right({ _tag, entity, from, to, batch: place, ...done.right, pending: committed.right.filter(isPending) })
  }

  *#move(
    transactions: Transactions,
    { _tag, entity, from, keys, to }: MoveBatch,
  ): Effect<Either<BatchError, Pick<MovedBatch, 'rows' | 'passed'>>> {
    const family = this.#families.find(({ root }) => root.name === entity) as Family
    // the target first: the first branch of a MySQL server is the one that decides
    const target = yield* this.#at(transactions, to)
    if (isLeft(target)) return target
    const source = yield* this.#at(transactions, from)
    if (isLeft(source)) return source
    const wanted = _tag === 'Move' ? right(keys) : yield* this.#absent(target.right, family, keys)
    if (isLeft(wanted)) return wanted
    const gathered = yield* gather(source.right, this.#families, family, wanted.right, _tag === 'Move')
    if (isLeft(gathered)) return left(databaseError('move', entity, from, gathered.left))
    for (const { rows, table } of gathered.right) {
      const inserted = yield* insertRows(target.right, table, rows)
      if (isLeft(inserted)) return left(databaseError('move', table.entity, to, inserted.left))
    }
    for (const part of gathered.right) {
      const same = yield* readBack(source.right, target.right, part)
      if (isLeft(same)) return same
    }
    for (const { rows, table } of _tag === 'Move' ? [...gathered.right].reverse() : []) {
      // children of a row of the same table before it
      const deleted = yield* deleteRows(source.right, table, [...keysIn(table, table.key, rows)].reverse())
      if (isLeft(deleted)) return left(databaseError('move', table.entity, from, deleted.left))
    }
    const rows = Object.fromEntries(gathered.right.map((part) => [part.table.table, part.rows.length]))
    const roots = rows[family.tables[0]?.table ?? ''] ?? 0
    return right({ rows, passed: Math.max(keys.length - (_tag === 'Move' ? roots : wanted.right.length), 0) })
  }

  *#at(transactions: Transactions, token: string): Effect<Either<RequestError, At>> {
    const engine = this.#resharding.shards.engines.get(token) as At['engine']
    const connection = yield* transactions.connection(token, engine)
    return isLeft(connection)
      ? left(databaseError('connect', null, token, connection.left))
      : right({ token, engine, connection: connection.right })
  }

  /** Of keys those that a shard has not. */
  *#absent(
    at: At,
    { root, tables }: Family,
    keys: ReadonlyArray<Cells>,
  ): Effect<Either<RequestError, ReadonlyArray<Cells>>> {
    const [table] = tables
    if (table === undefined) return right([])
    const there = yield* rowsWith(at, table, table.key, table.key, keys, false)
    if (isLeft(there)) return left(databaseError('move', root.name, at.token, there.left))
    return right(without(keys, there.right))
  }
}

const isPending = (notice: Notice): notice is CommittedPending => notice._tag === 'CommittedPending'

/** Reads back what was inserted. */
function* readBack(source: At, target: At, { rows, table }: Gathered): Effect<Either<BatchError, undefined>> {
  const keys = keysIn(table, table.key, rows)
  const read = yield* rowsWith(target, table, table.columns, table.key, keys, false)
  if (isLeft(read)) return left(databaseError('move', table.entity, target.token, read.left))
  const [expected, found] = [rows, read.right].map((some) => {
    const tallying = new Tallying(table.columns)
    tallying.add(some)
    return tallying.tally
  }) as [Tallying['tally'], Tallying['tally']]
  if (expected.rows === found.rows && expected.checksum === found.checksum) return right(undefined)
  return left(
    mismatch({
      entity: table.entity,
      table: table.table,
      from: source.token,
      to: target.token,
      expected,
      found,
      keys: differing(table, rows, read.right).slice(0, 10),
    }),
  )
}

/** The keys of rows that are not the same in both, or in one only. */
const differing = (
  table: MovedTable,
  given: ReadonlyArray<Cells>,
  found: ReadonlyArray<Cells>,
): ReadonlyArray<Cells> => {
  const keyed = (rows: ReadonlyArray<Cells>): ReadonlyMap<string, string> => {
    const keys = keysIn(table, table.key, rows)
    return new Map(rows.map((row, i) => [JSON.stringify(keys[i]), rowText(table.columns, row)]))
  }
  const [expected, actual] = [keyed(given), keyed(found)]
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((key) => expected.get(key) !== actual.get(key))
    .map((key) => JSON.parse(key) as Cells)
}
