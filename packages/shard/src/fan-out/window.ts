/**
 * The window of a query's rows that LIMIT and OFFSET leave.
 */
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { type OperationNode, type SelectQueryNode, ValueNode } from 'kysely'

export interface Window {
  readonly offset: number
  readonly limit: number | null
}

/** The window of a query, or why nothing tells it. */
export const windowOf = (node: SelectQueryNode): Either<string, Window> => {
  const limit = count(node.limit?.limit)
  const offset = count(node.offset?.offset)
  return limit === undefined || offset === undefined
    ? left('its limit or offset is no plain number; give numbers')
    : right({ offset: Math.max(offset ?? 0, 0), limit: limit === null || limit < 0 ? null : limit })
}

/** What stands where a number has to: null where nothing does, undefined where something else does. */
const count = (node: OperationNode | undefined): number | null | undefined => {
  if (node === undefined) return null
  const value = ValueNode.is(node) ? node.value : undefined
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}
