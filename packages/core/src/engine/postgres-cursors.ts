/**
 * Cursors of PostgreSQL: DECLARE, FETCH, CLOSE.
 *
 * They are insensitive to what is written beside them, and one WITH HOLD outlives the commit: the server keeps the rows
 * that are left. The driver needs no extension for them, as it would to read one statement in portions.
 *
 * @see https://www.postgresql.org/docs/current/sql-declare.html
 */
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import { type RawBuilder, type RootOperationNode, sql } from 'kysely'
import type { DriverRow, FetchCall, OpenCursorCall } from './call.js'
import { CursorTable } from './cursor-table.js'
import { cursorNotOpen, type EngineError } from './error.js'
import type { CursorConnection, KyselyCursors } from './kysely-cursors.js'

const nothing: Either<never, undefined> = right(undefined)

/**
 * The cursors of a connection to PostgreSQL.
 */
export const postgresCursors = ({ compile, dialect, run, texts }: CursorConnection): KyselyCursors => {
  const cursors = new CursorTable<string>()

  const textOf = (key: string, command: () => RawBuilder<unknown>): string =>
    texts.get(key) ?? texts.set(key, compile(command().toOperationNode() as RootOperationNode).sql)

  const open = async ({ hold, name, statement }: OpenCursorCall): Promise<Either<EngineError, undefined>> => {
    const declaration = textOf(`declare ${hold} ${name}`, () =>
      hold
        ? sql`declare ${sql.id(name)} no scroll cursor with hold for`
        : sql`declare ${sql.id(name)} no scroll cursor for`,
    )
    const declared = await run(`${declaration} ${statement.sql}`, statement.parameters.map(dialect.toDriver))
    if (isLeft(declared)) return declared
    cursors.add(name, name, hold)
    return nothing
  }

  const fetch = async ({ count, name }: FetchCall): Promise<Either<EngineError, ReadonlyArray<DriverRow>>> => {
    if (cursors.get(name) === undefined) return left(cursorNotOpen(name))
    const fetched = await run(
      textOf(`fetch ${count} ${name}`, () => sql`fetch forward ${sql.lit(count)} from ${sql.id(name)}`),
      [],
    )
    return isLeft(fetched) ? fetched : right(fetched.right.rows)
  }

  const close = async (name: string): Promise<Either<EngineError, undefined>> => {
    if (cursors.get(name) === undefined) return nothing
    const closed = await run(
      textOf(`close ${name}`, () => sql`close ${sql.id(name)}`),
      [],
    )
    // after a failure it can be closed only when the transaction is over, with which it ends unless a commit has kept it
    if (isRight(closed)) cursors.remove(name)
    return nothing
  }

  return {
    call: (call) => {
      switch (call._tag) {
        case 'OpenCursor':
          return open(call)
        case 'Fetch':
          return fetch(call)
        case 'CloseCursor':
          return close(call.name)
      }
    },
    makeWay: () => Promise.resolve(nothing),
    savepoint: (name) => cursors.savepoint(name),
    releaseSavepoint: (name) => cursors.releaseSavepoint(name),
    // the server ends by itself what ends here
    rollbackToSavepoint: async (name) => {
      cursors.rollbackToSavepoint(name)
    },
    beforeCommit: async () => {
      cursors.endUnheld()
    },
    committed: () => cursors.commit(),
    rollback: async () => {
      cursors.rollback()
    },
    clear: async () => {
      for (const name of cursors.all()) await close(name)
    },
  }
}
