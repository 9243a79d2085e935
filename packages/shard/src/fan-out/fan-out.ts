/**
 * A query over several shards: what each of them is asked, and how their answers are put together.
 *
 * Each shard is asked for the rows up to the end of the window, LIMIT and OFFSET added up, in the order of the query;
 * the window itself is cut out of the merged rows. What would be wrong when it is done shard by shard is refused.
 */
import { type AnyQuery, type Dialect, type Mapping, pageAmongOthers, placeOf } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { LimitNode, type OperationNode, type SelectQueryNode, ValueNode } from 'kysely'
import { hiddenSelection, itemFor, type OrderTerm, orderTerm, pageCollation } from './order-term.js'
import { problemOf } from './problem.js'

/**
 * @category model
 */
export interface FanOut {
  /** In the order of the query's ORDER BY; none where shards follow each other. */
  readonly terms: ReadonlyArray<OrderTerm>
  readonly offset: number
  readonly limit: number | null
  /**
   * What a shard is asked; the same value each time, so that it is compiled once. `isLater`: it comes after the one where a
   * page starts.
   */
  readonly nodeFor: (dialect: Dialect['name'], isNullLow: boolean, isLater: boolean) => SelectQueryNode
  /** The shard that has the row after which the rows start; null where they start with the first. */
  readonly start: string | null
}

const known = new WeakMap<SelectQueryNode, Either<string, FanOut>>()

/**
 * How a query is spread, or why it cannot be. O(nodes) the first time, O(1) for the same tree again.
 *
 * @category constructors
 */
export const fanOutOf = (statement: AnyQuery): Either<string, FanOut> => {
  const { node } = statement
  const found = known.get(node)
  if (found !== undefined) return found
  const made = make(statement)
  known.set(node, made)
  return made
}

const make = (statement: AnyQuery): Either<string, FanOut> => {
  const { node } = statement
  const problem = problemOf(statement)
  if (problem !== null) return left(problem)
  const limit = count(node.limit?.limit)
  const offset = count(node.offset?.offset)
  if (limit === undefined || offset === undefined) return left('its limit or offset is no plain number; give numbers')
  const terms: OrderTerm[] = []
  for (const [index, item] of (node.orderBy?.items ?? []).entries()) {
    const term = orderTerm(statement, item, index)
    if (isLeft(term)) return term
    terms.push(term.right)
  }
  const isWhole = node.frontModifiers !== undefined || node.setOperations !== undefined || node.groupBy !== undefined
  if (isWhole && terms.some(({ hidden }) => hidden !== null)) {
    return left(
      'it is ordered by an expression, which DISTINCT, GROUP BY and UNION cannot select beside; order by attributes',
    )
  }
  const window = { offset: Math.max(offset ?? 0, 0), limit: limit === null || limit < 0 ? null : limit }
  const nodes = new Map<string, SelectQueryNode>()
  return right({
    ...window,
    terms,
    start: placeOf(node)?.shard ?? null,
    nodeFor: (dialect, isNullLow, isLater) => {
      const key = `${dialect} ${isNullLow} ${isLater}`
      const made = nodes.get(key) ?? rewrite(statement.entity.mapping, node, terms, window, dialect, isNullLow, isLater)
      nodes.set(key, made)
      return made
    },
  })
}

/** What stands where a number has to: null where nothing does, undefined where something else does. */
const count = (node: OperationNode | undefined): number | null | undefined => {
  if (node === undefined) return null
  const value = ValueNode.is(node) ? node.value : undefined
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

const rewrite = (
  mapping: Mapping,
  node: SelectQueryNode,
  terms: ReadonlyArray<OrderTerm>,
  { offset, limit }: Pick<FanOut, 'offset' | 'limit'>,
  dialect: Dialect['name'],
  isNullLow: boolean,
  isLater: boolean,
): SelectQueryNode => {
  const {
    limit: _limit,
    offset: _offset,
    orderBy,
    selections = [],
    ...rest
  } = pageAmongOthers(mapping, node, pageCollation(dialect), isLater)
  const hidden = terms.flatMap(hiddenSelection)
  return Object.freeze({
    ...rest,
    // the very list of the entity is known wherever it stands
    selections: hidden.length === 0 ? selections : [...selections, ...hidden],
    ...(orderBy === undefined
      ? {}
      : { orderBy: { ...orderBy, items: terms.map((term) => itemFor(term, dialect, isNullLow)) } }),
    ...(limit === null ? {} : { limit: LimitNode.create(ValueNode.create(offset + limit)) }),
  })
}
