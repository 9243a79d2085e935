/**
 * What a program asks of the world, as data, and what it is answered.
 *
 * A request says what is wanted, never how: the session's own interpreter asks one database, the sharded one asks the
 * right ones and puts the answers together.
 */
import type {
  AnyDelete,
  AnyInsert,
  AnyQuery,
  AnySelect,
  AnyUpdate,
  Attribute,
  ExecutionOptions,
  Generator,
  InsertRows,
  Mapping,
  OrderDirection,
  RelationshipMapping,
  Services,
  QueryAnswer as StatementAnswer,
  TextComparison,
} from '@unitary/core'
import type { Task } from 'fp-ts/lib/Task.js'
import type { RootOperationNode } from 'kysely'
import type { DatabaseError } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Rows } from '../transition/absorb.js'
import type { Written } from '../transition/bulk.js'
import type { Inserted } from '../transition/inserted.js'
import type { KeyedRun, UpdatedRows } from '../transition/updated-rows.js'
import type { FlushPlan, Notice, StepResult } from '../unit-of-work/step.js'

/** Runs a plan in the open transaction. A plan that fails leaves nothing behind. @category model */
export interface FlushRequest {
  readonly _tag: 'Flush'
  readonly plan: FlushPlan
}

/** @category model */
export interface FlushAnswer {
  /** The plan as it ran, each step with its shard. */
  readonly plan: FlushPlan
  /** One for each step, up to one that is stale: see `isStale`. */
  readonly results: ReadonlyArray<StepResult>
}

/** Where a plan would go, without running it. @category model */
export interface RouteRequest {
  readonly _tag: 'Route'
  readonly plan: FlushPlan
}

/**
 * A query of one entity's rows, by attribute names, or of rows of any shape.
 *
 * @category model
 */
export interface QueryRequest {
  readonly _tag: 'Query'
  readonly statement: AnyQuery
  /** The same with relationships joined, which only a single database can answer. */
  readonly joined: AnySelect | null
}

/**
 * Rows from each database that was asked. `order` tells, row by row, from which of `batches` the next one comes, where the
 * query ordered them across databases; null where they follow each other.
 *
 * @category model
 */
export interface QueryAnswer {
  readonly batches: ReadonlyArray<Rows>
  readonly order: ReadonlyArray<number> | null
  /** Do the rows have what was joined? */
  readonly isJoined: boolean
}

/**
 * How many rows a query gives, over all databases that it concerns; where it is only asked whether there are any, one is as
 * good as many.
 *
 * @category model
 */
export interface CountRequest {
  readonly _tag: 'Count'
  readonly purpose: 'count' | 'exists'
  readonly statement: AnyQuery
}

declare const cursor: unique symbol

/** An open query, by the number that its interpreter has given it. @category model */
export type CursorId = number & { readonly [cursor]?: never }

/**
 * Opens a query whose rows are fetched in portions; answers its number.
 *
 * The rows are those of this moment, whatever is written after it, and they outlive a commit, unless the query locks them.
 * A rollback to before it ends it. Where nothing but reading is done until it is closed (`isAlone`), none of that matters,
 * and a database may be asked as late as its rows are needed.
 *
 * @category model
 */
export interface OpenCursorRequest {
  readonly _tag: 'OpenCursor'
  readonly statement: AnyQuery
  readonly isAlone: boolean
}

/** The next rows of an open query: as many as asked for, and fewer only at the end. @category model */
export interface FetchRequest {
  readonly _tag: 'Fetch'
  readonly cursor: CursorId
  readonly count: number
}

/** Ends an open query. @category model */
export interface CloseCursorRequest {
  readonly _tag: 'CloseCursor'
  readonly cursor: CursorId
}

/** @category model */
export type CursorRequest = OpenCursorRequest | FetchRequest | CloseCursorRequest

/**
 * Rows of one entity by the values of some attributes: gets, refreshes and the loads of relationships. They run through
 * templates that are compiled once, in chunks, however many keys are looked for.
 *
 * @category model
 */
export interface LookupRequest {
  readonly _tag: 'Lookup'
  readonly purpose: 'get' | 'load' | 'refresh'
  readonly mapping: Mapping
  /** Of a load, the relationship whose targets are looked for. */
  readonly relationship?: RelationshipMapping
  readonly attributes: ReadonlyArray<Attribute>
  /** The relationship, where it goes over a table of links or by a condition; then `keys` are those of the owners. */
  readonly through: RelationshipMapping | null
  /** The program's values of the attributes, key after key. */
  readonly keys: ReadonlyArray<unknown>
  readonly orderBy: ReadonlyArray<readonly [attribute: Attribute, direction: OrderDirection]>
  /** The query that is narrowed to the keys, where it is not simply all of the entity. */
  readonly query: AnySelect | null
  /** The one shard that it concerns, where that is known. */
  readonly token: ShardToken | null
  readonly options: ExecutionOptions
}

/** An update or delete by criteria. @category model */
export interface WriteRequest {
  readonly _tag: 'Write'
  readonly statement: AnyUpdate | AnyDelete
  /** The databases, by how they compare texts, that are to tell the keys of the rows that it meets. */
  readonly keysOn: ReadonlyArray<TextComparison>
}

/** An insert past the unit of work. @category model */
export interface InsertRequest {
  readonly _tag: 'Insert'
  /** Its defaults are filled in. */
  readonly statement: AnyInsert
  /** Its rows, checked and encoded; null where a query gives them. */
  readonly rows: InsertRows | null
}

/** @category model */
export interface InsertAnswer {
  /** From each database that was asked. */
  readonly batches: ReadonlyArray<Inserted>
}

/** An update of many rows, each found by its key. @category model */
export interface UpdateRowsRequest {
  readonly _tag: 'UpdateRows'
  readonly mapping: Mapping
  /** The cells of a row are the values of `set`, then those of `where`. */
  readonly runs: ReadonlyArray<KeyedRun>
  readonly options: ExecutionOptions
}

/** @category model */
export interface UpdateRowsAnswer {
  readonly batches: ReadonlyArray<UpdatedRows>
}

/** So many ids of a generator. @category model */
export interface Draw {
  readonly generator: Generator
  readonly count: number
}

/** Draws ids, those of each generator where it is. Answers them by generator. @category model */
export interface DrawRequest {
  readonly _tag: 'Draw'
  readonly draws: ReadonlyArray<Draw>
}

/** What a bulk statement is called in errors. @category combinators */
export const operationOf = ({ _tag }: WriteRequest['statement']): 'bulk update' | 'bulk delete' =>
  _tag === 'Update' ? 'bulk update' : 'bulk delete'

/** A statement of the application's own, in the session's transaction. @category model */
export interface SqlRequest {
  readonly _tag: 'Sql'
  readonly node: RootOperationNode
  readonly token: ShardToken | null
}

/** @category model */
export interface WriteAnswer {
  /** From each database that was asked. */
  readonly batches: ReadonlyArray<Written>
}

/** Commits all databases. Answers what there is to know of it beside that it is done. @category model */
export interface CommitRequest {
  readonly _tag: 'Commit'
}

/** @category model */
export type TransactionRequest =
  | CommitRequest
  | { readonly _tag: 'Rollback' }
  | { readonly _tag: 'Savepoint'; readonly name: string }
  | { readonly _tag: 'ReleaseSavepoint'; readonly name: string }
  | { readonly _tag: 'RollbackToSavepoint'; readonly name: string }

/** @category model */
export interface ServicesRequest {
  readonly _tag: 'Services'
}

/** An effect of the application's own. @category model */
export interface TaskRequest {
  readonly _tag: 'Task'
  readonly task: Task<unknown>
}

/** Nothing, for a while. @category model */
export interface PauseRequest {
  readonly _tag: 'Pause'
  readonly milliseconds: number
}

/** From here on, what cannot be asked of a database is left out of what is read, and noted. @category model */
export interface BeginPartialRequest {
  readonly _tag: 'BeginPartial'
}

/** Ends that; answers what was left out since it began. @category model */
export interface EndPartialRequest {
  readonly _tag: 'EndPartial'
}

/** @category model */
export type PartialRequest = BeginPartialRequest | EndPartialRequest

/** @category model */
export type Request =
  | FlushRequest
  | RouteRequest
  | DrawRequest
  | QueryRequest
  | CountRequest
  | CursorRequest
  | LookupRequest
  | WriteRequest
  | InsertRequest
  | UpdateRowsRequest
  | SqlRequest
  | TransactionRequest
  | ServicesRequest
  | TaskRequest
  | PauseRequest
  | PartialRequest

/** What each request is answered. @category model */
export type AnswerOf<R extends Request> = R extends FlushRequest
  ? FlushAnswer
  : R extends RouteRequest
    ? FlushPlan
    : R extends DrawRequest
      ? ReadonlyArray<ReadonlyArray<bigint>>
      : R extends QueryRequest | FetchRequest | LookupRequest
        ? QueryAnswer
        : R extends CountRequest
          ? number
          : R extends OpenCursorRequest
            ? CursorId
            : R extends WriteRequest
              ? WriteAnswer
              : R extends InsertRequest
                ? InsertAnswer
                : R extends UpdateRowsRequest
                  ? UpdateRowsAnswer
                  : R extends SqlRequest
                    ? StatementAnswer
                    : R extends ServicesRequest
                      ? Services
                      : R extends TaskRequest
                        ? unknown
                        : R extends EndPartialRequest
                          ? ReadonlyArray<DatabaseError>
                          : R extends CommitRequest
                            ? ReadonlyArray<Notice>
                            : undefined
