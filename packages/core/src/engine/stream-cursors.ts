/**
 * Cursors that are streams of Kysely's.
 *
 * The driver reads the answer to one statement as it comes, and until it is read to its end the connection can do nothing
 * else. So before any other call the rows that are left are set aside.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { createQueryId, type QueryResult, SelectQueryNode } from 'kysely'
import type { CompiledStatement, DriverRow, FetchCall, OpenCursorCall } from './call.js'
import { CursorTable } from './cursor-table.js'
import { cursorNotOpen, type EngineError } from './error.js'
import type { CursorConnection, KyselyCursors } from './kysely-cursors.js'
import type { Cancel, Cancellation } from './mysql-cancel.js'
import type { Spool } from './spool.js'

/** Results as the driver gives them, and the rows of the last one that nobody has taken. */
interface Stream {
  readonly _tag: 'Stream'
  readonly results: AsyncIterator<QueryResult<DriverRow>>
  readonly cancel: Cancel | null
  rows: ReadonlyArray<DriverRow>
  next: number
}

interface StreamCursor {
  readonly name: string
  readonly sql: string
  /** Rows of a portion, as they were asked for last. */
  portion: number
  /** Where the rows that are left come from; null where none are. */
  source: Stream | { readonly _tag: 'Spool'; readonly spool: Spool } | null
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
export const streamCursors = ({ canceller, classify, dialect, stream }: CursorConnection): KyselyCursors => {
  const cursors = new CursorTable<StreamCursor>()

  const attempt = async <A>(text: string, work: () => Promise<A>): Promise<Either<EngineError, A>> => {
    try {
      return right(await work())
    } catch (cause) {
      return left(classify(cause, { sql: text }))
    }
  }

  /** The statement runs from here on, rather than from the first fetch on. */
  const begin = async ({ parameters, sql: text }: CompiledStatement): Promise<Stream | null> => {
    const query = { sql: text, parameters: parameters.map(dialect.toDriver), query: selectNode, queryId }
    const cancel = await canceller()
    const results = stream(query)[Symbol.asyncIterator]()
    const first = await results.next()
    return first.done === true ? null : { _tag: 'Stream', results, cancel, rows: first.value.rows, next: 0 }
  }

  const open = async ({ hold, name, statement }: OpenCursorCall): Promise<Either<EngineError, undefined>> => {
    const free = await makeWay()
    if (isLeft(free)) return free
    const source = await attempt(statement.sql, () => begin(statement))
    if (isLeft(source)) return source
    cursors.add(name, { name, sql: statement.sql, source: source.right, portion: firstPortion }, hold)
    return nothing
  }

  const fetch = async ({ count, name }: FetchCall): Promise<Either<EngineError, ReadonlyArray<DriverRow>>> => {
    const cursor = cursors.get(name)
    if (cursor === undefined) return left(cursorNotOpen(name))
    cursor.portion = count
    const fetched = await attempt(cursor.sql, () => portionOf(cursor, count))
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
      if (source?._tag !== 'Stream') continue
      const done = await attempt(cursor.sql, () => setAside(cursor, source))
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

const portionOf = async (cursor: StreamCursor, count: number): Promise<ReadonlyArray<DriverRow>> => {
  const { source } = cursor
  if (source === null) return []
  if (source._tag === 'Spool') return source.spool.take(count)
  const rows: DriverRow[] = []
  while (rows.length < count && (await hasNext(source))) rows.push(source.rows[source.next++] as DriverRow)
  if (rows.length < count) cursor.source = null
  return rows
}

/** Is there a row to be taken? A promise only where the driver has to be asked: rows may come one by one. */
const hasNext = (stream: Stream): boolean | Promise<boolean> =>
  stream.next < stream.rows.length ||
  stream.results.next().then((result) => {
    if (result.done === true) return false
    stream.rows = result.value.rows
    stream.next = 0
    return hasNext(stream)
  })

const setAside = async (cursor: StreamCursor, stream: Stream): Promise<void> => {
  // only where it is needed: an engine that runs elsewhere than on Node may have no files
  const { Spool } = await import('./spool.js')
  const spool = new Spool(cursor.portion)
  while (await hasNext(stream)) spool.append(stream.rows[stream.next++] as DriverRow)
  cursor.source = { _tag: 'Spool', spool }
}

/** Results that are read to their end in any case, before anybody is asked to cut them short. */
const fewResults = 1000

/**
 * Ends a cursor. A stream that stands between two rows is read to its end: `mysql2` reads on in any case, and who leaves it
 * in the middle leaves nobody to hear of a connection that breaks meanwhile, which then ends the process.
 */
const end = async ({ source }: StreamCursor): Promise<void> => {
  if (source?._tag === 'Spool') source.spool.close()
  if (source?._tag !== 'Stream') return
  let cancellation: Cancellation | null = null
  try {
    for (let i = 0; (await source.results.next()).done !== true; i++) {
      if (i === fewResults) cancellation = source.cancel?.() ?? null
    }
  } catch {
    // nobody wants these rows any more
  }
  await cancellation?.settled()
}
