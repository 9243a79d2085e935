/**
 * An engine that tells what it was asked: every call of every connection, in order.
 */
import type { Answer, Connection, Engine, EngineCall, EngineError, SyncConnection } from '@unitary/core'
import { engineError } from '@unitary/core'
import { type Either, left } from 'fp-ts/lib/Either.js'

/** A call, and the shard that it came to. */
export interface Asked {
  readonly shard: string
  readonly call: EngineCall
}

/** What the engines of one map were asked, and what is to go wrong. */
export interface Journal {
  readonly asked: Asked[]
  /** Fails a call instead of passing it on; null lets it pass. */
  fault: ((shard: string, call: EngineCall) => EngineError | null) | null
}

export const journal = (): Journal => ({ asked: [], fault: null })

/** Any failure will do. */
export const outage = (message: string): EngineError => engineError({ _tag: 'ConnectionLost' }, message)

/** The engine, with every call written into the journal. `waits` makes it answer by promises. */
export const counting = (engine: Engine, shard: string, journal: Journal, waits = false): Engine => {
  const perform = <C extends EngineCall>(connection: SyncConnection, call: C): Either<EngineError, Answer<C>> => {
    journal.asked.push({ shard, call })
    const fault = journal.fault?.(shard, call) ?? null
    return fault === null ? connection.call(call) : left(fault)
  }
  const wrap = (connection: SyncConnection): SyncConnection => ({
    ...connection,
    call: (call) => perform(connection, call),
  })
  const wrapWaiting = (connection: SyncConnection): Connection => ({
    _tag: 'AsyncConnection',
    call: async (call) => {
      await Promise.resolve()
      return perform(connection, call)
    },
    release: async () => connection.release(),
  })
  const { connectSync } = engine
  if (connectSync === null) throw new Error('the tests count synchronous engines')
  return {
    ...engine,
    capabilities: { ...engine.capabilities, synchronous: !waits },
    connect: async () => {
      const connected = await engine.connect()
      if (connected._tag === 'Left') return connected
      const connection = connected.right as SyncConnection
      return { _tag: 'Right', right: waits ? wrapWaiting(connection) : wrap(connection) }
    },
    connectSync: waits
      ? null
      : () => {
          const connected = connectSync()
          return connected._tag === 'Left' ? connected : { _tag: 'Right', right: wrap(connected.right) }
        },
  }
}

/** The text of each query, fetched at once or in portions, and the table of each write, by shard: `asia: select weather_locations`. */
export const summaries = (asked: ReadonlyArray<Asked>): ReadonlyArray<string> =>
  asked.flatMap(({ shard, call }) => {
    switch (call._tag) {
      case 'Query':
      case 'OpenCursor':
        return [`${shard}: ${summaryOf(call.statement.sql)}`]
      case 'Insert':
      case 'Update':
      case 'Delete':
        return [`${shard}: ${call._tag.toLowerCase()} ${call.table} (${call.rows.length})`]
      default:
        return []
    }
  })

const summaryOf = (sql: string): string => {
  const table = /(?:from|update) "?(\w+)"?/.exec(sql)?.[1] ?? '?'
  const verb = sql.slice(0, sql.indexOf(' '))
  return verb === 'select' ? `select ${table}` : `bulk ${verb} ${table}`
}
