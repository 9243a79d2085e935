/**
 * Putting the groups of several shards together, and what comes after them: HAVING, DISTINCT, ORDER BY, OFFSET, LIMIT.
 */
import type { Dialect, DriverRow, TextComparison } from '@unitary/core'
import type { QueryAnswer, Rows } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { isNumeric, mayBeOne, portable, type Running, running } from './aggregate.js'
import { compareValues } from './compare.js'
import { compareNumeric, numericOf } from './exact.js'
import { type Group, truth } from './group-expression.js'
import { identityOf, Likenesses, likenessOf } from './likeness.js'
import type { AskedColumn, CombinedOrder, Recombination, Slot } from './recombination.js'

/** The databases of the shards. */
export interface Databases {
  /** Of the first one. */
  readonly dialect: Dialect
  /** In what ways they compare texts. */
  readonly comparisons: ReadonlyArray<TextComparison>
  /** Is NULL below every value? */
  readonly isNullLow: boolean
}

/**
 * The answer of shards that were asked what a recombination says. Left where memory cannot tell it as a database would.
 * O(groups of all shards), and what sorting them costs.
 *
 * @category combinators
 */
export const combine = (
  batches: ReadonlyArray<Rows>,
  recombination: Recombination,
  { comparisons, dialect, isNullLow }: Databases,
): Either<string, QueryAnswer> => {
  const groups = new Groups(recombination, comparisons)
  for (const batch of batches) {
    const problem = groups.add(batch)
    if (problem !== null) return left(problem)
  }
  const { isDistinct, limit, offset, order } = recombination
  const kept = keptBy(groups.values(), recombination)
  if (isLeft(kept)) return kept
  const sorted = order.length === 0 ? kept : ordered(kept.right, order, comparisons, isNullLow)
  if (isLeft(sorted)) return sorted
  const rows = rowsOf(sorted.right, recombination)
  if (isLeft(rows)) return rows
  const different = isDistinct ? distinctRows(rows.right, recombination, comparisons) : rows
  if (isLeft(different)) return different
  return right({
    batches: [
      {
        dialect: inMemory(dialect),
        token: null,
        rows: different.right.slice(offset, limit === null ? undefined : offset + limit),
      },
    ],
    order: null,
    isJoined: false,
  })
}

/** A database whose values are portable already. */
export const inMemory = (dialect: Dialect): Dialect => ({ ...dialect, fromDriver: () => null })

/** The groups that have been met, by their keys. */
class Groups {
  readonly #grouping: Grouping
  readonly #groups = new Map<string, ReadonlyArray<Running>>()

  constructor(recombination: Recombination, comparisons: ReadonlyArray<TextComparison>) {
    this.#grouping = new Grouping(recombination, comparisons)
    if (recombination.isWhole) this.#groups.set('', this.#grouping.begin())
  }

  /** Takes the groups of one shard; what is wrong with them, or null. */
  add({ dialect, rows }: Rows): string | null {
    const read = this.#grouping.reader(dialect)
    for (const row of rows) {
      const values = read(row)
      const identity = this.#grouping.identityOf(values)
      if (isLeft(identity)) return identity.left
      const group = this.#groups.get(identity.right) ?? this.#grouping.begin()
      this.#groups.set(identity.right, group)
      const problem = this.#grouping.add(group, values, dialect)
      if (problem !== null) return problem
    }
    return null
  }

  values(): ReadonlyArray<Group> {
    return Array.from(this.#groups.values(), resultsOf)
  }
}

/** Which group a row belongs to, and what it adds to it. */
export class Grouping {
  readonly #recombination: Recombination
  readonly #likenesses: ReadonlyArray<Likenesses>

  constructor(recombination: Recombination, comparisons: ReadonlyArray<TextComparison>) {
    this.#recombination = recombination
    this.#likenesses = recombination.keys.map(
      (key) => new Likenesses(likenessOf((recombination.columns[key] as AskedColumn).kind, comparisons)),
    )
  }

  /** The values of rows of a database, by column. The same list each time. */
  reader(dialect: Dialect): (row: DriverRow) => ReadonlyArray<unknown> {
    const { columns } = this.#recombination
    const converts = columns.map(({ kind }) => (kind === null ? null : dialect.fromDriver(kind)))
    const values = new Array<unknown>(columns.length)
    return (row) => {
      for (let at = 0; at < columns.length; at++) {
        const given = row[(columns[at] as AskedColumn).name] ?? null
        const convert = converts[at] ?? null
        values[at] = convert === null || given === null ? given : convert(given)
      }
      return values
    }
  }

  /** What the rows of a group have in common, and no others. */
  identityOf(values: ReadonlyArray<unknown>): Either<string, string> {
    const { columns, keys } = this.#recombination
    let identity = ''
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as number
      const value = values[key]
      const clash = this.#likenesses[i]?.clash(value) ?? null
      if (clash !== null) {
        return left(`in GROUP BY or DISTINCT, ${mayBeOne(clash, value)}; ask for the rows themselves`)
      }
      const part = identityOf(value, (columns[key] as AskedColumn).kind)
      identity += `${part.length}:${part}`
    }
    return right(identity)
  }

  begin(): ReadonlyArray<Running> {
    return this.#recombination.slots.map((slot) =>
      slot._tag === 'Asked' ? new First() : running(slot.aggregate, slot.operand),
    )
  }

  /** Adds a row to its group; what is wrong with it, or null. */
  add(group: ReadonlyArray<Running>, values: ReadonlyArray<unknown>, dialect: Dialect): string | null {
    const { slots } = this.#recombination
    for (let i = 0; i < slots.length; i++) {
      const problem = (group[i] as Running).add(partsOf(slots[i] as Slot, values), dialect)
      if (problem !== null) return problem
    }
    return null
  }
}

/** What a group has come to. */
export const resultsOf = (group: ReadonlyArray<Running>): Group => group.map((one) => one.result())

const partsOf = (slot: Slot, values: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  slot._tag === 'Asked' ? [values[slot.column]] : slot.columns.map((column) => values[column])

/** What hangs on the group alone is the same wherever it comes from. */
class First implements Running {
  #value: unknown
  #isMet = false

  add([value]: ReadonlyArray<unknown>): null {
    if (!this.#isMet) this.#value = value
    this.#isMet = true
    return null
  }

  result(): unknown {
    return this.#value ?? null
  }
}

/** The groups that HAVING keeps. */
export const keptBy = (
  groups: ReadonlyArray<Group>,
  { having }: Recombination,
): Either<string, ReadonlyArray<Group>> => {
  if (having === null) return right(groups)
  const known = groups.map((group) => truth(having(group)))
  return known.includes(undefined)
    ? left(
        'HAVING compares what only its database can compare (its collation orders texts); ask for the rows themselves',
      )
    : right(groups.filter((_, at) => known[at] === true))
}

/** The rows that groups give. */
export const rowsOf = (
  groups: ReadonlyArray<Group>,
  { outputs }: Recombination,
): Either<string, ReadonlyArray<DriverRow>> => {
  const rows: DriverRow[] = []
  for (const group of groups) {
    const row: Record<string, unknown> = {}
    for (const { column, evaluate, kind } of outputs) {
      const value = evaluate(group)
      if (value === undefined) return left('it computes what only its database can; ask for the aggregates themselves')
      row[column] = portable(value, kind)
    }
    rows.push(row)
  }
  return right(rows)
}

/** Each row once, where it comes first. */
const distinctRows = (
  rows: ReadonlyArray<DriverRow>,
  { outputs }: Recombination,
  comparisons: ReadonlyArray<TextComparison>,
): Either<string, ReadonlyArray<DriverRow>> => {
  const likenesses = outputs.map(({ kind }) => new Likenesses(likenessOf(kind, comparisons)))
  const met = new Set<string>()
  const kept: DriverRow[] = []
  for (const row of rows) {
    let identity = ''
    for (const [at, { column, kind }] of outputs.entries()) {
      const value = row[column]
      const clash = likenesses[at]?.clash(value) ?? null
      if (clash !== null) return left(`in DISTINCT, ${mayBeOne(clash, value)}; ask for the rows themselves`)
      const part = identityOf(value, kind)
      identity += `${part.length}:${part}`
    }
    if (met.has(identity)) continue
    met.add(identity)
    kept.push(row)
  }
  return right(kept)
}

/** Those that compare the same stay in the order of the shards. */
const ordered = (
  groups: ReadonlyArray<Group>,
  order: ReadonlyArray<CombinedOrder>,
  comparisons: ReadonlyArray<TextComparison>,
  isNullLow: boolean,
): Either<string, ReadonlyArray<Group>> => {
  const isKnown = comparisons.every((comparison) => comparison === 'code points')
  const columns: Array<ReadonlyArray<unknown>> = []
  for (const term of order) {
    const values = groups.map(term.evaluate)
    if (values.includes(undefined))
      return left('ORDER BY computes what only its database can; order by the aggregates themselves')
    const isForeign = !isKnown && term.attribute === null && !sortable.has(term.kind)
    if (isForeign && values.some((value) => typeof value === 'string')) {
      return left(
        'it is ordered by an expression that is text, which its database orders in a way of its own; order by an attribute',
      )
    }
    columns.push(values)
  }
  const terms = order.map((term) => ({
    ...term,
    isNullFirst: term.nulls === null ? isNullLow !== term.isDescending : term.nulls === 'first',
  }))
  const compare = (a: number, b: number): number => {
    for (const [i, { collation, isDescending, isNullFirst, kind }] of terms.entries()) {
      const [x, y] = [columns[i]?.[a] ?? null, columns[i]?.[b] ?? null]
      if (x === null || y === null) {
        if (x === y) continue
        return (x === null) === isNullFirst ? -1 : 1
      }
      const found = isNumeric(x) || kind === 'decimal' ? compareNumbers(x, y) : compareValues(x, y, collation)
      if (found !== 0) return isDescending ? -found : found
    }
    return a - b
  }
  const places = groups.map((_, at) => at).sort(compare)
  return right(places.map((at) => groups[at] as Group))
}

/** Kinds whose texts sort as they do. */
const sortable: ReadonlySet<string | null> = new Set(['decimal', 'timestamp', 'date', 'uuid'])

const compareNumbers = (a: unknown, b: unknown): number => compareNumeric(numberIn(a), numberIn(b))

const numberIn = (value: unknown) => (isNumeric(value) && typeof value !== 'number' ? value : (numericOf(value) ?? 0))
