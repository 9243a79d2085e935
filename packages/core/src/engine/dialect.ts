/**
 * How a database spells what the portable side of a column says.
 */
import type { ColumnKind } from '../model/column.js'

/**
 * @category model
 */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres' | 'mysql'
  /** A portable value as the driver binds it. Called for every parameter; must be quick for what needs no change. */
  readonly toDriver: (value: unknown) => unknown
  /** How a column of the kind comes back, where the driver does not give the portable value itself; null keeps it. */
  readonly fromDriver: (kind: ColumnKind) => ((value: unknown) => unknown) | null
  /** The type of a column in DDL. `isKey` tells whether it stands in a key or a unique constraint. */
  readonly columnType: (kind: ColumnKind, isKey: boolean) => string
}

/**
 * What an engine's writes give back of the rows that they write.
 *
 * @category model
 */
export interface Returning {
  /** An INSERT gives back columns; a key that the database generates it gives back in any case. */
  readonly insert: boolean
  /** An UPDATE gives back columns. */
  readonly update: boolean
  /** What comes back is what BEFORE triggers have made of the row. */
  readonly triggered: boolean
}

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
}
