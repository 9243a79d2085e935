/**
 * Putting the rows of several shards together.
 *
 * Ordered rows are merged by a heap of the shards' next rows (Knuth, "The Art of Computer Programming" 3, 5.4.1): k
 * shards of n rows in all cost O(n log k), and rows beyond the end of the window are not looked at. Rows that compare
 * the same come in the order of the shards.
 */
import { parseDecimal, sortableDecimal } from '@unitary/core'
import type { QueryAnswer, Rows } from '@unitary/session'
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js'
import { compareValues } from './compare.js'
import type { FanOut } from './fan-out.js'
import type { OrderTerm } from './order-term.js'

/**
 * The answer of shards that were asked what `fanOut` says: the rows of its window, and their order. Left where their
 * order is not one that can be told from the values.
 *
 * @category combinators
 */
export const merge = (
  batches: ReadonlyArray<Rows>,
  fanOut: FanOut,
  isNullLow: boolean,
): Either<string, QueryAnswer> => {
  const { terms, offset, limit } = fanOut
  const end = limit === null ? Number.POSITIVE_INFINITY : offset + limit
  if (terms.length === 0) return right(concatenated(batches, offset, end))
  const parts = batches.map((batch) => ({ batch, isAll: true }))
  return map(({ answer }: MergedParts) => answer)(mergeParts(parts, fanOut, isNullLow))
}

/**
 * Rows of a shard.
 *
 * @category model
 */
export interface Part {
  readonly batch: Rows
  /** Whether it has no more, or none that the window could need. */
  readonly isAll: boolean
}

/**
 * The window as far as it can be told, and the shards whose rows ran out before it was full.
 *
 * @category model
 */
export interface MergedParts {
  readonly answer: QueryAnswer
  readonly short: ReadonlyArray<string>
}

/**
 * The same of rows in an order, where shards may have more than they have told.
 *
 * @category combinators
 */
export const mergeParts = (
  parts: ReadonlyArray<Part>,
  { terms, offset, limit }: FanOut,
  isNullLow: boolean,
): Either<string, MergedParts> => {
  const merger = new Merger(parts.length, terms, isNullLow)
  for (const [shard, { batch, isAll }] of parts.entries()) {
    const columns = columnsOf(batch, terms)
    if (isLeft(columns)) return columns
    merger.feed(shard, columns.right, isAll)
  }
  const wanted = limit ?? Number.POSITIVE_INFINITY
  const skipped = merger.take(offset, null)
  const first = merger.positions()
  const order: number[] = []
  const isFull = skipped + merger.take(wanted, order) === offset + wanted
  const next = merger.positions()
  const batches = parts.map(({ batch }, i) => cut(batch, first[i] as number, next[i] as number))
  return right({
    answer: { batches, order, isJoined: false },
    short: isFull ? [] : merger.hungry().map((shard) => (parts[shard] as Part).batch.token as string),
  })
}

/** The values of each term, row by row: what a merge needs to know of a batch. */
export type Columns = ReadonlyArray<ReadonlyArray<unknown>>

/**
 * A batch as it is merged by some terms. Left where its order is not one that can be told from the values.
 *
 * @category constructors
 */
export const columnsOf = (batch: Rows, terms: ReadonlyArray<OrderTerm>): Either<string, Columns> =>
  hasForeignText(batch, terms)
    ? left(
        'it is ordered by an expression that is text, which its database orders in a way of its own; order by an attribute',
      )
    : hasForeignDocument(batch, terms)
      ? left(
          'it is ordered by JSON or an array, which its database orders in a way of its own; order by another attribute',
        )
      : right(terms.map((term) => valuesOf(batch, term)))

const concatenated = (batches: ReadonlyArray<Rows>, offset: number, end: number): QueryAnswer => {
  let before = 0
  const kept = batches.map((batch) => {
    const from = before
    before += batch.rows.length
    return cut(batch, Math.max(offset - from, 0), end - from)
  })
  return { batches: kept, order: null, isJoined: false }
}

const cut = (batch: Rows, from: number, to: number): Rows => {
  const { rows } = batch
  return from === 0 && to >= rows.length ? batch : { ...batch, rows: rows.slice(from, Math.max(to, from)) }
}

/** Kinds whose values come as text that sorts as they do. */
const sortable: ReadonlySet<string | null> = new Set(['decimal', 'timestamp', 'date', 'time'])

/**
 * Of an expression over another database than SQLite, nothing tells its collation, nor that it is no number as text.
 */
const hasForeignText = ({ dialect, rows }: Rows, terms: ReadonlyArray<OrderTerm>): boolean =>
  dialect.name !== 'sqlite' &&
  terms.some(
    (term) =>
      term.attribute === null &&
      !sortable.has(term.kind) &&
      valuesOf({ dialect, rows }, term).some((value) => typeof value === 'string'),
  )

const hasForeignDocument = ({ dialect }: Rows, terms: ReadonlyArray<OrderTerm>): boolean =>
  dialect.name !== 'sqlite' && terms.some(({ kind }) => kind === 'json' || kind === 'array')

/** The values of a term, as they compare. */
const valuesOf = (
  { dialect, rows }: Pick<Rows, 'dialect' | 'rows'>,
  { name, kind }: OrderTerm,
): ReadonlyArray<unknown> => {
  if (kind === 'decimal') return rows.map((row) => toNumber(row[name], dialect))
  const convert = kind === null ? null : dialect.fromDriver(kind)
  return rows.map(convert === null ? (row) => row[name] : (row) => convert(row[name]))
}

/** A decimal as text that sorts as the numbers do, as SQLite has it. */
const toNumber = (value: unknown, { name }: Rows['dialect']): unknown => {
  if (name === 'sqlite' || typeof value !== 'string') return value
  const parsed = parseDecimal(value)
  return parsed._tag === 'Some' ? sortableDecimal(parsed.value) : value
}

type MergeTerm = OrderTerm & { readonly isNullFirst: boolean }

/**
 * Tells from which shard the next row comes. The shards' rows may be given all at once, or portion by portion.
 */
export class Merger {
  readonly #terms: ReadonlyArray<MergeTerm>
  /** By shard, by term, by row: the portion that each shard is at. */
  readonly #columns: Columns[]
  /** The next row of each shard in its portion. */
  readonly #next: number[]
  /** The values of that row, by term, so that they are looked up once and compared often. */
  readonly #heads: unknown[][]
  readonly #isLast: boolean[]
  /** Shards that have a next row; each before those at 2i + 1 and 2i + 2. */
  readonly #heap: number[] = []
  /** Shards that have none, and are not at their end. */
  readonly #hungry: Set<number>

  constructor(shards: number, terms: ReadonlyArray<OrderTerm>, isNullLow: boolean) {
    this.#terms = terms.map((term) => ({
      ...term,
      isNullFirst: term.nulls === null ? isNullLow !== term.isDescending : term.nulls === 'first',
    }))
    this.#columns = new Array<Columns>(shards).fill([])
    this.#next = new Array<number>(shards).fill(0)
    this.#heads = this.#next.map(() => new Array<unknown>(terms.length).fill(null))
    this.#isLast = new Array<boolean>(shards).fill(false)
    this.#hungry = new Set(this.#next.keys())
  }

  /** Shards whose next portion has to be fed before anything more can be told. */
  hungry(): ReadonlyArray<number> {
    return [...this.#hungry]
  }

  /** Where each shard stands in its portion. */
  positions(): ReadonlyArray<number> {
    return this.#next.slice()
  }

  /** Gives a hungry shard its next portion. One without rows has to be the last. */
  feed(shard: number, columns: Columns, isLast: boolean): void {
    this.#columns[shard] = columns
    this.#next[shard] = 0
    this.#isLast[shard] = isLast
    this.#hungry.delete(shard)
    if (!this.#hasNext(shard)) return
    this.#look(shard)
    this.#push(shard)
  }

  /** Takes rows, at most so many, and as long as no shard is hungry; the shard of each goes to the end of `order`. */
  take(count: number, order: number[] | null): number {
    if (this.#hungry.size > 0) return 0
    let taken = 0
    while (taken < count && this.#heap.length > 0) {
      const shard = this.#heap[0] as number
      taken++
      order?.push(shard)
      this.#next[shard] = (this.#next[shard] as number) + 1
      const hasNext = this.#hasNext(shard)
      if (hasNext) this.#look(shard)
      else {
        const last = this.#heap.pop() as number
        if (this.#heap.length > 0) this.#heap[0] = last
      }
      this.#sink()
      if (!hasNext && this.#isLast[shard] !== true) {
        this.#hungry.add(shard)
        break
      }
    }
    return taken
  }

  #hasNext(shard: number): boolean {
    return (this.#next[shard] as number) < (this.#columns[shard]?.[0]?.length ?? 0)
  }

  #look(shard: number): void {
    const columns = this.#columns[shard] as Columns
    const head = this.#heads[shard] as unknown[]
    const at = this.#next[shard] as number
    for (let i = 0; i < head.length; i++) head[i] = columns[i]?.[at] ?? null
  }

  #push(shard: number): void {
    let at = this.#heap.push(shard) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(shard, this.#heap[above] as number)) break
      this.#heap[at] = this.#heap[above] as number
      at = above
    }
    this.#heap[at] = shard
  }

  /** Puts the first of the heap where it belongs. */
  #sink(): void {
    const heap = this.#heap
    const shard = heap[0]
    if (shard === undefined) return
    let at = 0
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && this.#isBefore(heap[below + 1] as number, heap[below] as number)) below++
      if (!this.#isBefore(heap[below] as number, shard)) break
      heap[at] = heap[below] as number
      at = below
    }
    heap[at] = shard
  }

  /** Does the next row of one shard come before that of another? */
  #isBefore(a: number, b: number): boolean {
    const one = this.#heads[a] as unknown[]
    const other = this.#heads[b] as unknown[]
    for (let i = 0; i < one.length; i++) {
      const { isDescending, isNullFirst, collation } = this.#terms[i] as MergeTerm
      const x = one[i]
      const y = other[i]
      if (x === null || y === null) {
        if (x === y) continue
        return (x === null) === isNullFirst
      }
      const order = compareValues(x, y, collation)
      if (order !== 0) return order < 0 !== isDescending
    }
    return a < b
  }
}
