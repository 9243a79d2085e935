/**
 * Counting what the databases are asked.
 *
 * An engine is a record of functions, so a wrapper around it sees every call and can count: no logging hooks, no
 * instrumented driver.
 */
import type {
  Answer,
  AsyncConnection,
  Connection,
  Engine,
  EngineCall,
  EngineError,
  SyncConnection,
} from '@unitary/core'
import * as Either from 'fp-ts/lib/Either.js'

/** What was asked, from one reading of the meter to the next. */
export interface Reading {
  /** The shards that were asked anything at all. */
  readonly shards: ReadonlySet<string>
  /** Statements, without those that begin and end transactions. A batch of rows of one shape counts once. */
  readonly statements: number
  /** Rows that were read or written. */
  readonly rows: number
}

export interface Meter {
  /** The same engine, under the meter. */
  readonly watch: (shard: string, engine: Engine) => Engine
  /** What was asked since the last reading. */
  readonly read: () => Reading
}

/** A meter that tells of rows as they are read and written. */
export const createMeter = (onRows: (rows: number) => void): Meter => {
  let shards = new Set<string>()
  let statements = 0
  let rows = 0

  const count = (shard: string, call: EngineCall, answer: Either.Either<EngineError, unknown>): void => {
    shards.add(shard)
    if (!isStatement(call)) return
    const met = Either.isRight(answer) ? rowsOf(call, answer.right as Answer<typeof call>) : 0
    statements += 1
    rows += met
    onRows(met)
  }

  return {
    watch: (shard, engine) => watchEngine(engine, (call, answer) => count(shard, call, answer)),
    read: () => {
      const reading: Reading = { shards, statements, rows }
      shards = new Set()
      statements = 0
      rows = 0
      return reading
    },
  }
}

type Statement = Extract<EngineCall, { readonly _tag: 'Query' | 'Insert' | 'Update' | 'Delete' }>

const isStatement = (call: EngineCall): call is Statement =>
  call._tag === 'Query' || call._tag === 'Insert' || call._tag === 'Update' || call._tag === 'Delete'

const rowsOf = (call: Statement, answer: Answer<Statement>): number => {
  if (call._tag === 'Insert') return call.rows.length
  if ('rows' in answer) return answer.rows.length + answer.affected
  return sum('matched' in answer ? answer.matched : (answer as ReadonlyArray<number>))
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, n) => total + n, 0)

type Seen = (call: EngineCall, answer: Either.Either<EngineError, unknown>) => void

const watchEngine = (engine: Engine, seen: Seen): Engine => {
  const { connect, connectSync } = engine
  return {
    ...engine,
    connect: async () => Either.map((connection: Connection) => watchConnection(connection, seen))(await connect()),
    connectSync:
      connectSync && (() => Either.map((connection: SyncConnection) => watchSync(connection, seen))(connectSync())),
  }
}

const watchConnection = (connection: Connection, seen: Seen): Connection =>
  connection._tag === 'SyncConnection' ? watchSync(connection, seen) : watchAsync(connection, seen)

const watchSync = (connection: SyncConnection, seen: Seen): SyncConnection => ({
  ...connection,
  call: (call) => {
    const answer = connection.call(call)
    seen(call, answer)
    return answer
  },
})

const watchAsync = (connection: AsyncConnection, seen: Seen): AsyncConnection => ({
  ...connection,
  call: async (call) => {
    const answer = await connection.call(call)
    seen(call, answer)
    return answer
  },
})
