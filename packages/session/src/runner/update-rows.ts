/**
 * Running updates of many rows by their keys on one connection.
 */
import { type Attribute, type Connection, type Engine, type Mapping, sqlDefaultOf } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { RequestError } from '../error.js'
import type { UpdateRowsRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import type { KeyedRun, UpdatedRows } from '../transition/updated-rows.js'
import type { PlanColumn, UpdateStep } from '../unit-of-work/step.js'
import { call, type Effect } from './effect.js'
import { stepError } from './execute.js'
import { kindsOf, spelt } from './spelling.js'

/**
 * Updates the rows, and tells how many each of them met. Where it fails, some may have been written.
 *
 * @category interpreters
 */
export function* runUpdateRows(
  connection: Connection,
  { dialect }: Engine,
  { mapping, runs }: Pick<UpdateRowsRequest, 'mapping' | 'runs'>,
  token: ShardToken | null,
): Effect<Either<RequestError, UpdatedRows>> {
  const matched = new Map<number, number>()
  for (const run of runs) {
    const step = stepOf(mapping, run, token)
    const missing = mapping.updateExpressions.filter((attribute) => !run.set.includes(attribute))
    const answer = yield* call(connection, {
      _tag: 'Update',
      table: mapping.table,
      set: run.set.map(({ columnName }) => columnName),
      where: run.where.map(({ columnName }) => columnName),
      rows: spelt(step.rows, step, kindsOf({ mappings: [mapping] }, step), dialect),
      computed: missing.flatMap((attribute) => sqlDefaultOf(mapping, attribute, 'update') ?? []),
      returning: [],
    })
    if (isLeft(answer)) return left(stepError(step, null, answer.left))
    for (let i = 0; i < run.places.length; i++) matched.set(run.places[i] as number, answer.right.matched[i] ?? 0)
  }
  return right({ dialect, token, matched })
}

/** The run as the step of a flush, for what is said of its failure. */
const stepOf = ({ name, table }: Mapping, { rows, set, where }: KeyedRun, token: ShardToken | null): UpdateStep => ({
  _tag: 'Update',
  id: 0,
  entity: name,
  table,
  token,
  instances: [],
  after: [],
  set: set.map(literal),
  where: where.map(literal),
  rows,
  returning: [],
})

const literal = ({ columnName, name }: Attribute): PlanColumn => ({
  attribute: name,
  column: columnName,
  source: { _tag: 'Literal' },
})
