/**
 * The port to one database. Everything with effects below the runner stands behind it.
 *
 * An engine hands out connections; a connection answers calls (see `call.ts`) one after another. Where calls need no
 * waiting (better-sqlite3) the connection answers synchronously and no promise is made.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { RootOperationNode } from 'kysely'
import type { Answer, CompiledStatement, EngineCall } from './call.js'
import type { Capabilities, Dialect } from './dialect.js'
import type { EngineError } from './error.js'
import type { TableNames } from './table-names.js'

/**
 * A connection lent to one session. Calls must not overlap.
 *
 * @category model
 */
export type Connection = SyncConnection | AsyncConnection

/** @category model */
export interface SyncConnection {
  readonly _tag: 'SyncConnection'
  readonly call: <C extends EngineCall>(call: C) => Either<EngineError, Answer<C>>
  /** Gives the connection back; a transaction that is still open is rolled back. Never fails. */
  readonly release: () => void
}

/** @category model */
export interface AsyncConnection {
  readonly _tag: 'AsyncConnection'
  readonly call: <C extends EngineCall>(call: C) => Promise<Either<EngineError, Answer<C>>>
  /** Gives the connection back; a transaction that is still open is rolled back. Never rejects. */
  readonly release: () => Promise<void>
  /**
   * Gives the connection up, without waiting for the call that it is at: nobody gets it again, and what the database is at for
   * it is ended there, as far as the engine can. `release` has nothing to do then. An engine without it has the connection
   * released as soon as its call has been answered.
   */
  readonly discard?: () => void
}

/**
 * @category model
 */
export interface Engine {
  readonly _tag: 'Engine'
  readonly dialect: Dialect
  /** What is known of the database: all there is to know once it has lent a connection. */
  readonly capabilities: Capabilities
  /**
   * Compiles a resolved tree: columns by their names in the table, values portable. Pure; the SQL does not depend on the
   * values that become its parameters, unless `compiledStatements` is 0.
   */
  readonly compile: (node: RootOperationNode) => CompiledStatement
  /** How many compiled statements are kept, 500 where it does not say. */
  readonly compiledStatements?: number
  /** Waits for a free connection. */
  readonly connect: () => Promise<Either<EngineError, Connection>>
  /** A connection at once, or `Unavailable`; null where the engine cannot do without waiting. */
  readonly connectSync: (() => Either<EngineError, SyncConnection>) | null
  /** Where its tables are in the database of another engine; absent where it has a database of its own. */
  readonly layout?: Layout
  /** Closes every connection. Calls after that fail with `Unavailable`. */
  readonly close: () => Promise<void>
}

/**
 * Where an engine has its tables within the database of another, whose connections it lends.
 *
 * @category model
 */
export interface Layout {
  /** The engine of the database: engines that share one share its connections, and its transactions. */
  readonly engine: Engine
  readonly names: TableNames
  /** A connection of that engine, as this one has it. */
  readonly over: <C extends Connection>(connection: C) => C
}
