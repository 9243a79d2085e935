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
import { isSingle, lastPart, ownAttributes, ownTable, subtypeColumn } from '../model/parts.js'
import type { Snapshot } from '../model/snapshot.js'
import { sameKey } from './derived.js'
import type { Extent, Select } from './select.js'
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

type Subtypes = <M, N extends string, L, X extends Extent, const S extends SubtypeName<M, N> | '*'>(
  ...subtypes: readonly [S, ...ReadonlyArray<S>]
) => (self: Select<M, N, L, X>) => Select<M, N, L & OneOf<M, N, '*' extends S ? SubtypeName<M, N> : Exclude<S, '*'>>, X>

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
export const withSubtypes: Subtypes =
  (...names) =>
  (self) => {
    const { mapping } = self.entity
    return {
      ...self,
      node: chosen(mapping, names).reduce((node, subtype) => joinSubtype(mapping, node, subtype), self.node),
    } as never
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
export const selectinSubtypes: Subtypes =
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
const joinSubtype = (mapping: Mapping, node: SelectQueryNode, subtype: Mapping): SelectQueryNode => {
  if (isRead(node, subtype)) return node
  const selected = SelectQueryNode.cloneWithSelections(
    node,
    ownAttributes(subtype)
      .filter(({ isDeferred }) => !isDeferred)
      .map((attribute) => {
        const name = subtypeColumn(subtype, attribute)
        const column = isSingle(subtype) ? sharedColumn(mapping, subtype, name) : named(subtype.name, attribute.name)
        return SelectionNode.create(AliasNode.create(column, IdentifierNode.create(name)))
      }),
  )
  if (isSingle(subtype)) return selected
  return QueryNode.cloneWithJoin(
    selected,
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
}

/** Does the query select the subtype's attributes already? */
const isRead = ({ selections = [] }: SelectQueryNode, subtype: Mapping): boolean => {
  const names = new Set(
    selections.map(({ selection }) =>
      AliasNode.is(selection) && IdentifierNode.is(selection.alias) ? selection.alias.name : '',
    ),
  )
  return ownAttributes(subtype).every(
    (attribute) => attribute.isDeferred || names.has(subtypeColumn(subtype, attribute)),
  )
}

/** What a subtype has in the table of another: that of the query's entity, or of a subtype that is joined. */
const sharedColumn = (mapping: Mapping, subtype: Mapping, name: string): ReferenceNode => {
  const holder = lastPart(subtype).mapping
  return isKindOf(mapping, holder) ? attributeNode(mapping, { name }) : named(holder.name, name)
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
