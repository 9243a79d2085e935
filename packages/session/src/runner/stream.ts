/**
 * Streams: the results of a query as an iterable, outside of any session.
 *
 * A stream is lazy and can be iterated again: each iteration takes a connection, runs the query in a transaction of its own,
 * and holds the rows of one chunk. The connection is given back when the rows are at their end, when the consumer stops
 * (`break`, `return`, an exception), after a failure, and when the signal is aborted.
 *
 * Failures are values: each item is an `Either`, and a left one is the last.
 */
import type { AnyQuery, ResultOf } from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { Interrupted } from '../error.js'
import { Machine, type Progress } from '../program/machine.js'
import type { Program } from '../program/program.js'
import { defaultChunk, type OpenQuery, openQuery } from '../query/open-query.js'
import { nextPictures } from '../query/pictures.js'
import type { QueryError } from '../query/query.js'
import { empty, type SessionState } from '../state/session-state.js'
import { drive, driveSync, type Effect, turn } from './effect.js'
import { interrupted } from './run.js'
import type { Interpreter, Runtime } from './runtime.js'

/** @category model */
export interface StreamOptions {
  /** How many rows are read, and held, at a time; 1000 by default. */
  readonly chunk?: number
}

/** @category model */
export interface AbortableStreamOptions extends StreamOptions {
  /**
   * Aborting it ends the stream with `Interrupted` and gives the connection back: at once where the consumer is busy, else
   * as soon as the statement that is running has answered.
   */
  readonly signal: AbortSignal
}

/**
 * The results of a query, one by one: snapshots as `query` gives them, with what the query loads beside them (by one
 * statement a relationship and chunk). They belong to no session: they are plain rows, for a session to `merge` at most.
 *
 * Items are either a result or, as the last one, why there are no more. A consumer that is slow keeps a transaction open for
 * as long, and on MySQL makes the server wait, which gives up after its `net_write_timeout`. On SQLite the stream has the
 * engine's one connection: a program on the same engine has to wait until the stream is over, so that a consumer must not
 * wait for such a program; `forEachChunk` runs programs in between.
 *
 * @example
 * for await (const user of stream(app)(pipe(select(model.User), selectin('addresses')))) {
 *   if (isLeft(user)) return user
 *   write(user.right.name, user.right.addresses.length)
 * }
 *
 * @category interpreters
 */
export function stream(
  runtime: Runtime,
  options?: StreamOptions & { readonly signal?: never },
): <S extends AnyQuery>(statement: S) => AsyncIterable<Either<QueryError, ResultOf<S>>>
export function stream(
  runtime: Runtime,
  options: AbortableStreamOptions,
): <S extends AnyQuery>(statement: S) => AsyncIterable<Either<QueryError | Interrupted, ResultOf<S>>>
export function stream(runtime: Runtime, options: Partial<AbortableStreamOptions> = {}) {
  return <S extends AnyQuery>(statement: S): AsyncIterable<Either<QueryError | Interrupted, ResultOf<S>>> => ({
    [Symbol.asyncIterator]: () => new Results(new AsyncChunks(runtime, statement, options)) as never,
  })
}

/**
 * The same, chunk by chunk: for consumers that work on many rows at once. No chunk is empty.
 *
 * @example
 * for await (const users of streamChunks(app, { chunk: 500, signal })(select(model.User))) {
 *   if (isLeft(users)) return users
 *   await send(users.right)
 * }
 *
 * @category interpreters
 */
export function streamChunks(
  runtime: Runtime,
  options?: StreamOptions & { readonly signal?: never },
): <S extends AnyQuery>(statement: S) => AsyncIterable<Either<QueryError, ReadonlyArray<ResultOf<S>>>>
export function streamChunks(
  runtime: Runtime,
  options: AbortableStreamOptions,
): <S extends AnyQuery>(statement: S) => AsyncIterable<Either<QueryError | Interrupted, ReadonlyArray<ResultOf<S>>>>
export function streamChunks(runtime: Runtime, options: Partial<AbortableStreamOptions> = {}) {
  return <S extends AnyQuery>(
    statement: S,
  ): AsyncIterable<Either<QueryError | Interrupted, ReadonlyArray<ResultOf<S>>>> => ({
    [Symbol.asyncIterator]: () => new AsyncChunks(runtime, statement, options) as never,
  })
}

/**
 * `stream` without a promise, where every engine answers at once (better-sqlite3).
 *
 * @example
 * for (const user of streamSync(app)(select(model.User))) if (isRight(user)) console.log(user.right.name)
 *
 * @category interpreters
 */
export const streamSync =
  (runtime: Runtime, options: StreamOptions = {}) =>
  <S extends AnyQuery>(statement: S): Iterable<Either<QueryError, ResultOf<S>>> => ({
    *[Symbol.iterator]() {
      for (const chunk of chunksSync(runtime, statement, options)) {
        if (isLeft(chunk)) yield chunk
        else for (const result of chunk.right) yield right(result as ResultOf<S>)
      }
    },
  })

/**
 * `streamChunks` without a promise.
 *
 * @example
 * for (const users of streamChunksSync(app)(select(model.User))) if (isRight(users)) console.log(users.right.length)
 *
 * @category interpreters
 */
export const streamChunksSync =
  (runtime: Runtime, options: StreamOptions = {}) =>
  <S extends AnyQuery>(statement: S): Iterable<Either<QueryError, ReadonlyArray<ResultOf<S>>>> => ({
    [Symbol.iterator]: () => chunksSync(runtime, statement, options) as never,
  })

function* chunksSync(
  runtime: Runtime,
  statement: AnyQuery,
  options: StreamOptions,
): Generator<Either<QueryError, ReadonlyArray<unknown>>, undefined> {
  const reading = new Reading(runtime, statement, options)
  try {
    for (;;) {
      const chunk = driveSync(reading.next())
      if (chunk === null) return
      yield chunk
      if (isLeft(chunk)) return
    }
  } finally {
    driveSync(reading.end())
  }
}

type Chunk<E> = Either<E, ReadonlyArray<unknown>>

/**
 * One reading of a query, from its first row to its last.
 */
class Reading {
  readonly #statement: AnyQuery
  readonly #size: number
  readonly #interpreter: Interpreter
  /** A session that knows nothing, and writes nothing: each chunk starts from it. */
  readonly #blank: SessionState
  #query: OpenQuery | null = null
  #isAtEnd = false

  constructor(runtime: Runtime, statement: AnyQuery, { chunk = defaultChunk }: StreamOptions) {
    this.#statement = statement
    this.#size = chunk
    this.#interpreter = runtime.open()
    this.#blank = empty(runtime.model, { ...runtime.options, autoflush: false })
  }

  /** The next chunk; null after the last. */
  *next(): Effect<Chunk<QueryError> | null> {
    if (this.#isAtEnd) return null
    const query = this.#query === null ? yield* this.#open() : right(this.#query)
    if (isLeft(query)) return query
    this.#query = query.right
    const chunk = yield* this.#run(nextPictures(query.right, this.#size))
    if (isLeft(chunk)) return chunk
    this.#isAtEnd = chunk.right.length < this.#size
    return chunk.right.length === 0 ? null : chunk
  }

  /** Gives back what it has taken. */
  end(): Effect<void> {
    this.#isAtEnd = true
    return this.#interpreter.end()
  }

  *#open(): Effect<Either<QueryError, OpenQuery>> {
    const opened = yield* this.#run(openQuery(this.#statement, this.#size, true))
    // what the model loads by itself nobody would see
    return isLeft(opened)
      ? opened
      : right({ ...opened.right, loads: opened.right.loads.filter(({ isShown }) => isShown) })
  }

  *#run<A>(program: Program<QueryError, A>): Effect<Either<QueryError, A>> {
    const machine = new Machine(this.#blank)
    let progress: Progress = machine.start(program)
    while (progress._tag === 'Asking') {
      progress = machine.answer(yield* this.#interpreter.answer(progress.request, machine.state))
    }
    return progress.outcome[0] as Either<QueryError, A>
  }
}

type Failure = QueryError | Interrupted
type Step<A> = IteratorResult<Either<Failure, A>, undefined>

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * The chunks of one iteration. What is asked of it at the same time is done one after another, as of an async generator.
 */
class AsyncChunks implements AsyncIterator<Chunk<Failure>, undefined> {
  readonly #reading: Reading
  readonly #signal: AbortSignal | undefined
  #last: Promise<unknown> = Promise.resolve()
  #state: 'not begun' | 'open' | 'over' = 'not begun'
  /** Has it been aborted, and nobody told so? */
  #isToTell = false

  constructor(runtime: Runtime, statement: AnyQuery, { signal, ...options }: Partial<AbortableStreamOptions>) {
    this.#reading = new Reading(runtime, statement, options)
    this.#signal = signal
  }

  get isAborted(): boolean {
    return this.#signal?.aborted === true
  }

  next(): Promise<Step<ReadonlyArray<unknown>>> {
    return this.#inTurn(async () => {
      if (this.#state === 'not begun') this.#begin()
      const chunk = this.#state === 'over' || this.isAborted ? null : await this.#read()
      if (this.#state !== 'over' && this.isAborted) await this.#cut()
      if (this.#isToTell) {
        this.#isToTell = false
        return { done: false, value: interrupted }
      }
      return chunk === null ? done : { done: false, value: chunk }
    })
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    return this.#inTurn(async () => {
      this.#isToTell = false
      await this.#end()
      return done
    })
  }

  #begin(): void {
    this.#state = 'open'
    this.#signal?.addEventListener('abort', this.#onAbort)
  }

  async #read(): Promise<Chunk<QueryError> | null> {
    let chunk: Chunk<QueryError> | null = null
    try {
      const reading = drive(this.#reading.next())
      chunk = await reading
      if (!(reading instanceof Promise)) await turn()
      return chunk
    } finally {
      // at the end, after a failure, and after a defect
      if ((chunk === null || isLeft(chunk)) && !this.isAborted) await this.#end()
    }
  }

  /** The consumer may be busy for long, and need nothing more: it is not waited for. */
  readonly #onAbort = (): void => {
    void this.#inTurn(() => this.#cut())
  }

  async #cut(): Promise<void> {
    if (this.#state === 'over') return
    this.#isToTell = true
    await this.#end()
  }

  async #end(): Promise<void> {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#signal?.removeEventListener('abort', this.#onAbort)
    await drive(this.#reading.end())
  }

  #inTurn<A>(work: () => Promise<A>): Promise<A> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

/**
 * The results of one iteration, one by one.
 */
class Results implements AsyncIterator<Either<Failure, unknown>, undefined> {
  readonly #chunks: AsyncChunks
  #rows: ReadonlyArray<unknown> = []
  #next = 0
  #filling: Promise<unknown> | null = null
  #isOver = false

  constructor(chunks: AsyncChunks) {
    this.#chunks = chunks
  }

  next(): Promise<Step<unknown>> {
    if (this.#filling !== null) return this.#filling.then(() => this.next())
    if (this.#next < this.#rows.length && !this.#chunks.isAborted) return Promise.resolve(this.#take())
    return this.#fill()
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#isOver = true
    this.#rows = []
    return this.#chunks.return()
  }

  #take(): Step<unknown> {
    return { done: false, value: right(this.#rows[this.#next++]) }
  }

  #fill(): Promise<Step<unknown>> {
    const filled = this.#chunks.next().then((step): Step<unknown> => {
      this.#rows = []
      if (step.done === true || this.#isOver) return done
      if (isLeft(step.value)) return { done: false, value: step.value }
      this.#rows = step.value.right
      this.#next = 0
      return this.#take()
    })
    this.#filling = filled
      .catch(() => undefined)
      .then(() => {
        this.#filling = null
      })
    return filled
  }
}
