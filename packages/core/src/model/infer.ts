/**
 * What follows from a model, inferred: the rows, drafts and snapshots of its entities.
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { CollectionOf, CollectionShape, KeyOfCollection, ListShape } from './collection.js'
import type {
  AncestorsOf,
  AnyEntity,
  AttributesWith,
  ColumnsOf,
  FamilyOf,
  Key,
  OptionalAttributes,
  RelativesOf,
  Row,
  Simplify,
} from './entity.js'
import type { ExpressionAttributeOf, ExtensionAttribute, NamedBy, SynonymOf } from './extension.js'
import type { Model } from './model.js'
import type { BelongsTo, Entities, HasMany, HasOne } from './relationship.js'
import type { Snapshot } from './snapshot.js'

/** The entity called `N`. @category model */
export type EntityOf<M, N> =
  M extends Model<infer Es extends Entities, infer _Rs> ? (N extends keyof Es ? Es[N] : never) : never

type Declared<Rs, N> = N extends keyof Rs ? Rs[N] : Record<never, never>

/** The names of the entities that the entity called `N` is a subtype of. */
type AncestorNames<M, N> = AncestorsOf<EntityOf<M, N>>

type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (all: infer I) => void ? I : never

/** The names of those with which it shares tables. */
type RelativeNames<M, N> = RelativesOf<EntityOf<M, N>>

/** The relationships of the entity called `N`, those of what it is a subtype of included. @category model */
export type RelationshipsOf<M, N> =
  M extends Model<infer _Es extends Entities, infer Rs>
    ? [RelativeNames<M, N>] extends [never]
      ? Declared<Rs, N>
      : Simplify<Declared<Rs, N> & Intersection<Declared<Rs, RelativeNames<M, N>>>>
    : Record<never, never>

/**
 * A reference to an instance of the entity called `N`, which is one of what it is a subtype of too.
 *
 * @category model
 */
export type SnapshotOf<M, N extends string> = [AncestorNames<M, N>] extends [never]
  ? Snapshot<N>
  : Intersection<SnapshotsNamed<AncestorNames<M, N>>> & Snapshot<N>

type SnapshotsNamed<N extends string> = N extends string ? Snapshot<N> : never

/** The names of its relationships. @category model */
export type RelationshipName<M, N> = keyof RelationshipsOf<M, N> & string

/** The name of the entity that a relationship leads to. @category model */
export type TargetOf<M, N, K> = K extends keyof RelationshipsOf<M, N>
  ? RelationshipsOf<M, N>[K] extends { readonly target: infer T extends string }
    ? T
    : never
  : never

/** The names of relationships that are collections. @category model */
export type CollectionName<M, N> = {
  [K in RelationshipName<M, N>]: RelationshipsOf<M, N>[K] extends {
    readonly _tag: 'HasMany' | 'ManyToMany' | 'JoinsMany'
  }
    ? K
    : never
}[RelationshipName<M, N>]

/** The names of relationships that are only joined, and never written. @category model */
export type JoinedName<M, N> = {
  [K in RelationshipName<M, N>]: RelationshipsOf<M, N>[K] extends { readonly _tag: 'JoinsMany' | 'JoinsOne' }
    ? K
    : never
}[RelationshipName<M, N>]

/** The names of collections that can be changed. @category model */
export type WritableCollection<M, N> = Exclude<CollectionName<M, N>, JoinedName<M, N>>

/** The names of relationships to one that can be set. @category model */
export type WritableReference<M, N> = Exclude<ReferenceName<M, N>, JoinedName<M, N>>

/** The names of entities whose instances a relationship takes: its target's, and those that it accepts beside. @category model */
export type TakenBy<M, N, K> =
  | TargetOf<M, N, K>
  | (K extends keyof RelationshipsOf<M, N>
      ? RelationshipsOf<M, N>[K] extends { readonly accepts: ReadonlyArray<infer A extends string> }
        ? A
        : never
      : never)

/** The names of collections that are kept by key. @category model */
export type KeyedCollectionName<M, N> = {
  [K in CollectionName<M, N>]: [CollectionKeyOf<M, N, K>] extends [never] ? never : K
}[CollectionName<M, N>]

/** As what a collection is shown. @category model */
export type ShapeOf<M, N, K> = K extends keyof RelationshipsOf<M, N>
  ? RelationshipsOf<M, N>[K] extends { readonly shape?: infer F extends CollectionShape }
    ? F
    : ListShape
  : ListShape

/** What the members of a collection are kept by. @category model */
export type CollectionKeyOf<M, N, K> = KeyOfCollection<ShapeOf<M, N, K>, RowOf<M, TargetOf<M, N, K>>>

/** A collection, with members `A`. @category model */
export type CollectionWith<M, N, K, A> = CollectionOf<ShapeOf<M, N, K>, A, RowOf<M, TargetOf<M, N, K>>>

/** What may be given for a collection: the like of what it shows, or its members in order. @category model */
export type CollectionGiven<M, N, K, A> = ReadonlyArray<A> | CollectionWith<M, N, K, A>

/** The names of relationships to one. @category model */
export type ReferenceName<M, N> = Exclude<RelationshipName<M, N>, CollectionName<M, N>>

/** Attributes that are loaded only when they are asked for. @category model */
export type DeferredAttribute<M, N> = Exclude<AttributesWith<ColumnsOf<EntityOf<M, N>>, 'deferred'>, SynonymName<M, N>>

/** Attributes that are deferred together. @category model */
export type DeferredIn<M, N, G extends string> = AttributesWith<ColumnsOf<EntityOf<M, N>>, `group ${G}`>

/** The attributes of the primary key. @category model */
export type KeyAttribute<M, N> = AttributesWith<ColumnsOf<EntityOf<M, N>>, 'primaryKey'>

/** The attributes of the entity called `N` by their own names. @category model */
export type OwnName<M, N> = Exclude<keyof RowOf<M, N>, SynonymName<M, N>> & string

/** The attributes of the entity called `N` that its tables hold. @category model */
export type StoredName<M, N> = Exclude<keyof RowOf<M, N>, ExtensionAttribute<EntityOf<M, N>>> & string

/** What its tables hold of a row. @category model */
export type StoredRow<M, N> = [ExtensionAttribute<EntityOf<M, N>>] extends [never]
  ? RowOf<M, N>
  : Pick<RowOf<M, N>, StoredName<M, N>>

/** The row of the entity called `N`. @category model */
export type RowOf<M, N> = Row<EntityOf<M, N>>

/** Attributes that an SQL expression computes. @category model */
export type ExpressionName<M, N> = ExpressionAttributeOf<EntityOf<M, N>>

/** Other names of attributes. @category model */
export type SynonymName<M, N> = SynonymOf<EntityOf<M, N>>

/** The key of the entity called `N`. @category model */
export type KeyOf<M, N> = Key<EntityOf<M, N>>

/** A row without what is deferred. */
type LoadedRow<E extends AnyEntity> = [AttributesWith<ColumnsOf<E>, 'deferred'>] extends [never]
  ? Row<E>
  : Simplify<Omit<Row<E>, AttributesWith<ColumnsOf<E>, 'deferred'>>>

/** The names of the entities that are subtypes of the entity called `N`, however far below. @category model */
export type SubtypeName<M, N> =
  M extends Model<infer Es extends Entities, infer _Rs>
    ? { [K in keyof Es & string]: N extends AncestorsOf<Es[K]> ? K : never }[keyof Es & string]
    : never

/** The attribute that tells the entity called `N` from those that it shares attributes with. @category model */
export type DiscriminatorOf<M, N> = FamilyOf<EntityOf<M, N>>['discriminator']

/** The values of the discriminator in rows of the entity called `N`, those of its subtypes included. @category model */
export type IdentityOf<M, N> = Exclude<FamilyOf<EntityOf<M, N | SubtypeName<M, N>>>['identity'], null>

/** A row whose discriminator is one of `I`. */
type RowAs<E extends AnyEntity, D extends string, I> = Simplify<{
  readonly [K in keyof LoadedRow<E>]: K extends D ? I : LoadedRow<E>[K]
}>

/**
 * A snapshot of an instance that stands in the database: its row, and which instance it is. Of an entity with subtypes it may be
 * one of theirs.
 *
 * @category model
 */
export type Managed<M, N extends string> =
  // conditional, so that an editor shows the row rather than the whole model
  EntityOf<M, N> extends infer E extends AnyEntity
    ? [FamilyOf<E>] extends [never]
      ? LoadedRow<E> & Snapshot<N>
      : RowAs<E, FamilyOf<E>['discriminator'], IdentityOf<M, N>> & SnapshotOf<M, N>
    : never

/** `N`: the entity, and what it is a subtype of. */
type ForeignKeysOf<Rs, N> = {
  [P in keyof Rs]: {
    [K in keyof Rs[P]]: Rs[P][K] extends BelongsTo<string, infer F, string | null>
      ? P extends N
        ? F
        : never
      : Rs[P][K] extends HasMany<infer T, infer F, string | null> | HasOne<infer T, infer F, string | null>
        ? T extends N
          ? F | PlaceIn<Rs[P][K]>
          : never
        : never
  }[keyof Rs[P]]
}[keyof Rs]

/** The attribute that holds places in a collection. */
type PlaceIn<R> = R extends { readonly shape?: { readonly position: infer P extends string } } ? P : never

/** Attributes that a relationship can fill. */
type FilledAttributes<M, N> =
  M extends Model<infer _Es extends Entities, infer Rs> ? ForeignKeysOf<Rs, N | RelativeNames<M, N>> : never

/** An entity's own rows have one value of the discriminator. */
type GivenValue<E extends AnyEntity, K extends keyof Row<E>> = K extends FamilyOf<E>['discriminator']
  ? FamilyOf<E>['identity']
  : Row<E>[K]

type Given<E extends AnyEntity, Filled> = {
  readonly [K in Exclude<keyof Row<E>, OptionalAttributes<E> | ExtensionAttribute<E> | Filled>]: Row<E>[K]
} & {
  readonly [K in Exclude<Extract<keyof Row<E>, OptionalAttributes<E> | Filled>, ExtensionAttribute<E>>]?: GivenValue<
    E,
    K
  >
}

type Nested<M, N> = {
  readonly [K in Exclude<RelationshipName<M, N>, JoinedName<M, N>>]?: K extends CollectionName<M, N>
    ? // not by its name, which an editor would show with the whole model
        | ReadonlyArray<NestedDraft<M, TargetOf<M, N, K>, TakenBy<M, N, K>>>
        | CollectionWith<M, N, K, NestedDraft<M, TargetOf<M, N, K>, TakenBy<M, N, K>>>
    : NestedDraft<M, TargetOf<M, N, K>, TakenBy<M, N, K>> | null
}

/**
 * What a draft may give a relationship: a draft of a target, of which an editor shows the parts - of an entity with subtypes
 * one of theirs, which says so itself - or an instance that it takes.
 */
type NestedDraft<M, N extends string, Taken extends string> =
  Draft<M, N> extends infer D ? D | SnapshotsNamed<Taken> | SubtypeDraft<M, SubtypeName<M, N>> : never

type SubtypeDraft<M, S extends string> = S extends unknown
  ? [FamilyOf<EntityOf<M, S>>['identity']] extends [null]
    ? never
    : Draft<M, S> & { readonly [K in DiscriminatorOf<M, S>]: FamilyOf<EntityOf<M, S>>['identity'] }
  : never

/** Is an entity abstract, so that all its rows are of subtypes? */
type IsAbstract<E> = [FamilyOf<E>] extends [never] ? false : [FamilyOf<E>['identity']] extends [null] ? true : false

/** In place of a draft of an entity that has no rows of its own. */
type Abstract<N extends string> = Readonly<Record<'fault', `${N} is abstract; give a draft of one of its subtypes`>>

/**
 * A row to be, as plain nested data: what an insert must give, less the foreign keys that a relationship fills, and
 * related drafts or instances.
 *
 * @example
 * const draft: Draft<typeof model, 'User'> = { name: 'ed', addresses: [{ email: 'ed@example.org' }] }
 *
 * @category model
 */
export type Draft<M, N extends string> =
  IsAbstract<EntityOf<M, N>> extends true
    ? Abstract<N>
    : [SynonymName<M, N>] extends [never]
      ? Simplify<Given<EntityOf<M, N>, FilledAttributes<M, N>> & Nested<M, N>>
      : // by its parts, which an editor shows
        ByAnyName<Given<EntityOf<M, N>, FilledAttributes<M, N>> & Nested<M, N>, EntityOf<M, N>> extends infer D
        ? Flat<D>
        : never

type Flat<D> = D extends unknown ? Simplify<D> : never

/** A draft that gives what has several names by any one of them. */
type ByAnyName<D, E> = Simplify<Omit<D, NamedBy<E, SynonymOf<E>>>> &
  // not by `Intersection`, which would take the choices apart
  ({
    [A in NamedBy<E, SynonymOf<E>> & keyof D]: (
      choice:
        | OneName<D[A], A | SynonymsFor<E, A>>
        | (Record<never, never> extends Pick<D, A> ? { readonly [K in A | SynonymsFor<E, A>]?: never } : never),
    ) => void
  }[NamedBy<E, SynonymOf<E>> & keyof D] extends (all: infer I) => void
    ? I
    : never)

type OneName<V, Names extends PropertyKey> = {
  [K in Names]: { readonly [P in K]: V } & { readonly [P in Exclude<Names, K>]?: never }
}[Names]

/** The names that an attribute has beside its own. */
type SynonymsFor<E, A> = { [K in SynonymOf<E>]: NamedBy<E, K> extends A ? K : never }[SynonymOf<E>] & PropertyKey

/** @category model */
export type DraftOrInstance<M, N extends string> = Draft<M, N> | Snapshot<N>

/** What a relationship can be given: a draft of a target, or an instance that it takes. @category model */
export type GivenTo<M, N, K> = Draft<M, TargetOf<M, N, K>> | SnapshotsNamed<TakenBy<M, N, K>>

/**
 * A snapshot of an instance that has not been flushed: what its draft gave, and which instance it is. What the database
 * gives is not there yet.
 *
 * @category model
 */
export type Pending<M, N extends string> =
  EntityOf<M, N> extends infer E extends AnyEntity
    ? Simplify<Named<Given<E, FilledAttributes<M, N>>, E>> & SnapshotOf<M, N>
    : never

/** What a snapshot shows, by the other names of attributes too. */
type Named<D, E> = D & { readonly [K in SynonymOf<E>]: D[NamedBy<E, K> & keyof D] }

/**
 * What a relationship holds once loaded.
 *
 * @category model
 */
export type Related<M, N, K> =
  K extends CollectionName<M, N>
    ? CollectionWith<M, N, K, Managed<M, TargetOf<M, N, K>>>
    : Option<Managed<M, TargetOf<M, N, K>>>
