/**
 * Statements with criteria: a condition beside every place where one reads a table whose entity has criteria.
 *
 * The table that is read, tables that are joined, under whatever name, those of subqueries, CTEs and the arms of a UNION. The
 * conditions stand in WHERE, of what is joined in ON, so that an outer join keeps its rows; where a RIGHT or FULL join may
 * bring rows of its own, the table gives way to a subquery. Left alone are tables that stand in the text of raw SQL, what an
 * INSERT writes to, and the criteria themselves, whose own subqueries see every row.
 *
 * @example
 * // select ... from "users" left join "posts" as "p" on "p"."author_id" = "users"."id"
 * // and "p"."is_hidden" = false
 */

import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type CommonTableExpressionNode,
  type DeleteQueryNode,
  IdentifierNode,
  type JoinNode,
  type JoinType,
  OnNode,
  type OperationNode,
  ReferenceNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  WhereNode,
  type WithNode,
} from 'kysely'
import { isOwnTable } from '../model/parts.js'
import { bothConditions, conditionAt, type EntityCondition, hasKeyOf, rowsOf } from './entity-condition.js'
import { type ActiveCriteria, activeCriteria, type EntityCriteria } from './entity-criteria.js'
import { linkAlias } from './relation.js'
import { tablesOf, withExpressions, within } from './scope.js'
import { catalogOf, isOwnSource, outermost, type Scope, tableName } from './source.js'
import { type AnyStatement, type ExecutionOptions, optionsOver } from './statement.js'
import { mapChange, mapChildren, mapList } from './tree.js'

/**
 * The statement as criteria narrow it, under the options given and its own. A session that has criteria does so by itself.
 * The very same statement where none of them concerns it.
 *
 * @example
 * pipe(select(model.Post), applyCriteria(rules, { tenant: 'acme' }), compile(engine))
 *
 * @category combinators
 */
export const applyCriteria =
  (criteria: EntityCriteria, options: ExecutionOptions = {}) =>
  <S extends AnyStatement>(statement: S): S => {
    const active = activeCriteria(criteria, optionsOver(options)(statement.options))
    return active === null ? statement : applyActive(active)(statement)
  }

const trees = new WeakMap<ActiveCriteria, WeakMap<OperationNode, OperationNode>>()

/**
 * The same under options that are known already. O(nodes), once for each tree; a tree that was made by it is left as it is.
 *
 * @category combinators
 */
export const applyActive =
  (active: ActiveCriteria) =>
  <S extends AnyStatement>(statement: S): S => {
    let known = trees.get(active)
    if (known === undefined) {
      known = new WeakMap()
      trees.set(active, known)
    }
    const { node } = statement
    let applied = known.get(node)
    if (applied === undefined) {
      applied = concerns(active, node) ? rewrite(active, outermost(catalogOf(active.mappings)), node) : node
      known.set(node, applied)
      known.set(applied, applied)
    }
    return applied === node ? statement : { ...statement, node: applied }
  }

/** Does a table that has criteria stand anywhere in the tree? */
const concerns = (active: ActiveCriteria, node: OperationNode): boolean => {
  if (TableNode.is(node)) {
    const table = tableName(node)
    // what a subtype adds goes with the rows of its base
    const mapping = isOwnTable(table) ? undefined : catalogOf(active.mappings).get(table)
    return mapping !== undefined && active.conditionOf(mapping) !== null
  }
  let found = false
  mapChildren(node, (child) => {
    found ||= concerns(active, child)
    return child
  })
  return found
}

type Query = SelectQueryNode | UpdateQueryNode | DeleteQueryNode

const rewrite = (active: ActiveCriteria, scope: Scope, node: OperationNode): OperationNode => {
  switch (node.kind) {
    case 'SelectQueryNode':
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
      return query(active, scope, node as Query)
    case 'InsertQueryNode': {
      const expressions = (node as { readonly with?: WithNode }).with?.expressions ?? []
      return children(active, scope, withExpressions(scope, expressions), node)
    }
    default:
      return mapChildren(node, (child) => rewrite(active, scope, child))
  }
}

/** What stands in a query, its CTEs each with those before it in scope. */
const children = (active: ActiveCriteria, parent: Scope, scope: Scope, node: OperationNode): OperationNode =>
  mapChildren(node, (child, property) =>
    property === 'with' ? expressions(active, parent, child as WithNode) : rewrite(active, scope, child),
  )

const expressions = (active: ActiveCriteria, parent: Scope, node: WithNode): OperationNode =>
  mapChange(node, 'expressions', (nodes) =>
    mapList(nodes, (expression: CommonTableExpressionNode, i) => {
      const scope = withExpressions(parent, node.recursive === true ? nodes : nodes.slice(0, i))
      return mapChange(expression, 'expression', (body) => rewrite(active, scope, body))
    }),
  )

const query = (active: ActiveCriteria, parent: Scope, node: Query): OperationNode => {
  const outside = withExpressions(parent, node.with?.expressions ?? [])
  const inside = children(active, parent, outside, node) as Query
  const isAlone = tablesOf(node).length === 1
  const conditions = new Map<string, OperationNode>()
  const inWhere = (narrowed: ReadonlyArray<Narrowed>): void => {
    // MySQL names the table that it deletes from once more among those that it uses
    for (const one of narrowed) conditions.set(one.name, said(one, isAlone))
  }
  const joins = inside.joins ?? []
  // what stands before such a join may be missing from its rows, whatever WHERE says of it
  const lastOuter = joins.findLastIndex(({ joinType }) => joinType === 'RightJoin' || joinType === 'FullJoin')
  const inFrom = (table: OperationNode): OperationNode => {
    const narrowed = narrowedIn(active, outside, table)
    if (lastOuter >= 0) return onlyRowsOf(narrowed, table)
    inWhere(narrowed)
    return table
  }
  const inJoin = (join: JoinNode, i: number): JoinNode => {
    const narrowed = narrowedIn(active, outside, join.table)
    if (isLinkOf(joins[i - 1], join)) return join
    const linked = joins[i + 1]
    if (linked !== undefined && isLinkOf(join, linked)) {
      return toShown(join, linked, narrowedIn(active, outside, linked.table))
    }
    if (onlyByOn.has(join.joinType)) return withOn(join, narrowed)
    if (i <= lastOuter) return { ...join, table: onlyRowsOf(narrowed, join.table) }
    inWhere(narrowed)
    return join
  }
  inWhere(writtenBy(inside).flatMap((table) => narrowedIn(active, outside, table)))
  const joined = mapChange<Query, 'joins'>(
    withSources(inside, inFrom),
    'joins',
    (list) => list && mapList(list, inJoin),
  )
  const where = [...conditions.values()].reduce<OperationNode | undefined>(bothConditions, joined.where?.where)
  return where === joined.where?.where || where === undefined ? joined : restricted(joined, where)
}

const restricted = (node: Query, where: OperationNode): Query => ({ ...node, where: WhereNode.create(where) })

/** Joins in which a row that ON does not let through is as good as not there. */
const onlyByOn: ReadonlySet<JoinType> = new Set(['InnerJoin', 'LeftJoin', 'LateralInnerJoin', 'LateralLeftJoin'])

const withOn = (join: JoinNode, narrowed: ReadonlyArray<Narrowed>): JoinNode => {
  const on = narrowed.map((one) => said(one, false)).reduce<OperationNode | undefined>(bothConditions, join.on?.on)
  return on === join.on?.on || on === undefined ? join : { ...join, on: OnNode.create(on) }
}

/** Is a join that of the links over which the next one reads a relationship, both keeping rows without any? */
const isLinkOf = (link: JoinNode | undefined, target: JoinNode): boolean => {
  const alias = aliasOf(target.table)
  return (
    link?.joinType === 'LeftJoin' &&
    target.joinType === 'LeftJoin' &&
    alias !== null &&
    aliasOf(link.table) === linkAlias(alias)
  )
}

const aliasOf = (table: OperationNode): string | null =>
  AliasNode.is(table) && IdentifierNode.is(table.alias) ? table.alias.name : null

/** The join of links, of those only whose targets are shown: else each would keep a row of its owner's. */
const toShown = (link: JoinNode, target: JoinNode, [narrowed]: ReadonlyArray<Narrowed>): JoinNode => {
  if (narrowed === undefined || target.on === undefined) return link
  const { condition } = narrowed
  const held = linkColumns(target.on.on)
  const keys = condition.mapping.key.flatMap(({ name }) => held.get(name) ?? [])
  return { ...link, on: OnNode.create(bothConditions(link.on?.on, hasKeyOf(condition, keys))) }
}

/** The columns of links that hold a key, by its attributes: `target.id = link.target_id and ...`. */
const linkColumns = (on: OperationNode): ReadonlyMap<string, OperationNode> => {
  if (AndNode.is(on)) return new Map([...linkColumns(on.left), ...linkColumns(on.right)])
  if (!BinaryOperationNode.is(on) || !ReferenceNode.is(on.leftOperand)) return new Map()
  const { column } = on.leftOperand
  return ColumnNode.is(column) ? new Map([[column.column.name, on.rightOperand]]) : new Map()
}

/** The tables that a statement writes to. */
const writtenBy = (node: Query): ReadonlyArray<OperationNode> => {
  switch (node.kind) {
    case 'SelectQueryNode':
      return []
    case 'UpdateQueryNode':
      return node.table === undefined ? [] : [node.table]
    case 'DeleteQueryNode':
      return node.from.froms
  }
}

/** The query with the tables changed that it only reads, but for those that it joins. */
const withSources = (node: Query, change: (table: OperationNode) => OperationNode): Query => {
  if (node.kind === 'DeleteQueryNode') {
    return mapChange(node, 'using', (using) => using && mapChange(using, 'tables', (list) => mapList(list, change)))
  }
  return mapChange<SelectQueryNode | UpdateQueryNode, 'from'>(
    node,
    'from',
    (from) => from && mapChange(from, 'froms', (list) => mapList(list, change)),
  )
}

/** A table that has criteria, under the name that a query gives it. */
interface Narrowed {
  readonly name: string
  readonly condition: EntityCondition
}

const narrowedIn = (active: ActiveCriteria, outside: Scope, table: OperationNode): ReadonlyArray<Narrowed> =>
  within(outside, [table]).sources.flatMap((source) => {
    const { mapping, name } = source
    const condition = mapping === null || isOwnSource(source) ? null : active.conditionOf(mapping)
    return condition === null ? [] : [{ name, condition }]
  })

const said = ({ condition, name }: Narrowed, isAlone: boolean): OperationNode => conditionAt(condition, name, isAlone)

/** `(select ... from table where ...) as name` */
const onlyRowsOf = ([narrowed]: ReadonlyArray<Narrowed>, table: OperationNode): OperationNode =>
  narrowed === undefined ? table : AliasNode.create(rowsOf(narrowed.condition), IdentifierNode.create(narrowed.name))
