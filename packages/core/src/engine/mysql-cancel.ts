/**
 * Ending a statement of MySQL before it has given all of its rows.
 *
 * The protocol has no word for it: the connection has to read on to the last row, or another connection has to say KILL
 * QUERY. Nobody else's statement may be hit by that, so the connection goes on to nothing else while a KILL is under way,
 * and one that has got no connection by the time that it is needless is not sent.
 */
import { CompiledQuery, type DatabaseConnection, type Kysely, sql } from 'kysely'

/** A statement that is being ended. */
export interface Cancellation {
  /** The connection has read to the end: waits until it can go on. Never rejects. */
  readonly settled: () => Promise<void>
}

/** Starts to end what a connection is at, by its number at the server. Never throws. */
export type KillQuery = (id: number, connection: DatabaseConnection) => Cancellation

/** The number of a connection at the server; null where it does not tell. */
export const connectionId = async (connection: DatabaseConnection): Promise<number | null> => {
  const ignored = { rows: [] as ReadonlyArray<{ readonly id?: unknown }> }
  const { rows } = await connection
    .executeQuery<{ readonly id?: unknown }>(CompiledQuery.raw('select connection_id() as id'))
    .catch(() => ignored)
  const id = Number(rows[0]?.id)
  return Number.isSafeInteger(id) ? id : null
}

/**
 * Kills queries by another connection of the same pool.
 *
 * @category constructors
 */
export const killQuery =
  (pool: Kysely<unknown>): KillQuery =>
  (id, connection) => {
    let isSettled = false
    let killing: Promise<unknown> | null = null
    pool
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
        await connection.executeQuery(CompiledQuery.raw('do 0')).catch(() => {})
      },
    }
  }
