/**
 * Cursors that are streams of Kysely's.
 *
 * The driver reads the answer to one statement as it comes, and until it is read to its end the connection can do nothing
 * else. So before any other call the rows that are left are set aside.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { createQueryId, SelectQueryNode } from 'kysely'
import type { DriverRow, FetchCall, OpenCursorCall } from './call.js'
import { CursorTable } from './cursor-table.js'
import { cursorNotOpen, type EngineError } from './error.js'
import type { CursorConnection, KyselyCursors } from './kysely-cursors.js'
import type { KyselyStream } from './kysely-stream.js'
import type { Spool } from './spool.js'

interface StreamCursor {
  readonly name: string
  readonly sql: string
  /** Rows of a portion, as they were asked for last. */
  portion: number
  /** Where the rows that are left come from. */
  source: { readonly _tag: 'Stream'; readonly stream: KyselyStream } | { readonly _tag: 'Spool'; readonly spool: Spool }
}

/** Rows of a portion before any was asked for. */
const firstPortion = 100

const nothing: Either<never, undefined> = right(undefined)
const queryId = createQueryId()

/** Kysely's driver of SQLite streams only what looks like a select to it. */
const selectNode = SelectQueryNode.createFrom([])

/**
 * The cursors of a connection whose driver streams.
 */
export const streamCursors = ({ classify, dialect, stream }: CursorConnection): KyselyCursors => {
  const cursors = new CursorTable<StreamCursor>()

  const attempt = async <A>(text: string, work: () => Promise<A>): Promise<Either<EngineError, A>> => {
    try {
      return right(await work())
    } catch (cause) {
      return left(classify(cause, { sql: text }))
    }
  }

  const open = async ({ hold, name, statement }: OpenCursorCall): Promise<Either<EngineError, undefined>> => {
    const free = await makeWay()
    if (isLeft(free)) return free
    const { sql, parameters } = statement
    const query = { sql, parameters: parameters.map(dialect.toDriver), query: selectNode, queryId }
    const opened = await attempt(sql, () => stream(query))
    if (isLeft(opened)) return opened
    cursors.add(name, { name, sql, source: { _tag: 'Stream', stream: opened.right }, portion: firstPortion }, hold)
    return nothing
  }

  const fetch = async ({ count, name }: FetchCall): Promise<Either<EngineError, ReadonlyArray<DriverRow>>> => {
    const cursor = cursors.get(name)
    if (cursor === undefined) return left(cursorNotOpen(name))
    const { source } = cursor
    cursor.portion = count
    const fetched = await attempt(
      cursor.sql,
      async (): Promise<ReadonlyArray<DriverRow>> =>
        source._tag === 'Spool' ? source.spool.take(count) : source.stream.take(count),
    )
    if (isLeft(fetched)) await close(name)
    return fetched
  }

  const close = async (name: string): Promise<void> => {
    const cursor = cursors.remove(name)
    if (cursor !== undefined) await end(cursor)
  }

  const makeWay = async (): Promise<Either<EngineError, undefined>> => {
    for (const cursor of cursors.all()) {
      const { source } = cursor
      if (source._tag !== 'Stream') continue
      const done = await attempt(cursor.sql, () => setAside(cursor, source.stream))
      if (isLeft(done)) {
        await close(cursor.name)
        return done
      }
    }
    return nothing
  }

  const endAll = async (ended: ReadonlyArray<StreamCursor>): Promise<void> => {
    for (const cursor of ended) await end(cursor)
  }

  return {
    call: async (call) => {
      switch (call._tag) {
        case 'OpenCursor':
          return open(call)
        case 'Fetch':
          return fetch(call)
        case 'CloseCursor':
          await close(call.name)
          return nothing
      }
    },
    makeWay,
    savepoint: (name) => cursors.savepoint(name),
    releaseSavepoint: (name) => cursors.releaseSavepoint(name),
    rollbackToSavepoint: (name) => endAll(cursors.rollbackToSavepoint(name)),
    beforeCommit: () => endAll(cursors.endUnheld()),
    committed: () => cursors.commit(),
    rollback: () => endAll(cursors.rollback()),
    clear: () => endAll(cursors.clear()),
  }
}

const setAside = async (cursor: StreamCursor, stream: KyselyStream): Promise<void> => {
  // only where it is needed: an engine that runs elsewhere than on Node may have no files
  const { Spool } = await import('./spool.js')
  const spool = new Spool(cursor.portion)
  let isWell = false
  try {
    let rows: ReadonlyArray<DriverRow>
    do {
      rows = await stream.take(cursor.portion)
      for (const row of rows) spool.append(row)
    } while (rows.length === cursor.portion)
    cursor.source = { _tag: 'Spool', spool }
    isWell = true
  } finally {
    if (!isWell) spool.close()
  }
}

const end = async ({ source }: StreamCursor): Promise<void> => {
  if (source._tag === 'Spool') source.spool.close()
  else await source.stream.end()
}
