/**
 * Selections as a dialect's driver can be trusted with them.
 *
 * What a driver makes of some values depends on how the application has set it up, and may lose something: an integer of 64
 * bits becomes a double, a day the midnight of some time zone. Such columns are selected as text, under the same names. What
 * the rows mean stays as it was: an order goes by the column itself, not by its text, and where rows are told apart by what is
 * selected (DISTINCT, UNION) only what sorts alike as text is selected so, if the order names it.
 */
import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  type ReturningNode,
  type RootOperationNode,
  SelectionNode,
  SelectQueryNode,
  type SetOperationNode,
} from 'kysely'
import type { Dialect, Selected } from '../engine/dialect.js'
import { selectedAs, selectedColumn } from '../engine/selected-column.js'
import type { Mapping } from '../model/mapping.js'
import {
  catalogOf,
  columnOf,
  namedTable,
  outermost,
  type Scope,
  starred,
  tablesOf,
  withExpressions,
  within,
} from './scope.js'
import { mapChildren, mapList } from './tree.js'

/**
 * The tree of a statement whose rows are read, in the program's language as it was given; the very same tree where nothing
 * changes. O(selections and terms of the order).
 *
 * @category interpreters
 */
export const readable =
  (mappings: ReadonlyArray<Mapping>, dialect: Dialect) =>
  <Node extends RootOperationNode>(node: Node): Node => {
    const outside = outermost(catalogOf(mappings))
    const any: RootOperationNode = node
    switch (any.kind) {
      case 'SelectQueryNode': {
        const scope = within(withExpressions(outside, any.with?.expressions ?? []), tablesOf(any))
        return select(scope, any, dialect) as RootOperationNode as Node
      }
      case 'UpdateQueryNode':
      case 'DeleteQueryNode': {
        if (any.returning === undefined) return node
        const scope = within(withExpressions(outside, any.with?.expressions ?? []), tablesOf(any))
        return withReturning(scope, any, any.returning, dialect) as RootOperationNode as Node
      }
      case 'InsertQueryNode':
        return any.returning === undefined || any.into === undefined
          ? node
          : (withReturning(within(outside, [any.into]), any, any.returning, dialect) as RootOperationNode as Node)
      default:
        return node
    }
  }

/** A selection of a single column, under its name in the result. */
interface Output {
  readonly node: SelectionNode
  readonly name: string
  readonly expression: OperationNode
  /** How it is selected, if not as it is. */
  readonly as: Selected | null
}

const outputsOf = (
  scope: Scope,
  selections: ReadonlyArray<SelectionNode>,
  dialect: Dialect,
): ReadonlyArray<Output | SelectionNode> => {
  const outputs = selections.map((node) => outputOf(scope, node, dialect) ?? node)
  if (outputs.every((output) => 'as' in output || starred(scope, output.selection) === null)) return outputs
  return outputs.flatMap((output) => ('as' in output ? [output] : speltOut(scope, output, dialect)))
}

const outputOf = (scope: Scope, node: SelectionNode, dialect: Dialect): Output | null => {
  const { selection } = node
  const isNamed = AliasNode.is(selection) && IdentifierNode.is(selection.alias)
  const expression = isNamed ? selection.node : selection
  if (!ReferenceNode.is(expression) || !ColumnNode.is(expression.column)) return null
  const name = isNamed ? (selection.alias as IdentifierNode).name : expression.column.column.name
  const column = columnOf(scope, expression)
  return { node, name, expression, as: column === null ? null : dialect.selectedAs(column.attribute.column.kind) }
}

/** The columns that `*` stands for one by one, where one of them is to be selected otherwise. */
const speltOut = (scope: Scope, node: SelectionNode, dialect: Dialect): ReadonlyArray<Output | SelectionNode> => {
  const sources = starred(scope, node.selection)
  if (sources === null || sources.some(({ isOpen }) => isOpen)) return [node]
  const spelt = sources.flatMap((source) =>
    [...source.columns.keys()].flatMap((name) => {
      const reference = ReferenceNode.create(ColumnNode.create(name), namedTable(source.name))
      return outputOf(scope, SelectionNode.create(reference), dialect) ?? []
    }),
  )
  return spelt.some(({ as }) => as !== null) ? spelt : [node]
}

const written = (output: Output | SelectionNode): SelectionNode =>
  'as' in output
    ? output.as === null
      ? output.node
      : selectedColumn(output.as, output.expression, output.name)
    : output

const withReturning = <Node extends OperationNode & { readonly returning?: ReturningNode }>(
  scope: Scope,
  node: Node,
  { selections }: ReturningNode,
  dialect: Dialect,
): Node => {
  const outputs = outputsOf(scope, selections, dialect)
  return outputs.every((output) => !('as' in output) || output.as === null)
    ? node
    : { ...node, returning: { ...node.returning, selections: outputs.map(written) } }
}

const select = (scope: Scope, node: SelectQueryNode, dialect: Dialect): SelectQueryNode => {
  const found = outputsOf(scope, node.selections ?? [], dialect)
  if (found.every((output) => !('as' in output) || output.as === null)) return node
  if (node.setOperations !== undefined) return union(node, node.setOperations, found)
  const isDistinct = node.frontModifiers?.some(({ modifier }) => modifier === 'Distinct') === true
  const items = (node.orderBy?.items ?? []).map(({ orderBy }) => orderBy)
  const outputs = found.map((output) =>
    'as' in output && isDistinct && output.as?.sorts === false && items.some((item) => isSame(item, output))
      ? { ...output, as: null }
      : output,
  )
  return {
    ...node,
    selections: outputs.map(written),
    ...ordered(node, (item) => {
      const output = outputs.find((one): one is Output => 'as' in one && one.as !== null && isSame(item, one))
      // among distinct rows an order has to be one of what is selected
      return output === undefined ? item : isDistinct ? named(output.name) : output.expression
    }),
  }
}

const ordered = (node: SelectQueryNode, change: (item: OperationNode) => OperationNode): Partial<SelectQueryNode> =>
  node.orderBy === undefined
    ? {}
    : {
        orderBy: mapChildren(node.orderBy, (item) =>
          mapChildren(item, (child, property) => (property === 'orderBy' ? change(child) : child)),
        ),
      }

const named = (name: string): ReferenceNode => ReferenceNode.create(ColumnNode.create(name))

/** Is a term of the order the column that is selected, by its name in the result or by its own? */
const isSame = (item: OperationNode, output: Output): boolean => {
  if (ParensNode.is(item)) return isSame(item.node, output)
  const { expression, name } = output
  if (!ReferenceNode.is(item) || !ColumnNode.is(item.column)) return false
  if (item.table === undefined && item.column.column.name === name) return true
  if (!ReferenceNode.is(expression) || !ColumnNode.is(expression.column)) return false
  const one = item.table?.table.identifier.name
  const other = expression.table?.table.identifier.name
  if (item.column.column.name !== expression.column.column.name) return false
  return one === other || (one === undefined) !== (other === undefined)
}

/** All queries of a compound select their n-th column alike, or none does. */
const union = (
  node: SelectQueryNode,
  operations: ReadonlyArray<SetOperationNode>,
  found: ReadonlyArray<Output | SelectionNode>,
): SelectQueryNode => {
  const queries = operations.map(({ expression }) => expression)
  const isPlain = queries.every(
    (query) =>
      SelectQueryNode.is(query) &&
      query.setOperations === undefined &&
      query.selections?.length === node.selections?.length &&
      query.selections?.every(({ selection }) => isOne(selection)),
  )
  if (!isPlain || found.length !== node.selections?.length) return node
  const items = (node.orderBy?.items ?? []).map(({ orderBy }) => orderBy)
  const casts = found.map((output) =>
    'as' in output && output.as !== null && (output.as.sorts || !items.some((item) => isSame(item, output)))
      ? output
      : null,
  )
  const alike = (selections: ReadonlyArray<SelectionNode>): ReadonlyArray<SelectionNode> =>
    mapList(selections, (selection, i) => {
      const output = casts[i]
      return output === null || output === undefined ? selection : wrapped(output, selection)
    })
  return {
    ...node,
    selections: alike(node.selections),
    setOperations: operations.map((operation) => {
      const query = operation.expression as SelectQueryNode
      return { ...operation, expression: { ...query, selections: alike(query.selections ?? []) } }
    }),
  }
}

const isOne = (selection: OperationNode): boolean =>
  !(ReferenceNode.is(selection) && !ColumnNode.is(selection.column)) && selection.kind !== 'SelectAllNode'

const wrapped = ({ as, name }: Output, { selection }: SelectionNode): SelectionNode => {
  const expression = AliasNode.is(selection) ? selection.node : selection
  return as === null
    ? SelectionNode.create(expression as never)
    : SelectionNode.create(AliasNode.create(selectedAs(as, expression), IdentifierNode.create(name)))
}
