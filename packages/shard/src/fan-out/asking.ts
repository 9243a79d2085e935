/**
 * Asking shards: in their time, again where they fail for a while, so many at a time, and without those that are left out.
 */
import type { Connection, Engine, IsolationLevel, Services } from '@unitary/core'
import {
  call,
  type DatabaseError,
  databaseError,
  type Effect,
  isTransient,
  pause,
  type RequestError,
  type Transactions,
  within,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { isNone } from 'fp-ts/lib/Option.js'
import { noAnswer } from '../error.js'
import { databaseOf, type ShardMap } from '../shard-map.js'
import { sideBySide } from '../side-by-side.js'
import type { Settings } from './policy.js'
import type { Moving } from './waves.js'

/** What is run on a shard, given its connection. */
export type OnShard<A> = (connection: Connection, engine: Engine, token: string) => Effect<Either<RequestError, A>>

/** What a request is about. */
export interface Asking {
  readonly operation: string
  readonly entity: string | null
  readonly settings: Settings
  /** Whether it only looks at rows. What locks them does more. */
  readonly reads: boolean
}

/** What came of shards that only some may have answered. */
export interface Answered<A> {
  /** The shards that did. */
  readonly tokens: ReadonlyArray<string>
  readonly values: ReadonlyArray<A>
}

/** The shards of one run, as they are asked. */
export class Askers {
  readonly #shards: ShardMap
  readonly #transactions: Transactions
  readonly #services: () => Services
  /** Does every statement of a transaction see the rows that the first one saw? */
  readonly #isSteady: boolean
  /** Is the part of a transaction on a shard named when it begins? The name is taken as long as the server knows the old one. */
  readonly #isNamed: (engine: Engine) => boolean
  /** Between which shards rows move; null where none do. */
  readonly moving: Moving | null
  /** What is left out, since each of the programs under way that take it so began; none where none does. */
  readonly #faults: DatabaseError[][] = []

  constructor(
    shards: ShardMap,
    transactions: Transactions,
    services: () => Services,
    isolationLevel: IsolationLevel | null,
    isAtomic: boolean,
    moving: Moving | null,
  ) {
    this.moving = moving
    this.#shards = shards
    this.#transactions = transactions
    this.#services = services
    this.#isNamed = ({ capabilities, dialect }) => isAtomic && dialect.name === 'mysql' && capabilities.twoPhase
    this.#isSteady = isolationLevel === 'repeatable read' || isolationLevel === 'serializable'
  }

  /** The engine of a shard that is in the map. */
  engine(token: string): Engine {
    return this.#shards.engines.get(token) as Engine
  }

  beginPartial(): void {
    this.#faults.push([])
  }

  /** What was left out since that began. */
  endPartial(): ReadonlyArray<DatabaseError> {
    const faults = this.#faults.pop() ?? []
    this.#faults.at(-1)?.push(...faults)
    return faults
  }

  /** Is anything to be left out? */
  get isPartial(): boolean {
    return this.#faults.length > 0
  }

  /** Forgets what was begun, when the run ends. */
  clear(): void {
    this.#faults.length = 0
  }

  /** Runs something on each shard; the first failure in their order, or what each gave. */
  *onEach<A>(
    tokens: ReadonlyArray<string>,
    asking: Asking,
    run: OnShard<A>,
  ): Effect<Either<RequestError, ReadonlyArray<A>>> {
    return collected(yield* this.#all(tokens, asking, run))
  }

  /** Runs a statement on each shard; where it fails on one, it has changed nothing on the others either. */
  *onAllOrNone<A>(
    tokens: ReadonlyArray<string>,
    asking: Asking,
    run: OnShard<A>,
  ): Effect<Either<RequestError, ReadonlyArray<A>>> {
    if (tokens.length < 2) return yield* this.onEach(tokens, asking, run)
    /** A shard of each database in which a savepoint has begun. */
    const begun = new Map<Engine, string>()
    const results = yield* this.onEach(tokens, asking, function* (connection, engine, token): ReturnType<OnShard<A>> {
      const database = databaseOf(engine)
      if (!begun.has(database)) {
        begun.set(database, token)
        const saved = yield* call(connection, { _tag: 'Savepoint', name: savepoint })
        if (isLeft(saved)) return left(databaseError('savepoint', null, token, saved.left))
      }
      return yield* run(connection, engine, token)
    })
    const open = [...begun.values()].filter((token) => this.#transactions.opened(token) !== undefined)
    yield* this.onEach(open, asking, (connection) => endSavepoint(connection, isLeft(results)))
    return results
  }

  /** The same for what is read, without the shards that are left out. */
  *read<A>(tokens: ReadonlyArray<string>, asking: Asking, run: OnShard<A>): Effect<Either<RequestError, Answered<A>>> {
    return yield* this.without(tokens, asking, yield* this.#all(tokens, asking, run))
  }

  /** Results without those of the shards that are left out. */
  *without<A>(
    tokens: ReadonlyArray<string>,
    { reads }: Pick<Asking, 'reads'>,
    results: ReadonlyArray<Either<RequestError, A>>,
  ): Effect<Either<RequestError, Answered<A>>> {
    const faults = reads ? this.#faults.at(-1) : undefined
    const kept: string[] = []
    const values: A[] = []
    for (const [at, token] of tokens.entries()) {
      const result = results[at] as Either<RequestError, A>
      if (isLeft(result)) {
        const fault = result.left
        if (faults === undefined || !isAbsence(fault) || this.#transactions.hasWritten(token)) return result
        faults.push(fault)
        yield* this.#transactions.leave(token, fault.cause)
        continue
      }
      kept.push(token)
      values.push(result.right)
    }
    return right({ tokens: kept, values })
  }

  /** One wave after another, while rows move between them. */
  *#all<A>(
    tokens: ReadonlyArray<string>,
    asking: Asking,
    run: OnShard<A>,
  ): Effect<ReadonlyArray<Either<RequestError, A>>> {
    if (this.moving === null) return yield* this.#atOnce(tokens, asking, run)
    const begun = yield* this.beginSources(tokens)
    if (begun !== null) return tokens.map(() => left(begun))
    const results = new Map<string, Either<RequestError, A>>()
    for (const wave of this.moving.waves(tokens).first) {
      const answers = yield* this.#atOnce(wave, asking, run)
      for (const [at, token] of wave.entries()) results.set(token, answers[at] as Either<RequestError, A>)
    }
    return tokens.map((token) => results.get(token) as Either<RequestError, A>)
  }

  /**
   * While rows move: SQLite shows a transaction its database as it was when that was first read, so those that rows come from
   * are begun before those that they go to. Null, or why one could not be.
   */
  *beginSources(tokens: ReadonlyArray<string>): Effect<DatabaseError | null> {
    const targets = this.moving === null ? [] : tokens.filter((token) => this.engine(token).dialect.name === 'sqlite')
    for (const source of new Set(targets.flatMap((token) => this.moving?.sources(token) ?? []))) {
      const engine = this.engine(source)
      if (engine.dialect.name !== 'sqlite' || this.#transactions.opened(source) !== undefined) continue
      const begun = yield* this.#transactions.connection(source, engine)
      if (isLeft(begun)) return databaseError('connect', null, source, begun.left)
    }
    return null
  }

  /** So many at a time as the settings say. */
  *#atOnce<A>(
    tokens: ReadonlyArray<string>,
    asking: Asking,
    run: OnShard<A>,
  ): Effect<ReadonlyArray<Either<RequestError, A>>> {
    return yield* sideBySide(
      tokens,
      (token) => this.engine(token),
      (token) => this.on(token, asking, run),
      asking.settings.concurrency,
    )
  }

  /** Runs something on one shard. */
  *on<A>(token: string, asking: Asking, run: OnShard<A>): Effect<Either<RequestError, A>> {
    const { retry, timeout } = asking.settings
    // most work is neither timed nor tried again, and there is much of it
    return retry === null && timeout === null
      ? yield* this.#run(token, asking, run, null)
      : yield* this.patiently(token, asking, (attempt) => this.#run(token, asking, run, attempt))
  }

  *#run<A>(token: string, asking: Asking, run: OnShard<A>, attempt: Attempt | null): Effect<Either<RequestError, A>> {
    const engine = this.engine(token)
    const connection = yield* this.#transactions.connection(token, engine)
    if (isLeft(connection)) return left(databaseError('connect', null, token, connection.left))
    this.begin(token, asking, attempt)
    return yield* run(connection.right, engine, token)
  }

  /** Notes that an attempt may do something from now on. */
  begin(token: string, { reads }: Asking, attempt: Attempt | null): void {
    if (attempt !== null) attempt.hasBegun = true
    if (!reads) this.#transactions.noteWrite(token)
  }

  /** Attempts at something on one shard, which `begin` when they may have done something. */
  *patiently<A>(
    token: string,
    asking: Asking,
    work: (attempt: Attempt) => Effect<Either<RequestError, A>>,
  ): Effect<Either<RequestError, A>> {
    return yield* this.inTime(token, asking, this.#attempts(token, asking, work))
  }

  /** Work on one shard, which is given up when it takes longer than it may. */
  *inTime<A>(
    token: string,
    { entity, operation, settings: { timeout } }: Asking,
    work: Effect<Either<RequestError, A>>,
  ): Effect<Either<RequestError, A>> {
    if (timeout === null) return yield* work
    this.#transactions.hurry(timeout)
    const answered = yield* within(timeout, work)
    if (!isNone(answered)) return answered.value
    const failure = noAnswer(operation, entity, token, timeout)
    this.#transactions.lose(token, failure.cause)
    return left(failure)
  }

  *#attempts<A>(
    token: string,
    { reads, settings: { retry } }: Asking,
    work: (attempt: Attempt) => Effect<Either<RequestError, A>>,
  ): Effect<Either<RequestError, A>> {
    const engine = this.engine(token)
    for (let failures = 1; ; failures++) {
      const wasOpen = this.#transactions.opened(token) !== undefined
      const attempt: Attempt = { hasBegun: false }
      const result = yield* work(attempt)
      if (!isLeft(result) || retry === null || failures >= retry.attempts) return result
      const { mayRetry = isTransient } = retry
      const seesOthers = wasOpen && this.#isSteady
      const canBeginAnew = reads && !this.#transactions.hasWritten(token) && !seesOthers && !this.#isNamed(engine)
      const losesNothing = !attempt.hasBegun || canBeginAnew
      if (!losesNothing || result.left._tag !== 'DatabaseError' || !mayRetry(result.left)) return result
      yield* this.#transactions.leave(token, result.left.cause)
      yield* pause(retry.delay(failures, this.#services()))
    }
  }
}

/** One of the attempts at something. */
export interface Attempt {
  /** May it have done something? */
  hasBegun: boolean
}

const savepoint = 'unitary_bulk'

function* endSavepoint(connection: Connection, isUndone: boolean): Effect<Either<never, undefined>> {
  if (isUndone) yield* call(connection, { _tag: 'RollbackToSavepoint', name: savepoint })
  yield* call(connection, { _tag: 'ReleaseSavepoint', name: savepoint })
  return right(undefined)
}

/** Reasons for which a database gives no answer, whatever it is asked. */
const absences: ReadonlySet<string> = new Set([
  'ConnectionLost',
  'StatementTimeout',
  'Unavailable',
  'AuthenticationFailed',
  'LockTimeout',
  'SerializationFailure',
  'Deadlock',
])

const isAbsence = (error: RequestError): error is DatabaseError =>
  error._tag === 'DatabaseError' && absences.has(error.cause.reason._tag)

const collected = <A>(results: ReadonlyArray<Either<RequestError, A>>): Either<RequestError, ReadonlyArray<A>> => {
  const values: A[] = []
  for (const result of results) {
    if (isLeft(result)) return result
    values.push(result.right)
  }
  return right(values)
}
