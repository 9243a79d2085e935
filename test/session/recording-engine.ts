/**
 * An engine that writes down what it is asked: for tests that say how many statements ran, and which.
 */
import type { Connection, Engine, EngineCall, SyncConnection } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'

export interface Recording {
  readonly engine: Engine
  /** What was asked so far, in order. */
  readonly calls: ReadonlyArray<EngineCall>
  /** Forgets what was asked so far. */
  readonly clear: () => void
}

export const recordingEngine = (engine: Engine): Recording => {
  const calls: EngineCall[] = []
  const asyncConnection = (connection: Connection): Connection =>
    connection._tag === 'SyncConnection'
      ? syncConnection(connection)
      : {
          ...connection,
          call: (call) => {
            calls.push(call)
            return connection.call(call)
          },
        }
  const syncConnection = (connection: SyncConnection): SyncConnection => ({
    ...connection,
    call: (call) => {
      calls.push(call)
      return connection.call(call)
    },
  })
  const { connectSync } = engine
  return {
    calls,
    clear: () => {
      calls.length = 0
    },
    engine: {
      ...engine,
      // they may become more with the first connection
      get capabilities() {
        return engine.capabilities
      },
      connect: async () => {
        const connected = await engine.connect()
        return isLeft(connected) ? connected : right(asyncConnection(connected.right))
      },
      connectSync:
        connectSync === null
          ? null
          : () => {
              const connected = connectSync()
              return isLeft(connected) ? connected : right(syncConnection(connected.right))
            },
    },
  }
}

/** A call in a few words: a write by its table and rows, anything else by its SQL or its tag. */
export const briefly = (call: EngineCall): string => {
  switch (call._tag) {
    case 'Query':
      return call.statement.sql
    case 'Insert':
    case 'Update':
    case 'Delete':
      return `${call._tag} ${call.table} ${call.rows.length}`
    case 'Begin':
    case 'Commit':
    case 'Rollback':
      return call._tag
    default:
      return 'name' in call ? `${call._tag} ${call.name}` : call._tag
  }
}

/** Is it about rows, rather than about transactions? */
export const isStatement = (call: EngineCall): boolean =>
  call._tag === 'Query' || call._tag === 'Insert' || call._tag === 'Update' || call._tag === 'Delete'
