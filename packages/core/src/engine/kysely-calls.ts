/**
 * Runs calls on one connection of a Kysely instance, which the engine holds for a session.
 */
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import { createQueryId, type Kysely, type QueryResult, RawNode } from 'kysely'
import type { BoundedCache } from './bounded-cache.js'
import type { BeginCall, DriverRow, EngineCall, PrepareCall, QueryAnswer, QueryCall } from './call.js'
import type { Dialect } from './dialect.js'
import type { Engine } from './engine.js'
import { cursorNeedsTransaction, type EngineError, engineError, noTwoPhase, rolledBack } from './error.js'
import type { ErrorDetails } from './error-parts.js'
import type { CursorConnection } from './kysely-cursors.js'
import { KyselyStream, type StreamCare } from './kysely-stream.js'
import { beginTransaction, type OpenTransaction } from './kysely-transaction.js'
import { twoPhase } from './kysely-two-phase.js'
import { runDelete, runInsert, runUpdate } from './kysely-writes.js'
import { killQuery } from './mysql-cancel.js'
import { postgresCursors } from './postgres-cursors.js'
import { streamCursors } from './stream-cursors.js'
import type { WriteConnection } from './write-connection.js'

// biome-ignore lint/suspicious/noExplicitAny: a Kysely instance of any database; calls name tables themselves
export type AnyKysely = Kysely<any>

/** What the connections of an engine share. */
export interface KyselyCallContext {
  readonly dialect: Dialect
  readonly classify: (cause: unknown, details?: ErrorDetails) => EngineError
  readonly transform: WriteConnection['transform']
  readonly compile: Engine['compile']
  /** Texts of writes, by shape. */
  readonly texts: BoundedCache<string>
  readonly rowByRow: boolean
  /** Whether transactions can be prepared. */
  readonly twoPhase: boolean
  /** Where another connection is to be had, to end what this one is at; null where that is not to be done. */
  readonly elsewhere: AnyKysely | null
}

/** The savepoint that a multi-row insert goes back to on PostgreSQL. */
const chunkSavepoint = 'unitary_chunk'

const queryId = createQueryId()
const nothing: Either<never, undefined> = right(undefined)
const noTransaction = engineError({ _tag: 'Unknown' }, 'no transaction is open')

export interface KyselyCalls {
  readonly call: (call: EngineCall) => Promise<Either<EngineError, unknown>>
  /** Ends what the connection has open: its transaction and its cursors. */
  readonly end: () => Promise<void>
}

/**
 * The calls of one held connection. Nothing rejects: what the driver throws is answered as an error.
 */
export const kyselyCalls = (
  db: AnyKysely,
  { dialect, classify, transform, compile, texts, rowByRow, elsewhere, twoPhase: canPrepare }: KyselyCallContext,
): KyselyCalls => {
  let transaction: OpenTransaction | null = null
  /** What made the transaction unfit for anything but a rollback, and whether a savepoint can still save it. */
  let failure: { readonly error: EngineError; readonly canReturn: boolean } | null = null

  const run: WriteConnection['run'] = async (sql, parameters, row) => {
    try {
      // built by hand: CompiledQuery.raw freezes the array that it is given
      const query = { sql, parameters, query: RawNode.createWithSql(sql), queryId }
      return right(await (transaction?.executor ?? db.getExecutor()).executeQuery<DriverRow>(query))
    } catch (cause) {
      return left(classify(cause, { sql, row }))
    }
  }

  const safely = async <A>(work: () => Promise<Either<EngineError, A>>): Promise<Either<EngineError, A>> => {
    try {
      return await work()
    } catch (cause) {
      return left(classify(cause))
    }
  }

  const attempt = (work: () => Promise<unknown>): Promise<Either<EngineError, undefined>> =>
    safely(async () => {
      await work()
      return nothing
    })

  const inTransaction = (
    work: (open: OpenTransaction) => Promise<unknown>,
  ): Promise<Either<EngineError, undefined>> => {
    const open = transaction
    return open === null ? Promise.resolve(left(noTransaction)) : attempt(() => work(open))
  }

  const writes: WriteConnection = {
    dialect,
    transform,
    textOf: (key, tree) => texts.get(key) ?? texts.set(key, compile(tree()).sql),
    known: texts,
    run,
    savepoint: (command) =>
      inTransaction((open) =>
        command === 'savepoint'
          ? open.savepoint(chunkSavepoint)
          : command === 'release'
            ? open.releaseSavepoint(chunkSavepoint)
            : open.rollbackToSavepoint(chunkSavepoint),
      ),
  }

  const isMysql = dialect.name === 'mysql'
  const care: StreamCare = { listens: isMysql, kill: isMysql && elsewhere !== null ? killQuery(elsewhere) : null }
  const cursorConnection: CursorConnection = {
    dialect,
    compile,
    classify,
    texts,
    run: (sql, parameters) => run(sql, parameters, null),
    stream: (query) => KyselyStream.open(transaction?.executor ?? db.getExecutor(), query, care),
  }
  const cursors = dialect.name === 'postgres' ? postgresCursors(cursorConnection) : streamCursors(cursorConnection)

  const query = async ({ statement: { sql, parameters } }: QueryCall): Promise<Either<EngineError, QueryAnswer>> => {
    const result = await run(sql, parameters.map(dialect.toDriver), null)
    return isLeft(result) ? result : right({ rows: result.right.rows, affected: affectedRows(sql, result.right) })
  }

  const phases = canPrepare ? twoPhase(db, dialect.name, classify) : null

  const begin = async ({ branch, ...asked }: BeginCall): Promise<Either<EngineError, undefined>> => {
    if (branch !== undefined && phases === null) return left(noTwoPhase)
    const begun =
      branch === undefined || phases === null
        ? await safely(async () => right(await beginTransaction(db, asked)))
        : await phases.begin({ ...asked, branch })
    if (isLeft(begun)) return begun
    transaction = begun.right
    return nothing
  }

  const prepare = async ({ branch }: PrepareCall): Promise<Either<EngineError, undefined>> => {
    if (phases === null) return left(noTwoPhase)
    await cursors.beforeCommit()
    const free = await cursors.makeWay()
    if (isLeft(free)) return free
    const open = transaction
    if (open === null) return left(noTransaction)
    const answer = await phases.prepare(open, branch)
    if (isLeft(answer)) return answer
    transaction = null
    cursors.committed()
    return answer
  }

  const rollback = async (): Promise<Either<EngineError, undefined>> => {
    await cursors.rollback()
    const open = transaction
    transaction = null
    failure = null
    if (open === null) return nothing
    const answer = await attempt(() => open.rollback())
    // SQLite may have rolled back by itself (when the disk is full, say)
    return isLeft(answer) && answer.left.message.includes('no transaction is active') ? nothing : answer
  }

  const commit = async (): Promise<Either<EngineError, undefined>> => {
    await cursors.beforeCommit()
    const free = await cursors.makeWay()
    if (isLeft(free)) return free
    const answer = await inTransaction((open) => open.commit())
    if (isLeft(answer)) return answer
    transaction = null
    cursors.committed()
    return answer
  }

  const write = async (
    call: Extract<EngineCall, { readonly rows: unknown }>,
  ): Promise<Either<EngineError, unknown>> => {
    const perform = (): Promise<Either<EngineError, unknown>> => {
      switch (call._tag) {
        case 'Insert':
          return runInsert(writes, call, rowByRow)
        case 'Update':
          return runUpdate(writes, call)
        case 'Delete':
          return runDelete(writes, call)
      }
    }
    if (call.rows.length < 2 || transaction !== null) return perform()
    const begun = await begin({ _tag: 'Begin', isolationLevel: null })
    if (isLeft(begun)) return begun
    const answer = await safely(perform)
    const committed = isLeft(answer) ? answer : await commit()
    if (isLeft(committed)) await rollback()
    return isLeft(committed) ? committed : answer
  }

  const savepoint = async (
    call: Extract<EngineCall, { readonly _tag: `${string}Savepoint` }>,
  ): Promise<Either<EngineError, undefined>> => {
    switch (call._tag) {
      case 'Savepoint': {
        const begun = await inTransaction((open) => open.savepoint(call.name))
        if (isRight(begun)) cursors.savepoint(call.name)
        return begun
      }
      case 'ReleaseSavepoint': {
        const ended = await inTransaction((open) => open.releaseSavepoint(call.name))
        if (isRight(ended)) cursors.releaseSavepoint(call.name)
        return ended
      }
      case 'RollbackToSavepoint':
        await cursors.rollbackToSavepoint(call.name)
        return inTransaction((open) => open.rollbackToSavepoint(call.name))
    }
  }

  const makingWay = async (perform: () => Promise<Either<EngineError, unknown>>) => {
    const free = await cursors.makeWay()
    return isLeft(free) ? free : perform()
  }

  const perform = (call: EngineCall): Promise<Either<EngineError, unknown>> => {
    switch (call._tag) {
      case 'Query':
        return makingWay(() => query(call))
      case 'Insert':
      case 'Update':
      case 'Delete':
        return makingWay(() => write(call))
      case 'OpenCursor':
        return transaction === null ? Promise.resolve(left(cursorNeedsTransaction(call.name))) : cursors.call(call)
      case 'Fetch':
      case 'CloseCursor':
        return cursors.call(call)
      case 'Begin':
        return transaction === null
          ? begin(call)
          : Promise.resolve(left(engineError({ _tag: 'Unknown' }, 'a transaction is open already')))
      case 'Commit':
        return commit()
      case 'Rollback':
        return rollback()
      case 'Savepoint':
      case 'ReleaseSavepoint':
      case 'RollbackToSavepoint':
        return makingWay(() => savepoint(call))
      case 'Prepare':
        return prepare(call)
      case 'CommitPrepared':
      case 'RollbackPrepared':
        return phases?.endPrepared(call) ?? Promise.resolve(left(noTwoPhase))
      case 'ListPrepared':
        return phases?.listPrepared() ?? Promise.resolve(left(noTwoPhase))
    }
  }

  /** What can be asked after a failure: to return to before it, and to close what nobody reads on. */
  const isRefused = (call: EngineCall): boolean =>
    failure !== null &&
    call._tag !== 'Rollback' &&
    call._tag !== 'CloseCursor' &&
    !(failure.canReturn && call._tag === 'RollbackToSavepoint')

  const call: KyselyCalls['call'] = async (asked) => {
    if (failure !== null && isRefused(asked)) return left(rolledBack(failure.error))
    const answer = await safely(() => perform(asked))
    if (transaction === null) return answer
    if (isLeft(answer)) failure ??= fatal(dialect, answer.left)
    else if (asked._tag === 'RollbackToSavepoint') failure = null
    return answer
  }

  return {
    call,
    end: async () => {
      await call({ _tag: 'Rollback' })
      await cursors.clear()
      await phases?.leave()
    },
  }
}

const endsTransaction: ReadonlySet<EngineError['reason']['_tag']> = new Set(['ConnectionLost', 'Deadlock', 'Full'])

/**
 * What a failure means for its transaction. After any, PostgreSQL refuses all but a return to a savepoint, and answers
 * COMMIT with a silent rollback. MySQL rolls back by itself after a deadlock, SQLite when the disk is full, and both run
 * what follows outside any transaction.
 */
const fatal = (
  dialect: Dialect,
  error: EngineError,
): { readonly error: EngineError; readonly canReturn: boolean } | null =>
  // a cursor that is not open has not been asked of the database
  error.reason._tag === 'Unavailable'
    ? null
    : dialect.name === 'postgres'
      ? { error, canReturn: true }
      : endsTransaction.has(error.reason._tag)
        ? { error, canReturn: false }
        : null

/** Drivers of SQLite count nothing where a write returns rows. */
const affectedRows = (sql: string, { rows, numAffectedRows }: QueryResult<DriverRow>): number =>
  numAffectedRows !== undefined
    ? Number(numAffectedRows)
    : /^\s*(insert|update|delete|replace)\b/i.test(sql)
      ? rows.length
      : 0
