/**
 * A database that takes no time: it gives new rows the next ids, and queries the rows that it was made with. What is
 * measured on it is the library alone.
 */
import type { Answer, DriverRow, Engine, EngineCall, SyncConnection } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import Database from 'better-sqlite3'
import { right } from 'fp-ts/lib/Either.js'

const answer = (call: EngineCall, rows: ReadonlyArray<DriverRow>): unknown => {
  switch (call._tag) {
    case 'Query':
      return { rows, affected: 0 }
    case 'Insert':
      return call.returning.length === 0 ? [] : [call.rows.map((_, i) => i + 1)]
    case 'Update':
      return { matched: call.rows.map(() => 1), returned: [] }
    case 'Delete':
      return call.rows.map(() => 1)
    case 'Fetch':
      return []
    default:
      return undefined
  }
}

export const instantEngine = (rows: ReadonlyArray<DriverRow> = []): Engine => {
  const connection: SyncConnection = {
    _tag: 'SyncConnection',
    call: <C extends EngineCall>(call: C) => right(answer(call, rows) as Answer<C>),
    release: () => {},
  }
  return {
    ...sqliteEngine(new Database(':memory:')),
    connect: () => Promise.resolve(right(connection)),
    connectSync: () => right(connection),
    close: () => Promise.resolve(),
  }
}
