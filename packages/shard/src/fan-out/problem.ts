/**
 * What cannot be asked of several shards each by itself, since their answers put together would not be that of the query.
 */
import type { AnyQuery, AnyRows } from '@unitary/core'
import { AliasNode, type OperationNode, SelectQueryNode } from 'kysely'
import { called, callIn, type RowsCall } from './calls.js'
import type { Decided } from './decided.js'

/** Why a query can be put together in no way, with the cure; null where it may. O(nodes). */
export const problemOf = (statement: AnyQuery): string | null => {
  const { node } = statement
  if (node.fetch !== undefined || node.top !== undefined) return 'FETCH and TOP are not merged; use limit'
  if (node.distinctOn !== undefined) return 'DISTINCT ON is not merged; use distinct'
  return problemOfSet(statement) ?? problemInside(node)
}

/** Why the rows of a query cannot be merged as shards give them; null where they can. O(nodes). */
export const problemOfRows = (statement: AnyQuery, decided: Decided): string | null => {
  const { entity, node } = statement
  if (node.groupBy !== undefined && !decided.areGroupsWhole) {
    return `a group may have rows on several shards; group by the key of ${entity.mapping.name} too`
  }
  if (node.groupBy === undefined && node.having !== undefined) return 'HAVING without GROUP BY is not merged; use where'
  return statement._tag === 'Select' ? null : problemOfWindows(statement, decided)
}

/** Window functions see the rows of one shard, which is all of them where the partitions are of one shard each. */
export const problemOfWindows = (statement: AnyRows, decided: Decided): string | null => {
  for (const { selection } of statement.node.selections ?? []) {
    const call = windowIn(selection, decided)
    if (call === null) continue
    const name = AliasNode.is(selection) && 'name' in selection.alias ? String(selection.alias.name) : ''
    const subject = statement.shape === 'record' ? `${name} is` : 'it asks for'
    const cure =
      call._tag === 'Window'
        ? `partition by the key of ${statement.entity.mapping.name} or by what decides its shard, or ask`
        : 'say it by the functions of the expression builder, or ask'
    return `${subject} the ${called(call)}, which would see the rows of one shard at a time; ${cure} for the rows themselves`
  }
  return null
}

const windowIn = (node: OperationNode, decided: Decided): RowsCall | null =>
  callIn(node, (call) => call._tag !== 'Aggregate' && !isPartitioned(call, decided))

const isPartitioned = (call: RowsCall, decided: Decided): boolean =>
  call._tag === 'Window' && decided.areWhole((call.node.over?.partitionBy?.items ?? []).map((item) => item.partitionBy))

/** Rows of two queries are told apart by their keys; values may repeat from shard to shard. */
const problemOfSet = (statement: AnyQuery): string | null => {
  if (statement._tag === 'Select' || statement.node.setOperations === undefined) return null
  const { entity, node, outputs } = statement
  if (outputs.some((output) => output._tag === 'Entity' && output.alias === null)) return null
  const found = node.setOperations?.find(({ all, operator }) => operator !== 'union' || !all)
  return found === undefined
    ? null
    : `${found.operator.toUpperCase()} of values would see those of one shard at a time; ask for the ${entity.name} beside, or say UNION ALL`
}

/** What a query selects from: a subquery whose rows are those of one shard at a time. */
const problemInside = (node: SelectQueryNode): string | null => {
  for (const from of node.from?.froms ?? []) {
    if (!AliasNode.is(from) || !SelectQueryNode.is(from.node)) continue
    const problem = problemOfSubquery(from.node)
    if (problem !== null) return problem
  }
  return null
}

const problemOfSubquery = (node: SelectQueryNode): string | null => {
  const clause =
    node.limit !== undefined || node.offset !== undefined || node.fetch !== undefined || node.top !== undefined
      ? 'a limit'
      : node.groupBy !== undefined || node.having !== undefined
        ? 'GROUP BY'
        : node.distinctOn !== undefined
          ? 'DISTINCT ON'
          : (node.selections ?? []).some((selection) => callIn(selection) !== null)
            ? 'an aggregate or window function'
            : null
  if (clause !== null) {
    return `it selects from a query with ${clause}, which would see the rows of one shard at a time; say it of the whole query instead`
  }
  const parts = [
    ...(node.setOperations ?? []).map(({ expression }) => expression),
    ...(node.with?.expressions ?? []).map(({ expression }) => expression),
  ]
  for (const part of parts) {
    const problem = SelectQueryNode.is(part) ? problemOfSubquery(part) : null
    if (problem !== null) return problem
  }
  return problemInside(node)
}
