/**
 * What the type of a query knows beside its entity and what it loads: the aliases that it joined, and the attributes that
 * its results leave out.
 */
import type { Nullable } from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { Table } from '../model/entity.js'
import type { EntityOf } from '../model/infer.js'

declare const extent: unique symbol

/**
 * What an alias stands for: a table of the entity called `N`. `Optional` where a row may have none of it, as an outer join
 * leaves them.
 *
 * @category model
 */
export interface JoinedAs<out N extends string = string, out Optional extends boolean = boolean> {
  readonly entity: N
  readonly optional: Optional
}

/**
 * The aliases that a query joined, and the attributes that its results leave out.
 *
 * @category model
 */
export interface Extent {
  readonly joined: Readonly<Record<string, JoinedAs>>
  readonly omitted: string
}

/** The extent of a query that joins nothing and leaves nothing out. @category model */
export interface Whole extends Extent {
  readonly joined: Record<never, never>
  readonly omitted: never
}

/** What carries the extent `X` in its type. */
export interface Extended<out X extends Extent> {
  /** Never there. */
  readonly [extent]?: X
}

/** The extent of a query; of another statement that of one which joins nothing. @category model */
export type ExtentOf<S> = S extends { readonly [extent]?: infer X extends Extent } ? X : Whole

/** The names of the aliases that a query of the extent `X` joined. @category model */
export type AliasOf<X extends Extent> = keyof X['joined'] & string

/**
 * The model as Kysely's `DB` in a query: each alias is a table beside those of the model. Columns of an optional one may be
 * null.
 *
 * @category model
 */
export type JoinedDatabase<M, X extends Extent> = [AliasOf<X>] extends [never]
  ? Database<M>
  : {
      readonly [T in keyof Database<M> | AliasOf<X>]: T extends keyof X['joined']
        ? AliasedTable<M, X['joined'][T]>
        : T extends keyof Database<M>
          ? Database<M>[T]
          : never
    }

type AliasedTable<M, As> =
  As extends JoinedAs<infer N, infer Optional>
    ? Optional extends true
      ? Nullable<Table<EntityOf<M, N>>>
      : Table<EntityOf<M, N>>
    : never

/** The tables that a query of `N` reads: its own and its aliases. @category model */
export type JoinedTables<M, N, X extends Extent> = (TableOf<M, N> | AliasOf<X>) & keyof JoinedDatabase<M, X>
