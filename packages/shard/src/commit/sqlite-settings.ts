/**
 * Whether a database of SQLite can promise what an atomic commit takes its word for.
 *
 * A commit of one file is atomic by its journal. A commit of several attached files is only by a super-journal, which
 * SQLite writes where all of them have a rollback journal on disk: not in WAL mode, not with the journal in memory, not
 * with `synchronous` off, not where the main database is in memory. Then a crash in the middle of COMMIT may leave some of
 * the files changed.
 *
 * @see https://www.sqlite.org/lang_attach.html
 * @see https://www.sqlite.org/atomiccommit.html
 */
import { type Connection, type DriverRow, type Engine, type EngineError, engineError } from '@unitary/core'
import { call, type Effect } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type RawBuilder, sql } from 'kysely'
import { queryOf } from './decision.js'

/** A database on a connection: the main one, or one that is attached. */
export interface SqliteFile {
  readonly name: string
  /** Empty for one in memory. */
  readonly file: string
  readonly journalMode: string
  /** 0 off, 1 normal, 2 full, 3 extra. */
  readonly synchronous: number
}

const rollbackJournals: ReadonlySet<string> = new Set(['delete', 'truncate', 'persist'])

const cure = 'or have them on connections of their own, each as a shard'

/** Why a commit on these is not all or nothing; null where it is. */
export const notAtomic = (files: ReadonlyArray<SqliteFile>): string | null => {
  const onDisk = files.filter(({ file }) => file !== '')
  for (const { name, journalMode, synchronous } of onDisk) {
    if (synchronous === 0) {
      return `a crash may leave the database '${name}' half written, since its synchronous is off; set it to full`
    }
    if (journalMode === 'off' || journalMode === 'memory') {
      return `a crash may leave the database '${name}' half written, since its journal_mode is ${journalMode}; set it to wal, or to delete`
    }
  }
  if (onDisk.length < 2) return null
  if (files[0]?.file === '') {
    return `SQLite does not commit the attached files ${list(onDisk)} together, since the main database is in memory; make it a file, ${cure}`
  }
  const logged = onDisk.filter(({ journalMode }) => !rollbackJournals.has(journalMode))
  return logged.length === 0
    ? null
    : `SQLite does not commit the attached files ${list(onDisk)} together, since the journal_mode of ${list(logged)} is ${logged[0]?.journalMode}; set it to delete, truncate or persist (journalMode of sqliteEngine), ${cure}`
}

const list = (files: ReadonlyArray<SqliteFile>): string => files.map(({ name }) => `'${name}'`).join(', ')

/**
 * Checks a connection before a transaction of it begins, and has it wait for its disk: what is promised to others has to be
 * there after a failure of the power, and `normal` does not see to that in WAL mode.
 */
export function* durable(connection: Connection, engine: Engine): Effect<Either<EngineError, undefined>> {
  function* rows(pragma: RawBuilder<unknown>): Effect<Either<EngineError, ReadonlyArray<DriverRow>>> {
    const answer = yield* call(connection, queryOf(engine, pragma))
    return isLeft(answer) ? answer : right(answer.right.rows)
  }
  const listed = yield* rows(sql`pragma database_list`)
  if (isLeft(listed)) return listed
  const files: SqliteFile[] = []
  for (const { file, name } of listed.right) {
    if (name === 'temp') continue
    const schema = sql.id(String(name))
    const mode = yield* rows(sql`pragma ${schema}.journal_mode`)
    if (isLeft(mode)) return mode
    const level = yield* rows(sql`pragma ${schema}.synchronous`)
    if (isLeft(level)) return level
    files.push({
      name: String(name),
      file: typeof file === 'string' ? file : '',
      journalMode: String(mode.right[0]?.journal_mode),
      synchronous: Number(level.right[0]?.synchronous),
    })
  }
  const fault = notAtomic(files)
  if (fault !== null) return left(engineError({ _tag: 'Unsupported' }, fault))
  for (const { file, name, synchronous } of files) {
    if (file === '' || synchronous !== 1) continue
    const set = yield* rows(sql`pragma ${sql.id(name)}.synchronous = full`)
    if (isLeft(set)) return set
  }
  return right(undefined)
}
