/**
 * A query over several shards that is read in portions, in memory that does not depend on how many rows there are.
 *
 * Ordered rows are merged from one portion of each shard; others come shard after shard.
 */
import type { DriverRow, Engine } from '@unitary/core'
import type { Effect, EngineReader, QueryAnswer, Reader, RequestError, Rows } from '@unitary/session'
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import { notMergeable } from '../error.js'
import { sideBySide } from '../side-by-side.js'
import type { Askers, Asking } from './asking.js'
import type { FanOut } from './fan-out.js'
import { columnsOf, Merger } from './merge.js'

/** A shard whose query can be opened. */
export interface ShardSource {
  readonly token: string
  readonly engine: Engine
  readonly open: () => Effect<Either<RequestError, EngineReader>>
  /** Does something with it that is given up when it takes longer than it may. */
  readonly inTime: <A>(work: Effect<Either<RequestError, A>>) => Effect<Either<RequestError, A>>
}

/** The rows of a query in no order: shard after shard. */
export class ShardByShard implements Reader {
  readonly #sources: ReadonlyArray<ShardSource>
  /** Those that have been opened. */
  readonly #readers: EngineReader[]
  /** The shard that is being read. */
  #at = 0
  #skip: number
  #left: number

  /** `opened`: the readers of the first sources, which are open already. */
  constructor(
    sources: ReadonlyArray<ShardSource>,
    opened: ReadonlyArray<EngineReader>,
    { limit, offset }: Pick<FanOut, 'limit' | 'offset'>,
  ) {
    this.#sources = sources
    this.#readers = [...opened]
    this.#skip = offset
    this.#left = limit ?? Number.POSITIVE_INFINITY
  }

  *fetch(count: number): Effect<Either<RequestError, QueryAnswer>> {
    const batches: Rows[] = []
    let wanted = Math.min(count, this.#left)
    while (this.#at < this.#sources.length && wanted > 0) {
      const source = this.#sources[this.#at] as ShardSource
      const reader = yield* this.#reader(source)
      if (isLeft(reader)) return reader
      const portion = this.#skip > 0 ? Math.min(this.#skip, count) : wanted
      const rows = yield* source.inTime(reader.right.fetchRows(portion))
      if (isLeft(rows)) return rows
      if (this.#skip > 0) {
        this.#skip -= rows.right.length
      } else if (rows.right.length > 0) {
        wanted -= rows.right.length
        this.#left -= rows.right.length
        batches.push({ dialect: source.engine.dialect, token: source.token, rows: rows.right })
      }
      if (rows.right.length < portion) {
        yield* reader.right.close()
        this.#at++
      }
    }
    return right({ batches, order: null, isJoined: false })
  }

  close(): Effect<void> {
    return closeAll(this.#readers)
  }

  *#reader(source: ShardSource): Effect<Either<RequestError, EngineReader>> {
    const known = this.#readers[this.#at]
    if (known !== undefined) return right(known)
    const opened = yield* source.open()
    if (isLeft(opened)) return opened
    this.#readers.push(opened.right)
    return opened
  }
}

/** By what rows are merged, and which of them. */
export type Merging = Pick<FanOut, 'terms' | 'offset' | 'limit'>

/** The rows of an ordered query, merged. */
export class MergedShards implements Reader {
  readonly #sources: ReadonlyArray<ShardSource>
  readonly #readers: ReadonlyArray<EngineReader>
  readonly #entity: string
  readonly #fanOut: Merging
  readonly #merger: Merger
  /** The portion that each shard is at. */
  readonly #portions: Array<ReadonlyArray<DriverRow>>
  #skip: number
  #left: number

  constructor(
    sources: ReadonlyArray<ShardSource>,
    readers: ReadonlyArray<EngineReader>,
    entity: string,
    fanOut: Merging,
    isNullLow: boolean,
  ) {
    this.#sources = sources
    this.#readers = readers
    this.#entity = entity
    this.#fanOut = fanOut
    this.#merger = new Merger(sources.length, fanOut.terms, isNullLow)
    this.#portions = sources.map(() => [])
    this.#skip = fanOut.offset
    this.#left = fanOut.limit ?? Number.POSITIVE_INFINITY
  }

  *fetch(count: number): Effect<Either<RequestError, QueryAnswer>> {
    const wanted = Math.min(count, this.#left)
    const order: number[] = []
    const taken: DriverRow[][] = this.#sources.map(() => [])
    while (order.length < wanted) {
      const fed = yield* this.#feed(count)
      if (isLeft(fed)) return fed
      if (this.#skip > 0) {
        const skipped = this.#merger.take(this.#skip, null)
        this.#skip = skipped === 0 ? 0 : this.#skip - skipped
        continue
      }
      const before = this.#merger.positions()
      if (this.#merger.take(wanted - order.length, order) === 0) break
      const after = this.#merger.positions()
      for (const [shard, rows] of this.#portions.entries()) {
        for (let at = before[shard] as number; at < (after[shard] as number); at++)
          taken[shard]?.push(rows[at] as DriverRow)
      }
    }
    this.#left -= order.length
    return right({
      batches: this.#sources.map(({ engine, token }, shard) => ({
        dialect: engine.dialect,
        token,
        rows: taken[shard] as DriverRow[],
      })),
      order,
      isJoined: false,
    })
  }

  close(): Effect<void> {
    return closeAll(this.#readers)
  }

  /** Fetches what the merge needs to go on: a share of the rows that are wanted from each shard. */
  *#feed(count: number): Effect<Either<RequestError, undefined>> {
    const hungry = this.#merger.hungry()
    if (hungry.length === 0) return right(undefined)
    const portion = Math.max(Math.ceil(count / this.#sources.length), Math.min(count, leastPortion))
    const portions = yield* sideBySide(
      hungry,
      (shard) => (this.#sources[shard] as ShardSource).engine,
      (shard) =>
        (this.#sources[shard] as ShardSource).inTime((this.#readers[shard] as EngineReader).fetchRows(portion)),
    )
    for (const [i, shard] of hungry.entries()) {
      const rows = portions[i] as Either<RequestError, ReadonlyArray<DriverRow>>
      if (isLeft(rows)) return rows
      const { engine, token } = this.#sources[shard] as ShardSource
      const columns = columnsOf({ dialect: engine.dialect, token, rows: rows.right }, this.#fanOut.terms)
      if (isLeft(columns)) return left(notMergeable('query', this.#entity, columns.left))
      this.#portions[shard] = rows.right
      this.#merger.feed(shard, columns.right, rows.right.length < portion)
    }
    return right(undefined)
  }
}

/** Rows that are worth a round trip. */
const leastPortion = 100

/** Queries that are open, each with its shard. */
export interface Opened {
  readonly sources: ReadonlyArray<ShardSource>
  readonly readers: ReadonlyArray<EngineReader>
}

/**
 * Opens a query on each shard, but for those that are left out; where one fails, those that are open are closed.
 *
 * @category constructors
 */
export function* openAll(
  sources: ReadonlyArray<ShardSource>,
  asking: Asking,
  askers: Askers,
): Effect<Either<RequestError, Opened>> {
  const opened = yield* sideBySide(
    sources,
    ({ engine }) => engine,
    ({ open }) => open(),
    asking.settings.concurrency,
  )
  const tokens = sources.map(({ token }) => token)
  const kept = yield* askers.without(tokens, asking, opened)
  if (isLeft(kept)) {
    yield* closeAll(opened.filter(isRight).map((reader) => reader.right))
    return kept
  }
  return right({
    sources: sources.filter(({ token }) => kept.right.tokens.includes(token)),
    readers: kept.right.values,
  })
}

function* closeAll(readers: ReadonlyArray<EngineReader>): Effect<void> {
  for (const reader of readers) yield* reader.close()
}
