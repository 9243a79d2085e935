/**
 * `Select`: a query of entities, as a value.
 *
 * The tree is Kysely's, with every attribute of the entity selected; `loads` says which relationships are to be loaded
 * beside the rows. Conditions are in `criteria.ts`, other clauses in `clauses.ts`, the whole of Kysely's query builder is reached by `modify`.
 *
 * @example
 * const query = pipe(
 *   select(model.User),
 *   where((eb) => eb('name', '=', 'ed')),
 *   orderBy('joined', 'desc'),
 *   limit(10),
 *   selectin('addresses'),
 * )
 */
import type { Option } from 'fp-ts/lib/Option.js'
import { SelectionNode, SelectQueryNode } from 'kysely'
import type { CollectionName, CollectionWith, Managed, TargetOf } from '../model/infer.js'
import type { Mapping } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { LoadStrategy } from '../model/relationship.js'
import type { Snapshot } from '../model/snapshot.js'
import type { Alias } from './alias.js'
import type { Extended, Extent, Whole } from './extent.js'
import { shareShape } from './shape.js'
import { attributeNode, type Statement, tableNode } from './statement.js'

declare const loaded: unique symbol

/**
 * A query of entities. Each result is a `Managed<M, N> & L`: `L` is what the eager loads add, `X` what was joined and what
 * is left out.
 *
 * @category model
 */
export interface Select<out M, out N extends string, out L = unknown, out X extends Extent = Whole>
  extends Statement<M, N>,
    Extended<X> {
  readonly _tag: 'Select'
  readonly entity: Mapped<M, N>
  readonly node: SelectQueryNode
  /** What is loaded beside the rows, in the order in which it was asked for. */
  readonly loads: ReadonlyArray<Load>
  /** Subtypes of the entity whose attributes are loaded by statements of their own, parents first. */
  readonly subtypes: ReadonlyArray<Mapping>
  /** What it joined, in the order of the joins. */
  readonly aliases: ReadonlyArray<Alias>
  /** Never there: carries `L`. */
  readonly [loaded]?: L
}

/** A query of any entity. @category model */
export type AnySelect = Select<unknown, string, unknown, Extent>

/**
 * How a query loads a relationship of its entity.
 *
 * @category model
 */
export interface Load {
  readonly strategy: LoadStrategy | 'contained'
  /** The relationship, or `*` for those that no other load names. */
  readonly relationship: string
  /** The query of the target, where the load was refined: conditions, order, loads of its own. */
  readonly refine: AnySelect | null
  /** Of a relationship to the entity itself: so many levels, from 1; `Infinity` for all that there are. */
  readonly depth: number
  /** Of what is contained in the rows of the query itself: the alias that it joined it under. */
  readonly alias: string | null
}

/** A row of a query of `N` that adds `L` and has the extent `X`. @category model */
export type Resulting<M, N extends string, L, X extends Extent> = [X['omitted']] extends [never]
  ? Managed<M, N> & L
  : Omit<Managed<M, N>, X['omitted']> & Snapshot<N> & L

/** What a relationship holds when it was loaded with a refinement that adds `L` to each target. @category model */
export type RelatedWith<M, N, K, L, X extends Extent = Whole> =
  K extends CollectionName<M, N>
    ? CollectionWith<M, N, K, Resulting<M, TargetOf<M, N, K>, L, X>>
    : Option<Resulting<M, TargetOf<M, N, K>, L, X>>

const selections = new WeakMap<Mapping, SelectQueryNode>()

/** `select table.attribute, ... from table`, the same node for the same mapping. */
export const entityNode = (mapping: Mapping): SelectQueryNode => {
  const known = selections.get(mapping)
  if (known !== undefined) return known
  const node = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([tableNode(mapping)]),
    mapping.attributes
      .filter(({ isDeferred }) => !isDeferred)
      .map((attribute) => SelectionNode.create(attributeNode(mapping, attribute))),
  )
  selections.set(mapping, node)
  if (node.selections !== undefined) shareShape(node.selections)
  if (node.from !== undefined) shareShape(node.from)
  return node
}

/**
 * Queries an entity for what it has itself, whatever its subtypes say of their loads in the model. Otherwise as `select`.
 *
 * @example
 * pipe(selectOwn(model.Person), withSubtypes('Manager'))
 *
 * @category constructors
 */
export const selectOwn = <M, N extends string>(entity: Mapped<M, N>): Select<M, N> => ({
  _tag: 'Select',
  entity,
  node: entityNode(entity.mapping),
  loads: [],
  subtypes: [],
  aliases: [],
  options: {},
})
