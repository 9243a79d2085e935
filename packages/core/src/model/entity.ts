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
  readonly constraints: Constraints
}

// biome-ignore lint/suspicious/noExplicitAny: an entity of any columns, whose codecs are invariant
export type AnyEntity = Entity<string, string, any>

/**
 * What an entity says of its table as a whole.
 *
 * @category model
 */
export type EntityOptions<Table extends string, C extends Columns> = TableOptions<
  keyof C & string,
  { readonly [T in Table]: { readonly [K in keyof C]: DatabaseColumn<C[K]> } },
  Table
>

/** A column as Kysely's `DB` has it. */
export type DatabaseColumn<C> = [Extract<FlagsOf<C>, 'generated' | 'default' | 'nullable'>] extends [never]
  ? ColumnType<ValueOf<C>, ValueOf<C>, ValueOf<C>>
  : ColumnType<ValueOf<C>, ValueOf<C> | undefined, ValueOf<C>>

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
 * @category constructors
 */
export const entity = <const Name extends string, const Table extends string, C extends Columns>(
  name: Name,
  table: Table,
  columns: C,
  options: EntityOptions<NoInfer<Table>, NoInfer<C>> = {},
): Entity<Name, Table, C> => ({ _tag: 'Entity', name, table, columns, constraints: constraintsOf(options) })

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
