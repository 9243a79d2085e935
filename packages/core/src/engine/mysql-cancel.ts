/**
 * Ending a statement of MySQL before it has given all of its rows.
 *
 * The protocol has no word for it: the connection has to read on to the last row, or another connection has to say KILL
 * QUERY. Nobody else's statement may be hit by that, so the connection goes on to nothing else while a KILL is under way,
 * and one that has not got a connection by the time that it is needless is not sent.
 */
import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import { type Kysely, sql } from 'kysely'
import type { DriverRow } from './call.js'
import type { EngineError } from './error.js'

/** A statement that is being ended. */
export interface Cancellation {
  /** The connection has read to the end: waits until it can go on. Never rejects. */
  readonly settled: () => Promise<void>
}

/** Starts to end what a connection is at. Never rejects. */
export type Cancel = () => Cancellation

type Run = (
  sql: string,
  parameters: ReadonlyArray<unknown>,
) => Promise<Either<EngineError, { readonly rows: ReadonlyArray<DriverRow> }>>

/**
 * Asks a connection that is free how it can be stopped later on; null where it does not tell.
 *
 * @category constructors
 */
export const mysqlCancel = async (run: Run, elsewhere: Kysely<unknown>): Promise<Cancel | null> => {
  const answer = await run('select connection_id() as id', [])
  const id = isLeft(answer) ? Number.NaN : Number(answer.right.rows[0]?.id)
  return Number.isSafeInteger(id) ? () => cancel(id, run, elsewhere) : null
}

const cancel = (id: number, run: Run, elsewhere: Kysely<unknown>): Cancellation => {
  let isSettled = false
  let killing: Promise<unknown> | null = null
  elsewhere
    .connection()
    .execute(async (other) => {
      if (isSettled) return
      killing = sql`kill query ${sql.lit(id)}`.execute(other)
      await killing
    })
    .catch(() => {})
  return {
    settled: async () => {
      isSettled = true
      if (killing === null) return
      await killing.catch(() => {})
      // where the statement was over before the KILL came, the next one may be hit by it
      await run('do 0', [])
    },
  }
}
