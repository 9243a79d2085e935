/**
 * How the targets of a relationship belong to their owners: by columns that are equal, over a table of links too, or by a
 * condition.
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FunctionNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  QueryNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  UnaryOperationNode,
  ValueNode,
} from 'kysely'
import { linkSide, ownerSide, targetSide } from '../model/join-condition.js'
import type { Attribute, RelationshipMapping } from '../model/mapping.js'
import { withOwnAliases } from './own-aliases.js'
import { placed } from './qualify.js'
import { namedTable } from './source.js'
import { tableNode } from './statement.js'
import { mapChildren } from './tree.js'

/** A table that lies between owners and targets, under a name of its own. */
export interface Between {
  readonly table: OperationNode
  /** What is so of it, its owner and the tables before it. */
  readonly on: OperationNode
}

/** What is so of owners, what lies between, and targets. */
export interface Relation {
  /** What lies between, in the order in which it is joined. */
  readonly between: ReadonlyArray<Between>
  /** What is so of a target. */
  readonly target: OperationNode
}

/** Under which name a query joins the links on the way to an alias. */
export const linkAlias = (alias: string): string => `unitary_link_${alias}`

/**
 * The relation between targets and links under some names and the owner's columns. What a condition goes through has names
 * that begin with the link's.
 */
export const relationOf = (
  relationship: RelationshipMapping,
  alias: string,
  link: string,
  own: (attribute: Attribute) => OperationNode,
): Relation => {
  const { between, foreignKey, key, kind, target, through } = relationship
  const condition = conditionOf(relationship, alias, link, own)
  if (through !== null) {
    const links = allEqual(through.own.map((name, i) => [columnIn(link, name), own(key[i] as Attribute)]))
    const targets = allEqual(
      through.target.map((name, i) => [columnIn(alias, (target.key[i] as Attribute).name), columnIn(link, name)]),
    )
    return {
      between: [{ table: aliased(namedTable(through.table), link), on: links }],
      target: and(targets, condition),
    }
  }
  const equal = foreignKey.map((held, i): readonly [OperationNode, OperationNode] => {
    const referred = key[i] as Attribute
    return kind === 'BelongsTo'
      ? [columnIn(alias, referred.name), own(held)]
      : [columnIn(alias, held.name), own(referred)]
  })
  return {
    between: between.map(([name, mapping]) => ({
      table: aliased(tableNode(mapping), betweenAlias(link, name)),
      on: always,
    })),
    target: equal.length === 0 ? (condition ?? always) : and(allEqual(equal), condition),
  }
}

/** The relation as one condition, where what lies between is not joined. */
export const existing = ({ between, target }: Relation): OperationNode => {
  const [first, ...others] = between
  if (first === undefined) return target
  const from = SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([first.table]), [found])
  const joined = others.reduce((query, one) => joining(query, one), from)
  return UnaryOperationNode.create(
    OperatorNode.create('exists'),
    QueryNode.cloneWithWhere(joined, and(first.on, target)),
  )
}

/** Joins what lies between. */
export const joining = (node: SelectQueryNode, { on, table }: Between): SelectQueryNode =>
  QueryNode.cloneWithJoin(node, JoinNode.createWithOn('InnerJoin', table, on)) as SelectQueryNode

/** `1 as found`: what a query selects that is only asked whether it has rows. */
export const found = SelectionNode.create(
  AliasNode.create(ValueNode.createImmediate(1), IdentifierNode.create('found')),
)

/** Under which name a query joins what a condition goes through. */
export const betweenAlias = (link: string, name: string): string => `${link}_${name}`

/** The relationship's own condition, under the names that a query gives the sides. */
const conditionOf = (
  { between, on, owner, target }: RelationshipMapping,
  alias: string,
  link: string,
  own: (attribute: Attribute) => OperationNode,
): OperationNode | null => {
  if (on === null) return null
  // a name without a table is the target's
  const tables = [[targetSide, target], [ownerSide, owner], ...between] as const
  const condition = placed(tables, withOwnAliases(on), (table, attribute) => {
    if (table === ownerSide) return own(attribute)
    return columnIn(table === targetSide ? alias : betweenAlias(link, table), attribute.name)
  })
  return operand(linked(condition, link))
}

/** The columns of links, which no entity has, under the name that a query gives them. */
const linked = (node: OperationNode, link: string): OperationNode =>
  ReferenceNode.is(node) && node.table?.table.schema === undefined && node.table?.table.identifier.name === linkSide
    ? ReferenceNode.create(node.column as ColumnNode, TableNode.create(link))
    : mapChildren(node, (child) => linked(child, link))

/** Beside others an OR would come apart. */
export const operand = (condition: OperationNode): OperationNode =>
  AndNode.is(condition) ||
  BinaryOperationNode.is(condition) ||
  UnaryOperationNode.is(condition) ||
  FunctionNode.is(condition) ||
  ParensNode.is(condition)
    ? condition
    : ParensNode.create(condition)

const and = (a: OperationNode, b: OperationNode | null): OperationNode => (b === null ? a : AndNode.create(a, b))

/** All pairs of columns are equal. */
export const allEqual = (pairs: ReadonlyArray<readonly [OperationNode, OperationNode]>): OperationNode =>
  pairs
    .map(([a, b]): OperationNode => BinaryOperationNode.create(a, OperatorNode.create('='), b))
    .reduce((a, b) => AndNode.create(a, b))

/** A join that the condition after it narrows. */
export const always: OperationNode = BinaryOperationNode.create(
  ValueNode.createImmediate(1),
  OperatorNode.create('='),
  ValueNode.createImmediate(1),
)

/** A column of a table, which may have a schema, or of an alias. */
export const columnIn = (table: string, name: string): ReferenceNode =>
  ReferenceNode.create(ColumnNode.create(name), namedTable(table))

/** A table, or something that is selected, under a name. */
export const aliased = (table: OperationNode, alias: string): AliasNode =>
  AliasNode.create(table, IdentifierNode.create(alias))
