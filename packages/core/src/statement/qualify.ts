/**
 * Whose a name is: names of columns get the table that they are of, or another name for it, wherever a tree speaks of it.
 *
 * The tree is read with scopes (see `scope.ts`), so that a subquery's own names are left alone.
 */
import {
  type ColumnNode,
  type OperationNode,
  RawNode,
  ReferenceNode,
  SelectQueryNode,
  TableNode,
  type WithNode,
} from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import { type Found, find } from './find.js'
import { isOutput, outputNames } from './names.js'
import { tablesOf, withExpressions, within } from './scope.js'
import { catalogOf, namedTable, outermost, type Scope, type Source, sourceOf } from './source.js'
import { mapChildren } from './tree.js'

/**
 * An expression of a query whose names without a table have the table that they are found in: the first that has a column
 * of that name, in the order in which the query reads them.
 */
export const qualified = (
  mappings: ReadonlyArray<Mapping>,
  query: SelectQueryNode,
  expression: OperationNode,
): OperationNode => qualifiedIn(scopeOf(mappings, query), expression)

/**
 * The query itself, so that more tables can be joined to it and its names still mean the same.
 */
export const qualifiedQuery = (mappings: ReadonlyArray<Mapping>, query: SelectQueryNode): SelectQueryNode => {
  const scope = scopeOf(mappings, query)
  const outputs = outputNames(query)
  return mapChildren(query, (child, property) => {
    switch (property) {
      case 'where':
      case 'groupBy':
      case 'having':
      case 'selections':
      case 'joins':
        return qualifiedIn(scope, child)
      case 'orderBy':
        return mapChildren(child, (item) =>
          mapChildren(item, (term) => (isOutput(term, outputs) ? term : qualifiedIn(scope, term))),
        )
      default:
        return child
    }
  })
}

/** A condition on the table of a mapping, as one on an alias of it. */
export const renamed = (
  mappings: ReadonlyArray<Mapping>,
  mapping: Mapping,
  condition: OperationNode,
  alias: string,
): OperationNode => {
  const source = sourceOf(mapping, mapping.table)
  const scope: Scope = { ...outermost(catalogOf(mappings)), sources: [source] }
  return rename(scope, condition, (found) => (found === source ? TableNode.create(alias) : null))
}

/**
 * A condition on some tables, each by a name that it has there, as one on whatever `place` gives for their attributes. A name
 * without a table is that of the first which has it.
 */
export const placed = (
  tables: ReadonlyArray<readonly [name: string, mapping: Mapping]>,
  condition: OperationNode,
  place: (table: string, attribute: Attribute) => OperationNode,
): OperationNode => {
  const sources = tables.map(([name, mapping]) => sourceOf(mapping, name))
  const scope: Scope = { ...outermost(catalogOf(tables.map(([, mapping]) => mapping))), sources }
  return replaceNames(scope, condition, ({ column, source }) =>
    sources.includes(source) ? place(source.name, column.attribute) : null,
  )
}

/** Is there text in a tree, whose names nobody can tell? */
export const containsText = (node: OperationNode): boolean => {
  let found = isText(node)
  mapChildren(node, (child) => {
    found ||= containsText(child)
    return child
  })
  return found
}

/** A raw parameter is no text. */
export const isText = (node: OperationNode): boolean =>
  RawNode.is(node) && node.sqlFragments.some((fragment) => fragment !== '')

/** What names mean inside a query. */
export const scopeOf = (mappings: ReadonlyArray<Mapping>, query: SelectQueryNode): Scope =>
  within(withExpressions(outermost(catalogOf(mappings)), query.with?.expressions ?? []), tablesOf(query))

const qualifiedIn = (scope: Scope, node: OperationNode): OperationNode =>
  rename(scope, node, (found, { table }) =>
    table === undefined && scope.sources.includes(found) ? namedTable(found.name) : null,
  )

/** Gives references another table, where `tableFor` says which. */
const rename = (
  scope: Scope,
  node: OperationNode,
  tableFor: (source: Source, reference: ReferenceNode) => TableNode | null,
): OperationNode =>
  replaceNames(scope, node, ({ source }, reference) => {
    const table = tableFor(source, reference)
    return table === null ? null : ReferenceNode.create(reference.column as ColumnNode, table)
  })

/** Puts other nodes in the place of references, where `nodeFor` gives any. */
export const replaceNames = (
  scope: Scope,
  node: OperationNode,
  nodeFor: (found: Found, reference: ReferenceNode) => OperationNode | null,
): OperationNode => {
  if (ReferenceNode.is(node)) {
    const found = find(scope, node)
    return (found === null ? null : nodeFor(found, node)) ?? node
  }
  if (!SelectQueryNode.is(node)) return mapChildren(node, (child) => replaceNames(scope, child, nodeFor))
  const outside = withExpressions(scope, node.with?.expressions ?? [])
  const inside = within(outside, tablesOf(node))
  return mapChildren(node, (child, property) => {
    if (property === 'with') {
      return mapChildren(child as WithNode, (expression) => replaceNames(outside, expression, nodeFor))
    }
    return replaceNames(property === 'setOperations' ? outside : inside, child, nodeFor)
  })
}
