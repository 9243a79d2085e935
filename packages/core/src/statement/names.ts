/**
 * Names of columns, from the program's to the table's, and back in the rows: a column whose name is not its attribute's
 * is selected under the attribute's.
 */
import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
} from 'kysely'
import { isDerived, isOwnTable, lastPart } from '../model/parts.js'
import { find, starred } from './find.js'
import { type Column, isOwnSource, namedTable, type Scope, type Source, tableName } from './source.js'
import { mapChange, mapChildren } from './tree.js'

/** A reference by the column's name. */
export const reference = (scope: Scope, node: ReferenceNode): ReferenceNode => {
  const found = find(scope, node)
  if (found === null) return node
  const named = mapChange(node, 'column', (name) => columnNode(name as ColumnNode, found.column))
  // beside the table of a joined subtype a name alone may be ambiguous
  const needsTable = node.table === undefined && scope.sources.some(isOwnSource)
  return mapChange(named, 'table', (table) =>
    needsTable ? namedTable(found.source.name) : tableOf(table, found.source),
  )
}

/** The table by the name that the query has for it: a subquery in its place has an alias, and aliases have no schema. */
const tableOf = (table: TableNode | undefined, { mapping, name }: Source): TableNode | undefined => {
  if (table === undefined) return table
  if (mapping !== null && isOwnTable(name)) return namedTable(lastPart(mapping).table)
  const isAlias = table.table.schema !== undefined && (mapping === null || isDerived(mapping))
  if (tableName(table) === name) return isAlias ? TableNode.create(name) : table
  return isAlias ? TableNode.create(name) : namedTable(name)
}

/** The name of a column, where the tree says which; as it is where no attribute is known. */
export const columnNode = (node: ColumnNode, column: Column | null | undefined): ColumnNode =>
  column === null || column === undefined || column.columnName === node.column.name
    ? node
    : ColumnNode.create(column.columnName)

export type Selections = ReadonlyArray<SelectionNode>

/**
 * Selections, or what is returned, by the columns' names: a column of another name gets an alias, and `*` is spelt out
 * where it holds one. `translate` is for the expressions among them.
 */
export const selections = (
  scope: Scope,
  nodes: Selections,
  translate: (node: OperationNode, index: number) => OperationNode,
): Selections => {
  const lists = nodes.map((node, i) => selectionsOf(scope, node, (child) => translate(child, i)))
  return lists.every((list, i) => list.length === 1 && list[0] === nodes[i]) ? nodes : Object.freeze(lists.flat())
}

const selectionsOf = (
  scope: Scope,
  node: SelectionNode,
  translate: (node: OperationNode) => OperationNode,
): Selections => {
  const { selection } = node
  const stars = starred(scope, selection)
  if (stars !== null) return stars.some(isRenamed) ? stars.flatMap((source) => spelt(source, translate)) : [node]
  if (ReferenceNode.is(selection) && ColumnNode.is(selection.column)) {
    const resolved = translate(selection)
    return resolved === selection ? [node] : [aliased(resolved, selection.column.column.name)]
  }
  return [mapChildren(node, translate)]
}

const aliased = (node: OperationNode, name: string): SelectionNode =>
  SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)))

const isRenamed = (source: Source): boolean =>
  [...source.columns].some(
    ([name, column]) => column !== null && (column.isComputed === true || column.columnName !== name),
  )

const spelt = (source: Source, translate: (node: OperationNode) => OperationNode): Selections => {
  const table = namedTable(source.name)
  if (!isRenamed(source)) return [SelectionNode.createSelectAllFromTable(table)]
  return [...source.columns].map(([name, column]) => {
    if (column?.isComputed === true)
      return aliased(translate(ReferenceNode.create(ColumnNode.create(name), table)), name)
    const node = ReferenceNode.create(ColumnNode.create(column?.columnName ?? name), table)
    return column === null || column.columnName === name ? SelectionNode.create(node) : aliased(node, name)
  })
}

/**
 * Names of a result that ORDER BY takes for themselves rather than for the column: those that an expression was given,
 * and all where the result is of several queries.
 */
export const outputNames = (node: SelectQueryNode): ReadonlySet<string> =>
  new Set(
    (node.selections ?? []).flatMap(({ selection }) =>
      AliasNode.is(selection) && IdentifierNode.is(selection.alias)
        ? [selection.alias.name]
        : node.setOperations !== undefined && ReferenceNode.is(selection) && ColumnNode.is(selection.column)
          ? [selection.column.column.name]
          : [],
    ),
  )

/** Whether a term of ORDER BY is such a name. */
export const isOutput = (node: OperationNode, outputs: ReadonlySet<string>): boolean =>
  ReferenceNode.is(node) &&
  node.table === undefined &&
  ColumnNode.is(node.column) &&
  outputs.has(node.column.column.name)
