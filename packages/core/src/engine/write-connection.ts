import type { Either } from 'fp-ts/lib/Either.js'
import type { QueryResult, RootOperationNode } from 'kysely'
import type { BoundedCache } from './bounded-cache.js'
import type { DriverRow } from './call.js'
import type { Dialect } from './dialect.js'
import type { EngineError } from './error.js'

/**
 * What writes need of a connection.
 */
export interface WriteConnection {
  readonly dialect: Dialect
  /** Applies the plugins of the Kysely instance. */
  readonly transform: <N extends RootOperationNode>(node: N) => N
  /** The text of a tree, made once per key. */
  readonly textOf: (key: string, tree: () => RootOperationNode) => string
  /** What was found out about tables, by what was asked. */
  readonly known: BoundedCache<string>
  readonly run: (
    sql: string,
    parameters: ReadonlyArray<unknown>,
    row: number | null,
  ) => Promise<Either<EngineError, QueryResult<DriverRow>>>
  /** Within a transaction; the name is free. */
  readonly savepoint: (command: 'savepoint' | 'rollbackTo' | 'release') => Promise<Either<EngineError, undefined>>
}
