/**
 * Running the steps of a plan on one connection, and saying what a failure was about.
 */
import type { AnyModel, Connection, Dialect, EngineError, InstanceId, Mapping, Returned } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DatabaseError, IntegrityError, NotSynchronous } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import {
  columnsOf,
  type FlushPlan,
  type InsertStep,
  type PlanColumn,
  type ReturnedColumn,
  returnedKey,
  type Step,
  type StepResult,
  type UpdateStep,
} from '../unit-of-work/step.js'
import { call, type Effect, mustWait } from './effect.js'
import { kindsOf, selectedKinds, spelt } from './spelling.js'

/** Keys that the database gave during a flush. Shared by the steps of one plan. */
export interface GivenKeys {
  /** By instance, encoded. */
  readonly of: Map<InstanceId, unknown>
  /** The steps that a later one may need them of: with rows that refer to nothing further, most keys are needed by none. */
  readonly from: ReadonlySet<number>
}

/**
 * Where the keys that a plan's steps give are kept; null for a plan in which no later step needs them.
 *
 * @category constructors
 */
export const givenKeys = ({ steps }: FlushPlan): GivenKeys | null => {
  const last = steps.findLastIndex((step) => columnsOf(step).some(({ source }) => source._tag === 'Key'))
  return last < 0 ? null : { of: new Map(), from: new Set(steps.slice(0, last).map(({ id }) => id)) }
}

type Row = ReadonlyArray<unknown>

/** What a step's columns are, and how a database takes them. @category model */
export interface Executing {
  readonly model: AnyModel
  readonly dialect: Dialect
}

/**
 * Runs one step.
 *
 * @category interpreters
 */
export function* executeStep(
  connection: Connection,
  { dialect, model }: Executing,
  step: Step,
  given: GivenKeys | null,
): Effect<Either<IntegrityError | DatabaseError, StepResult>> {
  const kinds = kindsOf(model, step)
  const rows = spelt(resolved(columnsOf(step), step.rows, given), step, kinds, dialect)
  switch (step._tag) {
    case 'Insert': {
      const answer = yield* call(connection, {
        _tag: 'Insert',
        table: step.table,
        columns: step.columns.map(({ column }) => column),
        rows,
        key: step.key,
        ...computing(step),
        returning: step.returning.map(({ column }) => column),
        ...(step.returning.length === 0
          ? {}
          : selectedKinds([...step.returning.map(({ column }) => column), ...step.key], kinds, dialect)),
      })
      if (isLeft(answer)) return left(stepError(step, given, answer.left))
      const returned = portable(answer.right, step.returning, dialect)
      const keys = given?.from.has(step.id) === true ? returned[returnedKey(step)] : undefined
      if (keys !== undefined) {
        for (let i = 0; i < keys.length; i++) given?.of.set(step.instances[i] as InstanceId, keys[i])
      }
      return right({ _tag: 'Inserted', returned })
    }
    case 'Update':
    case 'Vacate': {
      const asked = step._tag === 'Update' ? step.returning : []
      const answer = yield* call(connection, {
        _tag: 'Update',
        table: step.table,
        set: step.set.map(({ column }) => column),
        where: step.where.map(({ column }) => column),
        rows,
        ...(step._tag === 'Update' ? computing(step) : {}),
        returning: asked.map(({ column }) => column),
        ...selectedKinds(
          asked.map(({ column }) => column),
          kinds,
          dialect,
        ),
      })
      if (isLeft(answer)) return left(stepError(step, given, answer.left))
      const { matched, returned } = answer.right
      return right({ _tag: 'Matched', counts: matched, returned: portable(returned, asked, dialect) })
    }
    case 'Delete':
    case 'Unlink': {
      const answer = yield* call(connection, {
        _tag: 'Delete',
        table: step.table,
        where: step.where.map(({ column }) => column),
        rows,
      })
      return isLeft(answer)
        ? left(stepError(step, given, answer.left))
        : right({ _tag: 'Matched', counts: answer.right, returned: [] })
    }
    case 'Link': {
      const answer = yield* call(connection, {
        _tag: 'Insert',
        table: step.table,
        columns: step.columns.map(({ column }) => column),
        rows,
        key: [],
        returning: [],
      })
      return isLeft(answer) ? left(stepError(step, given, answer.left)) : right({ _tag: 'Inserted', returned: [] })
    }
  }
}

const computing = ({ computed }: InsertStep | UpdateStep): Pick<InsertStep, 'computed'> =>
  computed === undefined ? {} : { computed }

/** Values as the driver gave them, in their portable form. */
const portable = (returned: Returned, columns: ReadonlyArray<ReturnedColumn>, dialect: Dialect): Returned =>
  returned.map((values, j) => {
    const convert = dialect.fromDriver((columns[j] as ReturnedColumn).kind)
    return convert === null ? values : values.map((value) => (value === undefined ? undefined : convert(value)))
  })

/** Rows with keys in the place of the instances that stand for them. The same rows where none do. */
const resolved = (
  columns: ReadonlyArray<PlanColumn>,
  rows: ReadonlyArray<Row>,
  given: GivenKeys | null,
): ReadonlyArray<Row> => {
  if (given === null) return rows
  const places = columns.flatMap(({ source }, i) => (source._tag === 'Key' ? [i] : []))
  if (places.length === 0) return rows
  return rows.map((row) => {
    const copy = row.slice()
    for (const place of places) copy[place] = given.of.get(row[place] as InstanceId)
    return copy
  })
}

const violations = new Set(['UniqueViolation', 'ForeignKeyViolation', 'NotNullViolation', 'CheckViolation'])

const operations = {
  Insert: 'insert',
  Update: 'update',
  Vacate: 'update',
  Delete: 'delete',
  Link: 'link',
  Unlink: 'unlink',
} as const

/** What a failed step was about: the row and its values, where the engine knows which row it was. */
export const stepError = (step: Step, given: GivenKeys | null, cause: EngineError): IntegrityError | DatabaseError => {
  if (!violations.has(cause.reason._tag)) return databaseError(operations[step._tag], step.entity, step.token, cause)
  const columns = columnsOf(step)
  const named = 'columns' in cause.reason ? cause.reason.columns : []
  // of an update what it sets, which may be the key that it looks for too
  // and not every database says which foreign key it was: then it is one of the row's
  const isUnnamed = cause.reason._tag === 'ForeignKeyViolation' && named.length === 0
  const concerned = ('set' in step ? step.set : columns).filter(({ column, refersTo }) =>
    isUnnamed ? refersTo !== undefined : named.includes(column),
  )
  const failed = cause.row === null ? undefined : step.rows[cause.row]
  const row = failed === undefined ? undefined : resolved(columns, [failed], given)[0]
  return {
    _tag: 'IntegrityError',
    reason: cause.reason,
    entity: step.entity,
    table: step.table,
    attributes: concerned.map(({ attribute }) => attribute),
    values: row === undefined ? [] : concerned.map((column) => row[columns.indexOf(column)]),
    key: keyIn(step, row),
    shard: step.token,
    cause,
  }
}

/**
 * A statement of rows that the database refused, where nobody knows which one; null where it failed for something else.
 *
 * @category constructors
 */
export const violation = (mapping: Mapping, shard: ShardToken | null, cause: EngineError): IntegrityError | null => {
  if (!violations.has(cause.reason._tag)) return null
  const named = 'columns' in cause.reason ? cause.reason.columns : []
  return {
    _tag: 'IntegrityError',
    reason: cause.reason,
    entity: mapping.name,
    table: mapping.table,
    attributes: mapping.attributes.flatMap(({ columnName, name }) => (named.includes(columnName) ? [name] : [])),
    values: [],
    key: null,
    shard,
    cause,
  }
}

const keyIn = (step: Step, row: Row | undefined): unknown => {
  if (row === undefined || step._tag === 'Insert' || step._tag === 'Link') return null
  const key = row.slice('set' in step ? step.set.length : 0)
  return key.length === 1 ? key[0] : key
}

/** @category constructors */
export const databaseError = (
  operation: string,
  entity: string | null,
  shard: ShardToken | null,
  cause: EngineError,
): DatabaseError => ({ _tag: 'DatabaseError', operation, entity, shard, retryable: cause.retryable, cause })

/** No connection was to be had. @category constructors */
export const connectError = (shard: ShardToken | null, cause: EngineError): DatabaseError | NotSynchronous =>
  cause === mustWait
    ? { _tag: 'NotSynchronous', operation: 'the engine' }
    : databaseError('connect', null, shard, cause)
