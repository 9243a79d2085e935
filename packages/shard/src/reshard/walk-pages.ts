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

/** Goes through the rows of a table on a shard, in the order of its key. */
export function* throughPages<E>(
  on: Reaching,
  table: MovedTable,
  columns: ReadonlyArray<MovedColumn>,
  page: number,
  each: (rows: ReadonlyArray<Cells>) => Effect<Either<E, undefined>>,
): Effect<Either<E | DatabaseError, undefined>> {
  const places = placesOf(table.key, columns)
  let after: Cells | null = null
  for (;;) {
    const from: Cells | null = after
    const rows: Either<DatabaseError, ReadonlyArray<Cells>> = yield* talking(on, table.entity, (at) =>
      pageAfter(at, table, columns, from, page),
    )
    if (isLeft(rows)) return rows
    const last: Cells | undefined = rows.right.at(-1)
    if (last === undefined) return right(undefined)
    const done = yield* each(rows.right)
    if (isLeft(done)) return done
    if (rows.right.length < page) return right(undefined)
    after = places.map((place) => last[place])
  }
}
