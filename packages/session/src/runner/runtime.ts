/**
 * A runtime: a model, databases, and how to answer requests with them.
 */
import type { AnyModel, Connection, Engine, IsolationLevel, Services } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { RequestError } from '../error.js'
import type {
  CountRequest,
  FlushAnswer,
  InsertRequest,
  LookupRequest,
  PartialRequest,
  PauseRequest,
  QueryAnswer,
  QueryRequest,
  Request,
  ServicesRequest,
  SqlRequest,
  TaskRequest,
  TransactionRequest,
  UpdateRowsRequest,
  WriteRequest,
} from '../program/request.js'
import type { EmptyOptions, SessionState } from '../state/session-state.js'
import type { Rows } from '../transition/absorb.js'
import { returnablePlan } from '../unit-of-work/returnable.js'
import { type FlushPlan, isStale, type StepResult } from '../unit-of-work/step.js'
import { openReader, Readers } from './cursors.js'
import { drawAll, runDraw } from './draw.js'
import { type Effect, pause, wait } from './effect.js'
import { connectError, databaseError, executeStep, givenKeys } from './execute.js'
import { runInsert } from './insert.js'
import { runCount, runLookup, runQuery, runSql, runWrite } from './query.js'
import { systemServices } from './services.js'
import { type TransactionFailure, Transactions } from './transactions.js'
import { runUpdateRows } from './update-rows.js'

/**
 * Answers the requests of one run, and owns its connections.
 *
 * @category model
 */
export interface Interpreter {
  readonly answer: (request: Request, state: SessionState) => Effect<Either<RequestError, unknown>>
  /** Rolls back what is open and gives the connections back. */
  readonly end: () => Effect<void>
}

/**
 * What programs run on. Made by `runtime` for one database, by the shard package for several.
 *
 * @category model
 */
export interface Runtime {
  readonly _tag: 'Runtime'
  readonly model: AnyModel
  readonly options: EmptyOptions
  readonly open: () => Interpreter
}

/** @category model */
export interface RuntimeOptions extends Omit<EmptyOptions, 'tokens' | 'everywhere'> {
  /** Asked once for each step that needs services. Default: the system's clock, chance and UUIDs. */
  readonly services?: () => Services
  /** Of every transaction; the database's own default where it is absent. */
  readonly isolationLevel?: IsolationLevel
}

/**
 * A runtime over one database.
 *
 * @example
 * const app = runtime(model, sqliteEngine(new Database('app.db')))
 * const found = await run(app)(Session.get(model.User, 1))()
 *
 * @category constructors
 */
export const runtime = (model: AnyModel, engine: Engine, options: RuntimeOptions = {}): Runtime => ({
  _tag: 'Runtime',
  model,
  options: sessionOptions(options),
  open: () => interpreter(engine, options.services ?? systemServices, options.isolationLevel ?? null),
})

/** The part of a runtime's options that a session's state carries. @category constructors */
export const sessionOptions = (options: RuntimeOptions): EmptyOptions => ({
  ...(options.autoflush === undefined ? {} : { autoflush: options.autoflush }),
  ...(options.expireOnCommit === undefined ? {} : { expireOnCommit: options.expireOnCommit }),
  ...(options.executionOptions === undefined ? {} : { executionOptions: options.executionOptions }),
  ...(options.hooks === undefined ? {} : { hooks: options.hooks }),
  ...(options.criteria === undefined ? {} : { criteria: options.criteria }),
})

const interpreter = (engine: Engine, services: () => Services, isolationLevel: IsolationLevel | null): Interpreter => {
  const transactions = new Transactions(isolationLevel)
  const readers = new Readers()
  return {
    answer: (request, { model }) => answer(transactions, readers, engine, services, request, model),
    end: () => {
      readers.clear()
      return transactions.end()
    },
  }
}

function* answer(
  transactions: Transactions,
  readers: Readers,
  engine: Engine,
  services: () => Services,
  request: Request,
  model: AnyModel,
): Effect<Either<RequestError, unknown>> {
  switch (request._tag) {
    case 'Flush':
      return yield* flush(transactions, engine, model, request.plan)
    case 'Route':
      return right(returnablePlan(request.plan, () => engine.capabilities))
    case 'Draw':
      return yield* drawAll(request, (draw) => runDraw(transactions, engine, null, draw))
    case 'Query':
    case 'Count':
    case 'Lookup':
    case 'Write':
    case 'Insert':
    case 'UpdateRows':
    case 'Sql': {
      const opened = transactions.opened(null)
      if (opened !== undefined) return yield* read(opened, engine, request)
      const connection = yield* transactions.connection(null, engine)
      return isLeft(connection)
        ? left(connectError(null, connection.left))
        : yield* read(connection.right, engine, request)
    }
    case 'OpenCursor': {
      const opened = yield* openReader(transactions, engine, request, null)
      return isLeft(opened) ? opened : right(readers.add(opened.right))
    }
    case 'Fetch':
    case 'CloseCursor':
      return yield* readers.answer(request)
    default:
      return yield* answerCommon(transactions, services, request)
  }
}

function* flush(
  transactions: Transactions,
  engine: Engine,
  model: AnyModel,
  asked: FlushPlan,
): Effect<Either<RequestError, FlushAnswer>> {
  const connection = yield* transactions.connection(null, engine)
  if (isLeft(connection)) return left(connectError(null, connection.left))
  const plan = returnablePlan(asked, () => engine.capabilities)
  const given = givenKeys(plan)
  const results: StepResult[] = []
  const executing = { model, dialect: engine.dialect }
  for (const step of plan.steps) {
    const result = yield* executeStep(connection.right, executing, step, given)
    if (isLeft(result)) {
      yield* transactions.undo()
      return result
    }
    results.push(result.right)
    if (isStale(step, result.right)) break
  }
  return right({ plan, results })
}

function* read(
  connection: Connection,
  engine: Engine,
  request: QueryRequest | CountRequest | LookupRequest | WriteRequest | InsertRequest | UpdateRowsRequest | SqlRequest,
): Effect<Either<RequestError, unknown>> {
  switch (request._tag) {
    case 'Query':
      return oneBatch(
        yield* runQuery(connection, engine, request.joined ?? request.statement, null),
        request.joined !== null,
      )
    case 'Count':
      return yield* runCount(connection, engine, request, null)
    case 'Lookup':
      return oneBatch(yield* runLookup(connection, engine, request, null), false)
    case 'Write': {
      const written = yield* runWrite(connection, engine, request, null)
      return isLeft(written) ? written : right({ batches: [written.right] })
    }
    case 'Insert': {
      const inserted = yield* runInsert(connection, engine, request, null)
      return isLeft(inserted) ? inserted : right({ batches: [inserted.right] })
    }
    case 'UpdateRows': {
      const updated = yield* runUpdateRows(connection, engine, request, null)
      return isLeft(updated) ? updated : right({ batches: [updated.right] })
    }
    case 'Sql':
      return yield* runSql(connection, engine, request, null)
  }
}

const oneBatch = <E>(rows: Either<E, Rows>, isJoined: boolean): Either<E, QueryAnswer> =>
  isLeft(rows) ? rows : right({ batches: [rows.right], order: null, isJoined })

/**
 * Answers what does not depend on how many databases there are: transactions, services, tasks.
 *
 * @category interpreters
 */
export function* answerCommon(
  transactions: Transactions,
  services: () => Services,
  request: TransactionRequest | ServicesRequest | TaskRequest | PauseRequest | PartialRequest,
): Effect<Either<RequestError, unknown>> {
  switch (request._tag) {
    case 'Commit':
      return yield* transactions.commit()
    case 'Rollback':
      yield* transactions.rollback()
      return right(undefined)
    case 'Savepoint':
      return ended('savepoint', yield* transactions.savepoint(request.name))
    case 'ReleaseSavepoint':
      return ended('release of a savepoint', yield* transactions.releaseSavepoint(request.name))
    case 'RollbackToSavepoint':
      return ended('rollback to a savepoint', yield* transactions.rollbackSavepoint(request.name))
    case 'Services':
      return right(services())
    case 'Pause':
      yield* pause(request.milliseconds)
      return right(undefined)
    case 'BeginPartial':
      return right(undefined)
    case 'EndPartial':
      // of one database there is no part
      return right([])
    case 'Task': {
      const waited = yield* wait(request.task)
      return isLeft(waited) ? left({ _tag: 'NotSynchronous', operation: 'a task' }) : waited
    }
  }
}

const ended = (operation: string, result: Either<TransactionFailure, undefined>): Either<RequestError, undefined> =>
  isLeft(result) ? left(databaseError(operation, null, result.left.token, result.left.error)) : result
