/**
 * Cursors on one connection of a Kysely instance: what the two sorts of them have in common.
 *
 * PostgreSQL has cursors of its own (`postgres-cursors.ts`); on other databases they are Kysely's streams
 * (`stream-cursors.ts`).
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { CompiledQuery } from 'kysely'
import type { BoundedCache } from './bounded-cache.js'
import type { CursorCall, DriverRow } from './call.js'
import type { Dialect } from './dialect.js'
import type { Engine } from './engine.js'
import type { EngineError } from './error.js'
import type { ErrorDetails } from './error-parts.js'
import type { KyselyStream } from './kysely-stream.js'

/** What cursors need of their connection. */
export interface CursorConnection {
  readonly dialect: Dialect
  readonly compile: Engine['compile']
  readonly classify: (cause: unknown, details?: ErrorDetails) => EngineError
  /** Texts of commands, by shape. */
  readonly texts: BoundedCache<string>
  readonly run: (
    sql: string,
    parameters: ReadonlyArray<unknown>,
  ) => Promise<Either<EngineError, { readonly rows: ReadonlyArray<DriverRow> }>>
  /** Streams a query. Rejects where it fails. */
  readonly stream: (query: CompiledQuery<DriverRow>) => Promise<KyselyStream>
}

/** The calls of cursors, and what they have to learn of the others. Nothing rejects. */
export interface KyselyCursors {
  readonly call: (call: CursorCall) => Promise<Either<EngineError, unknown>>
  /** Before a call that is about something else. */
  readonly makeWay: () => Promise<Either<EngineError, undefined>>
  readonly savepoint: (name: string) => void
  readonly releaseSavepoint: (name: string) => void
  readonly rollbackToSavepoint: (name: string) => Promise<void>
  /** Before a commit: ends what is not to outlive it. */
  readonly beforeCommit: () => Promise<void>
  readonly committed: () => void
  /** Before the rollback. */
  readonly rollback: () => Promise<void>
  /** Ends them all, those that a commit has kept too. Outside a transaction. */
  readonly clear: () => Promise<void>
}
