/**
 * What can go wrong in a session, as data.
 */
import type { EngineError, EngineReason, NotEvaluable, StatementError } from '@unitary/core'
import type { ShardToken } from './state/identity-map.js'

/** A value was given that is no snapshot of an instance of this session's state. @category model */
export interface NotInSession {
  readonly _tag: 'NotInSession'
  readonly entity: string
}

/** The program concerns another model than the session's. @category model */
export interface ModelMismatch {
  readonly _tag: 'ModelMismatch'
  readonly entity: string
}

/** A draft, patch or key does not fit its entity. `attribute` is empty where it is no object at all. @category model */
export interface InvalidValue {
  readonly _tag: 'InvalidValue'
  readonly entity: string
  readonly attribute: string
  readonly value: unknown
  readonly problem: string
}

/**
 * A program's own representation of an entity does not do what it is to: it threw, gave no object, or one that stands for another
 * instance.
 *
 * @category model
 */
export interface Misrepresented {
  readonly _tag: 'Misrepresented'
  readonly entity: string
  readonly step: 'fromRow' | 'toRow'
  readonly problem: string
  /** What it threw; null where it threw nothing. */
  readonly cause: unknown
}

/** The operation is not for an instance of that standing. @category model */
export interface InvalidState {
  readonly _tag: 'InvalidState'
  readonly entity: string
  readonly key: unknown
  readonly status: string
  readonly operation: string
}

/** What was asked for is not loaded, and the operation does not load. @category model */
export interface NotLoaded {
  readonly _tag: 'NotLoaded'
  readonly entity: string
  readonly key: unknown
  readonly attribute: string
}

/** The load of a relationship that the query of its owner, or the model, forbids: `raise`, `writeOnly`. @category model */
export interface RaisedLoad {
  readonly _tag: 'RaisedLoad'
  readonly entity: string
  readonly key: unknown
  readonly relationship: string
  readonly strategy: 'raise' | 'writeOnly'
}

/** A row holds a value that its column's codec rejects. @category model */
export interface DecodeError {
  readonly _tag: 'DecodeError'
  readonly entity: string
  readonly table: string
  readonly attribute: string
  readonly column: string
  readonly key: unknown
  readonly value: unknown
  readonly expected: string
  readonly shard: ShardToken | null
}

/** The database refused a row. `key` and `values` are those of the row, where it is known which one. @category model */
export interface IntegrityError {
  readonly _tag: 'IntegrityError'
  readonly reason: EngineReason
  readonly entity: string
  readonly table: string
  /** The attributes of the constraint, where the database tells them. */
  readonly attributes: ReadonlyArray<string>
  /** Their values in the row that was refused. */
  readonly values: ReadonlyArray<unknown>
  readonly key: unknown
  readonly shard: ShardToken | null
  readonly cause: EngineError
}

/**
 * A statement that is refused before any database is asked: it holds a value that its column's codec cannot encode, a row
 * without one, a comparison by order with what has none, an upsert by what is not unique, a clause that it cannot have, or it
 * writes several tables. `attribute` is empty where it is about none.
 *
 * @category model
 */
export interface InvalidStatement {
  readonly _tag: 'InvalidStatement'
  readonly operation: string
  readonly entity: string
  readonly attribute: string
  readonly value: unknown
  readonly cause: StatementError
}

/** The error of a statement that was refused before it ran. @category constructors */
export const invalidStatement = (operation: string, cause: StatementError): InvalidStatement => ({
  _tag: 'InvalidStatement',
  operation,
  entity: cause.entity,
  attribute: cause._tag === 'InvalidClause' ? cause.name : 'attribute' in cause ? cause.attribute : '',
  value: 'value' in cause ? cause.value : undefined,
  cause,
})

/** The database failed otherwise. @category model */
export interface DatabaseError {
  readonly _tag: 'DatabaseError'
  readonly operation: string
  readonly entity: string | null
  readonly shard: ShardToken | null
  readonly retryable: boolean
  readonly cause: EngineError
}

/** An UPDATE did not find the row that it was for: it was changed or deleted elsewhere. @category model */
export interface StaleData {
  readonly _tag: 'StaleData'
  readonly entity: string
  readonly table: string
  readonly key: unknown
  readonly matched: number
  readonly shard: ShardToken | null
}

/** The row of an expired instance is gone. @category model */
export interface ObjectDeleted {
  readonly _tag: 'ObjectDeleted'
  readonly entity: string
  readonly key: unknown
  readonly shard: ShardToken | null
}

/** Several rows answer a question that has one answer, as where a key lives on several shards. @category model */
export interface MultipleResults {
  readonly _tag: 'MultipleResults'
  readonly entity: string
  readonly count: number
  readonly shards: ReadonlyArray<ShardToken | null>
}

/** No row answers a question that has one answer. @category model */
export interface NoResult {
  readonly _tag: 'NoResult'
  readonly entity: string
}

/** A flush found no order: rows that need each other's keys. @category model */
export interface CircularDependency {
  readonly _tag: 'CircularDependency'
  readonly path: ReadonlyArray<string>
}

/**
 * A row takes unique values that another gives up in the same flush, no order of writes allows that, and no temporary value
 * would do: a flag that may not be NULL has no third value, a reference has to refer to something. `path`: who gives the
 * values up, and who takes them.
 *
 * @example
 * // of a unique boolean, where two rows swap their values
 * { _tag: 'UniqueClash', entity: 'Choice', attributes: ['chosen'], values: [false], path: ['Choice 2', 'Choice 1'] }
 *
 * @category model
 */
export interface UniqueClash {
  readonly _tag: 'UniqueClash'
  readonly entity: string
  readonly attributes: ReadonlyArray<string>
  readonly values: ReadonlyArray<unknown>
  readonly path: readonly [from: string, to: string]
}

/** An instance is to be inserted without a key that the program has to give. @category model */
export interface MissingKey {
  readonly _tag: 'MissingKey'
  readonly entity: string
  readonly attributes: ReadonlyArray<string>
}

/**
 * An instance would belong to two owners over a relationship that allows one. Take it from the other first.
 *
 * @category model
 */
export interface SingleParent {
  readonly _tag: 'SingleParent'
  readonly entity: string
  readonly relationship: string
  readonly target: string
  readonly key: unknown
}

/**
 * A row would lose part of its primary key, since the instance that the key refers to is no longer related. Delete it, or
 * relate it to another.
 *
 * @category model
 */
export interface BlanksPrimaryKey {
  readonly _tag: 'BlanksPrimaryKey'
  readonly entity: string
  readonly key: unknown
  readonly attributes: ReadonlyArray<string>
}

/** An earlier flush or commit failed; roll back before going on. @category model */
export interface PendingRollback {
  readonly _tag: 'PendingRollback'
  readonly message: string
}

/** The run was aborted by its signal; what it had not committed is rolled back. @category model */
export interface Interrupted {
  readonly _tag: 'Interrupted'
}

/** A transaction is to begin, and one is open already. @category model */
export interface TransactionBegun {
  readonly _tag: 'TransactionBegun'
}

/** There is no savepoint to end. @category model */
export interface NoSavepoint {
  readonly _tag: 'NoSavepoint'
}

/**
 * Whoever routes requests to shards could not do it. `UnknownShard`: the map has no shard of that name. `NoShard`: nothing
 * tells which shard. `ShardsDiffer`: an instance would have to be on two shards. `NotMergeable`: what several shards answer
 * cannot be put together as the statement asks. `SeveralShards`: a transaction would write on more shards than its runtime
 * commits together. `FaultyMap`: the shard map itself cannot be used.
 *
 * @category model
 */
export interface RoutingError {
  readonly _tag: 'RoutingError'
  readonly reason:
    | 'UnknownShard'
    | 'NoShard'
    | 'ShardsDiffer'
    | 'NotMergeable'
    | 'SeveralShards'
    | 'FaultyMap'
    | 'FaultyPolicy'
  readonly operation: string
  readonly entity: string | null
  /** The attribute or relationship that decides, and its value, where one does. */
  readonly attribute: string | null
  readonly value: unknown
  readonly shard: string | null
  readonly message: string
}

/**
 * A commit over several shards failed on one when others were committed already, which stay so. Only under the levels that
 * do not promise otherwise: `best-effort`.
 *
 * @category model
 */
export interface PartlyCommitted {
  readonly _tag: 'PartlyCommitted'
  readonly committed: ReadonlyArray<ShardToken>
  /** The one that failed. It is rolled back, unless its answer was lost, and so are those after it. */
  readonly shard: ShardToken | null
  readonly cause: EngineError
}

/**
 * The answer to a commit was lost, and nobody could be asked in time what has become of it. Trying again may do it twice.
 *
 * @category model
 */
export interface CommitUnknown {
  readonly _tag: 'CommitUnknown'
  /** What to ask for later (see `outcomeOf` of the shard package); null where nothing was written down to ask for. */
  readonly transaction: string | null
  /** The one whose answer is missing. */
  readonly shard: ShardToken | null
  readonly cause: EngineError
}

/** The program needs to wait, and was run without waiting. @category model */
export interface NotSynchronous {
  readonly _tag: 'NotSynchronous'
  readonly operation: string
}

/** When a hook is asked. @see defineHooks @category model */
export type HookEvent =
  | 'load'
  | 'set'
  | 'append'
  | 'remove'
  | 'replace'
  | 'beforeExecute'
  | 'beforeInsert'
  | 'beforeFlush'
  | 'afterFlush'
  | 'afterCommit'
  | 'afterRollback'

/**
 * A hook refused, or what it asked for failed. Entity and attribute are those that the hook is for; null of a hook that is
 * the whole session's.
 *
 * @category model
 */
export interface HookRefused {
  readonly _tag: 'HookRefused'
  readonly hook: HookEvent
  readonly entity: string | null
  readonly attribute: string | null
  readonly reason: string
  /** What the hook gave along with its reason; undefined where that was nothing. */
  readonly detail: unknown
  /** What a change failed with that the hook asked for; null where the hook itself refused. */
  readonly cause: ModelMismatch | NotInSession | InvalidValue | InvalidState | SingleParent | NotLoaded | null
}

/**
 * Hooks went round in circles: each asked for a change that called the next, or left work after every flush of a commit.
 *
 * @category model
 */
export interface HookLoop {
  readonly _tag: 'HookLoop'
  readonly hook: HookEvent
  readonly entity: string | null
  readonly attribute: string | null
  /** How many rounds were too many. */
  readonly depth: number
}

/** What hooks add to what can go wrong. @category model */
export type HookError = HookRefused | HookLoop

/** @category model */
export type SessionError =
  | NotEvaluable
  | NotInSession
  | ModelMismatch
  | InvalidValue
  | Misrepresented
  | InvalidState
  | NotLoaded
  | RaisedLoad
  | DecodeError
  | IntegrityError
  | InvalidStatement
  | DatabaseError
  | StaleData
  | ObjectDeleted
  | MultipleResults
  | NoResult
  | CircularDependency
  | UniqueClash
  | MissingKey
  | BlanksPrimaryKey
  | SingleParent
  | PendingRollback
  | NoSavepoint
  | Interrupted
  | TransactionBegun
  | RoutingError
  | PartlyCommitted
  | CommitUnknown
  | NotSynchronous
  | HookRefused
  | HookLoop

/**
 * What an interpreter answers when a request fails.
 *
 * @category model
 */
export type RequestError =
  | IntegrityError
  | InvalidStatement
  | DatabaseError
  | RoutingError
  | PartlyCommitted
  | CommitUnknown
  | NotSynchronous
