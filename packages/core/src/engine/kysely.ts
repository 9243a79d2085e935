/**
 * The engine of any database that Kysely reaches: PostgreSQL with `pg`, MySQL and MariaDB with `mysql2`, SQLite, and
 * what the community has dialects for.
 *
 * Statements go through the Kysely instance as the application made it, its plugins and its log included.
 *
 * @example
 * import { PostgresDialect } from 'kysely'
 * import { Pool } from 'pg'
 * import { kyselyEngine } from '@unitary/core/engine/kysely'
 *
 * const pool = new Pool({ database: 'shop' })
 * // pg ends the process when a connection breaks that nobody listens to
 * pool.on('error', console.error)
 * pool.on('connect', (client) => client.on('error', console.error))
 * const engine = kyselyEngine(new PostgresDialect({ pool }))
 */
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import {
  createQueryId,
  type DialectAdapter,
  Kysely,
  type Dialect as KyselyDialect,
  MysqlAdapter,
  PostgresAdapter,
  type RootOperationNode,
  SqliteAdapter,
  sql,
} from 'kysely'
import { boundedCache } from './bounded-cache.js'
import type { Answer, CompiledStatement, EngineCall } from './call.js'
import type { Capabilities, Dialect, Returning } from './dialect.js'
import type { AsyncConnection, Engine } from './engine.js'
import { type EngineError, engineError } from './error.js'
import type { ErrorDetails } from './error-parts.js'
import { toBigint } from './from-driver.js'
import { type AnyKysely, type KyselyCallContext, kyselyCalls } from './kysely-calls.js'
import { type DriverPool, PoolConnections } from './kysely-discard.js'
import { mysqlDialect, mysqlReturning, returningOf } from './mysql-dialect.js'
import { mysqlError } from './mysql-error.js'
import { postgresDialect, postgresReturning } from './postgres-dialect.js'
import { postgresError } from './postgres-error.js'
import { sqliteDialect, sqliteReturning } from './sqlite-dialect.js'
import { sqliteError } from './sqlite-error.js'

/**
 * @category model
 */
export interface KyselyEngineOptions {
  /** Which SQL the database speaks, where Kysely's adapter does not tell. */
  readonly dialect?: Dialect['name']
  /** Inserts row by row where generated values are asked for; false by default, and slower. See `sqliteEngine`. */
  readonly rowByRow?: boolean
  /**
   * Whether a query of MySQL that nobody reads to its end is ended at the server, by a KILL QUERY on another connection of
   * the pool; true by default. Without it all of its rows are still read, for nobody. `false` behind a proxy that gives
   * each statement another connection.
   */
  readonly killsQueries?: boolean
  /**
   * Whether transactions can be prepared, for commits over several databases: by PREPARE TRANSACTION on PostgreSQL, which
   * has to allow it (`max_prepared_transactions`), by XA on MySQL and MariaDB. True by default for these; `false` for
   * databases that speak their SQL and do not have it (YugabyteDB, TiDB).
   */
  readonly twoPhase?: boolean
  /**
   * The pool of `pg` or `mysql2` that the dialect was made with. With it a connection that is given up, as one that hangs is
   * (see `Connection.discard`), is closed and leaves the pool, and its server ends what it was at for it. Without it such a
   * connection stays taken until its call has been answered. Each connection of the pool is asked for its number once.
   *
   * A connection that is still being made is the pool's own: give it a time (`connectionTimeoutMillis` of `pg`,
   * `connectTimeout` of `mysql2`).
   */
  readonly pool?: DriverPool
  /**
   * How many compiled statements are kept, each for all statements that differ in values only (see `compileStatistics`);
   * 500 by default. 0 keeps none, and is the default where the Kysely instance has plugins: one of them may look at values
   * to make SQL, and never sees them when a statement is compiled for many. So may a dialect's own query compiler.
   */
  readonly compiledStatements?: number
}

interface Kind {
  readonly dialect: Dialect
  readonly classify: (cause: unknown, details?: ErrorDetails) => EngineError
  /** What any server of the dialect gives back. */
  readonly returning: Returning
}

/** Drivers that read all integers as numbers; as text they come as they are. */
const kyselySqliteDialect: Dialect = {
  ...sqliteDialect,
  fromDriver: (kind) => (kind === 'bigint' ? toBigint : sqliteDialect.fromDriver(kind)),
  selectedAs: (kind) => (kind === 'bigint' ? { by: null, type: 'text' } : null),
}

const kinds: Readonly<Record<Dialect['name'], Kind>> = {
  sqlite: { dialect: kyselySqliteDialect, classify: sqliteError, returning: sqliteReturning },
  postgres: { dialect: postgresDialect, classify: postgresError, returning: postgresReturning },
  mysql: { dialect: mysqlDialect, classify: mysqlError, returning: mysqlReturning },
}

/** By class, or by its name where the application has another copy of Kysely or an adapter of its own. */
const dialectOf = (adapter: DialectAdapter): Dialect['name'] | null => {
  const { name } = adapter.constructor
  if (adapter instanceof PostgresAdapter || /postgres|pglite/i.test(name)) return 'postgres'
  if (adapter instanceof MysqlAdapter || /mysql|mariadb/i.test(name)) return 'mysql'
  if (adapter instanceof SqliteAdapter || /sqlite/i.test(name)) return 'sqlite'
  return null
}

const queryId = createQueryId()
const unavailable = (message: string): EngineError => engineError({ _tag: 'Unavailable' }, message)
const engineClosed = unavailable('the engine is closed')
const released = unavailable('the connection has been given back')

const unknownDialect = (adapter: DialectAdapter): EngineError =>
  engineError(
    { _tag: 'Unsupported' },
    `kyselyEngine does not know which SQL ${adapter.constructor.name} speaks; give it the option dialect`,
  )

/** One connection held until `release`. */
interface Held {
  readonly db: AnyKysely
  readonly release: () => Promise<void>
}

/** The same, and what is known of it. */
interface Known extends Held {
  /** Its number at the server. */
  readonly id: number | null
}

/** Takes a connection out of Kysely's hands for as long as wanted: `connection().execute` holds one while its callback runs. */
const hold = (kysely: AnyKysely): Promise<Held> =>
  new Promise((resolve, reject) => {
    let finish = (): void => {}
    const finished = new Promise<void>((done) => {
      finish = done
    })
    const holding = kysely.connection().execute((db) => {
      resolve({
        db,
        release: () => {
          finish()
          return holding.catch(() => {})
        },
      })
      return finished
    })
    holding.catch(reject)
  })

/** What the server on the other end gives back; null where it does not say. */
const askReturning = async (db: AnyKysely): Promise<Returning | null> => {
  try {
    const { rows } = await sql<{ readonly version: unknown }>`select version() as version`.execute(db)
    return rows[0] === undefined ? null : returningOf(String(rows[0].version))
  } catch {
    // what is wrong with the connection shows in its first call
    return null
  }
}

/**
 * The engine of a Kysely instance, or of a Kysely dialect. `close` destroys the instance.
 *
 * Rows come as the driver gives them, through the instance's plugins. An Insert, Update or Delete of several rows
 * outside a transaction is one of its own; within a transaction a call that fails may have written some of its rows,
 * and leaves a transaction of PostgreSQL fit for nothing but a rollback.
 *
 * MySQL and MariaDB are told apart by asking the server, once, with the first connection: until then `capabilities` are
 * those of MySQL.
 *
 * How the pool has its driver read dates, decimals and large integers makes no difference to entities: such columns are
 * selected as text. Rows of `sql` come as the driver gives them.
 *
 * Cursors are PostgreSQL's own, with no need of `pg-cursor`; it plans a query for its first rows then (see its setting
 * `cursor_tuple_fraction`). On other databases they are the driver's streams, beside which the connection does nothing
 * else: the rows that are left are set aside before any other statement, in a temporary file where they are many.
 *
 * @category constructors
 */
export const kyselyEngine = (source: AnyKysely | KyselyDialect, options: KyselyEngineOptions = {}): Engine => {
  const kysely: AnyKysely = 'getExecutor' in source ? source : new Kysely({ dialect: source })
  const executor = kysely.getExecutor()
  const known = options.dialect ?? dialectOf(executor.adapter)
  const { dialect, classify, returning } = kinds[known ?? 'postgres']
  const lent = new Set<AsyncConnection>()
  const waiting = new Set<(answer: Either<EngineError, AsyncConnection>) => void>()
  let isClosed = false
  const canPrepare = dialect.name !== 'sqlite' && options.twoPhase !== false
  let capabilities: Capabilities = {
    synchronous: false,
    returning,
    twoPhase: canPrepare,
    cursors: dialect.name === 'postgres' ? 'concurrent' : 'alone',
  }
  let isServerKnown = dialect.name !== 'mysql'

  const transform = <N extends RootOperationNode>(node: N): N => executor.transformQuery(node, queryId) as N
  const compile = (node: RootOperationNode): CompiledStatement => {
    const { sql, parameters } = executor.compileQuery(transform(node), queryId)
    return { sql, parameters }
  }

  const context: KyselyCallContext = {
    dialect,
    classify,
    transform,
    compile,
    texts: boundedCache(1000),
    rowByRow: options.rowByRow ?? false,
    elsewhere: options.killsQueries === false ? null : kysely,
    twoPhase: canPrepare,
  }

  const connections =
    options.pool === undefined || dialect.name === 'sqlite'
      ? null
      : new PoolConnections(kysely, dialect.name, options.pool)

  const learn = async (held: Held): Promise<Known> => {
    const id = connections === null ? null : await connections.identify(held.db)
    if (isServerKnown) return { ...held, id }
    const found = await askReturning(held.db)
    if (found !== null) {
      capabilities = { ...capabilities, returning: found }
      isServerKnown = true
    }
    return { ...held, id }
  }

  const connect = (): Promise<Either<EngineError, AsyncConnection>> => {
    if (isClosed) return Promise.resolve(left(engineClosed))
    if (known === null) return Promise.resolve(left(unknownDialect(executor.adapter)))
    return new Promise((resolve) => {
      waiting.add(resolve)
      hold(kysely)
        .then(learn)
        .then(
          // one that is closed while it waits has its answer already
          (held) => (waiting.delete(resolve) ? resolve(right(lend(held))) : held.release()),
          (cause) => {
            waiting.delete(resolve)
            resolve(left(classify(cause)))
          },
        )
    })
  }

  const lend = (held: Known): AsyncConnection => {
    const calls = kyselyCalls(held.db, context)
    let releasing: Promise<void> | null = null
    /** The last call; settled when nothing runs. */
    let answering: Promise<unknown> = Promise.resolve()
    const connection: AsyncConnection = {
      _tag: 'AsyncConnection',
      call: <C extends EngineCall>(call: C) => {
        const answer = releasing === null ? calls.call(call) : Promise.resolve(left(isClosed ? engineClosed : released))
        answering = answer
        return answer as Promise<Either<EngineError, Answer<C>>>
      },
      release: () => {
        lent.delete(connection)
        releasing ??= calls.end().then(held.release)
        return releasing
      },
      discard: () => {
        if (releasing !== null) return
        lent.delete(connection)
        releasing = Promise.resolve()
        if (connections === null || held.id === null) {
          // with a call under way it is nobody's: one that hangs would hang for the next, too
          void answering.then(calls.end).then(held.release)
        } else {
          connections.discard(held.id)
          void held.release()
        }
      },
    }
    lent.add(connection)
    return connection
  }

  return {
    _tag: 'Engine',
    dialect,
    get capabilities() {
      return capabilities
    },
    compile,
    compiledStatements: options.compiledStatements ?? (executor.plugins.length === 0 ? 500 : 0),
    connect,
    connectSync: null,
    close: async () => {
      isClosed = true
      for (const resolve of waiting) resolve(left(engineClosed))
      waiting.clear()
      await Promise.all(Array.from(lent, (connection) => connection.release()))
      // what cannot be closed in order (a broken connection) is closed all the same
      await kysely.destroy().catch(() => {})
    },
  }
}
