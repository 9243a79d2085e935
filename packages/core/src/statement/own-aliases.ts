/**
 * Subqueries whose tables have names that nothing else has, so that their tree can stand in any query.
 *
 * @example
 * // exists (select ... from "people" where "people"."town" = "target"."town"), whatever target is called by then:
 * // exists (select ... from "people" as "unitary_on_0" where "unitary_on_0"."town" = "target"."town")
 */
import { AliasNode, IdentifierNode, type OperationNode, ReferenceNode, SelectQueryNode, TableNode } from 'kysely'
import { tablesOf } from './scope.js'
import { tableName } from './source.js'
import { mapChildren } from './tree.js'

/** Names of tables, and those that they get. */
type Names = ReadonlyMap<string, string>

const made = new WeakMap<OperationNode, OperationNode>()

/** An expression with its subqueries' tables under names of its own. The same tree for the same expression. */
export const withOwnAliases = (expression: OperationNode): OperationNode => {
  const known = made.get(expression)
  if (known !== undefined) return known
  let next = 0
  const renamed = (node: OperationNode, names: Names): OperationNode => {
    if (ReferenceNode.is(node)) return referenceIn(node, names)
    if (!SelectQueryNode.is(node)) return mapChildren(node, (child) => renamed(child, names))
    const inside = new Map(names)
    for (const table of tablesOf(node)) {
      const name = nameOf(table)
      if (name !== null) inside.set(name, `unitary_on_${next++}`)
    }
    const aliased = (table: OperationNode): OperationNode => {
      const name = nameOf(table)
      const source = AliasNode.is(table) ? table.node : table
      const read = SelectQueryNode.is(source) ? renamed(source, inside) : source
      return name === null
        ? renamed(table, inside)
        : AliasNode.create(read, IdentifierNode.create(inside.get(name) as string))
    }
    return mapChildren(node, (child, property) => {
      if (property === 'from') return mapChildren(child, aliased)
      if (property !== 'joins') return renamed(child, inside)
      return mapChildren(child, (part, of) => (of === 'table' ? aliased(part) : renamed(part, inside)))
    })
  }
  const tree = renamed(expression, new Map())
  made.set(expression, tree)
  return tree
}

/** By which name a query refers to a table that it reads; null where it has none that can be told. */
const nameOf = (table: OperationNode): string | null => {
  if (TableNode.is(table)) return tableName(table)
  return AliasNode.is(table) && IdentifierNode.is(table.alias) ? table.alias.name : null
}

const referenceIn = (node: ReferenceNode, names: Names): ReferenceNode => {
  const name = node.table === undefined ? undefined : names.get(tableName(node.table))
  return name === undefined ? node : ({ ...node, table: TableNode.create(name) } as ReferenceNode)
}
