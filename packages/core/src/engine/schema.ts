/**
 * Creates and drops the tables of a model on an engine.
 *
 * The statements are data (`ddlOf`); here they run, in one transaction where the database's DDL takes part in
 * transactions (SQLite, PostgreSQL).
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type RawNode, type RootOperationNode, sql } from 'kysely'
import type { AnyModel } from '../model/model.js'
import { type Ddl, type DdlCondition, type DdlOptions, type DdlStatement, ddlOf } from '../schema/ddl.js'
import type { QueryAnswer } from './call.js'
import type { Dialect } from './dialect.js'
import type { Engine } from './engine.js'
import { type EngineError, engineError } from './error.js'
import { type Calls, queryCall, runCalls, runCallsSync } from './run-calls.js'

/**
 * Creates the tables of a model that are not there yet, and what its generators draw from. What is there is left as it is; with
 * `ifNotExists: false` it is an error. A schema that tables are in is created where there is none of its name (on PostgreSQL, and
 * as a database on MySQL and MariaDB); databases of SQLite have to be attached.
 *
 * @example
 * await createAll(model)(engine)()
 *
 * @category interpreters
 */
export const createAll =
  (model: AnyModel, options: DdlOptions = {}) =>
  (engine: Engine): TaskEither<EngineError, void> =>
    runCalls(baseOf(engine), () => create(baseOf(engine), ddlIn(engine, model, options)))

/**
 * Drops the tables of a model and what its generators draw from, as far as they are there. Schemas stay: others may use them.
 *
 * @category interpreters
 */
export const dropAll =
  (model: AnyModel, options: DdlOptions = {}) =>
  (engine: Engine): TaskEither<EngineError, void> =>
    runCalls(baseOf(engine), () => run(baseOf(engine), ddlIn(engine, model, options).drop))

/**
 * `createAll` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const createAllSync =
  (model: AnyModel, options: DdlOptions = {}) =>
  (engine: Engine): Either<EngineError, void> =>
    runCallsSync(baseOf(engine), 'createAll', () => create(baseOf(engine), ddlIn(engine, model, options)))

/**
 * `dropAll` without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const dropAllSync =
  (model: AnyModel, options: DdlOptions = {}) =>
  (engine: Engine): Either<EngineError, void> =>
    runCallsSync(baseOf(engine), 'dropAll', () => run(baseOf(engine), ddlIn(engine, model, options).drop))

/** The DDL with the names of a layout, for the engine that it is on. */
const ddlIn = ({ dialect, layout }: Engine, model: AnyModel, options: DdlOptions): Ddl =>
  ddlOf(model, layout === undefined ? options : { ...options, names: layout.names })(dialect)

const baseOf = (engine: Engine): Engine => engine.layout?.engine ?? engine

/** A constraint that cannot be written is not left out in silence. */
function* create(engine: Engine, { create: statements, notes }: Ddl): Calls<void> {
  const unencodable = notes.find(({ _tag }) => _tag === 'Unencodable')
  if (unencodable !== undefined) {
    yield engineError({ _tag: 'Unsupported' }, `${unencodable.table}: ${unencodable.message}`)
  }
  yield* run(engine, statements)
}

/** Runs the statements, each after the answer to the one before. */
function* run(engine: Engine, statements: ReadonlyArray<DdlStatement>): Calls<void> {
  yield { _tag: 'Begin', isolationLevel: null }
  for (const { node, condition } of statements) {
    if (condition !== null) {
      const { rows } = (yield queryCall(engine, conditionQuery(engine.dialect, condition))) as QueryAnswer
      if (rows.length > 0 !== condition.exists) continue
    }
    yield queryCall(engine, node)
  }
  yield { _tag: 'Commit' }
}

/** Asks for a schema of PostgreSQL or MySQL, or for a constraint or an index in the schema that a table without one is in. */
const conditionQuery = (dialect: Dialect, condition: DdlCondition): RootOperationNode => {
  if ('schema' in condition) {
    const { schema } = condition
    return (
      dialect.name === 'mysql'
        ? sql`select 1 from information_schema.schemata where schema_name = ${schema}`
        : sql`select 1 from pg_namespace where nspname = ${schema}`
    ).toOperationNode() as RawNode
  }
  const { table } = condition
  const dot = table.indexOf('.')
  const schema =
    dot !== -1 ? sql`${table.slice(0, dot)}` : dialect.name === 'mysql' ? sql`database()` : sql`current_schema()`
  const [catalogue, what, name] =
    'index' in condition
      ? ['statistics', 'index_name', condition.index]
      : ['table_constraints', 'constraint_name', condition.constraint]
  return sql`select 1 from ${sql.table(`information_schema.${catalogue}`)} where table_schema = ${schema} and table_name = ${table.slice(dot + 1)} and ${sql.ref(what)} = ${name}`.toOperationNode() as RawNode
}
