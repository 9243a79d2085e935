/**
 * Cursors on a better-sqlite3 database: iterators of its statements.
 *
 * While one is open better-sqlite3 runs queries and refuses all else, and SQLite does not say what a query gives whose
 * rows are changed under it. So the rows that are left are set aside before anything is written.
 */
import type { DriverRow, FetchCall, OpenCursorCall } from './call.js'
import { CursorTable } from './cursor-table.js'
import { Spool } from './spool.js'
import type { PreparedQuery } from './sqlite-query.js'
import { bindable } from './sqlite-writes.js'

/** Where the rows that are left come from; null where none are. */
type Source =
  | { readonly _tag: 'Iterator'; readonly iterator: Iterator<unknown> }
  | { readonly _tag: 'Spool'; readonly spool: Spool }
  | null

interface SqliteCursor {
  readonly name: string
  readonly sql: string
  readonly toRows: PreparedQuery['toRows']
  /** Rows of a portion, as they were asked for last. */
  portion: number
  source: Source
}

/** Rows of a portion before any was asked for. */
const firstPortion = 100

/**
 * The cursors of a database that is lent to one session. What SQLite throws is thrown here.
 */
export class SqliteCursors {
  readonly #cursors = new CursorTable<SqliteCursor>()
  /** How many iterators stand between two rows. */
  #iterating = 0

  /** `query` is prepared for this cursor alone: a statement that is iterated does nothing else. */
  open({ name, statement, hold }: OpenCursorCall, query: PreparedQuery): void {
    const iterator = query.statement.iterate(bindable(statement.parameters)) as Iterator<unknown>
    this.#iterating++
    this.#cursors.add(
      name,
      {
        name,
        sql: statement.sql,
        toRows: query.toRows,
        portion: firstPortion,
        source: { _tag: 'Iterator', iterator },
      },
      hold,
    )
  }

  /** The statement of an open cursor, null where there is none of that name. */
  sqlOf(name: string): string | null {
    return this.#cursors.get(name)?.sql ?? null
  }

  /** The next rows of an open cursor. */
  fetch({ name, count }: FetchCall): ReadonlyArray<DriverRow> {
    const cursor = this.#cursors.get(name)
    if (cursor === undefined || cursor.source === null) return []
    cursor.portion = count
    if (cursor.source._tag === 'Spool') return cursor.source.spool.take(count)
    const given: unknown[] = []
    this.#read(cursor, cursor.source.iterator, count, (row) => given.push(row))
    return cursor.toRows(given)
  }

  close(name: string): void {
    const cursor = this.#cursors.remove(name)
    if (cursor !== undefined) this.#end(cursor)
  }

  /** Before anything but a query: sets aside the rows that are left. */
  setAside(): void {
    if (this.#iterating === 0) return
    for (const cursor of this.#cursors.all()) {
      if (cursor.source?._tag !== 'Iterator') continue
      const spool = new Spool(cursor.portion)
      this.#read(cursor, cursor.source.iterator, Number.POSITIVE_INFINITY, (given) => {
        for (const row of cursor.toRows([given])) spool.append(row)
      })
      cursor.source = { _tag: 'Spool', spool }
    }
  }

  savepoint(name: string): void {
    this.#cursors.savepoint(name)
  }

  releaseSavepoint(name: string): void {
    this.#cursors.releaseSavepoint(name)
  }

  rollbackToSavepoint(name: string): void {
    for (const cursor of this.#cursors.rollbackToSavepoint(name)) this.#end(cursor)
  }

  /** Before a commit: ends what is not to outlive it, and sets aside what is. */
  beforeCommit(): void {
    for (const cursor of this.#cursors.endUnheld()) this.#end(cursor)
    this.setAside()
  }

  committed(): void {
    this.#cursors.commit()
  }

  rollback(): void {
    for (const cursor of this.#cursors.rollback()) this.#end(cursor)
  }

  clear(): void {
    for (const cursor of this.#cursors.clear()) this.#end(cursor)
  }

  /** Reads on, at most so many rows. What fails has no rows left to be told. */
  #read(cursor: SqliteCursor, iterator: Iterator<unknown>, count: number, give: (row: unknown) => void): void {
    let isWell = false
    try {
      for (let i = 0; i < count; i++) {
        const step = iterator.next()
        if (step.done === true) {
          cursor.source = null
          this.#iterating--
          break
        }
        give(step.value)
      }
      isWell = true
    } finally {
      if (!isWell) this.close(cursor.name)
    }
  }

  #end(cursor: SqliteCursor): void {
    const { source } = cursor
    cursor.source = null
    if (source === null) return
    if (source._tag === 'Spool') {
      source.spool.close()
    } else {
      this.#iterating--
      source.iterator.return?.()
    }
  }
}
