/**
 * A database's tables as plain data: what a model says of them (`schemaOf`), or what is there (`introspect`).
 *
 * Types, defaults and conditions are the dialect's own SQL. Two schemas are compared by what they mean (`driftBetween`).
 */
import type { Dialect } from '../engine/dialect.js'
import type { Deferrable, ReferentialAction } from '../model/reference.js'

/**
 * @category model
 */
export interface DatabaseSchema {
  readonly dialect: Dialect['name']
  /** The schema in which names without one are looked up first; null where it is not known. */
  readonly searched: string | null
  /** The collation of columns that name none; null where it is not known. */
  readonly collation: string | null
  readonly tables: ReadonlyArray<TableSchema>
  readonly views: ReadonlyArray<ViewSchema>
  readonly sequences: ReadonlyArray<SequenceSchema>
  /** What cannot be said in this form, or not on this database. */
  readonly notes: ReadonlyArray<SchemaNote>
}

/**
 * Something of a table that is left out, and why.
 *
 * - `Unsupported`: the database has no such thing, and the model is made without it.
 * - `Unencodable`: a condition of the model holds a value that its column's codec cannot encode; the tables are not made.
 * - `Unreadable`: the database has something that a schema does not tell of.
 *
 * @category model
 */
export interface SchemaNote {
  readonly _tag: 'Unsupported' | 'Unencodable' | 'Unreadable'
  readonly table: string
  readonly message: string
}

/**
 * A table, under its name as statements have it: with its schema where that is not the one that is searched first.
 *
 * @category model
 */
export interface TableSchema {
  readonly name: string
  readonly columns: ReadonlyArray<ColumnSchema>
  readonly primaryKey: KeySchema | null
  readonly unique: ReadonlyArray<KeySchema>
  readonly foreignKeys: ReadonlyArray<ForeignKeySchema>
  readonly indexes: ReadonlyArray<IndexSchema>
  readonly checks: ReadonlyArray<CheckSchema>
}

/**
 * @category model
 */
export interface ViewSchema {
  readonly name: string
  readonly columns: ReadonlyArray<ColumnSchema>
}

/**
 * A sequence, under its name as statements have it. `isUsed`: a column of the database counts by it, or has it in its default.
 *
 * @category model
 */
export interface SequenceSchema {
  readonly name: string
  readonly isUsed: boolean
}

/**
 * @category model
 */
export interface ColumnSchema {
  readonly name: string
  /** As the dialect spells it, without a collation. */
  readonly type: string
  /** Null where it is the database's default. */
  readonly collation: string | null
  readonly isNullable: boolean
  /** An expression of SQL. */
  readonly default: string | null
  /** Does the database count it up: as an identity or from a sequence, by auto-increment, as SQLite's row id? */
  readonly isCounted: boolean
  /** The expression that the database computes it from. */
  readonly computed: string | null
}

/** A primary key or unique constraint; the name is null where the database keeps none. @category model */
export interface KeySchema {
  readonly name: string | null
  readonly columns: ReadonlyArray<string>
}

/**
 * A foreign key. An action that is null is NO ACTION, which is what there is where nothing is said.
 *
 * @category model
 */
export interface ForeignKeySchema {
  readonly name: string | null
  readonly columns: ReadonlyArray<string>
  readonly table: string
  readonly targetColumns: ReadonlyArray<string>
  readonly onDelete: Exclude<ReferentialAction, 'no action'> | null
  readonly onUpdate: Exclude<ReferentialAction, 'no action'> | null
  readonly deferrable: Deferrable | null
}

/**
 * An index that is no constraint's own. A part is a column, or an expression of SQL.
 *
 * @category model
 */
export interface IndexSchema {
  readonly name: string
  readonly parts: ReadonlyArray<IndexPart>
  readonly unique: boolean
  readonly where: string | null
  /** `gin`, `hash`, `fulltext`; null for the database's usual kind. */
  readonly method: string | null
}

/** @category model */
export type IndexPart =
  | { readonly _tag: 'Column'; readonly column: string; readonly direction: 'asc' | 'desc' }
  | { readonly _tag: 'Expression'; readonly expression: string; readonly direction: 'asc' | 'desc' }

/** @category model */
export interface CheckSchema {
  readonly name: string | null
  readonly expression: string
}

/** The columns of an index, where it is of columns only and all ascending. */
export const plainColumns = ({ parts }: IndexSchema): ReadonlyArray<string> | null => {
  const columns = parts.flatMap((part) => (part._tag === 'Column' && part.direction === 'asc' ? [part.column] : []))
  return columns.length === parts.length ? columns : null
}

/** Whether a key or an index begins with the columns, and so serves as an index on them. */
export const beginsWith = (columns: ReadonlyArray<string>, first: ReadonlyArray<string>): boolean =>
  first.every((column, i) => columns[i] === column)
