/**
 * `@unitary/session`: a session as a value. Import it as a namespace:
 *
 * @example
 * import * as Session from '@unitary/session'
 *
 * const program = pipe(
 *   Session.add(model.User, { name: 'ed' }),
 *   Session.chainFirst(() => Session.commit),
 * )
 */
export type {
  BlanksPrimaryKey,
  CircularDependency,
  CommitUnknown,
  DatabaseError,
  DecodeError,
  HookError,
  HookEvent,
  HookLoop,
  HookRefused,
  IntegrityError,
  Interrupted,
  InvalidState,
  InvalidStatement,
  InvalidValue,
  Misrepresented,
  MissingKey,
  ModelMismatch,
  MultipleResults,
  NoResult,
  NoSavepoint,
  NotInSession,
  NotLoaded,
  NotSynchronous,
  ObjectDeleted,
  PartlyCommitted,
  PendingRollback,
  RaisedLoad,
  RequestError,
  RoutingError,
  SessionError,
  SingleParent,
  StaleData,
  TransactionBegun,
  UniqueClash,
} from './error.js'
export type { Flushed } from './flushed/applied.js'
export type {
  ChangeContext,
  EndedContext,
  EntityHooks,
  ExecuteContext,
  ExecutePurpose,
  FlushedContext,
  HookContext,
  HooksOf,
  InsertContext,
  LoadContext,
  MemberContext,
  ReplaceContext,
  SessionHooks,
  SetContext,
} from './hook/definition.js'
export { combineHooks, defineHooks, HooksMonoid } from './hook/hooks.js'
export {
  type Accepted,
  accept,
  type Further,
  type FurtherError,
  type Kept,
  keep,
  type Reaction,
  type Refused,
  refuse,
  type Verdict,
} from './hook/verdict.js'
export type { GetError, LoadError, ReadError } from './load/error.js'
export { type GetOptions, get } from './load/get.js'
export { type MembersError, members } from './load/members.js'
export { loadAttributes, read, refresh } from './load/refresh.js'
export { load, related } from './load/relationship.js'
export { loadThrough } from './load/through.js'
export { apS, bind, bindTo, chainFirst, Do, let_ as let } from './program/do.js'
export { expire, expireAll } from './program/expire.js'
export { type FlushError, flush, flushPlan } from './program/flush.js'
export { nested, transact } from './program/framing.js'
export { type Info, info } from './program/info.js'
export {
  Applicative,
  Apply,
  Chain,
  FromEither,
  FromIO,
  FromTask,
  Functor,
  fromIO,
  fromTask,
  fromTaskEither,
  Monad,
  MonadIO,
  MonadTask,
  MonadThrow,
  Pointed,
  URI,
} from './program/instances.js'
export { close, expunge, expungeAll, type LeaveError, makeDetached, makeTransient } from './program/leave.js'
export { type MergeError, type MergeOptions, merge } from './program/merge.js'
export { noAutoflush, sql, withOptions, withoutCriteria } from './program/options.js'
export { type PartialResult, partially } from './program/partially.js'
export { insertAt, type ListName, move, removeKey } from './program/place.js'
export {
  all,
  attempt,
  catchError,
  chain,
  fail,
  fromEither,
  gen,
  gets,
  map,
  mapLeft,
  type Outcome,
  of,
  type Program,
  suspend,
  transition,
  traverseArray,
  traverseArrayWithIndex,
} from './program/program.js'
export { type RemoveError, remove, removeLoaded } from './program/remove.js'
export { clear, type ReplaceError, replace } from './program/replace.js'
export type {
  AnswerOf,
  BeginPartialRequest,
  CloseCursorRequest,
  CommitRequest,
  CountRequest,
  CursorId,
  CursorRequest,
  Draw,
  DrawRequest,
  EndPartialRequest,
  FetchRequest,
  FlushAnswer,
  FlushRequest,
  InsertAnswer,
  InsertRequest,
  LookupRequest,
  OpenCursorRequest,
  PartialRequest,
  PauseRequest,
  QueryAnswer,
  QueryRequest,
  Request,
  RouteRequest,
  ServicesRequest,
  SqlRequest,
  TaskRequest,
  TransactionRequest,
  UpdateRowsAnswer,
  UpdateRowsRequest,
  WriteAnswer,
  WriteRequest,
} from './program/request.js'
export { operationOf } from './program/request.js'
export { backoff, isTransient, patient, type RetryPolicy, transactRetrying } from './program/retry.js'
export { placeOn } from './program/shard.js'
export {
  appendThrough,
  detachThrough,
  modifyThrough,
  removeKeyThrough,
  replaceThrough,
  setKeyThrough,
  setThrough,
  type ThroughError,
} from './program/through.js'
export { begin, beginNested, commit, commitNested, rollback, rollbackNested } from './program/transaction.js'
export {
  add,
  addAll,
  append,
  attach,
  detach,
  history,
  make,
  type Patch,
  replaceLoaded,
  services,
  set,
} from './program/work.js'
export type { BulkError, Synchronize } from './query/bulk.js'
export { type ChunkOptions, foldChunks, forEachChunk } from './query/chunks.js'
export type { PageCursor } from './query/cursor.js'
export { type Executed, type ExecuteError, execute } from './query/execute.js'
export type { InsertError } from './query/insert.js'
export { first, one, oneOrNone } from './query/one.js'
export { type Page, type PageOptions, page } from './query/page.js'
export { type QueryError, query, type Result } from './query/query.js'
export { count, exists, rows } from './query/rows.js'
export { type UniqueError, unique } from './query/unique.js'
export { type UpdateManyError, updateMany } from './query/update-many.js'
export { render } from './render.js'
export { type Isomorphism, type RepresentedRow, representationFaults } from './represent/isomorphism.js'
export { type Represented, represent } from './represent/represent.js'
export {
  type CommitOutcome,
  type CommitProtocol,
  type OpenTransaction,
  oneAfterAnother,
} from './runner/commit-protocol.js'
export { EngineReader, locksRows, openReader, type Reader, Readers } from './runner/cursors.js'
export { drawAll, runDraw } from './runner/draw.js'
export {
  call,
  connect,
  drive,
  driveSync,
  type Effect,
  pause,
  release,
  together,
  wait,
  within,
} from './runner/effect.js'
export { connectError, databaseError, executeStep, type GivenKeys, givenKeys } from './runner/execute.js'
export { runInsert } from './runner/insert.js'
export { runCount, runLookup, runQuery, runSql, runWrite } from './runner/query.js'
export { type Finished, type RunOptions, run, runState, runStateSync, runSync } from './runner/run.js'
export {
  answerCommon,
  type Interpreter,
  type Runtime,
  type RuntimeOptions,
  runtime,
  sessionOptions,
} from './runner/runtime.js'
export { remembering, systemServices } from './runner/services.js'
export { createStore, type Store } from './runner/store.js'
export {
  type AbortableStreamOptions,
  type StreamOptions,
  stream,
  streamChunks,
  streamChunksSync,
  streamSync,
} from './runner/stream.js'
export { type OpenedCursor, type TransactionFailure, Transactions } from './runner/transactions.js'
export { runUpdateRows } from './runner/update-rows.js'
export type { History } from './state/history.js'
export type { Hooks } from './state/hooks.js'
export { anywhere as heldAnywhere, type ShardToken } from './state/identity-map.js'
export { type Instance, make as makeInstance, type Status } from './state/instance.js'
export type { Known } from './state/known.js'
export {
  type EmptyOptions,
  empty,
  instanceAt,
  isExpired,
  optionsIn,
  type SessionOptions,
  type SessionState,
} from './state/session-state.js'
export type { Rows } from './transition/absorb.js'
export type { AddError } from './transition/add.js'
export type { Written } from './transition/bulk.js'
export type { Inserted } from './transition/inserted.js'
export { type Inspected, inspect, inspectAll } from './transition/inspect.js'
export type { ChangeError } from './transition/set.js'
export { referredTo } from './transition/target.js'
export type { Transition } from './transition/transition.js'
export type { KeyedRun, UpdatedRows } from './transition/updated-rows.js'
export { walk } from './transition/walk.js'
export { type ExplainOptions, explain, summary, toJson, toMermaid } from './unit-of-work/explain.js'
export { type PlanError, plan } from './unit-of-work/plan.js'
export { returnable, returnablePlan } from './unit-of-work/returnable.js'
export {
  type CommittedPending,
  columnsOf,
  type DeleteStep,
  type DrawnIds,
  type FlushPlan,
  type InsertStep,
  isStale,
  type LinkStep,
  type Notice,
  type PlanColumn,
  type PlanNotice,
  type ReturnedColumn,
  returnedKey,
  type Source,
  type Step,
  type StepResult,
  type UnlinkStep,
  type UpdateStep,
  type VacateStep,
} from './unit-of-work/step.js'
export { type UnitOfWork, unitOfWork } from './unit-of-work/work.js'
