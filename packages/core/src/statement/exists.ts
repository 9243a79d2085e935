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
  type Expression,
  ExpressionWrapper,
  type OperationNode,
  OperatorNode,
  QueryNode,
  type SelectionNode,
  SelectQueryNode,
  type SqlBool,
  TableNode,
  UnaryOperationNode,
} from 'kysely'
import type { CollectionName, ReferenceName } from '../model/infer.js'
import type { Attribute } from '../model/mapping.js'
import { type AnyThrough, isThrough, type Reach, type Through } from '../model/through.js'
import { type AliasPath, noPath, pathFrom, pathIn } from './alias.js'
import { type Filterable, where } from './criteria.js'
import { type Clause, invalidClause } from './error.js'
import type { AliasOf, Extent, ExtentOf } from './extent.js'
import { faultNode } from './fault.js'
import type { EntityAt, TargetAt } from './join.js'
import { aliased, columnIn, found, joining, relationOf } from './relation.js'
import type { AnySelect, Select } from './select.js'
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

/** A proxy of what an alias stands for. */
type ThroughAt<S, A extends string, R extends Reach> = Through<ModelOf<S>, EntityAt<ExtentOf<S>, A> & string, R>

/** The query of what a proxy leads to. */
type TargetsThrough<S, R extends Reach> = Select<ModelOf<S>, R['target']>

/** The same, narrowed. */
type NarrowedThrough<S, R extends Reach> = Select<ModelOf<S>, R['target'], unknown, Extent>

/** A proxy that leads to one thing at most. */
type ToOne<R extends Reach> = R['form'] extends 'one' ? unknown : { readonly fault: 'it leads to many: ask with any' }

/**
 * A condition that a collection has members, or that a proxy leads to something: a proxy of the query's entity, or of what an alias
 * stands for. Without an expression builder it stands for itself, as a condition; with one it is an expression, to be
 * combined with others.
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
  <S extends Filterable, A extends AliasOf<ExtentOf<S>>, R extends Reach>(
    eb: ExpressionsOf<S>,
    alias: A,
    proxy: ThroughAt<S, A, R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): Expression<SqlBool>
  <S extends Filterable, A extends AliasOf<ExtentOf<S>>, R extends Reach>(
    alias: A,
    proxy: ThroughAt<S, A, R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): (eb: ExpressionsOf<S>) => Expression<SqlBool>
}

/**
 * A condition that a relationship to one has its target, or that a proxy over such leads to something; in form as `Any`.
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
  <S extends Filterable, R extends Reach>(
    eb: ExpressionsOf<S>,
    proxy: Through<ModelOf<S>, NameOf<S>, R> & ToOne<R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): Expression<SqlBool>
  <S extends Filterable, R extends Reach>(
    proxy: Through<ModelOf<S>, NameOf<S>, R> & ToOne<R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): (eb: ExpressionsOf<S>) => Expression<SqlBool>
  <S extends Filterable, A extends AliasOf<ExtentOf<S>>, R extends Reach>(
    eb: ExpressionsOf<S>,
    alias: A,
    proxy: ThroughAt<S, A, R> & ToOne<R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): Expression<SqlBool>
  <S extends Filterable, A extends AliasOf<ExtentOf<S>>, R extends Reach>(
    alias: A,
    proxy: ThroughAt<S, A, R> & ToOne<R>,
    refine?: (targets: TargetsThrough<S, R>) => NarrowedThrough<S, R>,
  ): (eb: ExpressionsOf<S>) => Expression<SqlBool>
}

type Builder = ExpressionsOf<Filterable>

/** What is given after the expression builder: a path or a proxy, or an alias and a proxy; and what narrows the targets. */
type Given = ReadonlyArray<string | AnyThrough | Refine | undefined>

const exists =
  (clause: Clause) =>
  (first: Builder | string | AnyThrough, ...rest: Given): unknown =>
    typeof first === 'string' || isThrough(first)
      ? (eb: Builder) => along(clause, eb, [first, ...rest])
      : along(clause, first, rest)

const along = (clause: Clause, eb: Builder, [first, ...rest]: Given): Expression<SqlBool> => {
  const [second] = rest
  if (isThrough(first)) return throughAt(clause, eb, first, null, (second as Refine | undefined) ?? null)
  const path = first as string
  return isThrough(second)
    ? throughAt(clause, eb, second, path, (rest[1] as Refine | undefined) ?? null)
    : condition(clause, eb, path, (second as Refine | undefined) ?? null)
}

const throughAt = (
  clause: Clause,
  eb: Builder,
  { path }: AnyThrough,
  alias: string | null,
  refine: Refine | null,
): Expression<SqlBool> => {
  const [first = '', ...further] = path
  // each relationship asks for targets that have some of the next one's
  const targets = further.reduceRight<Refine | null>(
    (narrowed, name) => where((inner) => condition(clause, inner, name, narrowed)),
    refine,
  )
  return condition(clause, eb, pathFrom(alias, first), targets)
}

/**
 * Has the collection any member, or any that `refine` lets through?
 *
 * @example
 * pipe(select(model.User), where(any('addresses', where('email', 'like', '%@example.org'))))
 * pipe(select(model.User), where((eb) => eb.not(any(eb, 'addresses'))))
 * pipe(select(model.User), where(any('addresses', where(has('city', where('name', '=', 'Paris'))))))
 * pipe(select(model.Order), where(any(items, where('price', '>', 10)))) // through a proxy
 * pipe(select(model.User), join('orders', 'o'), where(any('o', items))) // of an alias
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
 * pipe(select(model.Address), where(has(userCity, where('name', '=', 'Paris')))) // through a proxy
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

/** `select 1 from targets where they are related`. */
const relatedRows = (self: Filterable, path: AliasPath, refine: Refine | null): SelectQueryNode =>
  relatedSelecting(self, path, targetsOf(self.entity, path.relationship, refine), () => found)

/**
 * `select something from targets where they are related`, correlated with the owner's columns. What is selected is told for the
 * alias that the targets get.
 */
export const relatedSelecting = (
  self: Filterable,
  { owner, relationship }: AliasPath,
  targets: AnySelect,
  selected: (alias: string) => SelectionNode,
  within: OperationNode = targets.node,
): SelectQueryNode => {
  // within, the targets may be asked for more of theirs
  const alias = `${prefix}${Math.max(nesting(targets.node), nesting(within))}`
  const link = `${alias}_link`
  const own = (attribute: Attribute): OperationNode =>
    owner === null ? attributeNode(self.entity.mapping, attribute) : columnIn(owner, attribute.name)
  const { condition, table } = targetTable(targets, alias)
  const relation = relationOf(relationship, alias, link, own)
  const from = SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([aliased(table, alias)]), [
    selected(alias),
  ])
  const rows = QueryNode.cloneWithWhere(relation.between.reduce(joining, from), relation.target)
  return condition === null ? rows : QueryNode.cloneWithWhere(rows, condition)
}

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
