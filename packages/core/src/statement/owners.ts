/**
 * The targets of a relationship for all the owners that a query gives: loading by subquery.
 *
 * @example
 * // select "addresses".* from "addresses" where "addresses"."user_id" in
 * //   (select "unitary_owners"."id" from (select "users"."id" from "users" ... limit 10) as "unitary_owners")
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  IdentifierNode,
  LimitNode,
  type OperationNode,
  OperatorNode,
  QueryNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  TupleNode,
  UnaryOperationNode,
  ValueNode,
} from 'kysely'
import type { Attribute, RelationshipMapping } from '../model/mapping.js'
import { namedTable } from './scope.js'
import type { AnySelect } from './select.js'
import { attributeNode } from './statement.js'
import { linkColumn, linkedTo, ordered } from './template.js'

/**
 * A query of targets, narrowed to those of the owners that another query gives. Over a table of links each row has its
 * owner's key under `linkedOwner`.
 *
 * @category combinators
 */
export const targetsOfOwners = (query: AnySelect, relationship: RelationshipMapping, owners: AnySelect): AnySelect => {
  const { foreignKey, key, kind, orderBy, owner, target, through } = relationship
  const held = kind === 'BelongsTo' ? foreignKey : key
  const node = through === null ? query.node : linkedTo(query.node, relationship, through)
  const compared =
    through !== null
      ? through.own.map((column, i) => linkColumn(through, column, owner, i))
      : (kind === 'BelongsTo' ? key : foreignKey).map((attribute) => attributeNode(target, attribute))
  const only = compared[0]
  const narrowed = QueryNode.cloneWithWhere(
    node,
    BinaryOperationNode.create(
      compared.length === 1 && only !== undefined ? only : TupleNode.create(compared),
      OperatorNode.create('in'),
      keysOf(owners, held),
    ),
  )
  return {
    ...query,
    loads: [],
    node: ordered(narrowed as SelectQueryNode, target, kind === 'BelongsTo' ? [] : orderBy),
  }
}

/**
 * The query without its start, where its rows come from several databases and none of them knows how many of its own were
 * left out: it gives at least the rows that the query gives.
 *
 * @category combinators
 */
export const withoutOffset = (query: AnySelect): AnySelect => {
  const { limit, offset, ...rest } = query.node
  if (offset === undefined) return query
  const counts = [limit?.limit, offset.offset].map((count) =>
    count !== undefined && ValueNode.is(count) && typeof count.value === 'number' ? count.value : null,
  )
  const [size, start] = counts
  if (typeof size !== 'number' || typeof start !== 'number') return { ...query, node: rest }
  return { ...query, node: { ...rest, limit: LimitNode.create(ValueNode.create(size + start)) } }
}

/**
 * A query of targets, narrowed to those of one owner: `values` are its key, or the foreign key that it holds.
 *
 * @category combinators
 */
export const targetsWithOwner = (
  query: AnySelect,
  { foreignKey, key, kind, owner, target, through }: RelationshipMapping,
  values: ReadonlyArray<unknown>,
): AnySelect => {
  const equal = (columns: ReadonlyArray<OperationNode>): OperationNode =>
    columns
      .map(
        (column, i): OperationNode =>
          BinaryOperationNode.create(column, OperatorNode.create('='), ValueNode.create(values[i])),
      )
      .reduce((a, b) => AndNode.create(a, b))
  if (through === null) {
    const held = kind === 'BelongsTo' ? key : foreignKey
    const condition = equal(held.map((attribute) => attributeNode(target, attribute)))
    return { ...query, node: QueryNode.cloneWithWhere(query.node, condition) as SelectQueryNode }
  }
  const linked = through.target
    .map(
      (column, i): OperationNode =>
        BinaryOperationNode.create(
          linkColumn(through, column, target, i),
          OperatorNode.create('='),
          attributeNode(target, target.key[i] as Attribute),
        ),
    )
    .reduce((a, b) => AndNode.create(a, b))
  const links = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([namedTable(through.table)]),
    through.own.map((column, i) => SelectionNode.create(linkColumn(through, column, owner, i))),
  )
  const own = QueryNode.cloneWithWhere(
    links,
    AndNode.create(linked, equal(through.own.map((column, i) => linkColumn(through, column, owner, i)))),
  )
  const exists = UnaryOperationNode.create(OperatorNode.create('exists'), own)
  return { ...query, node: QueryNode.cloneWithWhere(query.node, exists) as SelectQueryNode }
}

const alias = 'unitary_owners'

/** In a query of its own, since not every database takes a limit right inside of IN. */
const keysOf = ({ entity, node }: AnySelect, attributes: ReadonlyArray<Attribute>): OperationNode => {
  const isWhole = node.frontModifiers !== undefined || node.setOperations !== undefined || node.groupBy !== undefined
  const { orderBy, ...rest } = node
  const unordered = node.limit === undefined && node.offset === undefined ? rest : node
  const narrow: SelectQueryNode = isWhole
    ? unordered
    : {
        ...unordered,
        selections: attributes.map((attribute) => SelectionNode.create(attributeNode(entity.mapping, attribute))),
      }
  return SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([AliasNode.create(narrow, IdentifierNode.create(alias))]),
    attributes.map(({ name }) =>
      SelectionNode.create(ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias))),
    ),
  )
}
