/**
 * Queries of an entity with subtypes: each result is an instance of what its row is, whatever was asked for. What the query does
 * not select of a subtype is loaded when it is read.
 */
import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  JoinNode,
  QueryNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
} from 'kysely'
import type { AncestorsOf, FamilyOf, Row, Simplify } from '../model/entity.js'
import type {
  DeferredAttribute,
  DiscriminatorOf,
  EntityOf,
  IdentityOf,
  SnapshotOf,
  SubtypeName,
} from '../model/infer.js'
import { isKindOf, type Mapping, withDescendants } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import { isOwnTable, isSingle, lastPart, ownAttributes, ownTable, subtypeColumn } from '../model/parts.js'
import type { Snapshot } from '../model/snapshot.js'
import type { Alias } from './alias.js'
import type { Extent, JoinedAs } from './extent.js'
import type { AnySelect, Select } from './select.js'
import { tableName } from './source.js'
import { sameKey } from './stand-in.js'
import { attributeNode } from './statement.js'

/** Entities and what they are subtypes of. */
type Covered<M, S> = S | AncestorsOf<EntityOf<M, S>>

/** What the rows of the subtype `K` have that those of `N` have not, as far as the entities `C` tell. */
type Added<M, N extends string, K extends string, C> = {
  readonly [P in Exclude<AttributeIn<M, Extract<K | AncestorsOf<EntityOf<M, K>>, C>>, keyof Row<EntityOf<M, N>>>]: Row<
    EntityOf<M, K>
  >[P & keyof Row<EntityOf<M, K>>]
} & { readonly [P in DiscriminatorOf<M, N>]: FamilyOf<EntityOf<M, K>>['identity'] }

type AttributeIn<M, A> = A extends string ? Exclude<keyof Row<EntityOf<M, A>>, DeferredAttribute<M, A>> : never

/**
 * What a row of `N` is besides: one of `N` itself or of any of its subtypes, told by the discriminator, with the attributes of
 * the subtypes `S`.
 *
 * @category model
 */
export type OneOf<M, N extends string, S extends string> = {
  [K in N | SubtypeName<M, N>]: [FamilyOf<EntityOf<M, K>>['identity']] extends [null]
    ? never
    : Simplify<Added<M, N, K, Covered<M, S>>> & SnapshotOf<M, K>
}[N | SubtypeName<M, N>]

/** The subtypes that a list of names means. */
type Named<M, N, S> = '*' extends S ? SubtypeName<M, N> : Exclude<S, '*'> & string

/**
 * The extent of a query that reads the subtypes `S` of `N` besides: each is an alias of its own name, which a row of another has
 * nothing of.
 *
 * @category model
 */
export interface ReadingSubtypes<M, N extends string, X extends Extent, S extends string> extends Extent {
  readonly joined: X['joined'] & {
    readonly [K in Extract<Covered<M, S>, SubtypeName<M, N>>]: JoinedAs<K, true>
  }
  readonly omitted: X['omitted']
}

/**
 * Loads attributes of subtypes in the statement of the query itself, by a LEFT JOIN of the table of each. `*` stands for all
 * subtypes. Results are told apart by the discriminator, in types too. Conditions speak of a subtype by its name.
 *
 * @example
 * pipe(
 *   select(model.Person),
 *   withSubtypes('Engineer'),
 *   where((eb) => eb('Engineer.language', '=', 'TypeScript')),
 *   Session.query,
 *   Session.map(A.map((person) => (person.kind === 'engineer' ? person.language : person.name))),
 * )
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/inheritance.html#using-with-polymorphic
 * @category combinators
 */
export const withSubtypes: <M, N extends string, L, X extends Extent, const S extends SubtypeName<M, N> | '*'>(
  ...subtypes: readonly [S, ...ReadonlyArray<S>]
) => (
  self: Select<M, N, L, X>,
) => Select<M, N, L & OneOf<M, N, Named<M, N, S>>, ReadingSubtypes<M, N, X, Named<M, N, S>>> =
  (...names) =>
  (self) => {
    const { mapping } = self.entity
    return chosen(mapping, names).reduce(
      (query, subtype) => reading(mapping, query, subtype),
      self as AnySelect,
    ) as never
  }

/**
 * Loads attributes of subtypes by one more statement for the results of each subtype: for many subtypes, of which few are among
 * the results. `*` stands for all.
 *
 * @example
 * pipe(select(model.Person), selectinSubtypes('*'))
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/inheritance.html#using-selectin-polymorphic
 * @category combinators
 */
export const selectinSubtypes: <M, N extends string, L, X extends Extent, const S extends SubtypeName<M, N> | '*'>(
  ...subtypes: readonly [S, ...ReadonlyArray<S>]
) => (self: Select<M, N, L, X>) => Select<M, N, L & OneOf<M, N, Named<M, N, S>>, X> =
  (...names) =>
  (self) => {
    const { mapping } = self.entity
    return { ...self, subtypes: [...new Set([...self.subtypes, ...chosen(mapping, names)])] } as never
  }

/** The subtypes named, with those that stand between, parents first. */
const chosen = (mapping: Mapping, names: ReadonlyArray<string>): ReadonlyArray<Mapping> => {
  const [, ...all] = withDescendants(mapping)
  if (names.includes('*')) return all
  const wanted = all.filter(({ name }) => names.includes(name))
  return all.filter((subtype) => wanted.some((one) => isKindOf(one, subtype)))
}

const named = (table: string, column: string): ReferenceNode =>
  ReferenceNode.create(ColumnNode.create(column), TableNode.create(table))

/** A query that selects a subtype's own attributes, and reads the table that has them. */
const reading = (mapping: Mapping, self: AnySelect, subtype: Mapping): AnySelect => {
  if (self.aliases.some((alias) => alias.name === subtype.name && alias.mapping === subtype)) return self
  const alias: Alias = { name: subtype.name, mapping: subtype, isOptional: true, path: null }
  const attributes = ownAttributes(subtype).filter(({ isDeferred }) => !isDeferred)
  const selected = SelectQueryNode.cloneWithSelections(
    self.node,
    attributes.map((attribute) => {
      const name = subtypeColumn(subtype, attribute)
      const column = isShared(subtype) ? sharedColumn(mapping, subtype, name) : named(subtype.name, attribute.name)
      return SelectionNode.create(AliasNode.create(column, IdentifierNode.create(name)))
    }),
  )
  const node = isShared(subtype) ? selected : joinOwn(mapping, selected, subtype)
  return { ...self, node, aliases: [...self.aliases, alias] }
}

/** Is it read with the rows of another, without a join? */
const isShared = (subtype: Mapping): boolean => isSingle(subtype) || subtype.concreteOf !== null

const joinOwn = (mapping: Mapping, node: SelectQueryNode, subtype: Mapping): SelectQueryNode =>
  QueryNode.cloneWithJoin(
    node,
    JoinNode.createWithOn(
      'LeftJoin',
      AliasNode.create(TableNode.create(ownTable(subtype)), IdentifierNode.create(subtype.name)),
      sameKey(
        (i) => named(subtype.name, subtype.key[i]?.name ?? ''),
        (i) => attributeNode(mapping, { name: mapping.key[i]?.name ?? '' }),
        mapping.key.length,
      ),
    ),
  ) as SelectQueryNode

/**
 * Does a query read nothing beside its entity but subtypes, so that it has the very rows that it would have without?
 *
 * @category guards
 */
export const joinsOnlySubtypes = ({ node: { joins = [] } }: AnySelect): boolean =>
  joins.every(({ table }) => AliasNode.is(table) && TableNode.is(table.node) && isOwnTable(tableName(table.node)))

/** What a subtype has in the table of another: that of the query's entity, or of a subtype that is joined. */
const sharedColumn = (mapping: Mapping, subtype: Mapping, name: string): ReferenceNode => {
  const holder = lastPart(subtype).mapping
  return isKindOf(mapping, holder) || subtype.concreteOf !== null
    ? attributeNode(mapping, { name })
    : named(holder.name, name)
}

/**
 * Is it an instance of the entity, or of one of its subtypes? It looks at the discriminator alone, and asks no session.
 *
 * @example
 * const engineers = people.filter(isA(model.Engineer))
 *
 * @category guards
 */
export const isA =
  <M, N extends string>(entity: Mapped<M, N>) =>
  <S extends Snapshot>(
    snapshot: S,
  ): snapshot is S & SnapshotOf<M, N> & { readonly [P in DiscriminatorOf<M, N>]: IdentityOf<M, N> } => {
    const { mapping } = entity
    const value = (snapshot as unknown as Readonly<Record<string, unknown>>)[mapping.discriminator?.name ?? '']
    return (
      value !== undefined && withDescendants(mapping).some(({ identity }) => identity !== null && identity === value)
    )
  }
