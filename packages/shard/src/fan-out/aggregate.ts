/**
 * Aggregates that are put together from those of several shards.
 *
 * A count is the sum of the counts, a sum that of the sums, a mean a sum and a count; the least is the least of the least.
 * What counts or adds up distinct values asks each shard for the values, since one may stand on several.
 */
import {
  type ColumnKind,
  compareBytes,
  compareText,
  type Dialect,
  parseDecimal,
  type TextComparison,
} from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { AggregateFunctionNode, FunctionNode, type OperationNode } from 'kysely'
import { type AggregateCall, called } from './calls.js'
import { compareNumeric, mean, type Numeric, numberOf, numericOf, Sum, textOf, whole } from './exact.js'
import { identityOf, Likenesses, likenessOf } from './likeness.js'

/** How an aggregate is put together. */
export type Aggregate =
  | { readonly _tag: 'Count' | 'Sum' | 'Total' | 'Least' | 'Greatest' | 'All' | 'Any'; readonly parts: Parts }
  | { readonly _tag: 'Mean'; readonly parts: readonly [sum: OperationNode, count: OperationNode] }
  | { readonly _tag: 'DistinctCount' | 'DistinctSum' | 'DistinctMean'; readonly argument: OperationNode }

/** What each shard is asked for. */
type Parts = readonly [OperationNode]

const tags = {
  count: 'Count',
  sum: 'Sum',
  total: 'Total',
  min: 'Least',
  max: 'Greatest',
  bool_and: 'All',
  every: 'All',
  bool_or: 'Any',
} as const

const distinctTags = { count: 'DistinctCount', sum: 'DistinctSum', avg: 'DistinctMean' } as const

/**
 * How a call is put together, or why it cannot be.
 *
 * @category constructors
 */
export const aggregateOf = (call: AggregateCall): Either<string, Aggregate> => {
  const { name, node } = call
  const given = AggregateFunctionNode.is(node) ? node.aggregated : node.arguments
  const argument = given[0]
  const isOrdered = AggregateFunctionNode.is(node) && (node.orderBy !== undefined || node.withinGroup !== undefined)
  if (isOrdered || given.length > 1) return left(notPutTogether(call))
  const isDistinct = AggregateFunctionNode.is(node) && node.distinct === true
  if (isDistinct && argument !== undefined && name in distinctTags) {
    return AggregateFunctionNode.is(node) && node.filter !== undefined
      ? left(
          `the ${called(call)} of distinct values has a FILTER, which is not put together from several shards; say it in where`,
        )
      : right({ _tag: distinctTags[name as keyof typeof distinctTags], argument })
  }
  if (name === 'avg') return right({ _tag: 'Mean', parts: [renamed(node, 'sum'), renamed(node, 'count')] })
  return name in tags ? right({ _tag: tags[name as keyof typeof tags], parts: [node] }) : left(notPutTogether(call))
}

const notPutTogether = (call: AggregateCall): string =>
  `the ${called(call)} is not put together from those of several shards; ask for the rows themselves, or group by what decides their shard`

const renamed = (node: AggregateCall['node'], func: string): AggregateFunctionNode | FunctionNode =>
  FunctionNode.is(node) ? FunctionNode.create(func, node.arguments) : Object.freeze({ ...node, func })

/** Of what values an aggregate is. */
export interface Operand {
  /** How drivers spell them; null where nobody knows. */
  readonly kind: ColumnKind | null
  /** Whether they are those of a column. */
  readonly isColumn: boolean
  /** What the shards' databases tell of texts. */
  readonly comparisons: ReadonlyArray<TextComparison>
}

/** An aggregate under way: of one group, over the shards. */
export interface Running {
  /** Takes what one shard has for its parts; why it cannot, or null. */
  readonly add: (parts: ReadonlyArray<unknown>, dialect: Dialect) => string | null
  /** A `Numeric`, a portable value, or null. */
  readonly result: () => unknown
}

/**
 * Starts an aggregate for one group.
 *
 * @category constructors
 */
export const running = (aggregate: Aggregate, operand: Operand): Running => {
  switch (aggregate._tag) {
    case 'Count':
    case 'Sum':
    case 'Total':
      return new RunningSum(operand, aggregate._tag === 'Sum' ? null : whole(0))
    case 'Mean':
      return new RunningMean(operand)
    case 'Least':
    case 'Greatest':
      return new RunningExtreme(operand, aggregate._tag === 'Least')
    case 'All':
    case 'Any':
      return new RunningTruth(aggregate._tag === 'Any')
    case 'DistinctCount':
    case 'DistinctSum':
    case 'DistinctMean':
      return new RunningDistinct(aggregate._tag, operand)
  }
}

class RunningSum implements Running {
  readonly #operand: Operand
  readonly #ofNothing: Numeric | null
  #sum: Sum | null = null

  constructor(operand: Operand, ofNothing: Numeric | null) {
    this.#operand = operand
    this.#ofNothing = ofNothing
  }

  add([part]: ReadonlyArray<unknown>, dialect: Dialect): string | null {
    if (part === null || part === undefined) return null
    const numeric = addend(part, this.#operand, dialect)
    if (numeric === null) return noSum(dialect)
    this.#sum ??= new Sum()
    this.#sum.add(numeric)
    return null
  }

  result(): unknown {
    return this.#sum === null ? this.#ofNothing : this.#sum.value
  }
}

const noSum = ({ name }: Dialect): string =>
  `a sum of it is no number on ${name}${name === 'sqlite' ? ', which keeps decimals as text' : ''}; ask for the rows themselves`

/** A partial sum: exact where the database computes exactly. */
const addend = (part: unknown, { kind, isColumn }: Operand, { name }: Dialect): Numeric | null => {
  if (kind === 'decimal' && name === 'sqlite') return null
  // a double with nothing behind the point is one all the same
  const isDouble = typeof part === 'number' && (kind === 'real' || !isColumn) && name !== 'sqlite'
  return isDouble ? (part as number) : numericOf(part)
}

class RunningMean implements Running {
  readonly #sum: RunningSum
  readonly #count = new Sum()
  #dialect: Dialect | null = null

  constructor(operand: Operand) {
    this.#sum = new RunningSum(operand, null)
  }

  add([sum, count]: ReadonlyArray<unknown>, dialect: Dialect): string | null {
    this.#dialect ??= dialect
    this.#count.add(numericOf(count) ?? 0)
    return this.#sum.add([sum], dialect)
  }

  result(): unknown {
    const sum = this.#sum.result() as Numeric | null
    const count = this.#count.value
    return sum === null || typeof count === 'number' || this.#dialect === null
      ? null
      : mean(sum, count, this.#dialect.name)
  }
}

class RunningExtreme implements Running {
  readonly #operand: Operand
  readonly #isLeast: boolean
  #best: unknown = null

  constructor(operand: Operand, isLeast: boolean) {
    this.#operand = operand
    this.#isLeast = isLeast
  }

  add([part]: ReadonlyArray<unknown>): string | null {
    if (part === null || part === undefined) return null
    if (this.#best === null) {
      this.#best = part
      return null
    }
    const order = compareAs(part, this.#best, this.#operand)
    if (order === null) {
      return `which of two values is the ${this.#isLeast ? 'least' : 'greatest'} only their database tells (its collation orders texts); ask for the rows in that order, with a limit of 1`
    }
    if (order !== 0 && order < 0 === this.#isLeast) this.#best = part
    return null
  }

  result(): unknown {
    return this.#best
  }
}

/** Kinds whose portable texts sort as they do, on every database. */
const sortable: ReadonlySet<ColumnKind | null> = new Set(['timestamp', 'date', 'uuid'])

/**
 * How two portable values compare, neither of them NULL; null where only their database tells.
 *
 * @category combinators
 */
export const compareAs = (a: unknown, b: unknown, { kind, comparisons }: Operand): number | null => {
  if (kind === 'json' || kind === 'array') return identityOf(a, kind) === identityOf(b, kind) ? 0 : null
  if (kind === 'decimal' || typeof a === 'number' || typeof a === 'bigint') {
    const [x, y] = [numericOf(a), numericOf(b)]
    return x === null || y === null ? null : compareNumeric(x, y)
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  if (typeof a !== 'string' || typeof b !== 'string') return null
  if (a === b) return 0
  return sortable.has(kind) || comparisons.every((comparison) => comparison === 'code points')
    ? compareText(a, b)
    : null
}

class RunningTruth implements Running {
  readonly #decides: boolean
  #value: boolean | null = null

  constructor(decides: boolean) {
    this.#decides = decides
  }

  add([part]: ReadonlyArray<unknown>): string | null {
    if (typeof part === 'boolean') this.#value = this.#value === this.#decides ? this.#decides : part
    return null
  }

  result(): unknown {
    return this.#value
  }
}

class RunningDistinct implements Running {
  readonly #tag: 'DistinctCount' | 'DistinctSum' | 'DistinctMean'
  readonly #operand: Operand
  readonly #likenesses: Likenesses
  readonly #met = new Map<string, unknown>()
  #dialect: Dialect | null = null

  constructor(tag: 'DistinctCount' | 'DistinctSum' | 'DistinctMean', operand: Operand) {
    this.#tag = tag
    this.#operand = operand
    this.#likenesses = new Likenesses(likenessOf(operand.kind, operand.comparisons))
  }

  add([value]: ReadonlyArray<unknown>, dialect: Dialect): string | null {
    if (value === null || value === undefined) return null
    this.#dialect ??= dialect
    const identity = identityOf(value, this.#operand.kind)
    if (this.#met.has(identity)) return null
    const clash = this.#likenesses.clash(value)
    if (clash !== null) return mayBeOne(clash, value)
    this.#met.set(identity, value)
    return this.#tag === 'DistinctCount' || addend(value, this.#operand, dialect) !== null ? null : noSum(dialect)
  }

  result(): unknown {
    const count = whole(this.#met.size)
    if (this.#tag === 'DistinctCount') return count
    if (this.#met.size === 0 || this.#dialect === null) return null
    const sum = new Sum()
    for (const value of this.#met.values()) sum.add(addend(value, this.#operand, this.#dialect) ?? 0)
    return this.#tag === 'DistinctSum' ? sum.value : mean(sum.value, count, this.#dialect.name)
  }
}

/** Two texts of which only a collation knows whether they are one. */
export const mayBeOne = (a: unknown, b: unknown): string =>
  `whether ${JSON.stringify(a)} and ${JSON.stringify(b)} are the same only the collation of their database tells`

/**
 * What an aggregate gives, as drivers give values of a kind.
 *
 * @category combinators
 */
export const portable = (value: unknown, kind: ColumnKind | null): unknown => {
  if (!isNumeric(value)) return value
  if (kind === 'decimal') return decimalText(value)
  if (typeof value === 'number' || kind === 'real') return numberOf(value)
  const number = numberOf(value)
  if (value.scale > 0 || Number.isSafeInteger(number)) return number
  return kind === 'bigint' ? value.digits : String(value.digits)
}

const decimalText = (value: Numeric): unknown => {
  if (typeof value === 'number') return value
  const parsed = parseDecimal(textOf(value))
  return parsed._tag === 'Some' ? parsed.value : null
}

/** Is it what an aggregate of numbers gives? Portable values are never such records. */
export const isNumeric = (value: unknown): value is Numeric =>
  typeof value === 'number' ||
  (typeof value === 'object' && value !== null && typeof (value as { digits?: unknown }).digits === 'bigint')
