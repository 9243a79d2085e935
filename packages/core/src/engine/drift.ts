/**
 * Compares the tables of a database with those of a model, by an engine.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { AnyModel } from '../model/model.js'
import type { DatabaseSchema } from '../schema/database-schema.js'
import { type Drift, type DriftOptions, driftBetween } from '../schema/drift.js'
import type { IntrospectOptions } from '../schema/introspect.js'
import { schemaIn } from '../schema/naming.js'
import { type SchemaOptions, schemaOf } from '../schema/schema-of.js'
import type { Engine } from './engine.js'
import type { EngineError } from './error.js'
import { introspect, introspectSync } from './introspect.js'

/**
 * What the database has that the model has not, and the other way round.
 *
 * @example
 * const found = await drift(model)(engine)()
 * if (isRight(found)) console.log(renderDrift(found.right))
 *
 * @category interpreters
 */
export const drift =
  (model: AnyModel, options: DriftOptions & SchemaOptions = {}) =>
  (engine: Engine): TE.TaskEither<EngineError, Drift> => {
    const expected = schemaOf(model, options)(engine.dialect)
    return pipe(
      introspect(engine, schemasOf(expected)),
      TE.map((found) => driftBetween(expected, found, options)),
    )
  }

/**
 * `drift` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const driftSync =
  (model: AnyModel, options: DriftOptions & SchemaOptions = {}) =>
  (engine: Engine): E.Either<EngineError, Drift> => {
    const expected = schemaOf(model, options)(engine.dialect)
    return pipe(
      introspectSync(engine, schemasOf(expected)),
      E.map((found) => driftBetween(expected, found, options)),
    )
  }

/** The schemas that the model names. */
const schemasOf = ({ sequences, tables }: DatabaseSchema): IntrospectOptions => ({
  schemas: [...new Set([...tables, ...sequences].flatMap(({ name }) => schemaIn(name) ?? []))],
})
