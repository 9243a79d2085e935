/**
 * Rows that are put together from groups, read in portions.
 *
 * Where shards can give their groups in the order of their keys, those of one group come one after another, and no more than
 * a portion of each shard is in memory. Else all groups are put together first.
 */
import type { Dialect, DriverRow, TextComparison } from '@unitary/core'
import type { Effect, QueryAnswer, Reader, RequestError, Rows } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { notMergeable } from '../error.js'
import type { Running } from './aggregate.js'
import { Grouping, inMemory, keptBy, resultsOf, rowsOf } from './combine.js'
import type { MergedShards } from './read.js'
import type { Recombination } from './recombination.js'

/** Groups that come in the order of their keys. */
export class MergedGroups implements Reader {
  readonly #merged: MergedShards
  readonly #recombination: Recombination
  readonly #grouping: Grouping
  readonly #dialect: Dialect
  /** The group whose rows are coming. */
  #group: { readonly identity: string; readonly running: ReadonlyArray<Running> } | null = null
  /** Rows that are done and that nobody has fetched. */
  #done: DriverRow[] = []
  #isOver = false
  #skip: number
  #left: number

  constructor(
    merged: MergedShards,
    recombination: Recombination,
    dialect: Dialect,
    comparisons: ReadonlyArray<TextComparison>,
  ) {
    this.#merged = merged
    this.#recombination = recombination
    this.#grouping = new Grouping(recombination, comparisons)
    this.#dialect = inMemory(dialect)
    this.#skip = recombination.offset
    this.#left = recombination.limit ?? Number.POSITIVE_INFINITY
  }

  *fetch(count: number): Effect<Either<RequestError, QueryAnswer>> {
    const wanted = Math.min(count, this.#left)
    while (this.#done.length < wanted && !this.#isOver) {
      const answer = yield* this.#merged.fetch(Math.max(count, leastPortion))
      if (isLeft(answer)) return answer
      const problem = this.#take(answer.right)
      if (problem !== null) {
        return left(notMergeable('query', this.#recombination.asked.entity.name, problem))
      }
    }
    const rows = this.#done.splice(0, wanted)
    this.#left -= rows.length
    return right({ batches: [{ dialect: this.#dialect, token: null, rows }], order: null, isJoined: false })
  }

  close(): Effect<void> {
    return this.#merged.close()
  }

  /** What is wrong with a portion, or null. One without rows is the end. */
  #take({ batches, order }: QueryAnswer): string | null {
    const readers = batches.map(({ dialect }) => this.#grouping.reader(dialect))
    const next = batches.map(() => 0)
    for (const shard of order ?? []) {
      const { dialect, rows } = batches[shard] as Rows
      const at = next[shard] as number
      next[shard] = at + 1
      const values = (readers[shard] as (typeof readers)[number])(rows[at] as DriverRow)
      const identity = this.#grouping.identityOf(values)
      if (isLeft(identity)) return identity.left
      if (this.#group?.identity !== identity.right) {
        const problem = this.#finish()
        if (problem !== null) return problem
        this.#group = { identity: identity.right, running: this.#grouping.begin() }
      }
      const problem = this.#grouping.add(this.#group.running, values, dialect)
      if (problem !== null) return problem
    }
    if (order !== null && order.length > 0) return null
    this.#isOver = true
    return this.#finish()
  }

  /** Ends the group that is coming. */
  #finish(): string | null {
    if (this.#group === null) return null
    const kept = keptBy([resultsOf(this.#group.running)], this.#recombination)
    const rows = isLeft(kept) ? kept : rowsOf(kept.right, this.#recombination)
    if (isLeft(rows)) return rows.left
    this.#group = null
    const [row] = rows.right
    if (row === undefined) return null
    if (this.#skip > 0) this.#skip--
    else this.#done.push(row)
    return null
  }
}

/** Rows that are worth a round trip. */
const leastPortion = 100

/** Groups that have been put together already. */
export class CombinedRows implements Reader {
  readonly #answer: QueryAnswer
  #at = 0

  constructor(answer: QueryAnswer) {
    this.#answer = answer
  }

  *fetch(count: number): Effect<Either<RequestError, QueryAnswer>> {
    yield* nothing()
    const from = this.#at
    this.#at += count
    const { batches } = this.#answer
    return right({
      ...this.#answer,
      batches: batches.map((batch) => ({ ...batch, rows: batch.rows.slice(from, from + count) })),
    })
  }

  close(): Effect<void> {
    return nothing()
  }
}

/** Nothing has to be waited for. */
function* nothing(): Effect<void> {
  yield* []
}
