/**
 * Relationships: how entities refer to each other, declared from either side.
 *
 * `hasMany` and `hasOne` stand on the side that is referred to, `belongsTo` on the side that holds the foreign key,
 * `manyToMany` on both sides of a table of links that no entity maps. Two relationships over one foreign key, or one table
 * of links, that name each other as `inverse` are two views of one fact, and the session keeps them in step.
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import {
  type AnyCollectionKind,
  asList,
  type CollectionKind,
  type CollectionShape,
  type ListShape,
} from './collection.js'
import type { AnyEntity, ColumnsOf, Row } from './entity.js'
import type { ReferentialAction } from './reference.js'

/**
 * What an operation on an instance does to what it refers to; SQLAlchemy's terms and meanings.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/cascades.html
 * @category model
 */
export type Cascade = 'save-update' | 'merge' | 'refresh-expire' | 'expunge' | 'delete' | 'delete-orphan'

/**
 * How a relationship is loaded. In a model it holds where a query says nothing else; what a model loads fills the session, and
 * results show what their query names.
 *
 * - `lazy`: by `Session.load`, when it is asked for.
 * - `selectin`: with its owners, by one more statement that names their keys.
 * - `joined`: with its owners, in the same statement.
 * - `subquery`: with its owners, by one more statement that has their query in it.
 * - `immediate`: with its owners, by a statement for each of them.
 * - `raise`: never; `Session.load` fails with `RaisedLoad` where it is not loaded already.
 * - `none`: never; it is shown as empty, whatever the database holds.
 * - `writeOnly`: never, since there is too much of it; `Session.members` gives a query of it.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/relationships.html
 * @category model
 */
export type LoadStrategy = 'lazy' | 'selectin' | 'joined' | 'subquery' | 'immediate' | 'raise' | 'none' | 'writeOnly'

/** @category model */
export type OrderDirection = 'asc' | 'desc'

/** A condition on the targets of a relationship, in the target's own attributes. @category model */
// biome-ignore lint/suspicious/noExplicitAny: the typed builder of the target is given where the relationship is declared
export type TargetCondition = (eb: ExpressionBuilder<any, any>) => Expression<SqlBool>

/**
 * How a relationship behaves, whichever its kind.
 *
 * @category model
 */
export interface Behaviour {
  readonly cascade: ReadonlyArray<Cascade>
  /** The order in which a collection loads. */
  readonly orderBy: ReadonlyArray<readonly [attribute: string, direction: OrderDirection]>
  /** Only targets for which it holds are loaded. */
  readonly where: TargetCondition | null
  /** Loaded and never written. */
  readonly viewonly: boolean
  /**
   * `true`: on a delete, members that are not loaded are left to the database's ON DELETE. `'all'`: loaded ones too.
   */
  readonly passiveDeletes: boolean | 'all'
  /** Whether the database carries a changed key to those that refer to it, by ON UPDATE CASCADE. */
  readonly passiveUpdates: boolean
  /** The foreign key is written by an UPDATE of its own, after inserts and before deletes: breaks cycles of rows. */
  readonly postUpdate: boolean
  /** A target has one owner at most. What is shared otherwise needs it, for delete-orphan. */
  readonly singleParent: boolean
  /** How it is loaded where a query does not say. */
  readonly load: LoadStrategy
}

/**
 * A collection of the instances whose foreign key refers to this one.
 *
 * @category model
 */
export interface HasMany<
  Target extends string,
  ForeignKey extends string,
  Inverse extends string | null,
  out Shape extends CollectionShape = CollectionShape,
> extends Behaviour {
  readonly _tag: 'HasMany'
  readonly target: Target
  /** As what its members are shown. */
  readonly collection: AnyCollectionKind
  readonly shape?: Shape
  readonly foreignKey: ReadonlyArray<ForeignKey>
  readonly inverse: Inverse
}

/**
 * The one instance whose foreign key refers to this one, or none.
 *
 * @category model
 */
export interface HasOne<Target extends string, ForeignKey extends string, Inverse extends string | null>
  extends Behaviour {
  readonly _tag: 'HasOne'
  readonly target: Target
  readonly foreignKey: ReadonlyArray<ForeignKey>
  readonly inverse: Inverse
}

/**
 * The one instance that this one's foreign key refers to, or none.
 *
 * @category model
 */
export interface BelongsTo<Target extends string, ForeignKey extends string, Inverse extends string | null>
  extends Behaviour {
  readonly _tag: 'BelongsTo'
  readonly target: Target
  readonly foreignKey: ReadonlyArray<ForeignKey>
  readonly inverse: Inverse
}

/**
 * A table of links: its columns that hold the owner's key, and those that hold the target's, in the order of the keys.
 *
 * @category model
 */
export interface Link {
  readonly table: string
  readonly own: ReadonlyArray<string>
  readonly target: ReadonlyArray<string>
  /** What becomes of a link when either end is deleted; it goes with it where nothing is said. */
  readonly onDelete?: ReferentialAction
  /** Whether the end whose key does not begin the table's own gets an index; it does where nothing is said. */
  readonly index?: boolean
}

/**
 * A collection over a table of links.
 *
 * @category model
 */
export interface ManyToMany<
  Target extends string,
  Inverse extends string | null,
  out Shape extends CollectionShape = CollectionShape,
> extends Behaviour {
  readonly _tag: 'ManyToMany'
  readonly target: Target
  /** As what its members are shown. */
  readonly collection: AnyCollectionKind
  readonly shape?: Shape
  readonly through: Link
  readonly inverse: Inverse
}

/** @category model */
export type Relationship =
  | HasMany<string, string, string | null>
  | HasOne<string, string, string | null>
  | BelongsTo<string, string, string | null>
  | ManyToMany<string, string | null>

/** @category model */
export type Entities = Readonly<Record<string, AnyEntity>>

/** @category model */
export type Relationships<Es extends Entities> = {
  readonly [N in keyof Es]?: Readonly<Record<string, Relationship>>
}

type AttributeOf<E> = keyof ColumnsOf<E> & string
type OneOrMany<A> = A | readonly [A, ...A[]]
type Members<F> = F extends ReadonlyArray<infer A> ? A : F

/** Options of every kind of relationship. `cascade` is save-update and merge where nothing is said; of a viewonly one, merge. */
interface CommonOptions<I> {
  readonly inverse?: I
  readonly cascade?: ReadonlyArray<Cascade>
  readonly viewonly?: boolean
  readonly passiveDeletes?: boolean | 'all'
  readonly passiveUpdates?: boolean
  readonly postUpdate?: boolean
  readonly singleParent?: boolean
  readonly load?: LoadStrategy
  readonly where?: TargetCondition
}

type Order<E> = AttributeOf<E> | readonly [AttributeOf<E>, OrderDirection]

interface CollectionOptions<E, I, F extends CollectionShape> extends CommonOptions<I> {
  /** As what the members are shown: a list where nothing is said. */
  readonly collection?: CollectionKind<F, E extends AnyEntity ? Row<E> : never>
  /** The order in which the collection loads; without it the order is the database's. */
  readonly orderBy?: AttributeOf<E> | readonly [AttributeOf<E>, OrderDirection] | ReadonlyArray<Order<E>>
}

/**
 * Makes the relationships of one entity; `defineModel` hands one out for each.
 *
 * @category constructors
 */
export interface RelationshipBuilder<Es extends Entities, Self extends keyof Es> {
  /** A collection of `target`s whose `foreignKey` (attributes of the target) refers to this entity's primary key. */
  readonly hasMany: <
    const T extends keyof Es & string,
    const F extends OneOrMany<AttributeOf<Es[T]>>,
    const I extends string | null = null,
    C extends CollectionShape = ListShape,
  >(
    target: T,
    options: CollectionOptions<Es[T], I, C> & { readonly foreignKey: F },
  ) => HasMany<T, Members<F> & string, I, C>
  /** The one `target` whose `foreignKey` (attributes of the target) refers to this entity's primary key. */
  readonly hasOne: <
    const T extends keyof Es & string,
    const F extends OneOrMany<AttributeOf<Es[T]>>,
    const I extends string | null = null,
  >(
    target: T,
    options: CommonOptions<I> & { readonly foreignKey: F },
  ) => HasOne<T, Members<F> & string, I>
  /** The `target` whose primary key this entity's `foreignKey` holds. */
  readonly belongsTo: <
    const T extends keyof Es & string,
    const F extends OneOrMany<AttributeOf<Es[Self]>>,
    const I extends string | null = null,
  >(
    target: T,
    options: CommonOptions<I> & { readonly foreignKey: F },
  ) => BelongsTo<T, Members<F> & string, I>
  /** A collection of `target`s over the table of links `through`, which no entity maps. */
  readonly manyToMany: <
    const T extends keyof Es & string,
    const I extends string | null = null,
    C extends CollectionShape = ListShape,
  >(
    target: T,
    options: CollectionOptions<Es[T], I, C> & { readonly through: Link },
  ) => ManyToMany<T, I, C>
}

const list = <A>(one: A | ReadonlyArray<A>): ReadonlyArray<A> => (Array.isArray(one) ? one : [one as A])

const defaultCascade: ReadonlyArray<Cascade> = ['save-update', 'merge']
const viewonlyCascade: ReadonlyArray<Cascade> = ['merge']

interface LooseOptions extends CommonOptions<string | null> {
  readonly collection?: AnyCollectionKind
  readonly orderBy?: string | ReadonlyArray<string | readonly [string, OrderDirection]>
}

type KeyedOptions = LooseOptions & { readonly foreignKey: OneOrMany<string> }

const isOrderPair = (order: NonNullable<LooseOptions['orderBy']>): order is readonly [string, OrderDirection] =>
  Array.isArray(order) && order.length === 2 && (order[1] === 'asc' || order[1] === 'desc')

const orderItems = (order: LooseOptions['orderBy']): Behaviour['orderBy'] =>
  order === undefined
    ? []
    : isOrderPair(order)
      ? [order]
      : list(order).map((item) => (typeof item === 'string' ? ([item, 'asc'] as const) : item))

/** A collection that keeps places loads in their order. */
const orderOf = ({ collection, orderBy }: LooseOptions): Behaviour['orderBy'] =>
  orderBy === undefined && collection?.position ? [[collection.position.attribute, 'asc']] : orderItems(orderBy)

const behaviour = (options: LooseOptions): Behaviour & { readonly inverse: string | null } => ({
  inverse: options.inverse ?? null,
  cascade: options.cascade ?? (options.viewonly === true ? viewonlyCascade : defaultCascade),
  orderBy: orderOf(options),
  where: options.where ?? null,
  viewonly: options.viewonly ?? false,
  passiveDeletes: options.passiveDeletes ?? false,
  passiveUpdates: options.passiveUpdates ?? true,
  postUpdate: options.postUpdate ?? false,
  singleParent: options.singleParent ?? false,
  load: options.load ?? 'lazy',
})

const keyed =
  (_tag: 'HasMany' | 'HasOne' | 'BelongsTo') =>
  (target: string, options: KeyedOptions): Relationship => ({
    _tag,
    target,
    foreignKey: list(options.foreignKey),
    collection: options.collection ?? asList,
    ...behaviour(options),
  })

/** The one builder behind all the typed ones: what differs between them is only their types. */
export const relationshipBuilder = {
  hasMany: keyed('HasMany'),
  hasOne: keyed('HasOne'),
  belongsTo: keyed('BelongsTo'),
  manyToMany: (target: string, options: LooseOptions & { readonly through: Link }): Relationship => ({
    _tag: 'ManyToMany',
    target,
    through: options.through,
    collection: options.collection ?? asList,
    ...behaviour(options),
  }),
}
