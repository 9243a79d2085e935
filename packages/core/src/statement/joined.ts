/**
 * Joined loads: a query with the targets of its relationships beside its rows, under names that nothing else has.
 *
 * What the query means is left alone. Where a join would change which rows a limit lets through, or how often a row comes,
 * the query becomes a subquery whose rows are counted, and the joins are made outside of it.
 *
 * @example
 * // select "users"."id", ..., "unitary_0"."email" as "unitary_0.email", ...
 * // from "users" left join "addresses" as "unitary_0" on "unitary_0"."user_id" = "users"."id"
 */
import {
  AggregateFunctionNode,
  AliasNode,
  AndNode,
  ColumnNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OrderByItemNode,
  OrderByNode,
  OverNode,
  QueryNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
} from 'kysely'
import type { RowColumns } from '../codec/row-class.js'
import { type Attribute, type Mapping, mayHaveSeveral, type RelationshipMapping } from '../model/mapping.js'
import { introducing, subtypeColumn } from '../model/parts.js'
import type { OrderDirection } from '../model/relationship.js'
import { alsoSelecting, columnsOf, rowColumns, selectedAttributes, selectedOfSubtypes } from './attributes.js'
import { conditionAt, type EntityCondition } from './entity-condition.js'
import { outputNames } from './names.js'
import { isText } from './qualify.js'
import { columnIn, relationOf } from './relation.js'
import type { AnySelect } from './select.js'
import { attributeNode, tableNode } from './statement.js'
import { mapChildren } from './tree.js'

/**
 * One joined relationship: where its owners come from, and where its targets stand in the rows.
 *
 * @category model
 */
export interface JoinedPart {
  readonly joining: JoinedLoad
  readonly relationship: RelationshipMapping
  /** The part whose targets own it; null for the rows of the query. */
  readonly owner: JoinedPart | null
  readonly alias: string
  /** The query of the targets, where it is not all of them. */
  readonly query: AnySelect | null
  readonly columns: RowColumns
  /** Does every owner have a target, so that an inner join loses none? */
  readonly isInner: boolean
  /** Does the query itself join it, and select its columns? */
  readonly isContained: boolean
}

/**
 * A relationship that is to be joined, and those of its targets.
 *
 * @category model
 */
export interface JoinedLoad {
  readonly relationship: RelationshipMapping
  readonly query: AnySelect | null
  /** Are its rows all the targets that the relationship has, in its order? */
  readonly isWhole: boolean
  /** What is so of the targets beside: part of the join, so that owners without such a target stay. */
  readonly condition: EntityCondition | null
  /** The key of the criteria that the targets are under, where these may hide some. */
  readonly narrowed: string | null
  readonly joinings: ReadonlyArray<JoinedLoad>
  /** Where the query joins it itself: its alias, and the columns that the query selects of it. */
  readonly contained: { readonly alias: string; readonly columns: RowColumns } | null
}

/**
 * Gives the parts of a joined load their names, each owner before what it owns.
 *
 * @category constructors
 */
export const joinedParts = (joinings: ReadonlyArray<JoinedLoad>): ReadonlyArray<JoinedPart> => partsOf(joinings, false)

/**
 * Only those parts that the query joins itself.
 *
 * @category constructors
 */
export const containedParts = (joinings: ReadonlyArray<JoinedLoad>): ReadonlyArray<JoinedPart> =>
  partsOf(joinings, true)

const partsOf = (joinings: ReadonlyArray<JoinedLoad>, isContainedOnly: boolean): ReadonlyArray<JoinedPart> => {
  const parts: JoinedPart[] = []
  const visit = (owner: JoinedPart | null, joining: JoinedLoad): void => {
    if (isContainedOnly && joining.contained === null) return
    const part = partOf(owner, joining, parts.length)
    parts.push(part)
    for (const inner of joining.joinings) visit(part, inner)
  }
  for (const joining of joinings) visit(null, joining)
  return parts
}

const partOf = (owner: JoinedPart | null, joining: JoinedLoad, number: number): JoinedPart => {
  const { contained, query, relationship } = joining
  const { kind, foreignKey, target } = relationship
  const alias = contained?.alias ?? `unitary_${number}`
  const own = query === null ? null : columnsOf(query)
  return {
    joining,
    relationship,
    owner,
    alias,
    query,
    columns:
      contained?.columns ??
      rowColumns(target, ({ name, position, isDeferred }) =>
        (own === null ? isDeferred : own[position] === null) ? null : `${alias}.${name}`,
      ),
    isInner:
      contained === null &&
      kind === 'BelongsTo' &&
      query === null &&
      joining.condition === null &&
      (owner === null || owner.isInner) &&
      foreignKey.every(({ isNullable }) => !isNullable),
    isContained: contained !== null,
  }
}

/**
 * The columns of a part's rows that hold the attributes of a subtype of its targets' entity.
 *
 * @category combinators
 */
export const joinedColumnsAs = ({ alias, columns, query, relationship }: JoinedPart, subtype: Mapping): RowColumns => {
  const names = new Set(query === null ? [] : selectedOfSubtypes(query))
  return rowColumns(subtype, (attribute) => {
    if (attribute.position < relationship.target.attributes.length) return columns[attribute.position] ?? null
    const name = subtypeColumn(introducing(subtype, attribute), attribute)
    return names.has(name) ? `${alias}.${name}` : null
  })
}

/**
 * Can relationships be joined to a query without changing what it means?
 *
 * @category guards
 */
export const canJoin = ({ node }: AnySelect): boolean =>
  node.frontModifiers === undefined &&
  node.endModifiers === undefined &&
  node.groupBy === undefined &&
  node.having === undefined &&
  node.setOperations === undefined &&
  node.distinctOn === undefined &&
  node.with === undefined &&
  node.fetch === undefined &&
  node.top === undefined

/** Can a query of targets stand in a join? @category guards */
export const canBeJoined = (query: AnySelect): boolean =>
  canJoin(query) && query.node.limit === undefined && query.node.offset === undefined

const rootAlias = 'unitary_rows'
/** Under which name a row tells which row of the query it is, where the joins may repeat it. */
export const joinedRow = 'unitary_row'
const targetOrder = 'unitary_order'

/**
 * The query with its parts joined. Rows tell the number of the query's own row under `joinedRow` where joins may repeat one
 * that comes more than once.
 *
 * @category combinators
 */
export const joinedSelect = (query: AnySelect, parts: ReadonlyArray<JoinedPart>): AnySelect => {
  const { mapping } = query.entity
  const node = !joinsInPlace(query, parts)
    ? joinOutside(query, parts)
    : join(qualified(mapping, query.node), mapping, null, parts)
  return { ...query, node }
}

/**
 * Can the parts be joined to the query as it is?
 *
 * @category guards
 */
export const joinsInPlace = ({ node }: AnySelect, parts: ReadonlyArray<JoinedPart>): boolean => {
  const { limit, offset, joins, where, orderBy } = node
  const repeats = parts.some(({ isContained, relationship }) => mayHaveSeveral(relationship) && !isContained)
  const isCounted = limit !== undefined || offset !== undefined || joins !== undefined
  return !(repeats && isCounted) && !containsNames(where) && !containsNames(orderBy)
}

/** Text and subqueries, whose names may become ambiguous beside other tables. */
const containsNames = (node: OperationNode | undefined): boolean => {
  if (node === undefined) return false
  let found = false
  const visit = (child: OperationNode, property: string): OperationNode => {
    // the direction of an order is text too
    found ||= SelectQueryNode.is(child) || (isText(child) && property !== 'direction')
    mapChildren(child, visit)
    return child
  }
  mapChildren(node, visit)
  return found
}

/** Names without a table are those of the entity. */
const qualified = (mapping: Mapping, node: SelectQueryNode): SelectQueryNode => {
  const visit = (child: OperationNode): OperationNode =>
    ReferenceNode.is(child) && child.table === undefined && ColumnNode.is(child.column)
      ? attributeNode(mapping, { name: child.column.column.name })
      : mapChildren(child, visit)
  return mapChildren(node, (child, property) =>
    node.joins === undefined && (property === 'where' || property === 'orderBy') ? visit(child) : child,
  )
}

/** `select ... from (select ..., row_number() ... from ...) as "unitary_rows" left join ... order by its number` */
const joinOutside = (query: AnySelect, parts: ReadonlyArray<JoinedPart>): SelectQueryNode => {
  const { entity, node } = query
  const selected = selectedAttributes(query)
  const over = OverNode.create()
  const number = AggregateFunctionNode.cloneWithOver(
    AggregateFunctionNode.create('row_number', []),
    node.orderBy === undefined ? over : { ...over, orderBy: OrderByNode.create(node.orderBy.items) },
  )
  // what the joins are made by is there too, whatever is selected of it
  const needed = alsoSelecting(
    query,
    parts.flatMap(({ owner, relationship }) => (owner === null ? relationship.ownerAttributes : [])),
  )
  const numbered = SelectQueryNode.cloneWithSelections(needed.node, [
    SelectionNode.create(AliasNode.create(number, IdentifierNode.create(joinedRow))),
  ])
  // what the query selects beside, as of its own joins
  const others = [...outputNames(node)].filter((name) => !entity.mapping.attributeOf.has(name))
  const outer = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([AliasNode.create(numbered, IdentifierNode.create(rootAlias))]),
    [...selected.map(({ name }) => name), ...others, joinedRow].map((name) =>
      SelectionNode.create(columnIn(rootAlias, name)),
    ),
  )
  const ordered = QueryNode.cloneWithOrderByItems(outer, [OrderByItemNode.create(columnIn(rootAlias, joinedRow))])
  return join(ordered as SelectQueryNode, entity.mapping, rootAlias, parts)
}

/** A column of the owner: of the query's own table where that has no alias. */
const ownerColumn = (part: JoinedPart, mapping: Mapping, root: string | null, attribute: Attribute): ReferenceNode => {
  const { owner } = part
  if (owner?.isContained === true && root !== null) {
    // the query is a subquery, and so are its joins; what loads need to know of their owners is selected
    return columnIn(root, owner.columns[attribute.position] as string)
  }
  if (owner !== null) return columnIn(owner.alias, attribute.name)
  return root === null ? attributeNode(mapping, attribute) : columnIn(root, attribute.name)
}

const join = (
  node: SelectQueryNode,
  mapping: Mapping,
  root: string | null,
  parts: ReadonlyArray<JoinedPart>,
): SelectQueryNode => {
  let joined: SelectQueryNode = node
  const order: OrderByItemNode[] = []
  for (const part of parts) {
    const { alias, columns, isContained, isInner, query, relationship } = part
    if (isContained) continue
    const { target } = relationship
    const own = (attribute: Attribute): ReferenceNode => ownerColumn(part, mapping, root, attribute)
    const link = `${alias}_link`
    const relation = relationOf(relationship, alias, link, own)
    for (const { on, table } of relation.between) joined = joining(joined, 'LeftJoin', table, on)
    // what joins and orders need is there too, whatever is selected of it
    const table = query === null ? tableNode(target) : withOrder(alsoSelecting(query, target.attributes))
    joined = joining(
      joined,
      isInner ? 'InnerJoin' : 'LeftJoin',
      AliasNode.create(table, IdentifierNode.create(alias)),
      relation.target,
      part.joining.condition === null ? null : conditionAt(part.joining.condition, alias, false),
    )
    joined = SelectQueryNode.cloneWithSelections(
      joined,
      target.attributes.flatMap(({ name, position }) => {
        const as = columns[position]
        return as === null || as === undefined
          ? []
          : [SelectionNode.create(AliasNode.create(columnIn(alias, name), IdentifierNode.create(as)))]
      }),
    )
    if (query !== null) {
      const selections = selectedOfSubtypes(query).map((name) =>
        SelectionNode.create(AliasNode.create(columnIn(alias, name), IdentifierNode.create(`${alias}.${name}`))),
      )
      if (selections.length > 0) joined = SelectQueryNode.cloneWithSelections(joined, selections)
    }
    if (!mayHaveSeveral(relationship)) continue
    if (query?.node.orderBy !== undefined) order.push(...orderOutside(alias, query.node.orderBy))
    order.push(...relationship.orderBy.map(([attribute, direction]) => orderItem(alias, attribute, direction)))
  }
  return order.length === 0 ? joined : (QueryNode.cloneWithOrderByItems(joined, order) as SelectQueryNode)
}

const orderItem = (alias: string, { name }: Attribute, direction: OrderDirection): OrderByItemNode =>
  OrderByItemNode.create(columnIn(alias, name), RawNode.createWithSql(direction))

const joining = (
  node: SelectQueryNode,
  kind: 'LeftJoin' | 'InnerJoin',
  table: OperationNode,
  related: OperationNode,
  condition: OperationNode | null = null,
): SelectQueryNode => {
  const on = condition === null ? related : AndNode.create(related, condition)
  return QueryNode.cloneWithJoin(node, JoinNode.createWithOn(kind, table, on))
}

/**
 * A query of targets that gives what its rows are ordered by. The order itself is made outside, where the targets are those of
 * the owners: a subquery that numbers its rows is one of the whole table, which no database looks into.
 */
const withOrder = ({ node }: AnySelect): SelectQueryNode => {
  if (node.orderBy === undefined) return node
  const { orderBy, ...rest } = node
  const ordered = isNumbered(orderBy)
    ? [numbered(orderBy)]
    : orderBy.items.map(({ orderBy: term }, i) => AliasNode.create(term, IdentifierNode.create(nthOrder(i))))
  return SelectQueryNode.cloneWithSelections(
    rest,
    ordered.map((each) => SelectionNode.create(each)),
  )
}

/** The same order of its rows outside of it. */
const orderOutside = (alias: string, orderBy: OrderByNode): ReadonlyArray<OrderByItemNode> =>
  isNumbered(orderBy)
    ? [OrderByItemNode.create(columnIn(alias, targetOrder))]
    : (orderBy.items as ReadonlyArray<OrderByItemNode>).map((item, i) => ({
        ...item,
        orderBy: columnIn(alias, nthOrder(i)),
      }))

const nthOrder = (i: number): string => `${targetOrder}_${i}`

/** Text may have a direction in it, which no column has: its rows are numbered. */
const isNumbered = ({ items }: OrderByNode): boolean =>
  items.some((item) => !OrderByItemNode.is(item) || isText(item.orderBy))

const numbered = ({ items }: OrderByNode): AliasNode => {
  const number = AggregateFunctionNode.cloneWithOver(AggregateFunctionNode.create('row_number', []), {
    ...OverNode.create(),
    orderBy: OrderByNode.create(items),
  })
  return AliasNode.create(number, IdentifierNode.create(targetOrder))
}
