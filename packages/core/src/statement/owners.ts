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
import { conditionAt } from './entity-condition.js'
import type { ActiveCriteria } from './entity-criteria.js'
import { betweenAlias, existing } from './relation.js'
import type { AnySelect } from './select.js'
import { namedTable } from './source.js'
import { attributeNode } from './statement.js'
import { linkColumn, ordered, ownerLink, ownersOf, withOwners } from './template.js'

/**
 * A query of targets, narrowed to those of the owners that another query gives. Over a table of links, and by a condition,
 * each row has its owner's key under `linkedOwner`.
 *
 * @category combinators
 */
export const targetsOfOwners = (query: AnySelect, relationship: RelationshipMapping, owners: AnySelect): AnySelect => {
  const { foreignKey, key, kind, on, orderBy, owner, target, through } = relationship
  const isOwned = through !== null || on !== null
  const held = isOwned ? owner.key : kind === 'BelongsTo' ? foreignKey : key
  const { columns: compared, node } = isOwned
    ? withOwners(query, relationship)
    : {
        columns: (kind === 'BelongsTo' ? key : foreignKey).map((attribute) => attributeNode(target, attribute)),
        node: query.node,
      }
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
  relationship: RelationshipMapping,
  values: ReadonlyArray<unknown>,
): AnySelect => {
  const { foreignKey, key, kind, on, owner, target, through } = relationship
  const equal = (columns: ReadonlyArray<OperationNode>): OperationNode =>
    columns
      .map(
        (column, i): OperationNode =>
          BinaryOperationNode.create(column, OperatorNode.create('='), ValueNode.create(values[i])),
      )
      .reduce((a, b) => AndNode.create(a, b))
  if (on !== null) {
    const { columns, relation, table } = ownersOf(relationship)
    const own = { table, on: equal(columns) }
    const related = existing({ ...relation, between: [own, ...relation.between] })
    return { ...query, node: QueryNode.cloneWithWhere(query.node, related) as SelectQueryNode }
  }
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

const shownBetween = new WeakMap<
  ActiveCriteria,
  WeakMap<RelationshipMapping, WeakMap<SelectQueryNode, SelectQueryNode>>
>()

/**
 * A query of targets that is to be narrowed to those of some owners, with the criteria of what the relationship's condition goes
 * through. The very same query where there are none, the same tree for the same query.
 *
 * @category combinators
 */
export const shownThrough =
  (active: ActiveCriteria, relationship: RelationshipMapping) =>
  (query: AnySelect): AnySelect => {
    const narrowing = relationship.between.flatMap(([name, mapping]) => {
      const condition = active.conditionOf(mapping)
      return condition === null ? [] : [[betweenAlias(ownerLink, name), condition] as const]
    })
    if (narrowing.length === 0) return query
    const byRelationship = remembered(shownBetween, active, () => new WeakMap())
    const byNode = remembered(byRelationship, relationship, () => new WeakMap())
    const node = remembered(byNode, query.node, () =>
      narrowing.reduce(
        (narrowed, [name, condition]) => QueryNode.cloneWithWhere(narrowed, conditionAt(condition, name, false)),
        query.node,
      ),
    )
    return { ...query, node }
  }

const remembered = <K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V => {
  const found = known.get(key) ?? make()
  known.set(key, found)
  return found
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
