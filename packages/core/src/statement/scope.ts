/**
 * What names mean inside a tree: which tables a query reads, under which names, with which columns.
 *
 * A scope is one query's sources, inside the scope of the query around it. Names are the program's, so a scope is
 * always made from a tree that is not yet translated.
 */
import {
  AggregateFunctionNode,
  AliasNode,
  CaseNode,
  ColumnNode,
  type CommonTableExpressionNameNode,
  type CommonTableExpressionNode,
  type DeleteQueryNode,
  FunctionNode,
  IdentifierNode,
  type InsertQueryNode,
  ListNode,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  type SelectionNode,
  SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
} from 'kysely'
import { isOwnTable } from '../model/parts.js'
import { find, referred, starred } from './find.js'
import {
  type Column,
  type Computed,
  ownSourceOf,
  type Scope,
  type Source,
  sourceOf,
  tableName,
  unknownSource,
} from './source.js'

/** The column that a query's output has of one that it selects. */
const given = (column: Column | null, columnName: string): Column | null =>
  column && { mapping: column.mapping, attribute: column.attribute, columnName }

/** The scope inside a query: its sources, and those of the queries around it. */
export const within = (parent: Scope, tables: ReadonlyArray<OperationNode>): Scope => {
  const sources: Source[] = []
  // the list grows while it is read: a lateral subquery sees the sources before it
  const scope: Scope = { catalog: parent.catalog, sources, expressions: new Map(), parent }
  for (const table of tables) sources.push(...sourcesIn(scope, table))
  return scope
}

const sourcesIn = (scope: Scope, node: OperationNode): ReadonlyArray<Source> => {
  if (ListNode.is(node)) return node.items.flatMap((item) => sourcesIn(scope, item))
  if (TableNode.is(node)) return [tableSource(scope, node, tableName(node))]
  if (!AliasNode.is(node)) return [unknownSource('')]
  const name = IdentifierNode.is(node.alias) ? node.alias.name : ''
  if (TableNode.is(node.node)) return [tableSource(scope, node.node, name)]
  if (SelectQueryNode.is(node.node)) return [outputOf(scope, node.node, name)]
  return [textSource(scope, name)]
}

/** Raw text under the name of an entity's table gives what that has, under the names of the table's columns. */
const textSource = (scope: Scope, name: string): Source => {
  const mapping = scope.catalog.get(name)
  return mapping === undefined ? unknownSource(name) : { ...sourceOf(mapping, name), mapping: null, isOpen: true }
}

const tableSource = (scope: Scope, node: TableNode, name: string): Source => {
  const table = tableName(node)
  const expression = expressionNamed(scope, table)
  if (expression !== undefined) return { ...expression, name }
  const mapping = scope.catalog.get(table)
  if (mapping === undefined) return unknownSource(name)
  return isOwnTable(table) ? ownSourceOf(mapping, name) : sourceOf(mapping, name)
}

const expressionNamed = (scope: Scope, table: string): Source | undefined => {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const expression = at.expressions.get(table)
    if (expression !== undefined) return expression
  }
  return undefined
}

/** Is a table of the name a CTE? */
export const isExpression = (scope: Scope, table: string): boolean => expressionNamed(scope, table) !== undefined

/** The tables that a query reads or writes, in order. */
export const tablesOf = (node: SelectQueryNode | UpdateQueryNode | DeleteQueryNode): ReadonlyArray<OperationNode> => {
  const joined = (node.joins ?? []).map((join) => join.table)
  switch (node.kind) {
    case 'SelectQueryNode':
      return [...(node.from?.froms ?? []), ...joined]
    case 'UpdateQueryNode':
      return [...(node.table === undefined ? [] : [node.table]), ...(node.from?.froms ?? []), ...joined]
    case 'DeleteQueryNode':
      return [...node.from.froms, ...(node.using?.tables ?? []), ...joined]
  }
}

/** What a subquery gives, as a source. */
export const outputOf = (parent: Scope, query: SelectQueryNode, name: string): Source =>
  selected(within(withExpressions(parent, query.with?.expressions ?? []), tablesOf(query)), query.selections, name)

const selected = (scope: Scope, selections: ReadonlyArray<SelectionNode> | undefined, name: string): Source => {
  const columns = new Map<string, Column | null>()
  const computed = new Map<string, Computed>()
  let isOpen = selections === undefined
  for (const { selection } of selections ?? []) {
    const stars = starred(scope, selection)
    if (stars !== null) {
      for (const source of stars) {
        for (const [name, column] of source.columns) columns.set(name, given(column, name))
        for (const [name, at] of source.computed) computed.set(name, at)
        isOpen ||= source.isOpen
      }
    } else if (ReferenceNode.is(selection) && ColumnNode.is(selection.column)) {
      const output = selection.column.column.name
      const column = columnOf(scope, selection)
      columns.set(output, given(column, output))
      if (column === null) computed.set(output, { scope, node: selection })
    } else if (AliasNode.is(selection) && IdentifierNode.is(selection.alias)) {
      const output = selection.alias.name
      const column = columnOf(scope, selection.node)
      columns.set(output, given(column, output))
      if (column === null) computed.set(output, { scope, node: selection.node })
    } else {
      isOpen = true
    }
  }
  return { name, mapping: null, columns, computed, isOpen }
}

/** A scope that knows some CTEs, each of which may read those before it. */
export const withExpressions = (parent: Scope, nodes: ReadonlyArray<CommonTableExpressionNode>): Scope => {
  if (nodes.length === 0) return parent
  const expressions = new Map<string, Source>()
  const scope: Scope = { catalog: parent.catalog, sources: [], expressions, parent }
  for (const { name, expression } of nodes) {
    const table = tableName(name.table)
    const output = SelectQueryNode.is(expression)
      ? outputOf(scope, expression, table)
      : returned(scope, expression, table)
    expressions.set(table, named(output, name))
  }
  return scope
}

/** What an INSERT, UPDATE or DELETE in a CTE gives back. */
const returned = (parent: Scope, node: OperationNode, name: string): Source => {
  const query = node as UpdateQueryNode | DeleteQueryNode | InsertQueryNode
  switch (query.kind) {
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
      return selected(within(parent, tablesOf(query)), query.returning?.selections, name)
    case 'InsertQueryNode':
      return selected(within(parent, query.into === undefined ? [] : [query.into]), query.returning?.selections, name)
    default:
      return unknownSource(name)
  }
}

/** `with name (a, b) as ...` names the columns anew. */
const named = (source: Source, name: CommonTableExpressionNameNode): Source => {
  if (name.columns === undefined) return source
  const outputs = [...source.columns.values()]
  const names = [...source.columns.keys()]
  return {
    ...source,
    isOpen: false,
    computed: new Map(
      name.columns.flatMap(({ column }, i) => {
        const at = source.isOpen ? undefined : source.computed.get(names[i] ?? '')
        return at === undefined ? [] : [[column.name, at]]
      }),
    ),
    columns: new Map(
      name.columns.map(({ column }, i) => {
        // the columns cannot be counted where the query's are not all known
        const known = source.isOpen ? null : (outputs[i] ?? null)
        return [column.name, given(known, column.name)]
      }),
    ),
  }
}

/** Functions that give one of their arguments. */
const choosing: ReadonlySet<string> = new Set(['coalesce', 'ifnull', 'nullif', 'greatest', 'least', 'max', 'min'])

/** Whether a function's values are those of its arguments. */
export const isChoosing = (node: FunctionNode | AggregateFunctionNode): boolean => choosing.has(node.func.toLowerCase())

/**
 * The column whose values an expression takes: the column itself, or one of several that it chooses from. Null where it
 * computes something else.
 */
export const columnOf = (scope: Scope, node: OperationNode): Column | null => {
  if (ReferenceNode.is(node)) return referred(node) ?? find(scope, node)?.column ?? null
  if (ParensNode.is(node) || AliasNode.is(node)) return columnOf(scope, node.node)
  if (FunctionNode.is(node)) return isChoosing(node) ? firstColumn(scope, node.arguments) : null
  if (AggregateFunctionNode.is(node)) return isChoosing(node) ? firstColumn(scope, node.aggregated) : null
  if (CaseNode.is(node)) return firstColumn(scope, branches(node))
  if (SelectQueryNode.is(node)) return [...outputOf(scope, node, '').columns.values()][0] ?? null
  return null
}

/** What a CASE can give. */
export const branches = (node: CaseNode): ReadonlyArray<OperationNode> =>
  [...(node.when ?? []).map((when) => when.result), node.else].flatMap((branch) =>
    branch === undefined ? [] : [branch],
  )

const firstColumn = (scope: Scope, nodes: ReadonlyArray<OperationNode>): Column | null => {
  for (const node of nodes) {
    const column = columnOf(scope, node)
    if (column !== null) return column
  }
  return null
}
