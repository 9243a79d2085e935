/**
 * A starting model from the tables of a database, by an engine.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { IntrospectOptions } from '../schema/introspect.js'
import { modelSource } from '../schema/model-source.js'
import type { Engine } from './engine.js'
import type { EngineError } from './error.js'
import { introspect, introspectSync } from './introspect.js'

/**
 * The source of a model of the tables that a database has (see `modelSource`).
 *
 * @example
 * const source = await modelFrom(engine)()
 * if (isRight(source)) await writeFile('model.ts', source.right)
 *
 * @category interpreters
 */
export const modelFrom = (engine: Engine, options: IntrospectOptions = {}): TE.TaskEither<EngineError, string> =>
  pipe(introspect(engine, options), TE.map(modelSource))

/**
 * `modelFrom` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const modelFromSync = (engine: Engine, options: IntrospectOptions = {}): E.Either<EngineError, string> =>
  pipe(introspectSync(engine, options), E.map(modelSource))
