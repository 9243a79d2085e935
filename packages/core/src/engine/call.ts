/**
 * What an engine can be asked, as data, and what it answers.
 *
 * Writes are asked for by the batch - one table, one shape, many rows - and the engine chooses how: SQLite runs chunks
 * of a multi-row statement or one prepared statement, PostgreSQL binds arrays. So a call is one value whatever the
 * number of rows, and a plan costs one call a step.
 *
 * Outside a transaction such a call is one of its own: all of its rows or none. Within one, a call that fails may have
 * written some of its rows, and they stand until the transaction or a savepoint is rolled back.
 */

import type { OperationNode } from 'kysely'
import type { ColumnKind } from '../model/column.js'

/**
 * A statement compiled for the engine's dialect. Parameters are portable values, or as the dialect writes those of a column
 * (see `Dialect.written`).
 *
 * @category model
 */
export interface CompiledStatement {
  readonly sql: string
  readonly parameters: ReadonlyArray<unknown>
}

/** Runs a statement and gives its rows, as objects by column name. @category model */
export interface QueryCall {
  readonly _tag: 'Query'
  readonly statement: CompiledStatement
}

/** A column that the database computes, the same way for each row of a call. @category model */
export interface ComputedColumn {
  readonly column: string
  /** Without parameters: constants are immediate. */
  readonly expression: OperationNode
}

/**
 * Inserts rows of one shape. `rows[i][j]` is the value of `columns[j]`, as `Dialect.written` has it.
 *
 * `key` names the columns that tell the table's rows apart, by which what is returned finds its row. It is either among
 * `columns`, or one column that the database gives and that is asked for.
 *
 * @category model
 */
export interface InsertCall {
  readonly _tag: 'Insert'
  readonly table: string
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  readonly key: ReadonlyArray<string>
  /** Columns beside those of `rows`. */
  readonly computed?: ReadonlyArray<ComputedColumn>
  /** The columns asked for. Where the engine has no RETURNING, no other than a key that the database gives. */
  readonly returning: ReadonlyArray<string>
  /** The kinds of returned columns and of the key's, by name, where that is how they are to be selected. */
  readonly kinds?: ReadonlyMap<string, ColumnKind>
}

/**
 * The values of each column that was asked for, in the order of the rows; undefined where a value cannot be told to be a
 * row's, since the database has changed its key on the way.
 *
 * @category model
 */
export type Returned = ReadonlyArray<ReadonlyArray<unknown>>

/**
 * Updates rows of one shape, each found by its own values of `where` (null compares as NULL). `rows[i]` are the values of
 * `set`, then those of `where`.
 *
 * @category model
 */
export interface UpdateCall {
  readonly _tag: 'Update'
  readonly table: string
  readonly set: ReadonlyArray<string>
  readonly where: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** Columns that are set beside those of `set`. */
  readonly computed?: ReadonlyArray<ComputedColumn>
  /** The columns asked for; none where the engine has no RETURNING for updates. */
  readonly returning: ReadonlyArray<string>
  /** Their kinds, by name, where that is how they are to be selected. */
  readonly kinds?: ReadonlyMap<string, ColumnKind>
}

/** Deletes rows, each found by its own values of `where`. Answers how many rows each of them matched. @category model */
export interface DeleteCall {
  readonly _tag: 'Delete'
  readonly table: string
  readonly where: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** @category model */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

/**
 * A branch of a transaction over several databases, in the terms of XA: the transaction that it is part of (`gtrid`), and
 * which part it is (`bqual`). Each has at most 64 characters of `A-Z a-z 0-9 . _ ~ -`.
 *
 * @category model
 */
export interface BranchId {
  readonly transaction: string
  readonly branch: string
}

/** @category model */
export interface BeginCall {
  readonly _tag: 'Begin'
  readonly isolationLevel: IsolationLevel | null
  /** The branch as which it may be prepared, where it may: MySQL has to know from the beginning. */
  readonly branch?: BranchId
  /** How long a statement of it waits for a lock, in ms, on PostgreSQL, which else waits for ever. */
  readonly lockTimeout?: number
}

/** @category model */
export type TransactionCall =
  | BeginCall
  | { readonly _tag: 'Commit' }
  | { readonly _tag: 'Rollback' }
  | { readonly _tag: 'Savepoint'; readonly name: string }
  | { readonly _tag: 'ReleaseSavepoint'; readonly name: string }
  | { readonly _tag: 'RollbackToSavepoint'; readonly name: string }

/**
 * The first phase of a commit over several databases: the open transaction, which was begun as this branch, becomes one
 * that no failure of the connection or the server undoes, and waits to be committed or rolled back. The connection has no
 * transaction after it; on MariaDB it is good for nothing else before that is done, or given back.
 *
 * @category model
 */
export interface PrepareCall {
  readonly _tag: 'Prepare'
  readonly branch: BranchId
}

/**
 * The second phase, outside a transaction. Answers whether the branch was there; one that is not there has been ended, or
 * was never prepared. On MariaDB no other connection can do it while the one lives that has prepared it: `LockTimeout`.
 *
 * @category model
 */
export interface EndPreparedCall {
  readonly _tag: 'CommitPrepared' | 'RollbackPrepared'
  readonly branch: BranchId
}

/** All branches that are prepared and not ended, whoever prepared them. @category model */
export interface ListPreparedCall {
  readonly _tag: 'ListPrepared'
}

/** Only where `Capabilities.twoPhase` says so; `Unsupported` elsewhere. @category model */
export type TwoPhaseCall = PrepareCall | EndPreparedCall | ListPreparedCall

/**
 * Runs a query of which the rows are fetched in portions, under a name that is the connection's own until the cursor is
 * closed. Only in a transaction, and only for statements that write nothing.
 *
 * Its rows are those that the query had when it was opened. Other calls may come between two fetches, writes included,
 * and change nothing about them; what the engine has to do for that, `Capabilities` tells.
 *
 * A rollback of the transaction or of a savepoint in which it was opened closes it, and so does a commit, unless it is to
 * `hold`: then its rows outlive the commit and whatever comes after it, until it is closed or the connection is given back.
 *
 * @category model
 */
export interface OpenCursorCall {
  readonly _tag: 'OpenCursor'
  readonly name: string
  readonly statement: CompiledStatement
  readonly hold: boolean
}

/**
 * The next rows of a cursor: as many as asked for, and fewer only at the end. There is nothing after the end.
 *
 * @category model
 */
export interface FetchCall {
  readonly _tag: 'Fetch'
  readonly name: string
  readonly count: number
}

/** Ends a cursor, wherever it stands; one that has ended already is none to fail for. @category model */
export interface CloseCursorCall {
  readonly _tag: 'CloseCursor'
  readonly name: string
}

/** @category model */
export type CursorCall = OpenCursorCall | FetchCall | CloseCursorCall

/** @category model */
export type EngineCall = QueryCall | InsertCall | UpdateCall | DeleteCall | CursorCall | TransactionCall | TwoPhaseCall

/** A row as the driver gives it. @category model */
export type DriverRow = Readonly<Record<string, unknown>>

/** @category model */
export interface QueryAnswer {
  readonly rows: ReadonlyArray<DriverRow>
  /** Rows changed, where the statement was a write. */
  readonly affected: number
}

/** @category model */
export interface UpdateAnswer {
  /** How many rows each of the call's matched. */
  readonly matched: ReadonlyArray<number>
  /** Undefined where a row matched none. */
  readonly returned: Returned
}

/**
 * The answer to each kind of call: rows; the columns asked for; those and matched rows each; matched rows each; a cursor's
 * next rows; whether a branch was there; branches; nothing.
 *
 * @category model
 */
export type Answer<C extends EngineCall> = C extends QueryCall
  ? QueryAnswer
  : C extends InsertCall
    ? Returned
    : C extends UpdateCall
      ? UpdateAnswer
      : C extends DeleteCall
        ? ReadonlyArray<number>
        : C extends FetchCall
          ? ReadonlyArray<DriverRow>
          : C extends EndPreparedCall
            ? boolean
            : C extends ListPreparedCall
              ? ReadonlyArray<BranchId>
              : undefined
