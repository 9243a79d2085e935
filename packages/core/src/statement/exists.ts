/**
 * Conditions on what is related, without a join: each row is kept or not, and comes once.
 *
 * @example
 * pipe(select(model.User), where(any('addresses', where('email', 'like', '%@example.org'))))
 * pipe(
 *   select(model.User),
 *   where((eb) => eb.or([eb('name', '=', 'ed'), eb.not(any(eb, 'addresses'))])),
 * )
 */
import {
  AliasNode,
  type Expression,
  ExpressionWrapper,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  QueryNode,
  SelectQueryNode,
  type SqlBool,
  TableNode,
  UnaryOperationNode,
} from 'kysely'
import type { CollectionName, ReferenceName } from '../model/infer.js'
import type { Attribute } from '../model/mapping.js'
import { type AnyThrough, isThrough, type Reach, type Through } from '../model/through.js'
import { type AliasPath, noPath, pathIn } from './alias.js'
import { type Filterable, where } from './criteria.js'
import { type Clause, invalidClause } from './error.js'
import type { AliasOf, Extent, ExtentOf } from './extent.js'
import { faultNode } from './fault.js'
import type { EntityAt, TargetAt } from './join.js'
import { columnIn, found, joining, relationOf } from './relation.js'
import type { Select } from './select.js'
import { attributeNode, type ExpressionsOf, type ModelOf, type NameOf, statementOf } from './statement.js'
import { type Refine, targetsOf, targetTable } from './targets.js'
import { mapChildren } from './tree.js'

/** A collection of the query's entity, or of an alias. @category model */
export type CollectionPath<M, N, X extends Extent> =
  | CollectionName<M, N>
  | { readonly [A in AliasOf<X>]: `${A}.${CollectionName<M, EntityAt<X, A>>}` }[AliasOf<X>]

/** A relationship to one of the query's entity, or of an alias. @category model */
export type ReferencePath<M, N, X extends Extent> =
  | ReferenceName<M, N>
  | { readonly [A in AliasOf<X>]: `${A}.${ReferenceName<M, EntityAt<X, A>>}` }[AliasOf<X>]

/** The query of a path's targets. */
type TargetsAt<S, P> = Select<ModelOf<S>, TargetAt<ModelOf<S>, NameOf<S>, ExtentOf<S>, P>>

/** The same, narrowed. */
type NarrowedAt<S, P> = Select<ModelOf<S>, TargetAt<ModelOf<S>, NameOf<S>, ExtentOf<S>, P>, unknown, Extent>

/** The query of what a proxy leads to. */
type TargetsThrough<S, R extends Reach> = Select<ModelOf<S>, R['target']>

/** The same, narrowed. */
type NarrowedThrough<S, R extends Reach> = Select<ModelOf<S>, R['target'], unknown, Extent>

/**
 * A condition that a collection has members, or that a proxy leads to something. Without an expression builder it stands for itself, as a condition; with one it
 * is an expression, to be combined with others.
 *
 * @category model
 */
export interface Any {
  <S extends Filterable, P extends CollectionPath<ModelOf<S>, NameOf<S>, ExtentOf<S>>>(
    eb: ExpressionsOf<S>,
    path: P,
    refine?: (targets: TargetsAt<S, P>) => NarrowedAt<S, P>,
  ): Expression<SqlBool>
  <S extends Filterable, P extends CollectionPath<ModelOf<S>, NameOf<S>, ExtentOf<S>>>(
    path: P,
    refine?: (targets: TargetsAt<S, P>) => NarrowedAt<S, P>,
  ): (eb: ExpressionsOf<S>) => Expression<SqlBool>
  <S extends Filterable, R extends Reach>(
    eb: ExpressionsOf<S>,
    proxy: Through<ModelOf<S>, NameOf<S>, R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): Expression<SqlBool>
  <S extends Filterable, R extends Reach>(
    proxy: Through<ModelOf<S>, NameOf<S>, R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): (eb: ExpressionsOf<S>) => Expression<SqlBool>
}

/**
 * A condition that a relationship to one has its target; in form as `Any`.
 *
 * @category model
 */
export interface Has {
  <S extends Filterable, P extends ReferencePath<ModelOf<S>, NameOf<S>, ExtentOf<S>>>(
    eb: ExpressionsOf<S>,
    path: P,
    refine?: (targets: TargetsAt<S, P>) => NarrowedAt<S, P>,
  ): Expression<SqlBool>
  <S extends Filterable, P extends ReferencePath<ModelOf<S>, NameOf<S>, ExtentOf<S>>>(
    path: P,
    refine?: (targets: TargetsAt<S, P>) => NarrowedAt<S, P>,
  ): (eb: ExpressionsOf<S>) => Expression<SqlBool>
}

type Builder = ExpressionsOf<Filterable>

const exists =
  (clause: Clause) =>
  (first: Builder | string | AnyThrough, second?: string | AnyThrough | Refine, third?: Refine): unknown =>
    typeof first === 'string' || isThrough(first)
      ? (eb: Builder) => along(clause, eb, first, (second as Refine | undefined) ?? null)
      : along(clause, first, second as string | AnyThrough, third ?? null)

const along = (clause: Clause, eb: Builder, way: string | AnyThrough, refine: Refine | null): Expression<SqlBool> => {
  if (typeof way === 'string') return condition(clause, eb, way, refine)
  const [first = '', ...further] = way.path
  // each relationship asks for targets that have some of the next one's
  const targets = further.reduceRight<Refine | null>(
    (narrowed, name) => where((inner) => condition(clause, inner, name, narrowed)),
    refine,
  )
  return condition(clause, eb, first, targets)
}

/**
 * Has the collection any member, or any that `refine` lets through?
 *
 * @example
 * pipe(select(model.User), where(any('addresses', where('email', 'like', '%@example.org'))))
 * pipe(select(model.User), where((eb) => eb.not(any(eb, 'addresses'))))
 * pipe(select(model.User), where(any('addresses', where(has('city', where('name', '=', 'Paris'))))))
 * pipe(select(model.Order), where(any(items, where('price', '>', 10)))) // through a proxy
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/select.html#exists-forms-has-any
 * @category combinators
 */
export const any: Any = exists('any') as never

/**
 * Is there what the relationship to one leads to, and does `refine` let it through?
 *
 * @example
 * pipe(select(model.Address), where(has('user', where('name', '=', 'ed'))))
 *
 * @category combinators
 */
export const has: Has = exists('has') as never

const condition = (clause: Clause, eb: Builder, path: string, refine: Refine | null): Expression<SqlBool> => {
  const self = statementOf(eb)
  const { mapping, name } = self.entity
  const reached = pathIn(mapping, 'aliases' in self ? self.aliases : [], path)
  return new ExpressionWrapper(
    reached === null
      ? faultNode(invalidClause(name, clause, path, noPath(mapping, path)))
      : UnaryOperationNode.create(OperatorNode.create('exists'), relatedRows(self, reached, refine)),
  )
}

/** `select 1 from targets where they are related`, correlated with the owner's columns. */
const relatedRows = (self: Filterable, { owner, relationship }: AliasPath, refine: Refine | null): SelectQueryNode => {
  const targets = targetsOf(self.entity, relationship, refine)
  // within, the targets may be asked for more of theirs
  const alias = `${prefix}${nesting(targets.node)}`
  const link = `${alias}_link`
  const own = (attribute: Attribute): OperationNode =>
    owner === null ? attributeNode(self.entity.mapping, attribute) : columnIn(owner, attribute.name)
  const { condition, table } = targetTable(targets, alias)
  const relation = relationOf(relationship, alias, link, own)
  const from = SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([aliased(table, alias)]), [found])
  const rows = QueryNode.cloneWithWhere(relation.between.reduce(joining, from), relation.target)
  return condition === null ? rows : QueryNode.cloneWithWhere(rows, condition)
}

const aliased = (node: OperationNode, alias: string): AliasNode => AliasNode.create(node, IdentifierNode.create(alias))

const prefix = 'unitary_any_'

/** A number that no alias of the tree has. */
const nesting = (node: OperationNode): number => {
  let found = 0
  const visit = (child: OperationNode): OperationNode => {
    if (TableNode.is(child) && child.table.identifier.name.startsWith(prefix)) {
      found = Math.max(found, Number.parseInt(child.table.identifier.name.slice(prefix.length), 10) + 1)
    }
    return mapChildren(child, visit)
  }
  visit(node)
  return found
}
