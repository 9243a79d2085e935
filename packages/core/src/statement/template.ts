/**
 * Templates: statements that are built and compiled once, and run with other values each time.
 *
 * The hot paths go through them - an instance by its key, the rows of a relationship by their foreign keys. A list of
 * keys is as long as the next power of two, so that few texts exist however many keys are asked for at a time; what is
 * left over is filled by repeating the last key.
 *
 * @example
 * const byKey = selectByKey(mapping)
 * compile(engine)(bind(byKey, [7])) // right({ sql: 'select ... where "users"."id" = ?', parameters: [7] })
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  OrderByItemNode,
  OrNode,
  ParensNode,
  QueryNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import type { Attribute, Mapping, RelationshipMapping } from '../model/mapping.js'
import type { Link, OrderDirection } from '../model/relationship.js'
import { referringTo } from './find.js'
import { qualifiedQuery } from './qualify.js'
import { allEqual, always, columnIn, joining, type Relation, relationOf } from './relation.js'
import { type AnySelect, entityNode } from './select.js'
import { Slot } from './slot.js'
import { namedTable } from './source.js'
import { attributeNode, mappingsOf, tableNode } from './statement.js'

/**
 * A query with places for values, `width` of them for each key, `capacity` keys.
 *
 * @category model
 */
export interface Template {
  readonly _tag: 'Template'
  readonly mappings: ReadonlyArray<Mapping>
  readonly node: SelectQueryNode
  readonly width: number
  readonly capacity: number
}

/**
 * A template and the values that it is to run with: decoded, key after key. It takes the place of a statement wherever
 * one is compiled.
 *
 * @category model
 */
export interface Bound {
  readonly _tag: 'Bound'
  readonly template: Template
  readonly values: ReadonlyArray<unknown>
}

/**
 * Gives a template its values: at least one key's, at most `capacity` keys'.
 *
 * @category constructors
 */
export const bind = (template: Template, values: ReadonlyArray<unknown>): Bound => ({ _tag: 'Bound', template, values })

/** The rows of an order: by attributes, each in its direction. */
type Order = ReadonlyArray<readonly [attribute: Attribute, direction: OrderDirection]>

/**
 * The row with a primary key, whose parts are the template's values. The same template for the same mapping.
 *
 * @category constructors
 */
export const selectByKey = (mapping: Mapping): Template => selectByAttributes(mapping, mapping.key, 1, [])

/**
 * The rows whose attributes have one of `count` keys' values, in an order. The same template for the same mapping,
 * attributes, order and next power of two.
 *
 * @category constructors
 */
export const selectByAttributes = (
  mapping: Mapping,
  attributes: ReadonlyArray<Attribute>,
  count: number,
  orderBy: Order,
): Template => templateOf(entityNode(mapping), mapping, alone(mapping), attributes, count, orderBy)

/**
 * A query narrowed to the rows whose attributes have one of `count` keys' values: a refined load of a relationship. Its
 * own order comes before the one given. The same template for the same query.
 *
 * @category constructors
 */
export const refineByAttributes = (
  query: AnySelect,
  attributes: ReadonlyArray<Attribute>,
  count: number,
  orderBy: Order,
): Template => templateOf(query.node, query.entity.mapping, mappingsOf(query), attributes, count, orderBy)

/** Under which name a row tells which owner it was found for: the n-th column of the owner's key. */
export const linkedOwner = (n: number): string => `unitary_owner_${n}`

/**
 * The targets of a relationship for `count` owners, each row with its owner's key under `linkedOwner`: over a table of links,
 * or by a condition, which takes a query to tell the tables of the model. The values are keys of owners. The same template for
 * the same query, relationship, order and next power of two.
 *
 * @category constructors
 */
export const selectOfOwners = (
  query: AnySelect | null,
  relationship: RelationshipMapping,
  count: number,
  orderBy: Order,
): Template => {
  const { owner, target: mapping, through } = relationship
  const capacity = capacityFor(count)
  const make = (): Template => {
    const { columns, node } = withOwners(query, relationship)
    const narrowed = QueryNode.cloneWithWhere(
      node,
      hasKeyIn(
        columns,
        columns.map(() => OperatorNode.create('=')),
        capacity,
      ),
    )
    return {
      _tag: 'Template',
      // the links hold keys of owners, as they are encoded
      mappings: query === null ? [mapping, owner] : mappingsOf(query),
      node: ordered(narrowed as SelectQueryNode, mapping, orderBy),
      width: columns.length,
      capacity,
    }
  }
  const order = orderBy.map(([attribute, direction]) => [attribute.position, direction])
  const told = relationship.on === null ? through : [relationship.owner.index, relationship.name]
  const shape = JSON.stringify([told, owner.name, capacity, order])
  return remembered(query === null ? entityNode(mapping) : query.node, shape, make)
}

/** A query of targets joined to what tells their owners, and the columns that hold the owners' keys. */
export interface Owned {
  readonly node: SelectQueryNode
  readonly columns: ReadonlyArray<ReferenceNode>
}

/** A query of targets, each row with its owner's key under `linkedOwner`; of all targets where no query is given. */
export const withOwners = (query: AnySelect | null, relationship: RelationshipMapping): Owned => {
  const { on, owner, target: mapping, through } = relationship
  const given = query === null ? entityNode(mapping) : query.node
  if (through !== null && on === null) {
    const columns = through.own.map((column, i) => linkColumn(through, column, owner, i))
    const equal = through.target.map((column, i): readonly [OperationNode, OperationNode] => [
      linkColumn(through, column, mapping, i),
      attributeNode(mapping, mapping.key[i] as Attribute),
    ])
    const links = { table: namedTable(through.table), on: allEqual(equal) }
    return { columns, node: joining(selectingOwners(given, columns), links) }
  }
  const { columns, relation, table } = ownersOf(relationship)
  // names are to go on to mean the same beside the owner's
  const node = query === null ? given : qualifiedQuery(mappingsOf(query), given)
  const isDirect = relation.between.length === 0
  const joined = [{ table, on: isDirect ? relation.target : always }, ...relation.between].reduce(
    joining,
    selectingOwners(node, columns),
  )
  return {
    columns,
    node: isDirect ? joined : (QueryNode.cloneWithWhere(joined, relation.target) as SelectQueryNode),
  }
}

const ownerAlias = 'unitary_owner'
/** With it begin the names of what lies between targets and their owners. */
export const ownerLink = 'unitary_link'

/** The owners' table under a name of its own, and how targets under theirs are related to it. */
export const ownersOf = (
  relationship: RelationshipMapping,
): { readonly table: OperationNode; readonly relation: Relation; readonly columns: ReadonlyArray<ReferenceNode> } => {
  const { owner, target } = relationship
  const own = (attribute: Attribute): ReferenceNode => columnIn(ownerAlias, attribute.name)
  return {
    table: AliasNode.create(tableNode(owner), IdentifierNode.create(ownerAlias)),
    relation: relationOf(relationship, target.table, ownerLink, own),
    columns: owner.key.map(own),
  }
}

const selectingOwners = (node: SelectQueryNode, columns: ReadonlyArray<ReferenceNode>): SelectQueryNode =>
  SelectQueryNode.cloneWithSelections(
    node,
    columns.map((column, i) => SelectionNode.create(AliasNode.create(column, IdentifierNode.create(linkedOwner(i))))),
  )

/** A column of a table of links, which holds a part of the key of an entity. */
export const linkColumn = ({ table }: Link, column: string, of: Mapping, i: number): ReferenceNode =>
  referringTo(ReferenceNode.create(ColumnNode.create(column), namedTable(table)), of, of.key[i] as Attribute)

/** How many keys a template for so many holds: the next power of two. */
const capacityFor = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(count, 1)))

const catalogs = new WeakMap<Mapping, ReadonlyArray<Mapping>>()

/** The one list of a mapping alone: what is compiled is found by the list's identity. */
const alone = (mapping: Mapping): ReadonlyArray<Mapping> => {
  const known = catalogs.get(mapping)
  if (known !== undefined) return known
  const mappings = [mapping]
  catalogs.set(mapping, mappings)
  return mappings
}

const templates = new WeakMap<SelectQueryNode, Map<string, Template>>()

const templateOf = (
  node: SelectQueryNode,
  mapping: Mapping,
  mappings: ReadonlyArray<Mapping>,
  attributes: ReadonlyArray<Attribute>,
  count: number,
  orderBy: Order,
): Template => {
  const capacity = capacityFor(count)
  const key = attributes.map((attribute) => attribute.position).join()
  const order = orderBy.map(([attribute, direction]) => `${attribute.position} ${direction}`).join()
  const shape = `${capacity}:${key}:${order}`
  return remembered(node, shape, (): Template => {
    const columns = attributes.map((attribute) => attributeNode(mapping, attribute))
    const narrowed = QueryNode.cloneWithWhere(
      node,
      hasKeyIn(columns, attributes.map(keyOperator), capacity),
    ) as SelectQueryNode
    return {
      _tag: 'Template',
      mappings,
      node: ordered(narrowed, mapping, orderBy),
      width: attributes.length,
      capacity,
    }
  })
}

const remembered = (node: SelectQueryNode, shape: string, make: () => Template): Template => {
  let byShape = templates.get(node)
  if (byShape === undefined) {
    byShape = new Map()
    templates.set(node, byShape)
  }
  const known = byShape.get(shape)
  if (known !== undefined) return known
  const template = make()
  byShape.set(shape, template)
  return template
}

export const ordered = (node: SelectQueryNode, mapping: Mapping, orderBy: Order): SelectQueryNode =>
  orderBy.length === 0
    ? node
    : (QueryNode.cloneWithOrderByItems(
        node,
        orderBy.map(([attribute, direction]) =>
          OrderByItemNode.create(attributeNode(mapping, attribute), RawNode.createWithSql(direction)),
        ),
      ) as SelectQueryNode)

/** Part of a key that may be NULL is found by NULL too. */
const keyOperator = ({ isKey, isNullable }: Attribute): OperatorNode =>
  OperatorNode.create(isKey && isNullable ? 'is not distinct from' : '=')

const hasKeyIn = (
  columns: ReadonlyArray<ReferenceNode>,
  operators: ReadonlyArray<OperatorNode>,
  capacity: number,
): OperationNode => {
  const only = columns[0]
  if (columns.length === 1 && only !== undefined && capacity > 1) {
    return BinaryOperationNode.create(
      only,
      OperatorNode.create('in'),
      ValueListNode.create(Array.from({ length: capacity }, (_, i) => slot(i))),
    )
  }
  return anyOf(columns, operators, 0, capacity)
}

/**
 * `(a = ? and b = ?) or (...) or ...`, since not every dialect has lists of tuples; halved again and again, since SQLite
 * limits how deep an expression may nest.
 */
const anyOf = (
  columns: ReadonlyArray<ReferenceNode>,
  operators: ReadonlyArray<OperatorNode>,
  from: number,
  count: number,
): OperationNode => {
  if (count > 1) {
    const half = count / 2
    return ParensNode.create(
      OrNode.create(anyOf(columns, operators, from, half), anyOf(columns, operators, from + half, half)),
    )
  }
  const parts = columns.map(
    (column, i): OperationNode =>
      BinaryOperationNode.create(column, operators[i] as OperatorNode, slot(from * columns.length + i)),
  )
  const all = parts.reduce((left, right) => AndNode.create(left, right))
  return parts.length === 1 ? all : ParensNode.create(all)
}

const slot = (index: number): ValueNode => ValueNode.create(new Slot(index))
