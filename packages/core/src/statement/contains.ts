/**
 * Relationships out of a query's own joins: the rows that it asks for anyway tell what the targets are.
 */
import { AliasNode, IdentifierNode, type OperationNode, QueryNode, SelectionNode, SelectQueryNode } from 'kysely'
import type { RowColumns } from '../codec/row-class.js'
import type { RelationshipName, TargetOf } from '../model/infer.js'
import type { TypeFault } from '../model/model.js'
import { alsoSelecting, columnsOf, rowColumns } from './attributes.js'
import { type Clause, invalidClause } from './error.js'
import type { AliasOf, Extent, Whole } from './extent.js'
import { faultIn, faultNode } from './fault.js'
import { withLoad } from './load.js'
import { outputNames } from './names.js'
import { columnIn } from './relation.js'
import { type AnySelect, type RelatedWith, type Select, selectOwn } from './select.js'
import { isCondition, type Refine, relatedEntity } from './targets.js'

/** The aliases that stand for an entity. @category model */
export type AliasFor<X extends Extent, T> = {
  readonly [A in AliasOf<X>]: X['joined'][A]['entity'] extends T ? A : never
}[AliasOf<X>]

/** The extent of targets that are loaded out of a query's rows: they see what it joined. @category model */
export interface Contained<X extends Extent> extends Extent {
  readonly joined: X['joined']
  readonly omitted: never
}

type Joined<X extends Extent, T, K extends string> =
  K extends AliasFor<X, T>
    ? unknown
    : TypeFault<`no join of this query is called '${K}'; say which alias has the targets`>

/**
 * Takes a relationship out of what the query joined. `refine` says which of the targets' attributes and relationships are
 * loaded, `containsEager` of theirs too; what narrows them is the join's to say.
 *
 * @category model
 */
export interface ContainsEager {
  <M, N extends string, L, X extends Extent, K extends RelationshipName<M, N>>(
    relationship: K & Joined<X, TargetOf<M, N, K>, K>,
  ): (self: Select<M, N, L, X>) => Select<M, N, L & { readonly [P in K]: RelatedWith<M, N, K, unknown> }, X>
  <
    M,
    N extends string,
    L,
    X extends Extent,
    K extends RelationshipName<M, N>,
    A extends AliasFor<X, TargetOf<M, N, K>>,
    L2 = unknown,
    X2 extends Extent = Whole,
  >(
    relationship: K,
    alias: A,
    refine?: (targets: Select<M, TargetOf<M, N, K>, unknown, Contained<X>>) => Select<M, TargetOf<M, N, K>, L2, X2>,
  ): (self: Select<M, N, L, X>) => Select<M, N, L & { readonly [P in K]: RelatedWith<M, N, K, L2, X2> }, X>
}

/**
 * Loads a relationship out of the rows of the query itself, which joined its targets under an alias. A collection then holds
 * what the rows have, in their order: conditions and limits of the query hold for its members too. Such a result is shown
 * as it is, and the session does not take it for the whole relationship.
 *
 * Where a collection is taken, each instance is a result once, however many rows it has. Over several shards a collection
 * has what its owner's shard gives.
 *
 * @example
 * pipe(
 *   select(model.User),
 *   join('addresses', 'a'),
 *   leftJoin('a.city', 'c'),
 *   where((eb) => eb('a.email', 'like', '%@example.org')),
 *   containsEager('addresses', 'a', containsEager('city', 'c')),
 * )
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/relationships.html#contains-eager
 * @category combinators
 */
export const containsEager: ContainsEager = ((
  name: string,
  alias: string = name,
  refine: Refine = (targets) => targets,
) =>
  (self: AnySelect): AnySelect => {
    const { aliases, entity } = self
    const relationship = entity.mapping.relationshipOf.get(name)
    if (relationship === undefined) return faulty(self, name, `it is no relationship of ${entity.name}`)
    if (aliases.find((candidate) => candidate.name === alias)?.mapping !== relationship.target) {
      return faulty(self, name, `the query has not joined ${relationship.target.name} as ${alias}`)
    }
    const refined = refine({ ...selectOwn(relatedEntity(entity, relationship)), aliases })
    const narrowed = narrowing(refined)
    if (narrowed !== null) return withFault(self, narrowed)
    const targets = withKeys(refined)
    return withLoad(selecting(self, alias, targets), {
      strategy: 'contained',
      relationship: name,
      refine: targets,
      depth: 1,
      alias,
    })
  }) as never

/**
 * Where the rows of a query have the attributes of an alias, as `targets` selects them.
 *
 * @category interpreters
 */
export const containedColumns = (alias: string, targets: AnySelect): RowColumns => {
  const own = columnsOf(targets)
  return rowColumns(targets.entity.mapping, ({ isDeferred, name, position }) =>
    (own === null ? isDeferred : own[position] === null) ? null : `${alias}.${name}`,
  )
}

/**
 * The query of others than its own rows, which does not have what those contain.
 */
export const uncontained = (self: AnySelect, clause: Clause, cure: string): AnySelect => {
  const contained = self.loads.find(({ strategy }) => strategy === 'contained')
  return contained === undefined
    ? self
    : withFault(
        self,
        faultNode(
          invalidClause(
            self.entity.name,
            clause,
            contained.relationship,
            `containsEager needs rows of its own; ${cure}`,
          ),
        ),
      )
}

const withFault = (self: AnySelect, fault: OperationNode): AnySelect => ({
  ...self,
  node: QueryNode.cloneWithWhere(self.node, fault) as SelectQueryNode,
})

const faulty = (self: AnySelect, relationship: string, problem: string): AnySelect =>
  withFault(self, faultNode(invalidClause(self.entity.name, 'containsEager', relationship, problem)))

/** What is wrong with targets that are more than a choice of attributes and loads; null where they are not. */
const narrowing = ({ entity, node }: AnySelect): OperationNode | null => {
  const condition = node.where?.where
  if (condition !== undefined && faultIn(condition) !== null) return condition
  return condition === undefined && node.orderBy === undefined && isCondition(node)
    ? null
    : faultNode(
        invalidClause(
          entity.name,
          'containsEager',
          entity.name,
          'its targets are those of the join; narrow or order the query itself, or refine the join',
        ),
      )
}

/** With what their own loads need to know of them. */
const withKeys = (targets: AnySelect): AnySelect =>
  targets.loads.reduce((query, { relationship }) => {
    const loaded = targets.entity.mapping.relationshipOf.get(relationship)
    return loaded === undefined ? query : alsoSelecting(query, loaded.ownerAttributes)
  }, targets)

/** The query with the columns of the alias, and of those that are taken for relationships of its targets. */
const selecting = (self: AnySelect, alias: string, targets: AnySelect): AnySelect => {
  const columns = containedColumns(alias, targets)
  const selected = outputNames(self.node)
  const added = targets.entity.mapping.attributes.flatMap(({ name, position }) => {
    const as = columns[position]
    return as === null || as === undefined || selected.has(as)
      ? []
      : [SelectionNode.create(AliasNode.create(columnIn(alias, name), IdentifierNode.create(as)))]
  })
  const own = { ...self, node: SelectQueryNode.cloneWithSelections(self.node, added) }
  return targets.loads.reduce(
    (query, { alias: nested, refine }) =>
      nested === null || refine === null ? query : selecting(query, nested, refine),
    own,
  )
}
