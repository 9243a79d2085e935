/**
 * A condition on an entity, to be said of its table under any name.
 *
 * Its references are written for each name. What would mean something else there - text of raw SQL, a name that the
 * condition's own subqueries use - is said by keys instead.
 *
 * @example
 * // of "posts" as "p": "p"."is_hidden" = false
 * // else:              "p"."id" in (select "posts"."id" from "posts" where "posts"."is_hidden" = false)
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  QueryNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  TupleNode,
} from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import { holdsTogether } from './condition.js'
import { containsText, qualified, renamed } from './qualify.js'
import { columnIn } from './relation.js'
import { entityNode } from './select.js'
import { tableName } from './source.js'
import { attributeNode, tableNode } from './statement.js'
import { mapChildren } from './tree.js'

/**
 * @category model
 */
export interface EntityCondition {
  readonly mappings: ReadonlyArray<Mapping>
  readonly mapping: Mapping
  /** As it is said of the table itself, beside others or alone. */
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

/**
 * A condition on the rows of an entity's table. Names that lead to no attribute of the entity stay as they are.
 *
 * @category constructors
 */
export const entityCondition = (
  mappings: ReadonlyArray<Mapping>,
  mapping: Mapping,
  node: OperationNode,
): EntityCondition => ({
  mappings,
  mapping,
  node: qualified(mappings, entityNode(mapping), node),
  isMovable: !containsText(node),
  names: namesIn(node),
})

/** Names of tables, and those that they are given. */
const namesIn = (node: OperationNode): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (child: OperationNode): OperationNode => {
    if (SelectQueryNode.is(child)) for (const name of sourceNames(child)) names.add(name)
    return mapChildren(child, visit)
  }
  visit(node)
  return names
}

const sourceNames = ({ from, joins = [] }: SelectQueryNode): ReadonlyArray<string> =>
  [...(from?.froms ?? []), ...joins.map(({ table }) => table)].flatMap((table) => {
    if (TableNode.is(table)) return [tableName(table)]
    return AliasNode.is(table) && IdentifierNode.is(table.alias) ? [table.alias.name] : []
  })

/**
 * The condition on the entity's table under a name, alone in its query or beside other tables.
 *
 * @category interpreters
 */
export const conditionAt = (condition: EntityCondition, name: string, isAlone: boolean): OperationNode => {
  const { isMovable, mapping, mappings, names, node } = condition
  if (name === mapping.table) {
    return isMovable || isAlone
      ? node
      : hasKeyOf(
          condition,
          mapping.key.map((attribute) => attributeNode(mapping, attribute)),
        )
  }
  return isMovable && !names.has(name)
    ? renamed(mappings, mapping, node, name)
    : hasKeyOf(
        condition,
        mapping.key.map((attribute) => columnIn(name, attribute.name)),
      )
}

/**
 * Columns that hold a key of a row for which the condition is true: `(key, ...) in (select ... from table where ...)`.
 *
 * @category interpreters
 */
export const hasKeyOf = (condition: EntityCondition, keys: ReadonlyArray<OperationNode>): OperationNode => {
  const [only] = keys
  return BinaryOperationNode.create(
    keys.length === 1 && only !== undefined ? only : TupleNode.create(keys),
    OperatorNode.create('in'),
    rowsOf(condition, condition.mapping.key),
  )
}

/**
 * The rows of the entity's table for which the condition is true.
 *
 * @category interpreters
 */
export const rowsOf = (
  { mapping, node }: EntityCondition,
  attributes: ReadonlyArray<Attribute> = mapping.attributes,
): SelectQueryNode => {
  const selected = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([tableNode(mapping)]),
    attributes.map((attribute) => SelectionNode.create(attributeNode(mapping, attribute))),
  )
  return QueryNode.cloneWithWhere(selected, node) as SelectQueryNode
}
