/**
 * The ways in which a database can be otherwise than its model says, as data.
 */
import type {
  CheckSchema,
  ColumnSchema,
  ForeignKeySchema,
  IndexSchema,
  KeySchema,
  SequenceSchema,
  TableSchema,
} from './database-schema.js'

/** The model has the table, the database has not. @category model */
export interface MissingTable {
  readonly _tag: 'MissingTable'
  readonly table: string
  readonly model: TableSchema
}

/** The database has the table, the model has not. @category model */
export interface ExtraTable {
  readonly _tag: 'ExtraTable'
  readonly table: string
  readonly database: TableSchema
}

/** @category model */
export interface MissingColumn {
  readonly _tag: 'MissingColumn'
  readonly table: string
  readonly column: string
  readonly model: ColumnSchema
}

/** @category model */
export interface ExtraColumn {
  readonly _tag: 'ExtraColumn'
  readonly table: string
  readonly column: string
  readonly database: ColumnSchema
}

/** Types with their collations, as each side spells them. @category model */
export interface ColumnType {
  readonly _tag: 'ColumnType'
  readonly table: string
  readonly column: string
  readonly model: string
  readonly database: string
}

/** Whether the column may hold NULL. @category model */
export interface Nullability {
  readonly _tag: 'Nullability'
  readonly table: string
  readonly column: string
  readonly model: boolean
  readonly database: boolean
}

/** Whether the database counts the column up. @category model */
export interface Counting {
  readonly _tag: 'Counting'
  readonly table: string
  readonly column: string
  readonly model: boolean
  readonly database: boolean
}

/** @category model */
export interface Default {
  readonly _tag: 'Default'
  readonly table: string
  readonly column: string
  readonly model: string | null
  readonly database: string | null
}

/** @category model */
export interface PrimaryKey {
  readonly _tag: 'PrimaryKey'
  readonly table: string
  readonly model: KeySchema | null
  readonly database: KeySchema | null
}

/** A unique constraint, or a unique index of columns, which is as good. @category model */
export interface MissingUnique {
  readonly _tag: 'MissingUnique'
  readonly table: string
  readonly model: KeySchema
}

/** @category model */
export interface ExtraUnique {
  readonly _tag: 'ExtraUnique'
  readonly table: string
  readonly database: KeySchema
}

/** @category model */
export interface MissingForeignKey {
  readonly _tag: 'MissingForeignKey'
  readonly table: string
  readonly model: ForeignKeySchema
}

/** @category model */
export interface ExtraForeignKey {
  readonly _tag: 'ExtraForeignKey'
  readonly table: string
  readonly database: ForeignKeySchema
}

/** Both have it, with other actions or checked at another time. @category model */
export interface ForeignKeyRules {
  readonly _tag: 'ForeignKeyRules'
  readonly table: string
  readonly model: ForeignKeySchema
  readonly database: ForeignKeySchema
}

/** @category model */
export interface MissingIndex {
  readonly _tag: 'MissingIndex'
  readonly table: string
  readonly model: IndexSchema
}

/** @category model */
export interface ExtraIndex {
  readonly _tag: 'ExtraIndex'
  readonly table: string
  readonly database: IndexSchema
}

/** Both have an index of the name, on other columns or of another kind. @category model */
export interface IndexDefinition {
  readonly _tag: 'IndexDefinition'
  readonly table: string
  readonly model: IndexSchema
  readonly database: IndexSchema
}

/** @category model */
export interface MissingCheck {
  readonly _tag: 'MissingCheck'
  readonly table: string
  readonly model: CheckSchema
}

/** @category model */
export interface ExtraCheck {
  readonly _tag: 'ExtraCheck'
  readonly table: string
  readonly database: CheckSchema
}

/** Both have a check of the name, which reads otherwise. @category model */
export interface CheckExpression {
  readonly _tag: 'CheckExpression'
  readonly table: string
  readonly model: CheckSchema
  readonly database: CheckSchema
}

/** A sequence, which is named among tables. @category model */
export interface MissingSequence {
  readonly _tag: 'MissingSequence'
  readonly table: string
  readonly model: SequenceSchema
}

/** A sequence that no column uses, and the model does not draw from. @category model */
export interface ExtraSequence {
  readonly _tag: 'ExtraSequence'
  readonly table: string
  readonly database: SequenceSchema
}

/**
 * One way in which a database is not as its model says.
 *
 * @category model
 */
export type Difference =
  | MissingTable
  | ExtraTable
  | MissingColumn
  | ExtraColumn
  | ColumnType
  | Nullability
  | Counting
  | Default
  | PrimaryKey
  | MissingUnique
  | ExtraUnique
  | MissingForeignKey
  | ExtraForeignKey
  | ForeignKeyRules
  | MissingIndex
  | ExtraIndex
  | IndexDefinition
  | MissingCheck
  | ExtraCheck
  | CheckExpression
  | MissingSequence
  | ExtraSequence
