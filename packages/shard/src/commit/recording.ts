/**
 * What a transaction has done on one shard, as far as its commit has to know: whether it has written, whether it has locked
 * what it read, whether it is read on after the commit, and, where that may have to be stored and done again, every write.
 *
 * A statement counts as one that only reads where its text begins with SELECT and it has changed no row. A function that
 * writes is not seen in a SELECT; a statement that begins with WITH counts as a write.
 */
import { createHash, type Hash } from 'node:crypto'
import type { Answer, Connection, EngineCall, EngineError, QueryAnswer } from '@unitary/core'
import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import { encodeWrite, type StoredWrite, storedWrite, type WriteCall } from './stored-write.js'

interface Mark {
  readonly name: string
  readonly hasWritten: boolean
  readonly hasLocked: boolean
  readonly writes: number
  readonly hash: Hash | null
}

/** What is kept of the writes: nothing, their digest, or themselves. */
export interface Keeping {
  readonly writes: boolean
  readonly digest: boolean
}

/** Of one transaction on one shard. */
export class Recording {
  readonly #keeping: Keeping
  #hasWritten = false
  #hasLocked = false
  #writes: StoredWrite[] = []
  #hash: Hash | null = null
  #marks: ReadonlyArray<Mark> = []
  readonly #cursors = new Set<string>()

  constructor(keeping: Keeping) {
    this.#keeping = keeping
  }

  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** Has it locked what it read? */
  get hasLocked(): boolean {
    return this.#hasLocked
  }

  /** Has it opened a query that is read on after the commit? */
  get hasCursor(): boolean {
    return this.#cursors.size > 0
  }

  /** In the order in which they were made, without those that a savepoint has undone. */
  get writes(): ReadonlyArray<StoredWrite> {
    return this.#writes
  }

  /** Of the same; null where there are none, or none is kept. */
  digest(): string | null {
    return this.#hash?.copy().digest('hex') ?? null
  }

  note<C extends EngineCall>(call: C, answer: Either<EngineError, Answer<C>>): void {
    switch (call._tag) {
      case 'Insert':
      case 'Update':
      case 'Delete':
        this.#wrote(call, answer)
        return
      case 'Query': {
        const { sql } = call.statement
        if (!isRead(sql) || (!isLeft(answer) && (answer.right as QueryAnswer).affected > 0)) this.#wrote(call, answer)
        else if (locks.test(sql)) this.#hasLocked = true
        return
      }
      case 'OpenCursor':
        if (locks.test(call.statement.sql)) this.#hasLocked = true
        if (call.hold) this.#cursors.add(call.name)
        return
      case 'CloseCursor':
        this.#cursors.delete(call.name)
        return
      case 'Savepoint':
        this.#marks = [
          ...this.#marks,
          {
            name: call.name,
            hasWritten: this.#hasWritten,
            hasLocked: this.#hasLocked,
            writes: this.#writes.length,
            hash: this.#hash?.copy() ?? null,
          },
        ]
        return
      case 'RollbackToSavepoint':
        this.#undo(call.name)
        return
      default:
        return
    }
  }

  #wrote(call: WriteCall, answer: Either<EngineError, unknown>): void {
    this.#hasWritten = true
    if (this.#keeping.digest) {
      this.#hash ??= createHash('sha256')
      this.#hash.update(encodeWrite(call))
    }
    // one that failed has its transaction or savepoint rolled back
    if (this.#keeping.writes && !isLeft(answer)) {
      this.#writes.push(storedWrite(call, answer.right as Answer<WriteCall>))
    }
  }

  #undo(name: string): void {
    const at = this.#marks.findLastIndex((mark) => mark.name === name)
    const mark = this.#marks[at]
    if (mark === undefined) return
    this.#marks = this.#marks.slice(0, at + 1)
    this.#hasWritten = mark.hasWritten
    this.#hasLocked = mark.hasLocked
    this.#writes.length = mark.writes
    this.#hash = mark.hash?.copy() ?? null
  }
}

/** A connection on which is noted what the open transaction does. The session may keep it from one to the next. */
export interface Noted {
  readonly connection: Connection
  recording: Recording
}

/** Does a statement only read, as far as its text tells? */
export const isRead = (sql: string): boolean => /^\s*select\b/i.test(sql)

const locks = /\bfor\s+(?:no\s+key\s+|key\s+)?(?:update|share)\b|\block\s+in\s+share\s+mode\b/i

/** The connection, with every call noted. */
export const recorded = (noted: Noted): Connection => {
  const { connection } = noted
  return connection._tag === 'SyncConnection'
    ? {
        _tag: 'SyncConnection',
        call: (asked) => {
          const answer = connection.call(asked)
          noted.recording.note(asked, answer)
          return answer
        },
        release: () => connection.release(),
      }
    : {
        _tag: 'AsyncConnection',
        call: async (asked) => {
          const answer = await connection.call(asked)
          noted.recording.note(asked, answer)
          return answer
        },
        release: () => connection.release(),
        ...(connection.discard === undefined ? {} : { discard: connection.discard }),
      }
}
