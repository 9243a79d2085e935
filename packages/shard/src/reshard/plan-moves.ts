/**
 * Planning moves: every row that belongs beside none is asked where it is to be.
 */
import { drive, driveSync, type Effect } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type PlanMovesError, undirected } from './error.js'
import type { MoveBatch, MovePlan } from './move-plan.js'
import { type Family, familiesOf, type MovedTable } from './moved-tables.js'
import { type PlacedRows, placedRows } from './placed-rows.js'
import { type Resharding, reshardingFault } from './resharding.js'
import { type Cells, rowsWith, without } from './table-rows.js'
import { defaultPage, Pages, type Reaching, reachingOf, talking } from './walk-pages.js'

/** @category model */
export interface PlanMovesOptions {
  /** Rows of one batch, what belongs beside them not counted; 500 by default. */
  readonly batch?: number
  /** Rows that are read at a time; 1000 by default. */
  readonly page?: number
}

/**
 * The moves that are left to be done. Reads the rows of each shard page by page, outside of any transaction, and writes
 * nothing; a plan that was broken off is resumed by planning again. It holds the keys of what moves, and one page.
 *
 * @example
 * const plan = await planMoves(adding)()
 *
 * @category interpreters
 */
export const planMoves =
  (resharding: Resharding, options: PlanMovesOptions = {}): TaskEither<PlanMovesError, MovePlan> =>
  async () =>
    drive(planning(resharding, options))

/**
 * The same without a promise, where every engine answers at once.
 *
 * @category interpreters
 */
export const planMovesSync = (
  resharding: Resharding,
  options: PlanMovesOptions = {},
): Either<PlanMovesError, MovePlan> => driveSync(planning(resharding, options))

function* planning(resharding: Resharding, options: PlanMovesOptions): Effect<Either<PlanMovesError, MovePlan>> {
  const fault = reshardingFault(resharding, 'plan of moves')
  if (fault !== null) return left(fault)
  return yield* new Planning(resharding, options).plan()
}

class Planning {
  readonly #resharding: Resharding
  readonly #shards: ReadonlyArray<Reaching>
  readonly #batch: number
  readonly #page: number
  readonly #directions: ReadonlySet<string>

  constructor(resharding: Resharding, { batch, page }: PlanMovesOptions) {
    this.#resharding = resharding
    this.#shards = reachingOf(resharding)
    this.#batch = Math.max(batch ?? 500, 1)
    this.#page = Math.max(page ?? defaultPage, 1)
    this.#directions = new Set(resharding.directions.map((direction) => JSON.stringify(direction)))
  }

  *plan(): Effect<Either<PlanMovesError, MovePlan>> {
    const { model, shards, to } = this.#resharding
    const tokens = new Set<string>(shards.tokens)
    const copies: MoveBatch[] = []
    const moves: MoveBatch[] = []
    const staying: Array<MovePlan['staying'][number]> = []
    for (const family of familiesOf(model, to)) {
      const entity = family.root.name
      if (to.basisOf?.(entity)?.kind === 'everywhere') {
        const missing = yield* this.#copies(family)
        if (isLeft(missing)) return missing
        copies.push(...missing.right)
        continue
      }
      const placed = placedRows(model, family, to, tokens)
      if (placed === null) continue
      for (const shard of this.#shards) {
        const found = yield* this.#moves(family, placed, shard)
        if (isLeft(found)) return found
        moves.push(...found.right.moves)
        if (found.right.rows > 0) staying.push({ entity, shard: shard.token, rows: found.right.rows })
      }
    }
    return right({ _tag: 'MovePlan', batches: [...copies, ...moves], staying })
  }

  *#moves(
    family: Family,
    placed: PlacedRows,
    on: Reaching,
  ): Effect<Either<PlanMovesError, { readonly moves: ReadonlyArray<MoveBatch>; readonly rows: number }>> {
    const going = new Map<string, Cells[]>()
    let rows = 0
    const entity = family.root.name
    const pages = new Pages(on, family.tables[0] as MovedTable, placed.columns, this.#page)
    for (;;) {
      const page = yield* pages.next()
      if (isLeft(page)) return page
      if (page.right.length === 0) break
      for (const row of page.right) {
        const token = placed.shardOf(row, on.token)
        if (isLeft(token)) return token
        const to = token.right
        if (to === null) continue
        if (to === on.token) {
          rows++
          continue
        }
        const key = placed.keyOf(row)
        if (!this.#directions.has(JSON.stringify([on.token, to]))) return left(undirected(entity, on.token, to, key))
        const others = going.get(to)
        if (others === undefined) going.set(to, [key])
        else others.push(key)
      }
    }
    const moves = Array.from(going, ([to, keys]) => this.#batches('Move', entity, on.token, to, keys)).flat()
    return right({ moves, rows })
  }

  /** What the first shard has, and others have not. */
  *#copies(family: Family): Effect<Either<PlanMovesError, ReadonlyArray<MoveBatch>>> {
    const [first, ...others] = this.#shards
    const [table] = family.tables
    if (first === undefined || table === undefined) return right([])
    const missing = new Map(others.map(({ token }) => [token, [] as Cells[]]))
    const entity = family.root.name
    const pages = new Pages(first, table, table.key, this.#page)
    for (;;) {
      const page = yield* pages.next()
      if (isLeft(page)) return page
      const keys = page.right
      if (keys.length === 0) break
      for (const other of others) {
        const there = yield* talking(other, entity, (at) => rowsWith(at, table, table.key, table.key, keys, false))
        if (isLeft(there)) return there
        const absent = missing.get(other.token)
        for (const key of without(keys, there.right)) absent?.push(key)
      }
    }
    return right(Array.from(missing, ([to, keys]) => this.#batches('Copy', entity, first.token, to, keys)).flat())
  }

  #batches(
    _tag: MoveBatch['_tag'],
    entity: string,
    from: string,
    to: string,
    keys: ReadonlyArray<Cells>,
  ): ReadonlyArray<MoveBatch> {
    const batches: MoveBatch[] = []
    for (let at = 0; at < keys.length; at += this.#batch) {
      batches.push({ _tag, entity, from, to, keys: keys.slice(at, at + this.#batch) })
    }
    return batches
  }
}
