/**
 * Relationships: how entities refer to each other, declared from either side.
 *
 * `hasMany` and `hasOne` stand on the side that is referred to, `belongsTo` on the side that holds the foreign key,
 * `manyToMany` on both sides of a table of links that no entity maps, `joinsMany` and `joinsOne` on a condition alone. Two
 * relationships over one foreign key, or one table of links, that name each other as `inverse` are two views of one fact, and
 * the session keeps them in step.
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { AnyCollectionKind, CollectionShape } from './collection.js'
import type { AnyEntity } from './entity.js'
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
