/**
 * A query over several shards: what each of them is asked, and how their answers are put together.
 *
 * Each shard is asked for rows from the first on, up to the end of the window (LIMIT and OFFSET added up) at the most, in the
 * order of the query; the window itself is cut out of the merged rows. What would be wrong when it is done shard by shard is refused.
 */
import { type AnyQuery, type Dialect, type Mapping, pageAmongOthers, placeOf } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { LimitNode, type SelectQueryNode, ValueNode } from 'kysely'
import { hiddenSelection, itemFor, type OrderTerm, orderTerm, pageCollation } from './order-term.js'
import { type Window, windowOf } from './window.js'

/**
 * @category model
 */
export interface FanOut extends Window {
  /** In the order of the query's ORDER BY; none where shards follow each other. */
  readonly terms: ReadonlyArray<OrderTerm>
  /**
   * What a shard is asked; the same value each time, so that it is compiled once. `isLater`: it comes after the one where a
   * page starts. `rows`: how many it is to give at the most, null for all up to the end of the window.
   */
  readonly nodeFor: (
    dialect: Dialect['name'],
    isNullLow: boolean,
    isLater: boolean,
    rows: number | null,
  ) => SelectQueryNode
  /** The shard that has the row after which the rows start; null where they start with the first. */
  readonly start: string | null
}

/**
 * How the rows of a query are merged, or why they cannot be. O(nodes).
 *
 * @category constructors
 */
export const fanOutOf = (statement: AnyQuery): Either<string, FanOut> => {
  const { node } = statement
  const window = windowOf(node)
  if (isLeft(window)) return window
  const terms: OrderTerm[] = []
  for (const [index, item] of (node.orderBy?.items ?? []).entries()) {
    const term = orderTerm(statement, item, index)
    if (isLeft(term)) return term
    terms.push(term.right)
  }
  const isWhole = node.frontModifiers !== undefined || node.setOperations !== undefined
  if (isWhole && terms.some(({ hidden }) => hidden !== null)) {
    return left('it is ordered by an expression, which DISTINCT and UNION cannot select beside; order by attributes')
  }
  const nodes = new Map<string, SelectQueryNode>()
  return right({
    ...window.right,
    terms,
    start: placeOf(node)?.shard ?? null,
    nodeFor: (dialect, isNullLow, isLater, rows) => {
      const key = `${dialect} ${isNullLow} ${isLater} ${rows}`
      const most = rows ?? endOf(window.right)
      const made = nodes.get(key) ?? rewrite(statement.entity.mapping, node, terms, most, dialect, isNullLow, isLater)
      nodes.set(key, made)
      return made
    },
  })
}

const endOf = ({ limit, offset }: Window): number | null => (limit === null ? null : offset + limit)

const rewrite = (
  mapping: Mapping,
  node: SelectQueryNode,
  terms: ReadonlyArray<OrderTerm>,
  most: number | null,
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
    ...(most === null ? {} : { limit: LimitNode.create(ValueNode.create(most)) }),
  })
}
