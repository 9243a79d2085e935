/**
 * Giving up a connection of a pool: one that hangs is closed, so that nobody gets it again, and what the server is at for it
 * is ended there.
 *
 * Kysely hands no driver's connection out. A pool that is known tells of each that it makes, and each has a number at the
 * server, by which the one that Kysely holds is found among them.
 */
import { CompiledQuery, type DatabaseConnection, type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.js'
import { connectionId } from './mysql-cancel.js'

/**
 * The pool of `pg` or `mysql2` that a dialect was made with.
 *
 * @category model
 */
export type DriverPool =
  | { on(event: 'connect', listener: (connection: PgConnection) => void): unknown }
  | { on(event: 'connection', listener: (connection: MysqlConnection) => void): unknown }

/** What is known of a connection of `pg`. */
interface PgConnection {
  readonly processID?: number | null
  readonly end: () => Promise<void>
}

/** What is known of a connection of `mysql2`. */
interface MysqlConnection {
  readonly threadId: number | null
  readonly destroy: () => void
}

/** The connections of one pool. Nothing rejects. */
export class PoolConnections {
  readonly #kysely: Kysely<unknown>
  readonly #dialect: Dialect['name']
  readonly #made = new Set<PgConnection | MysqlConnection>()
  /** The numbers of Kysely's connections at the server. */
  readonly #ids = new WeakMap<DatabaseConnection, number>()

  constructor(kysely: Kysely<unknown>, dialect: Dialect['name'], pool: DriverPool) {
    this.#kysely = kysely
    this.#dialect = dialect
    const note = (connection: PgConnection | MysqlConnection): void => {
      this.#made.add(connection)
      // it is not kept longer than its pool keeps it
      const { once } = connection as { readonly once?: (event: string, listener: () => void) => unknown }
      once?.call(connection, 'end', () => this.#made.delete(connection))
    }
    const { on } = pool as { readonly on: (event: string, listener: typeof note) => unknown }
    on.call(pool, dialect === 'mysql' ? 'connection' : 'connect', note)
  }

  /** The number of a connection at the server, asked once; null where it does not tell. */
  async identify(db: Kysely<unknown>): Promise<number | null> {
    return db.getExecutor().provideConnection(async (connection) => {
      const known = this.#ids.get(connection)
      if (known !== undefined) return known
      const id = this.#dialect === 'mysql' ? await connectionId(connection) : await backendId(connection)
      if (id !== null) this.#ids.set(connection, id)
      return id
    })
  }

  /** Closes a connection, whatever it is at, and has the server end what that was. */
  discard(id: number): void {
    this.#close(id)
    this.#kysely
      .connection()
      .execute((other) => this.#end(id, other))
      .catch(() => {})
  }

  /** By another connection, which may hang too where the network does. */
  async #end(id: number, other: Kysely<unknown>): Promise<void> {
    const own = await this.identify(other)
    const timer = setTimeout(() => own !== null && this.#close(own), patience)
    const end = this.#dialect === 'mysql' ? sql`kill ${sql.lit(id)}` : sql`select pg_terminate_backend(${sql.lit(id)})`
    await end.execute(other).finally(() => clearTimeout(timer))
  }

  #close(id: number): void {
    for (const connection of this.#made) {
      if (idOf(connection) !== id) continue
      this.#made.delete(connection)
      close(connection)
    }
  }
}

/** How many milliseconds a server has to end a connection. */
const patience = 2000

const idOf = (connection: PgConnection | MysqlConnection): number | null | undefined =>
  'destroy' in connection ? connection.threadId : connection.processID

const close = (connection: PgConnection | MysqlConnection): void => {
  if ('destroy' in connection) connection.destroy()
  else {
    // with a query under way it closes its socket at once
    connection.end().catch(() => {})
  }
}

const backendId = async (connection: DatabaseConnection): Promise<number | null> => {
  const ignored = { rows: [] as ReadonlyArray<{ readonly id?: unknown }> }
  const { rows } = await connection
    .executeQuery<{ readonly id?: unknown }>(CompiledQuery.raw('select pg_backend_pid() as id'))
    .catch(() => ignored)
  const id = Number(rows[0]?.id)
  return Number.isSafeInteger(id) ? id : null
}
