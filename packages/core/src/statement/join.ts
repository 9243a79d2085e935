/**
 * Joins: the tables of other entities, or of the same once more, beside the rows of a query.
 *
 * What is joined has an alias, and conditions and orders speak of it: `eb('a.email', '=', ...)`. A name without a table is
 * the entity's own. The query still gives its entity, once for each row: `distinct` leaves out repeated ones, and
 * `containsEager` takes what was joined for the relationship.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   join('addresses', 'a'),
 *   leftJoin('a.city', 'c'),
 *   where((eb) => eb('a.email', 'like', '%@example.org')),
 *   orderBy((eb) => eb.ref('c.name')),
 * )
 */
import {
  AliasNode,
  AndNode,
  type Expression,
  IdentifierNode,
  JoinNode,
  type JoinType,
  type OperationNode,
  QueryNode,
  SelectionNode,
  SelectQueryNode,
  type SqlBool,
} from 'kysely'
import type { TableOf } from '../model/database.js'
import type { RelationshipName, TargetOf } from '../model/infer.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { Mapped, TypeFault } from '../model/model.js'
import { type Alias, type AliasPath, noPath, partsOf, pathIn } from './alias.js'
import { invalidClause } from './error.js'
import type { AliasOf, Extent, JoinedAs, Whole } from './extent.js'
import { faultNode } from './fault.js'
import { qualified, qualifiedQuery } from './qualify.js'
import { allEqual, columnIn, existing, linkAlias, relationOf } from './relation.js'
import type { AnySelect, Select } from './select.js'
import { attributeNode, type ExpressionsOf, expressionsOf, mappingsOf, tableNode } from './statement.js'
import { type Refine, targetsOf, targetTable } from './targets.js'

/** The extent of a query that joined an alias besides. @category model */
export interface Joining<X extends Extent, A extends string, N extends string, Optional extends boolean>
  extends Extent {
  readonly joined: X['joined'] & { readonly [P in A]: JoinedAs<N, Optional> }
  readonly omitted: X['omitted']
}

/** The entity that an alias stands for. @category model */
export type EntityAt<X extends Extent, A> = A extends AliasOf<X> ? X['joined'][A]['entity'] : never

/**
 * A relationship of the query's entity, or of an alias: `addresses`, `a.city`.
 *
 * @category model
 */
export type Path<M, N, X extends Extent> =
  | RelationshipName<M, N>
  | { readonly [A in AliasOf<X>]: `${A}.${RelationshipName<M, EntityAt<X, A>>}` }[AliasOf<X>]

/** The entity that a path leads to. @category model */
export type TargetAt<M, N, X extends Extent, P> = P extends `${infer A}.${infer K}`
  ? TargetOf<M, EntityAt<X, A>, K>
  : TargetOf<M, N, P>

/** The name of a path's relationship. @category model */
export type NameAt<P> = P extends `${string}.${infer K}` ? K : P & string

/** Says what is wrong with an alias whose name the query has already. */
export type FreeAlias<M, N, X extends Extent, A extends string> = A extends TableOf<M, N> | AliasOf<X>
  ? TypeFault<`'${A}' is a table of this query already: give the join an alias of its own`>
  : unknown

/**
 * Joins along a relationship. Its alias is the relationship's name, unless another is given. `refine` narrows the targets:
 * its conditions are part of the join's, so that an outer join keeps the rows that have no such target.
 *
 * @category model
 */
export interface Join<Optional extends boolean> {
  <M, N extends string, L, X extends Extent, P extends Path<M, N, X>>(
    path: P & FreeAlias<M, N, X, NameAt<P>>,
  ): (self: Select<M, N, L, X>) => Select<M, N, L, Joining<X, NameAt<P>, TargetAt<M, N, X, P>, Optional>>
  <
    M,
    N extends string,
    L,
    X extends Extent,
    P extends Path<M, N, X>,
    const A extends string,
    L2 = unknown,
    X2 extends Extent = Whole,
  >(
    path: P,
    alias: A & FreeAlias<M, N, X, A>,
    refine?: (targets: Select<M, TargetAt<M, N, X, P>>) => Select<M, TargetAt<M, N, X, P>, L2, X2>,
  ): (self: Select<M, N, L, X>) => Select<M, N, L, Joining<X, A, TargetAt<M, N, X, P>, Optional>>
}

/**
 * Joins the table of an entity on a condition.
 *
 * @category model
 */
export type JoinOn<Optional extends boolean> = <
  M,
  N extends string,
  L,
  X extends Extent,
  N2 extends string,
  const A extends string,
>(
  entity: Mapped<M, N2>,
  alias: A & FreeAlias<M, N, X, A>,
  on: (eb: ExpressionsOf<Select<M, N, L, Joining<X, A, N2, false>>>) => Expression<SqlBool>,
) => (self: Select<M, N, L, X>) => Select<M, N, L, Joining<X, A, N2, Optional>>

const along =
  (isOptional: boolean) =>
  (path: string, alias: string = nameAt(path), refine: Refine | null = null) =>
  (self: AnySelect): AnySelect => {
    const reached = pathIn(self.entity.mapping, self.aliases, path)
    return reached === null
      ? faulty(self, alias, noPath(self.entity.mapping, path))
      : joinRelationship(self, reached, alias, refine, isOptional)
  }

/**
 * Keeps the rows that have a target, once for each that they have.
 *
 * @example
 * pipe(select(model.User), join('addresses'), where((eb) => eb('addresses.email', 'like', '%@example.org')), distinct)
 * pipe(select(model.Node), join('parent', 'p'), join('p.parent', 'g'), where((eb) => eb('g.name', '=', 'root')))
 *
 * @category combinators
 */
export const join: Join<false> = along(false) as never

/**
 * Keeps every row, once for each target that it has, and once without any: the alias is NULL then, and so are its columns.
 *
 * @example
 * // users without an address at example.org
 * pipe(
 *   select(model.User),
 *   leftJoin('addresses', 'a', where((eb) => eb('email', 'like', '%@example.org'))),
 *   where((eb) => eb('a.id', 'is', null)),
 * )
 *
 * @category combinators
 */
export const leftJoin: Join<true> = along(true) as never

const on =
  (isOptional: boolean) =>
  (entity: Mapped<unknown, string>, alias: string, condition: (eb: never) => Expression<SqlBool>) =>
  (self: AnySelect): AnySelect => {
    if (isTaken(self, alias)) return taken(self, alias)
    const { mapping } = entity
    const joined = joining(self, { name: alias, mapping, isOptional, path: null })
    const table = AliasNode.create(tableNode(mapping), IdentifierNode.create(alias))
    const mappings = mappingsOf(self)
    // the condition may speak of the table that it joins
    const seen = QueryNode.cloneWithJoin(joined.node, JoinNode.create('InnerJoin', table))
    const given = condition(expressionsOf({ ...joined, node: seen }) as never).toOperationNode()
    return withJoin(joined, isOptional ? 'LeftJoin' : 'InnerJoin', table, qualified(mappings, seen, given))
  }

/**
 * Joins the table of an entity to which no relationship leads: rows are kept that have a row there for which the condition
 * is true, once for each.
 *
 * @example
 * pipe(select(model.User), joinOn(model.Guest, 'g', (eb) => eb('g.name', '=', eb.ref('users.name'))))
 *
 * @category combinators
 */
export const joinOn: JoinOn<false> = on(false) as never

/**
 * The same, keeping the rows that have none.
 *
 * @category combinators
 */
export const leftJoinOn: JoinOn<true> = on(true) as never

const nameAt = (path: string): string => partsOf(path)[1]

const faulty = (self: AnySelect, alias: string, problem: string): AnySelect => ({
  ...self,
  node: QueryNode.cloneWithWhere(self.node, faultNode(invalidClause(self.entity.name, 'join', alias, problem))),
})

const isTaken = (self: AnySelect, alias: string): boolean =>
  alias === self.entity.mapping.table || self.aliases.some(({ name }) => name === alias)

const taken = (self: AnySelect, alias: string): AnySelect =>
  faulty(self, alias, 'the query has a table of that name already; give the join an alias of its own')

/** The query with one more alias, and names that go on to mean the same. */
const joining = (self: AnySelect, alias: Alias): AnySelect => {
  const { aliases, node } = self
  return {
    ...self,
    node: aliases.length === 0 ? qualifiedQuery(mappingsOf(self), node) : node,
    aliases: [...aliases, alias],
  }
}

const joinRelationship = (
  self: AnySelect,
  path: AliasPath,
  alias: string,
  refine: Refine | null,
  isOptional: boolean,
): AnySelect => {
  if (isTaken(self, alias)) return taken(self, alias)
  const { owner, relationship } = path
  const { mapping } = self.entity
  const targets = targetsOf(self.entity, relationship, refine)
  const joined = joining(self, { name: alias, mapping: relationship.target, isOptional, path })
  const own = (attribute: Attribute): OperationNode =>
    owner === null ? attributeNode(mapping, attribute) : columnIn(owner, attribute.name)
  const kind = isOptional ? 'LeftJoin' : 'InnerJoin'
  const { condition, table } = targetTable(targets, alias)
  const { through } = relationship
  const link = linkAlias(alias)
  const relation = relationOf(relationship, alias, link, own)
  if (isOptional && relationship.on !== null) {
    // what lies between and has no such target would keep a row of its own
    return withJoin(joined, kind, aliased(table, alias), and(existing(relation), condition))
  }
  const on = and(relation.target, condition)
  const [links] = relation.between
  if (links === undefined || through === null || !isOptional || (condition === null && !SelectQueryNode.is(table))) {
    const between = relation.between.reduce((query, one) => withJoin(query, kind, one.table, one.on), joined)
    return withJoin(between, kind, aliased(table, alias), on)
  }
  // links without such a target would each keep a row of their owner's
  const linked = linkedTargets(relationship.target, aliased(table, alias), alias, links.table, link, on, through.own)
  const pairs = through.own.map(
    (name, i) => [columnIn(alias, linkColumn(name)), own(relationship.key[i] as Attribute)] as const,
  )
  return withJoin(joined, kind, aliased(linked, alias), allEqual(pairs))
}

const linkColumn = (name: string): string => `unitary_link.${name}`

/** `select targets.*, links.own from targets inner join links on ...` */
const linkedTargets = (
  target: Mapping,
  targets: OperationNode,
  alias: string,
  links: OperationNode,
  link: string,
  on: OperationNode,
  own: ReadonlyArray<string>,
): OperationNode =>
  QueryNode.cloneWithJoin(
    SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([targets]), [
      ...target.attributes.map(({ name }) => SelectionNode.create(columnIn(alias, name))),
      ...own.map((name) =>
        SelectionNode.create(AliasNode.create(columnIn(link, name), IdentifierNode.create(linkColumn(name)))),
      ),
    ]),
    JoinNode.createWithOn('InnerJoin', links, on),
  )

const aliased = (table: OperationNode, alias: string): OperationNode =>
  AliasNode.create(table, IdentifierNode.create(alias))

const and = (pairs: OperationNode, condition: OperationNode | null): OperationNode =>
  condition === null ? pairs : AndNode.create(pairs, condition)

const withJoin = (self: AnySelect, kind: JoinType, table: OperationNode, on: OperationNode): AnySelect => ({
  ...self,
  node: QueryNode.cloneWithJoin(self.node, JoinNode.createWithOn(kind, table, on)) as SelectQueryNode,
})
