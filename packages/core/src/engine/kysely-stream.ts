/**
 * A statement that a Kysely connection streams, with the connection held for as long as it does.
 */
import {
  type CompiledQuery,
  createQueryId,
  type DatabaseConnection,
  type QueryExecutor,
  type QueryResult,
  RawNode,
  type UnknownRow,
} from 'kysely'
import type { DriverRow } from './call.js'
import { type Cancellation, connectionId, type KillQuery } from './mysql-cancel.js'

/** What a stream does that its driver does not. */
export interface StreamCare {
  /**
   * Queues a statement behind the stream, which hears of the connection's loss. `mysql2` tells that to no stream, which
   * would wait for its next row for ever.
   *
   * @see https://github.com/sidorares/node-mysql2/issues/3082
   */
  readonly listens: boolean
  /** How the server can be made to end the statement early. */
  readonly kill: KillQuery | null
}

/** Rows that a driver reads at a time, where it lets itself be told. */
const streamedTogether = 100

/** Rows that are read for nobody before the server is asked to stop, and between looks at what else has come. */
const fewRows = 200

const nothingToDo: CompiledQuery = {
  sql: 'do 0',
  parameters: [],
  query: RawNode.createWithSql('do 0'),
  queryId: createQueryId(),
}

interface Held {
  readonly connection: DatabaseConnection
  readonly release: () => void
}

const hold = (executor: QueryExecutor): Promise<Held> =>
  new Promise((resolve, reject) => {
    executor
      .provideConnection((connection) => new Promise<void>((release) => resolve({ connection, release })))
      .catch(reject)
  })

/** Rows that come one after another. Nothing else can be asked of the connection until they are at their end, or ended. */
export class KyselyStream {
  readonly #held: Held
  readonly #results: AsyncIterator<{ readonly rows: ReadonlyArray<DriverRow> }>
  /** What the plugins of the instance make of rows; null where there are none. */
  readonly #transform: ((rows: ReadonlyArray<DriverRow>) => Promise<ReadonlyArray<DriverRow>>) | null
  readonly #kill: (() => Cancellation) | null
  /** Rows that have come, and that nobody has taken. */
  #rows: ReadonlyArray<DriverRow> = []
  #next = 0
  #isOver = false
  /** Resolves when the statement behind this one has run, or has failed. */
  #listener: Promise<void> = Promise.resolve()
  #isLost = false
  #onLost: (() => void) | null = null
  #lossCause: unknown = null

  private constructor(
    held: Held,
    executor: QueryExecutor,
    query: CompiledQuery<DriverRow>,
    kill: (() => Cancellation) | null,
  ) {
    this.#held = held
    this.#results = held.connection.streamQuery<DriverRow>(query, streamedTogether)[Symbol.asyncIterator]()
    this.#transform = executor.plugins.length === 0 ? null : (rows) => transformed(executor, query, rows)
    this.#kill = kill
  }

  /** Streams a query. It runs from here on. Rejects where it fails. */
  static async open(
    executor: QueryExecutor,
    query: CompiledQuery<DriverRow>,
    { listens, kill }: StreamCare,
  ): Promise<KyselyStream> {
    const held = await hold(executor)
    const id = kill === null ? null : await connectionId(held.connection)
    const cancel = kill === null || id === null ? null : () => kill(id, held.connection)
    const stream = new KyselyStream(held, executor, query, cancel)
    const begun = stream.#fill()
    if (listens) stream.#listen()
    await stream.#attempt(() => begun)
    return stream
  }

  /** The next rows, as many as asked for; fewer only at the end. Rejects where the statement fails. */
  take(count: number): Promise<ReadonlyArray<DriverRow>> {
    return this.#attempt(async () => {
      const rows: DriverRow[] = []
      while (rows.length < count && (this.#next < this.#rows.length || (await this.#fill()))) {
        rows.push(this.#rows[this.#next++] as DriverRow)
      }
      return rows
    })
  }

  /**
   * Ends it, wherever it stands. Never rejects. It is read to its end, as `mysql2` does in any case, and who stops to
   * listen before that leaves nobody to hear of a failure, which then ends the process.
   */
  async end(): Promise<void> {
    let cancellation: Cancellation | null = null
    try {
      for (let read = 1; !this.#isOver; read++) {
        if (read === fewRows) cancellation = this.#kill?.() ?? null
        // rows that have come already would leave the other connection no time
        if (read % fewRows === 0) await new Promise((resolve) => setImmediate(resolve))
        await this.#orLost(this.#fill())
      }
    } catch {
      // nobody wants these rows any more
    }
    await cancellation?.settled()
    await this.#finish()
  }

  async #attempt<A>(work: () => Promise<A>): Promise<A> {
    let isWell = false
    try {
      const value = await this.#orLost(work())
      isWell = true
      return value
    } finally {
      if (!isWell || this.#isOver) await this.#finish()
    }
  }

  /** Waits for the next rows; false where there are none. Those that were left are dropped. */
  async #fill(): Promise<boolean> {
    this.#next = 0
    this.#rows = []
    while (!this.#isOver && this.#rows.length === 0) {
      const result = await this.#results.next()
      if (result.done === true) this.#isOver = true
      else this.#rows = this.#transform === null ? result.value.rows : await this.#transform(result.value.rows)
    }
    return !this.#isOver
  }

  /** The statement that listens comes after the one that is streamed. */
  #listen(): void {
    this.#listener = this.#held.connection.executeQuery(nothingToDo).then(
      () => {},
      (cause: unknown) => {
        this.#isLost = true
        this.#lossCause = cause
        this.#onLost?.()
      },
    )
  }

  #orLost<A>(work: Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#onLost = () => reject(this.#lossCause)
      if (this.#isLost && !this.#isOver) this.#onLost()
      work.then(resolve, reject)
    })
  }

  /** The connection can be asked for something else. */
  async #finish(): Promise<void> {
    this.#isOver = true
    await this.#listener
    this.#held.release()
  }
}

const transformed = async (
  { plugins }: QueryExecutor,
  { queryId }: CompiledQuery,
  rows: ReadonlyArray<DriverRow>,
): Promise<ReadonlyArray<DriverRow>> => {
  let result: QueryResult<UnknownRow> = { rows: rows as DriverRow[] }
  for (const plugin of plugins) result = await plugin.transformResult({ result, queryId })
  return result.rows
}
