/**
 * How the relationships of a query's results are loaded. What is loaded is part of the result's type; what is not cannot be
 * read there.
 *
 * Loads nest: a refinement is a query of the targets, with loads of its own. The last load of a relationship holds.
 *
 * @example
 * pipe(select(model.User), selectin('addresses', joined('city')), raise('*'))
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { CollectionName, CollectionWith, Managed, RelationshipName, TargetOf } from '../model/infer.js'
import type { RelationshipMapping } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { LoadStrategy } from '../model/relationship.js'
import { type DefaultExtent, type DefaultLoads, loadsSubtypes, select } from './default-subtypes.js'
import type { Extent } from './extent.js'
import type { AnySelect, Load, RelatedWith, Select } from './select.js'
import { relatedEntity } from './targets.js'

/** The query of a relationship's targets that a refinement begins with. @category model */
export type Targets<M, N, K> = Select<
  M,
  TargetOf<M, N, K>,
  DefaultLoads<M, TargetOf<M, N, K>>,
  DefaultExtent<M, TargetOf<M, N, K>>
>

/**
 * A combinator that loads a relationship beside the rows. `refine` narrows, orders or extends the query of the targets; a
 * collection then holds only those that it gives.
 *
 * @category model
 */
export type Eager = <
  M,
  N extends string,
  L,
  X extends Extent,
  K extends RelationshipName<M, N>,
  L2 = DefaultLoads<M, TargetOf<M, N, K>>,
  X2 extends Extent = DefaultExtent<M, TargetOf<M, N, K>>,
>(
  relationship: K,
  refine?: (target: Targets<M, N, K>) => Select<M, TargetOf<M, N, K>, L2, X2>,
) => (self: Select<M, N, L, X>) => Select<M, N, L & { readonly [P in K]: RelatedWith<M, N, K, L2, X2> }, X>

const eager =
  (strategy: LoadStrategy): Eager =>
  (relationship, refine) =>
  (self) =>
    withLoad(self, {
      strategy,
      relationship,
      refine: refinement(self, relationship, refine),
      depth: 1,
      alias: null,
    }) as never

/** What a model loads of subtypes is a refinement, too. */
const refinement = <M, N extends string, K extends string>(
  self: Select<M, N, unknown, Extent>,
  relationship: K,
  refine: ((targets: Targets<M, N, K>) => AnySelect) | undefined,
): AnySelect | null => {
  if (refine !== undefined) return refine(targetOf(self, relationship))
  const target = self.entity.mapping.relationshipOf.get(relationship)?.target
  return target !== undefined && loadsSubtypes(target) ? targetOf(self, relationship) : null
}

/**
 * Loads a relationship by one more statement for all results, which names their keys. The best choice for collections.
 *
 * @example
 * pipe(select(model.User), selectin('addresses', flow(orderBy('email'), selectin('city'))))
 *
 * @category combinators
 */
export const selectin: Eager = eager('selectin')

/**
 * Loads a relationship in the statement of the query itself, by a LEFT JOIN, or an inner one where there always is a target.
 * The join is hidden: conditions, order, limit and the number of results are those of the query without it. The best choice
 * for references. A refinement may have conditions and an order.
 *
 * It is done as `selectin` where one statement cannot do it: over several shards, beside DISTINCT, GROUP BY and UNION, and
 * where rows are read in chunks.
 *
 * @example
 * pipe(select(model.Address), joined('city', joined('country')))
 *
 * @category combinators
 */
export const joined: Eager = eager('joined')

/**
 * Loads a relationship by one more statement, which has the query of the owners in it instead of their keys: for many owners
 * with large keys. Where rows are read in chunks it is done as `selectin`.
 *
 * @category combinators
 */
export const subquery: Eager = eager('subquery')

/**
 * Loads a relationship by a statement for each result, unless the identity map has it: for references to the same few.
 *
 * @category combinators
 */
export const immediate: Eager = eager('immediate')

/**
 * Shows a relationship as empty and asks nothing, whatever the database holds.
 *
 * @category combinators
 */
export const none: <M, N extends string, L, X extends Extent, K extends RelationshipName<M, N>>(
  relationship: K,
) => (self: Select<M, N, L, X>) => Select<M, N, L & { readonly [P in K]: RelatedWith<M, N, K, unknown> }, X> =
  eager('none')

/** What a query's loads add, without one of them. @category model */
export type Without<L, K> = K extends keyof L ? Omit<L, K> : L

type Unloading = <M, N extends string, L, X extends Extent, K extends RelationshipName<M, N> | '*'>(
  relationship: K,
) => (self: Select<M, N, L, X>) => Select<M, N, Without<L, K>, X>

const unloading =
  (strategy: LoadStrategy): Unloading =>
  (relationship) =>
  (self) =>
    withLoad(self, { strategy, relationship, refine: null, depth: 1, alias: null }) as never

/**
 * Makes it an error, `RaisedLoad`, to load a relationship of the results later: a guard against a statement for each of
 * them. `*` stands for all relationships that the query does not load. It holds for the instances that the query gives, until
 * another query says something of their later loads.
 *
 * @example
 * pipe(select(model.User), selectin('addresses'), raise('*'))
 *
 * @category combinators
 */
export const raise: Unloading = unloading('raise')

/**
 * Leaves a relationship to `Session.load`, whatever the model or a `raise` of an earlier query says; `*` stands for all that
 * the query does not load. `refine` narrows such a later load, or says what it loads beside.
 *
 * @example
 * pipe(select(model.User), lazy('addresses', raise('*')))
 *
 * @category combinators
 */
export const lazy =
  <M, N extends string, L, X extends Extent, K extends RelationshipName<M, N> | '*', L2, X2 extends Extent>(
    relationship: K,
    refine?: (target: Targets<M, N, K>) => Select<M, TargetOf<M, N, K>, L2, X2>,
  ) =>
  (self: Select<M, N, L, X>): Select<M, N, Without<L, K>, X> =>
    withLoad(self, {
      strategy: 'lazy',
      relationship,
      refine: refine === undefined ? null : refine(targetOf(self, relationship)),
      depth: 1,
      alias: null,
    }) as never

/** Relationships that lead to the entity itself. @category model */
export type SelfReference<M, N extends string> = {
  [K in RelationshipName<M, N>]: TargetOf<M, N, K> extends N ? K : never
}[RelationshipName<M, N>]

/**
 * An instance with a relationship to its own entity, loaded all the way. Where rows refer to each other in a circle, so do
 * the results.
 *
 * @category model
 */
export type Tree<M, N extends string, K extends string> = Managed<M, N> & {
  readonly [P in K]: OneOrMany<M, N, K, Tree<M, N, K>>
}

/** The same, loaded for so many levels. @category model */
export type Levels<
  M,
  N extends string,
  K extends string,
  D extends number,
  Level extends ReadonlyArray<unknown> = [],
> = number extends D
  ? Managed<M, N> & { readonly [P in K]?: OneOrMany<M, N, K, Levels<M, N, K, D>> }
  : Level['length'] extends D
    ? Managed<M, N>
    : Managed<M, N> & { readonly [P in K]: OneOrMany<M, N, K, Levels<M, N, K, D, [...Level, unknown]>> }

type OneOrMany<M, N, K, A> = K extends CollectionName<M, N> ? CollectionWith<M, N, K, A> : Option<A>

/**
 * Loads a relationship to the entity itself level by level, each by one more statement: `levels` of them, from 1, or all
 * that there are. Rows that refer to each other in a circle are loaded once.
 *
 * @example
 * pipe(select(model.Node), where('parentId', 'is', null), recursively('children'))
 * pipe(select(model.Node), recursively('children', 2))
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/self_referential.html
 * @category combinators
 */
export const recursively: {
  <M, N extends string, L, X extends Extent, K extends SelfReference<M, N>>(
    relationship: K,
  ): (self: Select<M, N, L, X>) => Select<M, N, L & Pick<Tree<M, N, K>, K>, X>
  <M, N extends string, L, X extends Extent, K extends SelfReference<M, N>, const D extends number>(
    relationship: K,
    levels: D,
  ): (
    self: Select<M, N, L, X>,
  ) => Select<M, N, L & { readonly [P in K]: OneOrMany<M, N, K, Levels<M, N, K, D, [unknown]>> }, X>
} =
  (relationship: string, levels = Number.POSITIVE_INFINITY) =>
  (self: AnySelect) =>
    withLoad(self, { strategy: 'selectin', relationship, refine: null, depth: levels, alias: null }) as never

/** Loads a relationship in one way, and in no other. */
export const withLoad = <M, N extends string>(
  self: Select<M, N, unknown, Extent>,
  load: Load,
): Select<M, N, unknown, Extent> => ({
  ...self,
  loads: [...self.loads.filter(({ relationship }) => relationship !== load.relationship), load],
})

const targetOf = <M, N extends string, K extends string>(
  self: Select<M, N, unknown, Extent>,
  relationship: K,
): Targets<M, N, K> => {
  // a name that is no relationship does not compile, so the lookup succeeds
  const found = self.entity.mapping.relationshipOf.get(relationship) as RelationshipMapping
  return select(relatedEntity(self.entity, found) as Mapped<M, TargetOf<M, N, K>>)
}
