/**
 * Running queries on one connection.
 */
import {
  type AnySelect,
  type Bound,
  bind,
  type Connection,
  compile,
  type DriverRow,
  type Engine,
  type EngineError,
  refineByAttributes,
  type StatementError,
  selectByAttributes,
  selectThroughLink,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type DatabaseError, type InvalidStatement, invalidStatement } from '../error.js'
import type { AnswerOf, LookupRequest, SqlRequest, WriteRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Rows } from '../transition/absorb.js'
import { call, type Effect } from './effect.js'
import { databaseError } from './execute.js'

/** Why a statement gave no rows. */
export type QueryFailure = DatabaseError | InvalidStatement

/**
 * The rows of a query.
 *
 * @category interpreters
 */
export function* runQuery(
  connection: Connection,
  engine: Engine,
  statement: AnySelect,
  token: ShardToken | null,
): Effect<Either<QueryFailure, Rows>> {
  const { name } = statement.entity
  const answer = yield* runCompiled(connection, engine, statement)
  if (isLeft(answer)) return left(failureOf(answer.left, 'query', name, token))
  return right({ dialect: engine.dialect, token, rows: answer.right.rows })
}

/** Keys that one statement looks for at the most. */
const keysPerStatement = 512
/** The same, where a key has several parts and each is an expression of its own. */
const compositeKeysPerStatement = 128

/**
 * The rows with certain keys. As many statements as chunks of keys.
 *
 * @category interpreters
 */
export function* runLookup(
  connection: Connection,
  engine: Engine,
  request: LookupRequest,
  token: ShardToken | null,
): Effect<Either<QueryFailure, Rows>> {
  const { attributes, keys, link, mapping, orderBy, query } = request
  const width = link === null ? attributes.length : link.own.length
  const chunk = (width === 1 ? keysPerStatement : compositeKeysPerStatement) * width
  let rows: ReadonlyArray<DriverRow> = []
  for (let from = 0; from < keys.length; from += chunk) {
    const values = keys.length <= chunk ? keys : keys.slice(from, from + chunk)
    const count = values.length / width
    const template =
      link !== null
        ? selectThroughLink(query, mapping, link, count, orderBy)
        : query === null
          ? selectByAttributes(mapping, attributes, count, orderBy)
          : refineByAttributes(query, attributes, count, orderBy)
    const answer = yield* runCompiled(connection, engine, bind(template, values))
    if (isLeft(answer)) return left(failureOf(answer.left, request.purpose, mapping.name, token))
    rows = rows.length === 0 ? answer.right.rows : rows.concat(answer.right.rows)
  }
  return right({ dialect: engine.dialect, token, rows })
}

/**
 * Runs an update or delete by criteria, and gives the number of rows that it affected.
 *
 * @category interpreters
 */
export function* runWrite(
  connection: Connection,
  engine: Engine,
  request: WriteRequest,
  token: ShardToken | null,
): Effect<Either<QueryFailure, number>> {
  const { statement } = request
  const answer = yield* runCompiled(connection, engine, statement)
  return isLeft(answer)
    ? left(
        failureOf(
          answer.left,
          statement._tag === 'Update' ? 'bulk update' : 'bulk delete',
          statement.entity.name,
          token,
        ),
      )
    : right(answer.right.affected)
}

/**
 * Runs a statement of the application's own.
 *
 * @category interpreters
 */
export function* runSql(
  connection: Connection,
  engine: Engine,
  request: SqlRequest,
  token: ShardToken | null,
): Effect<Either<DatabaseError, AnswerOf<SqlRequest>>> {
  const answer = yield* call(connection, { _tag: 'Query', statement: engine.compile(request.node) })
  return isLeft(answer) ? left(databaseError('sql', null, token, answer.left)) : answer
}

function* runCompiled(
  connection: Connection,
  engine: Engine,
  statement: AnySelect | WriteRequest['statement'] | Bound,
): Effect<
  Either<StatementError | EngineError, { readonly rows: ReadonlyArray<DriverRow>; readonly affected: number }>
> {
  const compiled = compile(engine)(statement)
  if (isLeft(compiled)) return compiled
  return yield* call(connection, { _tag: 'Query', statement: compiled.right })
}

const failureOf = (
  error: StatementError | EngineError,
  operation: string,
  entity: string,
  token: ShardToken | null,
): QueryFailure =>
  error._tag === 'EngineError'
    ? databaseError(operation, entity, token, error)
    : invalidStatement(operation, error)
