/**
 * An entity: a name for the program, a table for the database, and the columns between them.
 *
 * From an entity follow, inferred, its `Row`, what an insert must give (`Insertable`) and its `Key`.
 */
import type { ColumnType } from 'kysely'
import type { AnyColumn, Column, ColumnFlag } from './column.js'
import { type Constraints, constraintsOf, type TableOptions } from './constraint.js'

/** @category model */
export type Columns = Readonly<Record<string, AnyColumn>>

/**
 * @category model
 */
export interface Entity<Name extends string, Table extends string, C extends Columns> {
  readonly _tag: 'Entity'
  readonly name: Name
  readonly table: Table
  readonly columns: C
  /** What it says of its table as a whole. */
  readonly constraints: Constraints
  /** Looks at a row as a whole; null where there is nothing to say of it. */
  readonly validate: RowValidator | null
  /** How it stands to entities that it shares attributes with; null where it stands alone. */
  readonly inheritance: Inheritance | null
}

/**
 * What is wrong with a row as a whole, by attribute: what it should be. What is not known of the row is absent.
 *
 * @category model
 */
export type RowValidator = (row: never) => Readonly<Partial<Record<string, string>>>

/** An entity of whichever columns. @category model */
// biome-ignore lint/suspicious/noExplicitAny: an entity of any columns, whose codecs are invariant
export type AnyEntity = Entity<string, string, any>

declare const family: unique symbol

/**
 * What types know of an entity among those that it shares attributes with: the attribute that tells them apart and the type of
 * its values, the entity's own value (null where it is abstract), and the names of those that it is a subtype of.
 *
 * @category model
 */
export interface Family {
  readonly discriminator: string
  readonly value: unknown
  readonly identity: unknown
  readonly ancestors: string
  /** Those among them with which it shares tables, and so relationships. */
  readonly relatives: string
  /** How queries of these load what it adds; null where they do not. */
  readonly load: SubtypeLoad | null
}

/**
 * How what a subtype adds is loaded where a query of its base does not say: in the same statement (`withSubtypes`), or by one
 * more (`selectinSubtypes`).
 *
 * @category model
 */
export type SubtypeLoad = 'inline' | 'selectin'

interface Sub<out F extends Family> extends Kin<F> {
  readonly parent: AnyEntity
  /** What it adds. */
  readonly own: Columns
  /** How queries of what it is a subtype of load that; null where they do not. */
  readonly load: SubtypeLoad | null
}

interface Kin<out F extends Family> {
  /** The value of the discriminator in its rows; null where it is abstract. */
  readonly identity: unknown
  /** Never there: carries `F`. */
  readonly [family]?: F
}

/** It may have subtypes, which its discriminator tells apart. @category model */
export interface Base<out F extends Family = Family> extends Kin<F> {
  readonly _tag: 'Base'
  readonly discriminator: string
}

/** A table of its own has what it adds, and refers by its key to the table of its parent. @category model */
export interface Joined<out F extends Family = Family> extends Sub<F> {
  readonly _tag: 'Joined'
  /** The columns that hold the key, in the key's order; null where they are called as the parent's. */
  readonly key: ReadonlyArray<string> | null
}

/** The table of its parent has what it adds. @category model */
export interface Single<out F extends Family = Family> extends Sub<F> {
  readonly _tag: 'Single'
}

/** A table of its own has all of it. @category model */
export interface Concrete<out F extends Family = Family> extends Sub<F> {
  readonly _tag: 'Concrete'
}

/** @category model */
export type Inheritance<F extends Family = Family> = Base<F> | Joined<F> | Single<F> | Concrete<F>

/**
 * An entity that is part of a hierarchy: one with a discriminator, or a subtype.
 *
 * @category model
 */
export interface Polymorphic<Name extends string, Table extends string, C extends Columns, F extends Family>
  extends Entity<Name, Table, C> {
  readonly inheritance: Inheritance<F>
}

/** What types know of an entity's hierarchy; never where it stands alone. */
export type FamilyOf<E> = E extends { readonly inheritance: Inheritance<infer F> } ? F : never

/** The names of the entities that an entity is a subtype of. */
export type AncestorsOf<E> = FamilyOf<E>['ancestors']

/** The names of those with which it shares tables. */
export type RelativesOf<E> = FamilyOf<E>['relatives']

/** A discriminator's column: an entity fills it in by itself. Its value is one of `V`. */
export type Discriminating<C, V> = C extends Column<infer _A, infer O, infer F> ? Column<V, O, F | 'default'> : never

/**
 * What an entity says of its table, and of its rows, as a whole. `All` are its columns with those that it inherits.
 *
 * @category model
 */
export type EntityOptions<Table extends string, C extends Columns, All extends Columns = C> = TableOptions<
  keyof C & string,
  { readonly [T in Table]: { readonly [K in keyof C]: DatabaseColumn<C[K]> } },
  Table
> &
  RowOptions<All>

/**
 * What an entity says of its rows.
 *
 * @category model
 */
export interface RowOptions<C extends Columns> {
  /**
   * What is wrong with a row as a whole, by attribute, as a sentence that goes on from the value: `it is before the start`.
   * Asked of drafts, and of instances with their changes, when they are made; what is not known of them is absent.
   *
   * @example
   * { validate: ({ from, to }) => (from && to && to < from ? { to: 'it is before from' } : {}) }
   */
  readonly validate?: (row: Partial<RowOfColumns<NoInfer<C>>>) => Readonly<Partial<Record<keyof NoInfer<C>, string>>>
}

/** A column as Kysely's `DB` has it. */
export type DatabaseColumn<C> = [
  Extract<FlagsOf<C>, 'generated' | 'default' | 'nullable' | 'expression' | 'synonym'>,
] extends [never]
  ? ColumnType<ValueOf<C>, ValueOf<C>, ValueOf<C>>
  : 'expression' extends FlagsOf<C>
    ? ColumnType<ValueOf<C>, never, never>
    : 'synonym' extends FlagsOf<C>
      ? ColumnType<ValueOf<C>, never, ValueOf<C>>
      : ColumnType<ValueOf<C>, ValueOf<C> | undefined, ValueOf<C>>

/** A row with these columns. */
type RowOfColumns<C extends Columns> = { readonly [K in keyof C]: ValueOf<C[K]> }

/**
 * The discriminator of an entity with subtypes: the attribute whose value says of which entity a row is.
 *
 * @category model
 */
export interface BaseOptions<Table extends string, C extends Columns, D extends keyof C & string, I>
  extends EntityOptions<Table, C> {
  readonly discriminator: D
  /** Its value in rows of the entity itself. Without one the entity is abstract, and all its rows are of subtypes. */
  readonly identity?: I
}

/** The columns of an entity whose discriminator fills itself in. */
type BaseColumns<C extends Columns, D extends keyof C> = {
  readonly [K in keyof C]: K extends D ? Discriminating<C[K], ValueOf<C[K]>> : C[K]
}

/**
 * @example
 * const User = entity('User', 'users', { id: pipe(integer, primaryKey, generated), name: text })
 *
 * @example
 * // no two users of one tenant share an email
 * const Member = entity(
 *   'Member',
 *   'members',
 *   { id: pipe(integer, primaryKey, generated), tenantId: integer, email: text },
 *   { unique: [['tenantId', 'email']], checks: [(eb) => eb('email', 'like', '%@%')], indexes: [['email']] },
 * )
 *
 * @example
 * // people of several kinds (see `subtype`)
 * const Person = entity(
 *   'Person',
 *   'people',
 *   { id: pipe(integer, primaryKey, generated), kind: text, name: text },
 *   { discriminator: 'kind', identity: 'person' },
 * )
 *
 * @category constructors
 */
export function entity<
  const Name extends string,
  const Table extends string,
  C extends Columns,
  const D extends keyof C & string,
  const I extends ValueOf<C[D]> | null = null,
>(
  name: Name,
  table: Table,
  columns: C,
  options: BaseOptions<NoInfer<Table>, NoInfer<C>, D, I>,
): Polymorphic<
  Name,
  Table,
  BaseColumns<C, D>,
  {
    readonly discriminator: D
    readonly value: ValueOf<C[D]>
    readonly identity: I
    readonly ancestors: never
    readonly relatives: never
    readonly load: null
  }
>
export function entity<const Name extends string, const Table extends string, C extends Columns>(
  name: Name,
  table: Table,
  columns: C,
  options?: EntityOptions<NoInfer<Table>, NoInfer<C>>,
): Entity<Name, Table, C>
export function entity(
  name: string,
  table: string,
  columns: Columns,
  options: EntityOptions<string, Columns> & { readonly discriminator?: string; readonly identity?: unknown } = {},
): AnyEntity {
  const { discriminator, identity = null, validate = null } = options
  const inheritance: Inheritance | null = discriminator === undefined ? null : { _tag: 'Base', discriminator, identity }
  return { _tag: 'Entity', name, table, columns, constraints: constraintsOf(options), validate, inheritance }
}

/** Flattens an intersection, so that an editor shows properties rather than the way they came about. */
export type Simplify<T> = { [K in keyof T]: T[K] } & {}

/** The program's side of a column. */
export type ValueOf<C> = C extends { readonly codec: { readonly _A: infer A } } ? A : never

/** The flags of a column. */
export type FlagsOf<C> = C extends Column<infer _A, infer _O, infer F> ? F : never

/** The attributes whose column carries one of the flags. */
export type AttributesWith<C, F extends ColumnFlag> = {
  [K in keyof C]: [Extract<FlagsOf<C[K]>, F>] extends [never] ? never : K
}[keyof C]

/** The columns of an entity. */
export type ColumnsOf<E> = E extends Entity<string, string, infer C> ? C : never

/**
 * A row as the program sees it: every attribute, decoded.
 *
 * @category model
 */
export type Row<E> = Simplify<{ readonly [K in keyof ColumnsOf<E>]: ValueOf<ColumnsOf<E>[K]> }>

/** The attributes of an entity as Kysely sees its table: by their names in the program, with values as the program has them. @category model */
export type Table<E> = { readonly [K in keyof ColumnsOf<E>]: DatabaseColumn<ColumnsOf<E>[K]> }

/** Attributes that an insert may leave out: generated, defaulted, nullable. */
export type OptionalAttributes<E> = AttributesWith<ColumnsOf<E>, 'generated' | 'default' | 'nullable'>

/**
 * What an insert must give, and what it may.
 *
 * @category model
 */
export type Insertable<E> = Simplify<
  { readonly [K in Exclude<keyof ColumnsOf<E>, OptionalAttributes<E>>]: ValueOf<ColumnsOf<E>[K]> } & {
    readonly [K in OptionalAttributes<E>]?: ValueOf<ColumnsOf<E>[K]>
  }
>

type KeyAttributes<E> = AttributesWith<ColumnsOf<E>, 'primaryKey'>

type IsUnion<T, U = T> = [T] extends [never] ? false : T extends U ? ([U] extends [T] ? false : true) : never

/**
 * The primary key: the value itself, or for several columns a record of them.
 *
 * @category model
 */
export type Key<E> =
  IsUnion<KeyAttributes<E>> extends true
    ? Simplify<{ readonly [K in KeyAttributes<E>]: ValueOf<ColumnsOf<E>[K]> }>
    : ValueOf<ColumnsOf<E>[KeyAttributes<E>]>
