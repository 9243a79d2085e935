/**
 * What can go wrong in a database, as data.
 *
 * Each driver's errors are classified into one of a closed family of reasons, with the constraint, table and columns
 * where the database tells them, and whether a retry may help. The driver's own error stays reachable as `cause`.
 */

/** A unique or primary key constraint does not allow the row. @category model */
export interface UniqueViolation {
  readonly _tag: 'UniqueViolation'
  readonly constraint: string | null
  readonly table: string | null
  readonly columns: ReadonlyArray<string>
}

/** A referenced row is not there, or a row is still referenced. @category model */
export interface ForeignKeyViolation {
  readonly _tag: 'ForeignKeyViolation'
  readonly constraint: string | null
  readonly table: string | null
  readonly columns: ReadonlyArray<string>
}

/** A column that must have a value got none. @category model */
export interface NotNullViolation {
  readonly _tag: 'NotNullViolation'
  readonly table: string | null
  readonly columns: ReadonlyArray<string>
}

/** @category model */
export interface CheckViolation {
  readonly _tag: 'CheckViolation'
  readonly constraint: string | null
  readonly table: string | null
}

/** The table is not in the database. @category model */
export interface UnknownTable {
  readonly _tag: 'UnknownTable'
  readonly table: string | null
}

/** The column is not in the table. @category model */
export interface UnknownColumn {
  readonly _tag: 'UnknownColumn'
  readonly column: string | null
}

/** A reason that says all by its name. @category model */
export interface PlainReason {
  readonly _tag:
    | 'SyntaxError'
    /** Retry the whole transaction. */
    | 'SerializationFailure'
    /** Retry the whole transaction. */
    | 'Deadlock'
    /** Another transaction held a lock for too long (SQLite: the database is busy). */
    | 'LockTimeout'
    | 'StatementTimeout'
    /** The connection could not be made, or broke. */
    | 'ConnectionLost'
    | 'AuthenticationFailed'
    | 'ReadOnly'
    /** No room left for the database. */
    | 'Full'
    /** The engine was closed, or is busy with another session and cannot wait. */
    | 'Unavailable'
    | 'Unsupported'
    | 'Unknown'
}

/** @category model */
export type EngineReason =
  | UniqueViolation
  | ForeignKeyViolation
  | NotNullViolation
  | CheckViolation
  | UnknownTable
  | UnknownColumn
  | PlainReason

/**
 * A failed call to an engine.
 *
 * @category model
 */
export interface EngineError {
  readonly _tag: 'EngineError'
  readonly reason: EngineReason
  /** One line of the driver's or the engine's own. */
  readonly message: string
  /** Whether the same work may succeed when tried again, in a new transaction. */
  readonly retryable: boolean
  /** The statement that failed, without its parameters. */
  readonly sql: string | null
  /** Which row of a batch failed, from 0, where the engine found it out. */
  readonly row: number | null
  readonly cause: unknown
}

const retryableReasons: ReadonlySet<EngineReason['_tag']> = new Set([
  'SerializationFailure',
  'Deadlock',
  'LockTimeout',
  'ConnectionLost',
])

/**
 * @category constructors
 */
export const engineError = (
  reason: EngineReason,
  message: string,
  details: { readonly sql?: string | null; readonly row?: number | null; readonly cause?: unknown } = {},
): EngineError => ({
  _tag: 'EngineError',
  reason,
  message,
  retryable: retryableReasons.has(reason._tag),
  sql: details.sql ?? null,
  row: details.row ?? null,
  cause: details.cause ?? null,
})

/**
 * The answer to calls of a transaction that the database has ended by itself, or will not commit, after a failure. It
 * has the failure's reason, so that it may be retried where that may.
 *
 * @category constructors
 */
export const rolledBack = (failure: EngineError): EngineError =>
  engineError(
    failure.reason,
    `the transaction can only be rolled back, since a statement of it failed: ${failure.message}`,
    {
      cause: failure,
    },
  )

/** The answer to calls about prepared transactions, where the engine has none. */
export const noTwoPhase: EngineError = engineError(
  { _tag: 'Unsupported' },
  'the engine has no prepared transactions (see Capabilities.twoPhase)',
)

/** @category constructors */
export const cursorNeedsTransaction = (name: string): EngineError =>
  engineError({ _tag: 'Unknown' }, `the cursor '${name}' is to be opened, and no transaction is open`)

/** @category constructors */
export const cursorOnlyReads = (sql: string): EngineError =>
  engineError({ _tag: 'Unsupported' }, 'a cursor is for queries, and this statement writes', { sql })

/** @category constructors */
export const cursorNotOpen = (name: string): EngineError =>
  engineError(
    { _tag: 'Unavailable' },
    `the cursor '${name}' is not open: it was closed, or its transaction has ended, or reading it has failed`,
  )
