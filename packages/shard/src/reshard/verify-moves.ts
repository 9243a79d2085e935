/**
 * Checking that a resharding is done: every row where it is to be, and nowhere else.
 */
import { type DatabaseError, drive, driveSync, type Effect } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Tally, Tallying } from './checksum.js'
import type { PlanMovesError } from './error.js'
import { keysIn } from './gather.js'
import { type Family, familiesOf, type MovedTable } from './moved-tables.js'
import { placedRows } from './placed-rows.js'
import { type Resharding, reshardingFault } from './resharding.js'
import { countWithout, placesOf, rowsWith } from './table-rows.js'
import { defaultPage, Pages, type Reaching, reachingOf, talking } from './walk-pages.js'

/** The rows of a table on a shard. @category model */
export interface TableTally extends Tally {
  readonly entity: string
  readonly table: string
  readonly shard: string
}

/** A row that is on another shard than it is to be; or, where `to` is null, beside none that it belongs to. @category model */
export interface Misplaced {
  readonly entity: string
  readonly shard: string
  readonly to: string | null
  readonly rows: number
}

/** Keys that are on several shards, or that shards lack where all are to have them. @category model */
export interface KeyFault {
  readonly entity: string
  readonly shards: readonly [string, string]
  readonly rows: number
}

/** @category model */
export interface VerifyReport {
  /** Is there nothing amiss? */
  readonly isDone: boolean
  readonly tallies: ReadonlyArray<TableTally>
  readonly misplaced: ReadonlyArray<Misplaced>
  /** Keys of one entity on two shards. */
  readonly doubled: ReadonlyArray<KeyFault>
  /** Of entities that are on every shard: rows that the first has and the second has not, or otherwise. */
  readonly uneven: ReadonlyArray<KeyFault>
}

/** @category model */
export interface VerifyMovesOptions {
  /** Rows that are read at a time; 1000 by default. */
  readonly page?: number
}

/**
 * Looks at every row of every shard, page by page: whether it is where the new choosers put it, beside what it belongs to, and on
 * no other shard; with counts and checksums of each table. The sum of a table's rows over the shards is the same before and
 * after the moves. Writers that are about may have it tell what was so for a moment only.
 *
 * @example
 * const report = await verifyMoves(adding)()
 *
 * @category interpreters
 */
export const verifyMoves =
  (resharding: Resharding, options: VerifyMovesOptions = {}): TaskEither<PlanMovesError, VerifyReport> =>
  async () =>
    drive(verifying(resharding, options))

/**
 * The same without a promise, where every engine answers at once.
 *
 * @category interpreters
 */
export const verifyMovesSync = (
  resharding: Resharding,
  options: VerifyMovesOptions = {},
): Either<PlanMovesError, VerifyReport> => driveSync(verifying(resharding, options))

function* verifying(resharding: Resharding, options: VerifyMovesOptions): Effect<Either<PlanMovesError, VerifyReport>> {
  const fault = reshardingFault(resharding, 'check of moves')
  if (fault !== null) return left(fault)
  return yield* new Verifying(resharding, Math.max(options.page ?? defaultPage, 1)).all()
}

class Verifying {
  readonly #resharding: Resharding
  readonly #shards: ReadonlyArray<Reaching>
  readonly #page: number
  readonly #tallies: TableTally[] = []
  readonly #misplaced: Misplaced[] = []
  readonly #doubled: KeyFault[] = []
  readonly #uneven: KeyFault[] = []

  constructor(resharding: Resharding, page: number) {
    this.#resharding = resharding
    this.#shards = reachingOf(resharding)
    this.#page = page
  }

  *all(): Effect<Either<PlanMovesError, VerifyReport>> {
    const { model, to } = this.#resharding
    const families = familiesOf(model, to)
    const linkTables = new Map<string, MovedTable>()
    for (const family of families) {
      const isEverywhere = to.basisOf?.(family.root.name)?.kind === 'everywhere'
      for (const { table } of family.links) linkTables.set(table.table, table)
      for (const [place, shard] of this.#shards.entries()) {
        const done = yield* this.#family(family, shard, place, isEverywhere)
        if (isLeft(done)) return done
      }
    }
    for (const table of linkTables.values()) {
      for (const shard of this.#shards) {
        const tallied = yield* this.#tally(table, shard)
        if (isLeft(tallied)) return tallied
      }
    }
    const faults = [this.#misplaced, this.#doubled, this.#uneven] as const
    return right({
      isDone: faults.every(({ length }) => length === 0),
      tallies: this.#tallies,
      misplaced: this.#misplaced,
      doubled: this.#doubled,
      uneven: this.#uneven,
    })
  }

  *#family(
    family: Family,
    on: Reaching,
    place: number,
    isEverywhere: boolean,
  ): Effect<Either<PlanMovesError, undefined>> {
    for (const table of family.tables.slice(1)) {
      const tallied = yield* this.#tally(table, on)
      if (isLeft(tallied)) return tallied
    }
    const [table] = family.tables
    if (table === undefined) return right(undefined)
    const { model, shards, to } = this.#resharding
    const placed = isEverywhere ? null : placedRows(model, family, to, new Set<string>(shards.tokens))
    const places = placed === null ? [] : placesOf(placed.columns, table.columns)
    const others = isEverywhere ? this.#shards.filter((other) => other !== on) : this.#shards.slice(place + 1)
    const entity = family.root.name
    const elsewhere = new Counts()
    const doubled = new Counts()
    const missing = new Counts()
    const tallying = new Tallying(table.columns)
    const pages = new Pages(on, table, table.columns, this.#page)
    for (;;) {
      const page = yield* pages.next()
      if (isLeft(page)) return page
      const rows = page.right
      if (rows.length === 0) break
      tallying.add(rows)
      for (const row of placed === null ? [] : rows) {
        const token = placed?.shardOf(
          places.map((at) => row[at]),
          on.token,
        ) as Either<PlanMovesError, string | null>
        if (isLeft(token)) return token
        if (token.right !== null && token.right !== on.token) elsewhere.add(token.right, 1)
      }
      const keys = keysIn(table, table.key, rows)
      for (const other of others) {
        const there = yield* talking(other, entity, (at) => rowsWith(at, table, table.key, table.key, keys, false))
        if (isLeft(there)) return there
        if (isEverywhere) missing.add(other.token, keys.length - there.right.length)
        else doubled.add(other.token, there.right.length)
      }
    }
    this.#tallies.push({ entity, table: table.table, shard: on.token, ...tallying.tally })
    for (const [token, rows] of elsewhere.all()) this.#misplaced.push({ entity, shard: on.token, to: token, rows })
    for (const [token, rows] of doubled.all()) this.#doubled.push({ entity, shards: [on.token, token], rows })
    for (const [token, rows] of missing.all()) this.#uneven.push({ entity, shards: [on.token, token], rows })
    return yield* this.#strays(family, on)
  }

  /** Rows whose parents are not beside them. */
  *#strays(family: Family, on: Reaching): Effect<Either<DatabaseError, undefined>> {
    for (const { family: child, foreignKey, key, parent, table } of family.beside) {
      const entity = child.root.name
      const stray = yield* talking(on, entity, (at) => countWithout(at, table, foreignKey, parent, key))
      if (isLeft(stray)) return stray
      if (stray.right > 0) this.#misplaced.push({ entity, shard: on.token, to: null, rows: stray.right })
    }
    return right(undefined)
  }

  *#tally(table: MovedTable, on: Reaching): Effect<Either<DatabaseError, undefined>> {
    const tallying = new Tallying(table.columns)
    const pages = new Pages(on, table, table.columns, this.#page)
    for (;;) {
      const page = yield* pages.next()
      if (isLeft(page)) return page
      if (page.right.length === 0) break
      tallying.add(page.right)
    }
    this.#tallies.push({ entity: table.entity, table: table.table, shard: on.token, ...tallying.tally })
    return right(undefined)
  }
}

/** How many, by shard. */
class Counts {
  readonly #counts = new Map<string, number>()

  add(token: string, count: number): void {
    if (count > 0) this.#counts.set(token, (this.#counts.get(token) ?? 0) + count)
  }

  all(): Iterable<readonly [string, number]> {
    return this.#counts
  }
}
