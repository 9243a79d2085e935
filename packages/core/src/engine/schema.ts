/**
 * Creates and drops the tables of a model on an engine.
 *
 * The statements are data (`ddlOf`); here they run, in one transaction where the database's DDL takes part in
 * transactions (SQLite, PostgreSQL).
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type RawNode, type RootOperationNode, sql } from 'kysely'
import { type Ddl, type DdlStatement, ddlOf } from '../model/ddl.js'
import type { AnyModel } from '../model/model.js'
import type { EngineCall, QueryAnswer, QueryCall } from './call.js'
import type { Dialect } from './dialect.js'
import type { Engine } from './engine.js'
import { type EngineError, engineError } from './error.js'

/**
 * Creates the tables of a model that are not there yet. Tables that are there are left as they are.
 *
 * @example
 * await createAll(model)(engine)()
 *
 * @category interpreters
 */
export const createAll =
  (model: AnyModel) =>
  (engine: Engine): TaskEither<EngineError, void> =>
    runDdl(engine, ddlOf(model)(engine.dialect).create)

/**
 * Drops the tables of a model, as far as they are there.
 *
 * @category interpreters
 */
export const dropAll =
  (model: AnyModel) =>
  (engine: Engine): TaskEither<EngineError, void> =>
    runDdl(engine, ddlOf(model)(engine.dialect).drop)

/**
 * `createAll` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const createAllSync =
  (model: AnyModel) =>
  (engine: Engine): Either<EngineError, void> =>
    runDdlSync(engine, ddlOf(model)(engine.dialect).create)

/**
 * `dropAll` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const dropAllSync =
  (model: AnyModel) =>
  (engine: Engine): Either<EngineError, void> =>
    runDdlSync(engine, ddlOf(model)(engine.dialect).drop)

const done: Either<never, void> = right(undefined)

/** The calls that run the statements, each asked for with the answer to the one before. */
function* calls(engine: Engine, statements: Ddl['create']): Generator<EngineCall, void, unknown> {
  yield { _tag: 'Begin', isolationLevel: null }
  for (const { node, condition } of statements) {
    if (condition !== null) {
      const { rows } = (yield queryCall(engine, constraintQuery(engine.dialect, condition))) as QueryAnswer
      if (rows.length > 0 !== condition.exists) continue
    }
    yield queryCall(engine, node)
  }
  yield { _tag: 'Commit' }
}

const queryCall = (engine: Engine, node: RootOperationNode): QueryCall => ({
  _tag: 'Query',
  statement: engine.compile(node),
})

/** Asks for a constraint of PostgreSQL or MySQL, in the schema that a table without one is in. */
const constraintQuery = (
  dialect: Dialect,
  { table, constraint }: NonNullable<DdlStatement['condition']>,
): RootOperationNode => {
  const dot = table.indexOf('.')
  const schema =
    dot !== -1 ? sql`${table.slice(0, dot)}` : dialect.name === 'mysql' ? sql`database()` : sql`current_schema()`
  return sql`select 1 from information_schema.table_constraints where table_schema = ${schema} and table_name = ${table.slice(dot + 1)} and constraint_name = ${constraint}`.toOperationNode() as RawNode
}

const runDdl =
  (engine: Engine, statements: Ddl['create']): TaskEither<EngineError, void> =>
  async () => {
    const connected = await engine.connect()
    if (isLeft(connected)) return connected
    const connection = connected.right
    const steps = calls(engine, statements)
    let step = steps.next()
    while (step.done !== true) {
      const answer = await connection.call(step.value)
      if (isLeft(answer)) {
        await connection.release()
        return answer
      }
      step = steps.next(answer.right)
    }
    await connection.release()
    return done
  }

const runDdlSync = (engine: Engine, statements: Ddl['create']): Either<EngineError, void> => {
  if (engine.connectSync === null) {
    return left(engineError({ _tag: 'Unsupported' }, 'the engine is not synchronous; use createAll and dropAll'))
  }
  const connected = engine.connectSync()
  if (isLeft(connected)) return connected
  const connection = connected.right
  const steps = calls(engine, statements)
  let step = steps.next()
  while (step.done !== true) {
    const answer = connection.call(step.value)
    if (isLeft(answer)) {
      connection.release()
      return answer
    }
    step = steps.next(answer.right)
  }
  connection.release()
  return done
}
