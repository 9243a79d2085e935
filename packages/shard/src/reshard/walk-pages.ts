/**
 * Reading whole tables, page by page.
 */

import type { EngineError } from '@unitary/core'
import { connect, type DatabaseError, databaseError, type Effect, release } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { MovedColumn, MovedTable } from './moved-tables.js'
import type { Resharding } from './resharding.js'
import { type At, type Cells, pageAfter, placesOf } from './table-rows.js'

/** Rows of a page by default. */
export const defaultPage = 1000

/** A shard that can be talked to. */
export type Reaching = Omit<At, 'connection'>

/** All shards, in the order of the map. */
export const reachingOf = ({ shards }: Resharding): ReadonlyArray<Reaching> =>
  Array.from(shards.engines, ([token, engine]) => ({ token, engine }))

/** Talks to a shard for as long as one thing takes: what has one connection has others waiting for it. */
export function* talking<A>(
  { engine, token }: Reaching,
  entity: string,
  work: (at: At) => Effect<Either<EngineError, A>>,
): Effect<Either<DatabaseError, A>> {
  const connected = yield* connect(engine)
  if (isLeft(connected)) return left(databaseError('connect', entity, token, connected.left))
  const done = yield* work({ token, engine, connection: connected.right })
  yield* release(connected.right)
  return isLeft(done) ? left(databaseError('query', entity, token, done.left)) : done
}

/** The rows of a table on a shard, page by page in the order of its key. */
export class Pages {
  readonly #on: Reaching
  readonly #table: MovedTable
  readonly #columns: ReadonlyArray<MovedColumn>
  readonly #size: number
  #after: Cells | null = null
  #isLast = false

  constructor(on: Reaching, table: MovedTable, columns: ReadonlyArray<MovedColumn>, size: number) {
    this.#on = on
    this.#table = table
    this.#columns = columns
    this.#size = size
  }

  /** The next rows; none after the last. */
  *next(): Effect<Either<DatabaseError, ReadonlyArray<Cells>>> {
    if (this.#isLast) return right([])
    const rows = yield* talking(this.#on, this.#table.entity, (at) =>
      pageAfter(at, this.#table, this.#columns, this.#after, this.#size),
    )
    if (isLeft(rows)) return rows
    const last = rows.right.at(-1)
    this.#isLast = rows.right.length < this.#size
    if (last !== undefined) this.#after = placesOf(this.#table.key, this.#columns).map((place) => last[place])
    return rows
  }
}
