/**
 * A condition on an entity, to be said of its table under any name.
 *
 * References to the entity's own attributes are found once, by scope, and written for each name; what would mean something
 * else under another name - text of raw SQL, a name that the condition's own subqueries use - is said by keys instead.
 *
 * @example
 * // of "posts" as "p": "p"."is_hidden" = false
 * // else:              "p"."id" in (select "posts"."id" from "posts" where "posts"."is_hidden" = false)
 */
import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type OperationNode,
  OperatorNode,
  OrderByNode,
  OrNode,
  ParensNode,
  QueryNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  TupleNode,
} from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import { holdsTogether } from './condition.js'
import { isOutput, outputNames } from './names.js'
import {
  type Catalog,
  find,
  outermost,
  type Scope,
  type Source,
  sourceOf,
  tablesOf,
  withExpressions,
  within,
} from './scope.js'
import { attributeNode, tableNode } from './statement.js'
import { mapChildren } from './tree.js'

/**
 * @category model
 */
export interface EntityCondition {
  readonly mapping: Mapping
  /** As it is said of the table itself. */
  readonly node: OperationNode
  /** Can its references be written for another name? */
  readonly isMovable: boolean
  /** The names that subqueries in it use. */
  readonly names: ReadonlySet<string>
}

/** The condition, as one that AND and OR beside it leave together. */
export const parenthesised = (node: OperationNode): OperationNode =>
  OrNode.is(node) || !holdsTogether(node) ? ParensNode.create(node) : node

/** Both conditions. */
export const bothConditions = (a: OperationNode | undefined, b: OperationNode): OperationNode =>
  a === undefined ? b : AndNode.create(parenthesised(a), b)

/** Stands in the place of the entity's table, wherever a reference is to it. */
const own: TableNode = TableNode.create('unitary_entity')

/**
 * A condition on the rows of an entity's table. Names that lead to no attribute of the entity stay as they are.
 *
 * @category constructors
 */
export const entityCondition = (catalog: Catalog, mapping: Mapping, node: OperationNode): EntityCondition => {
  const entity = sourceOf(mapping, mapping.table)
  const reading: Reading = { entity, names: new Set(), isMovable: true }
  const marked = mark(reading, { ...outermost(catalog), sources: [entity] }, node)
  return { mapping, node: marked, isMovable: reading.isMovable, names: reading.names }
}

/** What is found out about a condition; seen by one call of `entityCondition` only. */
interface Reading {
  readonly entity: Source
  readonly names: Set<string>
  isMovable: boolean
}

/** Puts `own` in the place of the entity's table. */
const mark = (reading: Reading, scope: Scope, node: OperationNode): OperationNode => {
  if (ReferenceNode.is(node)) {
    return ColumnNode.is(node.column) && find(scope, node)?.source === reading.entity
      ? ReferenceNode.create(node.column, own)
      : node
  }
  if (RawNode.is(node) && node.sqlFragments.some((fragment) => /[\p{L}_"`]/u.test(fragment))) reading.isMovable = false
  if (!SelectQueryNode.is(node)) return mapChildren(node, (child) => mark(reading, scope, child))
  const outside = withExpressions(scope, node.with?.expressions ?? [])
  const inner = within(outside, tablesOf(node))
  for (const { name } of inner.sources) reading.names.add(name)
  const outputs = outputNames(node)
  return mapChildren(node, (child, property) => {
    if (property === 'setOperations' || property === 'with') return mark(reading, outside, child)
    return OrderByNode.is(child)
      ? mapChildren(child, (item) =>
          mapChildren(item, (term) => (isOutput(term, outputs) ? term : mark(reading, inner, term))),
        )
      : mark(reading, inner, child)
  })
}

/**
 * The condition on the entity's table under a name, alone in its query or beside other tables.
 *
 * @category interpreters
 */
export const conditionAt = (condition: EntityCondition, name: string, isAlone: boolean): OperationNode => {
  const { isMovable, mapping, names } = condition
  if (name === mapping.table) {
    const table = tableNode(mapping)
    return isMovable || isAlone ? said(condition, table) : hasKeyOf(condition, table)
  }
  const alias = TableNode.create(name)
  return isMovable && !names.has(name) ? said(condition, alias) : hasKeyOf(condition, alias)
}

const said = ({ node }: EntityCondition, table: TableNode): OperationNode => {
  const visit = (child: OperationNode): OperationNode =>
    ReferenceNode.is(child) && child.table === own
      ? ReferenceNode.create(child.column as ColumnNode, table)
      : mapChildren(child, visit)
  return visit(node)
}

/** `(name.key, ...) in (select table.key, ... from table where ...)` */
const hasKeyOf = (condition: EntityCondition, table: TableNode): OperationNode => {
  const { mapping } = condition
  const keys = mapping.key.map(({ name }) => ReferenceNode.create(ColumnNode.create(name), table))
  const [only] = keys
  return BinaryOperationNode.create(
    keys.length === 1 && only !== undefined ? only : TupleNode.create(keys),
    OperatorNode.create('in'),
    rowsOf(condition, mapping.key),
  )
}

/**
 * The rows of the entity's table for which the condition is true.
 *
 * @category interpreters
 */
export const rowsOf = (
  condition: EntityCondition,
  attributes: ReadonlyArray<Attribute> = condition.mapping.attributes,
): SelectQueryNode => {
  const { mapping } = condition
  const table = tableNode(mapping)
  const selected = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([table]),
    attributes.map((attribute) => SelectionNode.create(attributeNode(mapping, attribute))),
  )
  return QueryNode.cloneWithWhere(selected, said(condition, table)) as SelectQueryNode
}
