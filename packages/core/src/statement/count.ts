/**
 * Queries asked for less than their rows: how many there are, and whether there are any.
 */
import {
  AggregateFunctionNode,
  AliasNode,
  IdentifierNode,
  LimitNode,
  type OperationNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  SelectQueryNode,
  ValueNode,
} from 'kysely'
import type { AnyQuery } from './rows.js'

/** Under which name the one row of `counting` has the number. @category model */
export const countColumn = 'unitary_count'

const counts = new WeakMap<SelectQueryNode, SelectQueryNode>()
const existences = new WeakMap<SelectQueryNode, SelectQueryNode>()

/**
 * `select count(*)`: how many rows a query gives, its limit and DISTINCT counted in. The same tree for the same query.
 *
 * @category combinators
 */
export const counting = (query: AnyQuery): SelectQueryNode => {
  const found = counts.get(query.node)
  if (found !== undefined) return found
  const count = selecting(AggregateFunctionNode.create('count', [SelectAllNode.create()]))
  const inner = unordered(query)
  const made =
    isPlain(query) && inner.limit === undefined && inner.offset === undefined
      ? { ...inner, selections: [count] }
      : SelectQueryNode.cloneWithSelections(around(query, inner), [count])
  counts.set(query.node, made)
  return made
}

/**
 * `select 1 ... limit 1`: a row where a query gives any. The same tree for the same query.
 *
 * @category combinators
 */
export const existing = (query: AnyQuery): SelectQueryNode => {
  const found = existences.get(query.node)
  if (found !== undefined) return found
  const inner = unordered(query)
  const selected =
    isPlain(query) && inner.limit === undefined
      ? { ...inner, selections: [one] }
      : SelectQueryNode.cloneWithSelections(around(query, inner), [one])
  const made = SelectQueryNode.cloneWithLimit(selected, LimitNode.create(ValueNode.createImmediate(1)))
  existences.set(query.node, made)
  return made
}

const selecting = (node: Parameters<typeof AliasNode.create>[0]): SelectionNode =>
  SelectionNode.create(AliasNode.create(node, IdentifierNode.create(countColumn)))

const one = selecting(ValueNode.createImmediate(1))

/** What is selected does not tell how many rows there are. */
const isPlain = ({ _tag, node }: AnyQuery): boolean =>
  _tag === 'Select' &&
  node.frontModifiers === undefined &&
  node.distinctOn === undefined &&
  node.groupBy === undefined &&
  node.having === undefined &&
  node.setOperations === undefined &&
  node.fetch === undefined &&
  node.top === undefined &&
  (node.selections ?? []).every(({ selection }) => isColumn(selection))

const isColumn = (node: OperationNode): boolean => (AliasNode.is(node) ? isColumn(node.node) : ReferenceNode.is(node))

/** The number of rows depends neither on their order nor on locks. */
const unordered = ({ node }: AnyQuery): SelectQueryNode => {
  const { orderBy, endModifiers: _locks, ...rest } = node
  return node.distinctOn === undefined || orderBy === undefined ? rest : { ...rest, orderBy }
}

const around = (query: AnyQuery, inner: SelectQueryNode): SelectQueryNode =>
  SelectQueryNode.createFrom([
    AliasNode.create(isPlain(query) ? { ...inner, selections: [one] } : inner, IdentifierNode.create('unitary_rows')),
  ])
