/**
 * Counting the rows of a query over several shards.
 */
import type { AnyQuery, TextComparison } from '@unitary/core'
import type { CountRequest } from '@unitary/session'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { LimitNode, type SelectQueryNode, ValueNode } from 'kysely'
import type { Choosers } from '../chooser/chooser.js'
import type { Recombination } from './recombination.js'
import { spreadOf } from './spread.js'
import type { Window } from './window.js'

/** What each shard is asked, and which part of all rows is counted; or the query whose rows have to be put together first. */
export type CountOver =
  | { readonly _tag: 'Counted'; readonly asked: CountRequest; readonly window: Window }
  | { readonly _tag: 'Recombined'; readonly recombination: Recombination }

const unordered = new WeakMap<SelectQueryNode, SelectQueryNode>()
const cut = new WeakMap<SelectQueryNode, SelectQueryNode>()

/**
 * How a count is spread, or why it cannot be. Whether there are rows beyond an offset is told by counting them.
 *
 * @category constructors
 */
export const countOver = (
  request: CountRequest,
  choosers: Choosers,
  comparisons: ReadonlyArray<TextComparison>,
): Either<string, CountOver> => {
  const { purpose, statement } = request
  const spread = spreadOf({ ...statement, node: withoutOrder(statement) }, choosers, comparisons)
  if (isLeft(spread)) return spread
  if (spread.right._tag === 'Recombined') return spread as Either<never, CountOver>
  const { fanOut } = spread.right
  const window = { limit: fanOut.limit, offset: fanOut.offset }
  return right({
    _tag: 'Counted',
    asked: {
      ...request,
      statement: { ...statement, node: upToEnd(statement, window) },
      purpose: window.offset === 0 ? purpose : 'count',
    },
    window,
  })
}

/** The order says nothing of how many there are. The same tree for the same query. */
const withoutOrder = ({ node }: AnyQuery): SelectQueryNode => {
  const known = unordered.get(node)
  if (known !== undefined) return known
  const { orderBy: _order, ...made } = node
  unordered.set(node, made)
  return made
}

const upToEnd = (statement: AnyQuery, { limit, offset }: Window): SelectQueryNode => {
  const { node } = statement
  const known = cut.get(node)
  if (known !== undefined) return known
  const { limit: _limit, offset: _offset, ...all } = withoutOrder(statement)
  const made = limit === null ? all : { ...all, limit: LimitNode.create(ValueNode.create(offset + limit)) }
  cut.set(node, made)
  return made
}
