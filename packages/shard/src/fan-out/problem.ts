/**
 * What cannot be asked of several shards each by itself, since their answers put together would not be that of the query.
 */
import { type AnyQuery, type AnyRows, mapChildren } from '@unitary/core'
import { AggregateFunctionNode, AliasNode, type OperationNode, SelectQueryNode } from 'kysely'
import { attributeIn } from './order-term.js'

/** Why a query cannot be spread over shards, with the cure; null where it can. O(nodes). */
export const problemOf = (statement: AnyQuery): string | null => {
  const { node } = statement
  if (node.fetch !== undefined || node.top !== undefined) return 'FETCH and TOP are not merged; use limit'
  if (node.distinctOn !== undefined) return 'DISTINCT ON is not merged; use distinct'
  return problemOfGroups(statement) ?? problemOfOutputs(statement) ?? problemInside(node)
}

const problemOfGroups = ({ entity, node }: AnyQuery): string | null => {
  const { mapping } = entity
  if (node.groupBy === undefined) {
    return node.having === undefined ? null : 'HAVING without GROUP BY is not merged; use where'
  }
  const grouped = node.groupBy.items.map(({ groupBy }) => attributeIn(mapping, groupBy))
  return mapping.key.every((attribute) => grouped.includes(attribute))
    ? null
    : `a group may have rows on several shards; group by the key of ${mapping.name} too`
}

const problemOfOutputs = (statement: AnyQuery): string | null => {
  if (statement._tag === 'Select') return null
  const { entity, node, outputs } = statement
  for (const { name, column } of valuesOf(statement)) {
    const call = callIn(node, column)
    if (call === null || (node.groupBy !== undefined && call.over === undefined)) continue
    const what = call.over === undefined ? 'aggregate' : 'window function'
    return `${statement.shape === 'record' ? `${name} is` : 'it asks for'} the ${what} ${call.func}, which would see the rows of one shard at a time; ask for the rows themselves (or for Session.count)`
  }
  const isDistinct = node.frontModifiers !== undefined
  return isDistinct && !outputs.some((output) => output._tag === 'Entity' && output.alias === null)
    ? `DISTINCT would leave out what repeats on one shard only; ask for the ${entity.name} beside`
    : null
}

const valuesOf = ({ outputs }: AnyRows) => outputs.flatMap((output) => (output._tag === 'Value' ? [output] : []))

/** A call of an aggregate or window function in what is selected under a name, but for subqueries. */
const callIn = ({ selections = [] }: SelectQueryNode, name: string): AggregateFunctionNode | null => {
  for (const { selection } of selections) {
    if (AliasNode.is(selection) && 'name' in selection.alias && selection.alias.name === name) return callOf(selection)
  }
  return null
}

const callOf = (node: OperationNode): AggregateFunctionNode | null => {
  if (AggregateFunctionNode.is(node)) return node
  if (SelectQueryNode.is(node)) return null
  let found: AggregateFunctionNode | null = null
  mapChildren(node, (child) => {
    found ??= callOf(child)
    return child
  })
  return found
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
          : (node.selections ?? []).some((selection) => callOf(selection) !== null)
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
