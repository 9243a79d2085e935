/**
 * Reads the tables of a database by an engine.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { DatabaseSchema } from '../schema/database-schema.js'
import { type IntrospectOptions, reading } from '../schema/introspect.js'
import type { QueryAnswer } from './call.js'
import type { Engine } from './engine.js'
import type { EngineError } from './error.js'
import { type Calls, queryCall, runCalls, runCallsSync } from './run-calls.js'

/**
 * The tables and views that a database has, as data.
 *
 * @example
 * const read = await introspect(engine)()
 * if (isRight(read)) console.log(read.right.tables.map(({ name }) => name))
 *
 * @category interpreters
 */
export const introspect = (engine: Engine, options: IntrospectOptions = {}): TaskEither<EngineError, DatabaseSchema> =>
  runCalls(engine, () => calls(engine, options))

/**
 * `introspect` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const introspectSync = (engine: Engine, options: IntrospectOptions = {}): Either<EngineError, DatabaseSchema> =>
  runCallsSync(engine, 'introspect', () => calls(engine, options))

function* calls(engine: Engine, options: IntrospectOptions): Calls<DatabaseSchema> {
  const queries = reading(engine.dialect, options)
  let query = queries.next()
  while (query.done !== true) {
    const { rows } = (yield queryCall(engine, query.value)) as QueryAnswer
    query = queries.next(rows)
  }
  return query.value
}
