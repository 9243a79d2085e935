/**
 * What makes relationships of what a program says of them: the builder that `defineModel` hands out for each entity.
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
import type {
  Behaviour,
  BelongsTo,
  Between,
  Cascade,
  Entities,
  HasMany,
  HasOne,
  JoinCondition,
  JoinsMany,
  JoinsOne,
  Link,
  LoadStrategy,
  ManyToMany,
  OrderDirection,
  Relationship,
  TargetCondition,
} from './relationship.js'

type OneOrMany<A> = A | readonly [A, ...A[]]

type AttributeOf<E> = keyof ColumnsOf<E> & string

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
