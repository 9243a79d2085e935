/**
 * Trees with their tables under other names: where the tables of a model are called otherwise in a database, or are in another
 * schema.
 *
 * Only names of tables change. What an alias or a common table expression hides is left alone, and a reference follows the
 * table that it means; nothing is done to text.
 */
import {
  AliasNode,
  IdentifierNode,
  type OperationNode,
  ReferenceNode,
  type RootOperationNode,
  SelectModifierNode,
  TableNode,
  type WithNode,
} from 'kysely'
import type { TableNames } from '../engine/table-names.js'
import { namedTable, tableName } from './source.js'
import { isNode, mapChildren } from './tree.js'

/** What names mean inside a query. */
interface Names {
  readonly outside: Names | null
  /** Tables that are read under their own names, by the names they have in the tree. */
  readonly tables: ReadonlySet<string>
  readonly aliases: ReadonlySet<string>
  /** Names of common table expressions. */
  readonly expressions: ReadonlySet<string>
}

const none: ReadonlySet<string> = new Set()

/** Schemas that a database has of its own. */
const systemSchemas: ReadonlySet<string> = new Set([
  'information_schema',
  'pg_catalog',
  'performance_schema',
  'mysql',
  'sys',
])

/** The tree with its tables as `names` calls them. */
export const renameTables =
  (names: TableNames) =>
  <Node extends RootOperationNode | OperationNode>(node: Node): Node =>
    new Renaming(names).visit(node, { outside: null, tables: none, aliases: none, expressions: none }) as Node

class Renaming {
  readonly #names: TableNames

  constructor(names: TableNames) {
    this.#names = names
  }

  visit(node: OperationNode, scope: Names): OperationNode {
    if (TableNode.is(node)) return this.#table(node, scope)
    if (ReferenceNode.is(node)) return this.#reference(node, scope)
    if (SelectModifierNode.is(node)) {
      // FOR UPDATE OF: tables as they are called in the query
      return mapChildren(node, (child) =>
        TableNode.is(child) ? this.#referred(child, scope) : this.visit(child, scope),
      )
    }
    if (!isQuery(node)) return mapChildren(node, (child) => this.visit(child, scope))
    const { expressions = [], recursive = false } = node.with ?? {}
    const ctes = expressions.map(({ name }) => tableName(name.table))
    // each expression sees those before it, and itself where they are recursive
    const before = (i: number): Names => hiding(scope, recursive ? ctes : ctes.slice(0, i))
    const inside = within(hiding(scope, ctes), node)
    return mapChildren(node, (child) => {
      if (child !== node.with) return this.visit(child, inside)
      let i = 0
      return mapChildren(child, (expression) =>
        // the name of an expression is no table
        mapChildren(expression, (part, property) => (property === 'name' ? part : this.visit(part, before(i++)))),
      )
    })
  }

  /** A table that is read or written. */
  #table(node: TableNode, scope: Names): TableNode {
    const name = tableName(node)
    const { schema } = node.table
    if (schema === undefined ? isHidden(name, scope) : systemSchemas.has(schema.name)) return node
    const renamed = this.#names.table(name)
    return renamed === name ? node : namedTable(renamed)
  }

  #reference(node: ReferenceNode, scope: Names): ReferenceNode {
    return node.table === undefined
      ? node
      : mapChildren(node, (child) => (TableNode.is(child) ? this.#referred(child, scope) : child))
  }

  /** A table by which a column is called: as it is called where it is read, without its schema. */
  #referred(node: TableNode, scope: Names): TableNode {
    const name = tableName(node)
    for (let at: Names | null = scope; at !== null; at = at.outside) {
      if (at.tables.has(name)) {
        const renamed = this.#names.table(name)
        return renamed === name ? node : TableNode.create(renamed.slice(renamed.lastIndexOf('.') + 1))
      }
      if (at.aliases.has(name) || at.expressions.has(name)) return node
    }
    return node
  }
}

/** A query and what it reads and writes; any of it may be missing. */
type Query = OperationNode & {
  readonly with?: WithNode
  readonly from?: OperationNode
  readonly into?: OperationNode
  readonly table?: OperationNode
  readonly using?: OperationNode
  readonly joins?: ReadonlyArray<OperationNode>
}

const queries: ReadonlySet<OperationNode['kind']> = new Set([
  'SelectQueryNode',
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
  'MergeQueryNode',
])

const isQuery = (node: OperationNode): node is Query => queries.has(node.kind)

const hiding = (outside: Names, expressions: ReadonlyArray<string>): Names =>
  expressions.length === 0 ? outside : { outside, tables: none, aliases: none, expressions: new Set(expressions) }

const isHidden = (name: string, scope: Names): boolean => {
  for (let at: Names | null = scope; at !== null; at = at.outside) if (at.expressions.has(name)) return true
  return false
}

/** The scope inside of a query: what it reads and writes, tables and aliases. */
const within = (outside: Names, query: Query): Names => {
  const tables = new Set<string>()
  const aliases = new Set<string>()
  const add = (node: OperationNode): void => {
    if (TableNode.is(node)) {
      const name = tableName(node)
      if (node.table.schema !== undefined || !isHidden(name, outside)) tables.add(name)
    } else if (AliasNode.is(node)) {
      if (IdentifierNode.is(node.alias)) aliases.add(node.alias.name)
    } else {
      // a list, a FROM, a USING
      for (const value of Object.values(node))
        if (Array.isArray(value)) for (const one of value) if (isNode(one)) add(one)
    }
  }
  for (const part of [query.from, query.into, query.table, query.using]) if (part !== undefined) add(part)
  for (const join of query.joins ?? []) add((join as unknown as { readonly table: OperationNode }).table)
  return { outside, tables, aliases, expressions: none }
}
