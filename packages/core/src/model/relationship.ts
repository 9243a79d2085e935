/**
 * Relationships: how entities refer to each other, declared from either side.
 *
 * `hasMany` stands on the side that is referred to, `belongsTo` on the side that holds the foreign key. Two
 * relationships over one foreign key that name each other as `inverse` are two views of one fact, and the session
 * keeps them in step.
 */
import type { AnyEntity, ColumnsOf } from './entity.js'

/**
 * What an operation on an instance does to what it refers to; SQLAlchemy's terms and meanings.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/cascades.html
 * @category model
 */
export type Cascade = 'save-update' | 'merge' | 'refresh-expire' | 'expunge' | 'delete' | 'delete-orphan'

/** @category model */
export type OrderDirection = 'asc' | 'desc'

/**
 * A collection of the instances whose foreign key refers to this one.
 *
 * @category model
 */
export interface HasMany<Target extends string, ForeignKey extends string, Inverse extends string | null> {
  readonly _tag: 'HasMany'
  readonly target: Target
  readonly foreignKey: ReadonlyArray<ForeignKey>
  readonly inverse: Inverse
  readonly cascade: ReadonlyArray<Cascade>
  readonly orderBy: ReadonlyArray<readonly [attribute: string, direction: OrderDirection]>
}

/**
 * The one instance that this one's foreign key refers to, or none.
 *
 * @category model
 */
export interface BelongsTo<Target extends string, ForeignKey extends string, Inverse extends string | null> {
  readonly _tag: 'BelongsTo'
  readonly target: Target
  readonly foreignKey: ReadonlyArray<ForeignKey>
  readonly inverse: Inverse
  readonly cascade: ReadonlyArray<Cascade>
}

/** @category model */
export type Relationship = HasMany<string, string, string | null> | BelongsTo<string, string, string | null>

/** @category model */
export type Entities = Readonly<Record<string, AnyEntity>>

/** @category model */
export type Relationships<Es extends Entities> = {
  readonly [N in keyof Es]?: Readonly<Record<string, Relationship>>
}

type Attribute<E> = keyof ColumnsOf<E> & string
type OneOrMany<A> = A | readonly [A, ...A[]]
type Members<F> = F extends ReadonlyArray<infer A> ? A : F

/**
 * Makes the relationships of one entity; `defineModel` hands one out for each.
 *
 * @category constructors
 */
export interface RelationshipBuilder<Es extends Entities, Self extends keyof Es> {
  /**
   * A collection of `target`s whose `foreignKey` (attributes of the target) refers to this entity's primary key.
   *
   * `cascade` defaults to save-update and merge. `orderBy` is the order in which the collection loads; without it the
   * order is the database's.
   */
  readonly hasMany: <
    const T extends keyof Es & string,
    const F extends OneOrMany<Attribute<Es[T]>>,
    const I extends string | null = null,
  >(
    target: T,
    options: {
      readonly foreignKey: F
      readonly inverse?: I
      readonly cascade?: ReadonlyArray<Cascade>
      readonly orderBy?:
        | Attribute<Es[T]>
        | readonly [Attribute<Es[T]>, OrderDirection]
        | ReadonlyArray<Attribute<Es[T]> | readonly [Attribute<Es[T]>, OrderDirection]>
    },
  ) => HasMany<T, Members<F> & string, I>
  /**
   * The `target` whose primary key this entity's `foreignKey` holds. `cascade` defaults to save-update and merge.
   */
  readonly belongsTo: <
    const T extends keyof Es & string,
    const F extends OneOrMany<Attribute<Es[Self]>>,
    const I extends string | null = null,
  >(
    target: T,
    options: {
      readonly foreignKey: F
      readonly inverse?: I
      readonly cascade?: ReadonlyArray<Cascade>
    },
  ) => BelongsTo<T, Members<F> & string, I>
}

const list = <A>(one: A | ReadonlyArray<A>): ReadonlyArray<A> => (Array.isArray(one) ? one : [one as A])

const defaultCascade: ReadonlyArray<Cascade> = ['save-update', 'merge']

interface LooseOptions {
  readonly foreignKey: OneOrMany<string>
  readonly inverse?: string | null
  readonly cascade?: ReadonlyArray<Cascade>
  readonly orderBy?: string | ReadonlyArray<string | readonly [string, OrderDirection]>
}

const isOrderPair = (order: NonNullable<LooseOptions['orderBy']>): order is readonly [string, OrderDirection] =>
  Array.isArray(order) && order.length === 2 && (order[1] === 'asc' || order[1] === 'desc')

const orderItems = (order: LooseOptions['orderBy']): ReadonlyArray<readonly [string, OrderDirection]> =>
  order === undefined
    ? []
    : isOrderPair(order)
      ? [order]
      : list(order).map((item) => (typeof item === 'string' ? ([item, 'asc'] as const) : item))

/** The one builder behind all the typed ones: what differs between them is only their types. */
export const relationshipBuilder = {
  hasMany: (target: string, options: LooseOptions): Relationship => ({
    _tag: 'HasMany',
    target,
    foreignKey: list(options.foreignKey),
    inverse: options.inverse ?? null,
    cascade: options.cascade ?? defaultCascade,
    orderBy: orderItems(options.orderBy),
  }),
  belongsTo: (target: string, options: LooseOptions): Relationship => ({
    _tag: 'BelongsTo',
    target,
    foreignKey: list(options.foreignKey),
    inverse: options.inverse ?? null,
    cascade: options.cascade ?? defaultCascade,
  }),
}
