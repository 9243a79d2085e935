/**
 * How a database spells what the portable side of a column says.
 */
import type { OperationNode } from 'kysely'
import type { ColumnKind, ColumnType } from '../model/column.js'

/**
 * @category model
 */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres' | 'mysql'
  /** A portable value as the driver binds it. Called for every parameter; must be quick for what needs no change. */
  readonly toDriver: (value: unknown) => unknown
  /**
   * How a value of a column of the kind is written, where the portable value would be taken for another or for none; null
   * keeps it. NULL stays NULL.
   */
  readonly written: (kind: ColumnKind) => ((value: unknown) => unknown) | null
  /** How a column of the kind comes back, where the driver does not give the portable value itself; null keeps it. */
  readonly fromDriver: (kind: ColumnKind) => ((value: unknown) => unknown) | null
  /**
   * As which type a column of the kind is selected, so that its driver, however it is set up, has nothing to convert; null
   * selects it as it is.
   */
  readonly selectedAs: (kind: ColumnKind) => Selected | null
  /**
   * The type that a parameter has to be cast to, where the database would not find out or compare by another; null where
   * none. `place`: it is compared with a column of the type, or stands alone among the results of an expression.
   */
  readonly parameterType: (type: ColumnType, place: ParameterPlace) => string | null
  /** The type of a column in DDL. `isKey` tells whether it stands in a key or a unique constraint. */
  readonly columnType: (type: ColumnType, isKey: boolean) => string
  /** What can be told of texts without asking a database. */
  readonly textComparison: TextComparison
  readonly limits: StatementLimits
}

/**
 * How much one statement takes.
 *
 * @category model
 */
export interface StatementLimits {
  /** Rows of an insert, of which more would gain nothing. */
  readonly rows: number
  /** Parameters, of which the database takes no more. */
  readonly parameters: number
  /** Bytes that the database takes in any case; null where nothing limits them. One row may have more. */
  readonly bytes: number | null
}

/**
 * @category model
 */
export interface Selected {
  /** What is made of the column first; null for nothing. */
  readonly by: ((column: OperationNode) => OperationNode) | null
  readonly type: string
}

/** Where a parameter stands. @category model */
export type ParameterPlace = 'compared' | 'alone'

/**
 * Which of an engine's writes can return columns of the rows that they write.
 *
 * @category model
 */
export interface Returning {
  /** INSERT can; a key that the database generates comes back in any case. */
  readonly insert: boolean
  readonly update: boolean
  readonly delete: boolean
  /** What comes back of an INSERT or UPDATE is what BEFORE triggers have made of the row. */
  readonly triggered: boolean
}

/**
 * What comparing texts in a database has in common with comparing them in memory, where columns have the collation that
 * they have by default: all of it (`code points`), which texts are equal but not their order (`equality`), or that a text
 * equals itself and no more, since other texts may equal it too (`collation`).
 *
 * @category model
 */
export type TextComparison = 'code points' | 'equality' | 'collation'

/**
 * What an engine can do beyond the least.
 *
 * @category model
 */
export interface Capabilities {
  /** Calls are answered without a promise. */
  readonly synchronous: boolean
  readonly returning: Returning
  /** Prepared (two-phase) transactions. */
  readonly twoPhase: boolean
  /** What an open cursor costs the calls beside it. */
  readonly cursors: CursorSupport
}

/**
 * What can run on a connection while rows of a cursor are left, with no more ado: anything (`concurrent`), queries
 * (`beside queries`), or nothing (`alone`). Before anything else runs, the rows that are left are set aside: in memory
 * where they are few, in a temporary file of this process where they are many.
 *
 * @category model
 */
export type CursorSupport = 'concurrent' | 'beside queries' | 'alone'
