/**
 * Running queries on one connection.
 */
import {
  type AnyQuery,
  type AnyStatement,
  type Bound,
  bind,
  type Connection,
  canReturnKeys,
  compile,
  countColumn,
  counting,
  type Dialect,
  type DriverRow,
  type Engine,
  type EngineError,
  existing,
  keyReaderOf,
  type MetKey,
  refineByAttributes,
  returningKeys,
  type StatementError,
  selectByAttributes,
  selectingKeys,
  selectOfOwners,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type DatabaseError, type InvalidStatement, invalidStatement } from '../error.js'
import {
  type AnswerOf,
  type CountRequest,
  type LookupRequest,
  operationOf,
  type SqlRequest,
  type WriteRequest,
} from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Rows } from '../transition/absorb.js'
import type { Written } from '../transition/bulk.js'
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
  statement: AnyQuery,
  token: ShardToken | null,
): Effect<Either<QueryFailure, Rows>> {
  const { name } = statement.entity
  const answer = yield* runCompiled(connection, engine, statement)
  if (isLeft(answer)) return left(failureOf(answer.left, 'query', name, token))
  return right({ dialect: engine.dialect, token, rows: answer.right.rows })
}

/**
 * How many rows a query gives; of one that is only asked whether it has any, 0 or 1.
 *
 * @category interpreters
 */
export function* runCount(
  connection: Connection,
  engine: Engine,
  { purpose, statement }: CountRequest,
  token: ShardToken | null,
): Effect<Either<QueryFailure, number>> {
  const { entity, options } = statement
  const node = purpose === 'count' ? counting(statement) : existing(statement)
  const answer = yield* runCompiled(connection, engine, { entity, options, node })
  if (isLeft(answer)) return left(failureOf(answer.left, purpose, entity.name, token))
  const [row] = answer.right.rows
  // drivers give counts as text or bigint too
  return right(purpose === 'exists' ? answer.right.rows.length : Number(row?.[countColumn] ?? 0))
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
  const { attributes, keys, mapping, orderBy, query, through } = request
  const width = through === null ? attributes.length : through.owner.key.length
  const chunk = (width === 1 ? keysPerStatement : compositeKeysPerStatement) * width
  let rows: ReadonlyArray<DriverRow> = []
  for (let from = 0; from < keys.length; from += chunk) {
    const values = keys.length <= chunk ? keys : keys.slice(from, from + chunk)
    const count = values.length / width
    const template =
      through !== null
        ? selectOfOwners(query, through, count, orderBy)
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
 * Runs an update or delete by criteria. Where the keys of its rows are wanted it returns them itself if it can, else they
 * are selected before it.
 *
 * @category interpreters
 */
export function* runWrite(
  connection: Connection,
  engine: Engine,
  request: WriteRequest,
  token: ShardToken | null,
): Effect<Either<QueryFailure, Written>> {
  const { statement } = request
  const { dialect } = engine
  const wantsKeys = request.keysOn.includes(dialect.textComparison)
  const returnsKeys = wantsKeys && canReturnKeys(engine, statement)
  let found: ReadonlyArray<DriverRow> | null = null
  if (wantsKeys && !returnsKeys) {
    const selected = yield* runCompiled(connection, engine, selectingKeys(statement, dialect))
    if (isLeft(selected)) return left(writeFailure(statement, token, selected.left))
    found = selected.right.rows
  }
  const answer = yield* runCompiled(connection, engine, returnsKeys ? returningKeys(statement) : statement)
  if (isLeft(answer)) return left(writeFailure(statement, token, answer.left))
  const { affected, rows } = answer.right
  return right({ dialect, token, affected, keys: wantsKeys ? keysIn(statement, dialect, found ?? rows) : null })
}

const keysIn = (
  statement: WriteRequest['statement'],
  dialect: Dialect,
  rows: ReadonlyArray<DriverRow>,
): ReadonlyArray<MetKey> => {
  const read = keyReaderOf(statement, dialect)
  const keys: MetKey[] = []
  for (const row of rows) {
    const key = read(row)
    if (key !== null) keys.push(key)
  }
  return keys
}

const writeFailure = (
  statement: WriteRequest['statement'],
  token: ShardToken | null,
  error: StatementError | EngineError,
): QueryFailure => failureOf(error, operationOf(statement), statement.entity.name, token)

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

type Ran = Either<StatementError | EngineError, { readonly rows: ReadonlyArray<DriverRow>; readonly affected: number }>

function* runCompiled(connection: Connection, engine: Engine, statement: AnyStatement | Bound): Effect<Ran> {
  const compiled = compile(engine)(statement)
  if (isLeft(compiled)) return compiled
  // what `call` does, without another coroutine for each short query
  const asked = { _tag: 'Query', statement: compiled.right } as const
  if (connection._tag === 'SyncConnection') return connection.call(asked)
  return (yield { _tag: 'Call', connection, call: asked }) as Ran
}

/** @category constructors */
export const failureOf = (
  error: StatementError | EngineError,
  operation: string,
  entity: string,
  token: ShardToken | null,
): QueryFailure =>
  error._tag === 'EngineError' ? databaseError(operation, entity, token, error) : invalidStatement(operation, error)
