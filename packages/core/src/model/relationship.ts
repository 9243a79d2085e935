/**
 * Relationships: how entities refer to each other, declared from either side.
 *
 * `hasMany` and `hasOne` stand on the side that is referred to, `belongsTo` on the side that holds the foreign key,
 * `manyToMany` on both sides of a table of links that no entity maps, `joinsMany` and `joinsOne` on a condition alone. Two
 * relationships over one foreign key, or one table of links, that name each other as `inverse` are two views of one fact, and
 * the session keeps them in step.
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import {
  type AnyCollectionKind,
  asList,
  type CollectionKind,
  type CollectionShape,
  type ListShape,
} from './collection.js'
import type { AnyEntity, ColumnsOf, Row, Table } from './entity.js'
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
 * A condition on the two sides of a relationship, `owner` and `target`, and on what lies between them. A name without a side
 * is the target's.
 *
 * @category model
 */
// biome-ignore lint/suspicious/noExplicitAny: the typed builder of the sides is given where the relationship is declared
export type JoinCondition = (eb: ExpressionBuilder<any, any>) => Expression<SqlBool>

/**
 * How a relationship behaves, whichever its kind.
 *
 * @category model
 */
export interface Behaviour {
  readonly cascade: ReadonlyArray<Cascade>
  /** The order in which targets load. */
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
  /** What else must be so of an owner and its targets; of a relationship that is only joined, all that must be so. */
  readonly on: JoinCondition | null
  /** Is it loaded for an instance that has no row yet, by the keys that it has been given? */
  readonly loadOnPending: boolean
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
  Accepted extends string = string,
> extends Behaviour {
  readonly _tag: 'HasMany'
  readonly target: Target
  /** Entities beside the target whose instances it takes. */
  readonly accepts: ReadonlyArray<Accepted>
  /** As what its members are shown. */
  readonly collection: AnyCollectionKind
  readonly shape?: Shape
  readonly foreignKey: ReadonlyArray<ForeignKey>
  /** The attributes that the foreign key refers to; null for the primary key. */
  readonly references: ReadonlyArray<string> | null
  readonly inverse: Inverse
}

/**
 * The one instance whose foreign key refers to this one, or none.
 *
 * @category model
 */
export interface HasOne<
  Target extends string,
  ForeignKey extends string,
  Inverse extends string | null,
  Accepted extends string = string,
> extends Behaviour {
  readonly _tag: 'HasOne'
  readonly target: Target
  /** Entities beside the target whose instances it takes. */
  readonly accepts: ReadonlyArray<Accepted>
  readonly foreignKey: ReadonlyArray<ForeignKey>
  /** The attributes that the foreign key refers to; null for the primary key. */
  readonly references: ReadonlyArray<string> | null
  readonly inverse: Inverse
}

/**
 * The one instance that this one's foreign key refers to, or none.
 *
 * @category model
 */
export interface BelongsTo<
  Target extends string,
  ForeignKey extends string,
  Inverse extends string | null,
  Accepted extends string = string,
> extends Behaviour {
  readonly _tag: 'BelongsTo'
  readonly target: Target
  /** Entities beside the target whose instances it takes. */
  readonly accepts: ReadonlyArray<Accepted>
  readonly foreignKey: ReadonlyArray<ForeignKey>
  /** The attributes that the foreign key refers to; null for the primary key. */
  readonly references: ReadonlyArray<string> | null
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
  Accepted extends string = string,
> extends Behaviour {
  readonly _tag: 'ManyToMany'
  readonly target: Target
  /** Entities beside the target whose instances it takes. */
  readonly accepts: ReadonlyArray<Accepted>
  /** As what its members are shown. */
  readonly collection: AnyCollectionKind
  readonly shape?: Shape
  readonly through: Link
  readonly inverse: Inverse
}

/** Entities that a condition goes through, each by the name that it has there. @category model */
export type Between = Readonly<Record<string, string>>

/**
 * A collection of the instances for which a condition is true. It is loaded and asked about as any other, and nothing
 * writes it: it is what it is computed from.
 *
 * @category model
 */
export interface JoinsMany<Target extends string, out Shape extends CollectionShape = CollectionShape>
  extends Behaviour {
  readonly _tag: 'JoinsMany'
  readonly target: Target
  /** As what its members are shown. */
  readonly collection: AnyCollectionKind
  readonly shape?: Shape
  readonly through: Between
  readonly inverse: null
}

/**
 * The one instance for which a condition is true, or none.
 *
 * @category model
 */
export interface JoinsOne<Target extends string> extends Behaviour {
  readonly _tag: 'JoinsOne'
  readonly target: Target
  readonly through: Between
  readonly inverse: null
}

/** @category model */
export type Relationship =
  | HasMany<string, string, string | null>
  | HasOne<string, string, string | null>
  | BelongsTo<string, string, string | null>
  | ManyToMany<string, string | null>
  | JoinsMany<string>
  | JoinsOne<string>

/** @category model */
export type Entities = Readonly<Record<string, AnyEntity>>

/** @category model */
export type Relationships<Es extends Entities> = {
  readonly [N in keyof Es]?: Readonly<Record<string, Relationship>>
}

type AttributeOf<E> = keyof ColumnsOf<E> & string
type OneOrMany<A> = A | readonly [A, ...A[]]
type Members<F> = F extends ReadonlyArray<infer A> ? A : F

/** What every relationship can say of its loads. */
interface LoadOptions {
  readonly load?: LoadStrategy
  readonly where?: TargetCondition
}

/** Options of every kind that can be written. `cascade` is save-update and merge where nothing is said; of a viewonly one, merge. */
interface CommonOptions<I, A> extends LoadOptions {
  readonly inverse?: I
  readonly cascade?: ReadonlyArray<Cascade>
  readonly viewonly?: boolean
  readonly passiveDeletes?: boolean | 'all'
  readonly passiveUpdates?: boolean
  readonly postUpdate?: boolean
  readonly singleParent?: boolean
  /**
   * Is it loaded for an instance that has no row yet, by the keys that it has been given? Such a load flushes nothing.
   *
   * @see https://docs.sqlalchemy.org/en/21/orm/relationship_api.html#sqlalchemy.orm.relationship.params.load_on_pending
   */
  readonly loadOnPending?: boolean
  /**
   * Entities of the target's hierarchy whose instances it takes beside the target's own. What it loads are targets.
   *
   * @see https://docs.sqlalchemy.org/en/21/orm/relationship_api.html#sqlalchemy.orm.relationship.params.enable_typechecks
   */
  readonly accepts?: ReadonlyArray<A>
}

/** The tables that a condition may speak of: those of all entities, and some under names of its own. */
type TablesOf<Es extends Entities, Sides> = {
  readonly [N in keyof Es as Es[N]['table']]: Table<Es[N]>
} & Sides

/** A condition on the two sides of a relationship, and what lies between. */
type ConditionOn<Es extends Entities, Sides> = (
  eb: ExpressionBuilder<TablesOf<Es, Sides>, keyof Sides & string>,
) => Expression<SqlBool>

/** The tables of two sides. @category model */
export interface Sides<Owner, Target> {
  readonly owner: Table<Owner>
  readonly target: Table<Target>
}

/** The sides, and the columns of the table of links by their own names, as the database has them. */
interface LinkedSides<Owner, Target> extends Sides<Owner, Target> {
  // biome-ignore lint/suspicious/noExplicitAny: no entity says what such a column holds
  readonly link: Readonly<Record<string, any>>
}

/** The sides, and entities between them. */
type SidesThrough<Es extends Entities, Owner, Target, B> = Sides<Owner, Target> & {
  readonly [A in keyof B]: B[A] extends keyof Es ? Table<Es[B[A]]> : never
}

type Order<E> = AttributeOf<E> | readonly [AttributeOf<E>, OrderDirection]

interface OrderOption<E> {
  /** The order in which targets load; without it the order is the database's. */
  readonly orderBy?: AttributeOf<E> | readonly [AttributeOf<E>, OrderDirection] | ReadonlyArray<Order<E>>
}

interface MembersOptions<E, F extends CollectionShape> extends OrderOption<E> {
  /** As what the members are shown: a list where nothing is said. */
  readonly collection?: CollectionKind<F, E extends AnyEntity ? Row<E> : never>
}

type CollectionOptions<E, I, A, F extends CollectionShape> = CommonOptions<I, A> & MembersOptions<E, F>

/** A foreign key, and what it refers to. */
interface KeyOptions<F, Referred> {
  readonly foreignKey: F
  /** What the foreign key refers to, where it is not the primary key: attributes that no two rows share. */
  readonly references?: OneOrMany<AttributeOf<Referred>>
}

/**
 * Makes the relationships of one entity; `defineModel` hands one out for each.
 *
 * @category constructors
 */
export interface RelationshipBuilder<Es extends Entities, Self extends keyof Es> {
  /** A collection of `target`s whose `foreignKey` (attributes of the target) refers to this entity. */
  readonly hasMany: <
    const T extends keyof Es & string,
    const F extends OneOrMany<AttributeOf<Es[T]>>,
    const I extends string | null = null,
    C extends CollectionShape = ListShape,
    const A extends keyof Es & string = never,
  >(
    target: T,
    options: CollectionOptions<Es[T], I, A, C> &
      KeyOptions<F, Es[Self]> & {
        /** What else must be so of an owner and its members. It is loaded by it, and written by the foreign key alone. */
        readonly on?: ConditionOn<Es, Sides<Es[Self], Es[T]>>
      },
  ) => HasMany<T, Members<F> & string, I, C, A>
  /** The one `target` whose `foreignKey` (attributes of the target) refers to this entity. */
  readonly hasOne: <
    const T extends keyof Es & string,
    const F extends OneOrMany<AttributeOf<Es[T]>>,
    const I extends string | null = null,
    const A extends keyof Es & string = never,
  >(
    target: T,
    options: CommonOptions<I, A> &
      KeyOptions<F, Es[Self]> & {
        /** What else must be so of an owner and its target. It is loaded by it, and written by the foreign key alone. */
        readonly on?: ConditionOn<Es, Sides<Es[Self], Es[T]>>
      },
  ) => HasOne<T, Members<F> & string, I, A>
  /** The `target` to which this entity's `foreignKey` refers. */
  readonly belongsTo: <
    const T extends keyof Es & string,
    const F extends OneOrMany<AttributeOf<Es[Self]>>,
    const I extends string | null = null,
    const A extends keyof Es & string = never,
  >(
    target: T,
    options: CommonOptions<I, A> & KeyOptions<F, Es[T]>,
  ) => BelongsTo<T, Members<F> & string, I, A>
  /** A collection of `target`s over the table of links `through`, which no entity maps. */
  readonly manyToMany: <
    const T extends keyof Es & string,
    const I extends string | null = null,
    C extends CollectionShape = ListShape,
    const A extends keyof Es & string = never,
  >(
    target: T,
    options: CollectionOptions<Es[T], I, A, C> & {
      readonly through: Link
      /** What else must be so of an owner, a link and a target. It is loaded by it, and written by the links' keys alone. */
      readonly on?: ConditionOn<Es, LinkedSides<Es[Self], Es[T]>>
    },
  ) => ManyToMany<T, I, C, A>
  /**
   * A collection of the `target`s for which the condition `on` is true, with some row of each entity that it goes through.
   * It cannot be written.
   *
   * @example
   * r.City.joinsMany('Person', { on: (eb) => eb(eb.fn('lower', ['target.town']), '=', eb.fn('lower', ['owner.name'])) })
   *
   * @see https://docs.sqlalchemy.org/en/21/orm/join_conditions.html
   */
  readonly joinsMany: <
    const T extends keyof Es & string,
    C extends CollectionShape = ListShape,
    const B extends Readonly<Record<string, keyof Es & string>> = Record<never, never>,
  >(
    target: T,
    options: LoadOptions &
      MembersOptions<Es[T], C> & {
        /** Entities that the condition goes through, each by a name that it has there. */
        readonly through?: B
        readonly on: ConditionOn<Es, SidesThrough<Es, Es[Self], Es[T], NoInfer<B>>>
      },
  ) => JoinsMany<T, C>
  /** The one `target` for which the condition `on` is true, the first of several in its order. It cannot be written. */
  readonly joinsOne: <
    const T extends keyof Es & string,
    const B extends Readonly<Record<string, keyof Es & string>> = Record<never, never>,
  >(
    target: T,
    options: LoadOptions &
      OrderOption<Es[T]> & {
        /** Entities that the condition goes through, each by a name that it has there. */
        readonly through?: B
        readonly on: ConditionOn<Es, SidesThrough<Es, Es[Self], Es[T], NoInfer<B>>>
      },
  ) => JoinsOne<T>
}

const list = <A>(one: A | ReadonlyArray<A>): ReadonlyArray<A> => (Array.isArray(one) ? one : [one as A])

const defaultCascade: ReadonlyArray<Cascade> = ['save-update', 'merge']
const viewonlyCascade: ReadonlyArray<Cascade> = ['merge']

interface LooseOptions extends CommonOptions<string | null, string> {
  readonly on?: JoinCondition
  readonly collection?: AnyCollectionKind
  readonly orderBy?: string | ReadonlyArray<string | readonly [string, OrderDirection]>
}

type KeyedOptions = LooseOptions & {
  readonly foreignKey: OneOrMany<string>
  readonly references?: OneOrMany<string>
}

type JoinedOptions = LooseOptions & { readonly through?: Between; readonly on: JoinCondition }

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
  on: options.on ?? null,
  loadOnPending: options.loadOnPending ?? false,
})

const keyed =
  (_tag: 'HasMany' | 'HasOne' | 'BelongsTo') =>
  (target: string, options: KeyedOptions): Relationship => ({
    _tag,
    target,
    foreignKey: list(options.foreignKey),
    references: options.references === undefined ? null : list(options.references),
    accepts: options.accepts ?? [],
    collection: options.collection ?? asList,
    ...behaviour(options),
  })

/** There is nothing to cascade along what nobody writes. */
const joined =
  (_tag: 'JoinsMany' | 'JoinsOne') =>
  (target: string, options: JoinedOptions): Relationship => ({
    _tag,
    target,
    through: options.through ?? {},
    collection: options.collection ?? asList,
    ...behaviour(options),
    cascade: [],
    viewonly: true,
    inverse: null,
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
    accepts: options.accepts ?? [],
    collection: options.collection ?? asList,
    ...behaviour(options),
  }),
  joinsMany: joined('JoinsMany'),
  joinsOne: joined('JoinsOne'),
}
