/**
 * Counting the rows of a query over several shards.
 */
import type { AnyQuery } from '@unitary/core'
import type { CountRequest } from '@unitary/session'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { LimitNode, type SelectQueryNode, ValueNode } from 'kysely'
import { fanOutOf } from './fan-out.js'

/** What each shard is asked, and which part of all rows is counted. */
export interface CountOver {
  readonly asked: CountRequest
  readonly offset: number
  readonly limit: number
}

/** All rows. */
export const wholeWindow = { offset: 0, limit: Number.POSITIVE_INFINITY }

interface Spread {
  readonly node: SelectQueryNode
  readonly offset: number
  readonly limit: number | null
}

const known = new WeakMap<SelectQueryNode, Either<string, Spread>>()

/**
 * How a count is spread, or why it cannot be. Whether there are rows beyond an offset is told by counting them.
 *
 * @category constructors
 */
export const countOver = (request: CountRequest): Either<string, CountOver> => {
  const { purpose, statement } = request
  const spread = known.get(statement.node) ?? spreadOf(statement)
  known.set(statement.node, spread)
  if (isLeft(spread)) return spread
  const { limit, node, offset } = spread.right
  return right({
    asked: { ...request, statement: { ...statement, node }, purpose: offset === 0 ? purpose : 'count' },
    offset,
    limit: limit ?? wholeWindow.limit,
  })
}

const spreadOf = (statement: AnyQuery): Either<string, Spread> => {
  // the order says nothing of how many there are
  const { orderBy: _order, ...unordered } = statement.node
  const fanOut = fanOutOf({ ...statement, node: unordered })
  if (isLeft(fanOut)) return fanOut
  const { limit, offset } = fanOut.right
  const { limit: _limit, offset: _offset, ...all } = unordered
  const node = limit === null ? all : { ...all, limit: LimitNode.create(ValueNode.create(offset + limit)) }
  return right({ node, offset, limit })
}
