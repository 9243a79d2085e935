/**
 * From the answer to a query of rows to what they hold: instances for entities, decoded values for the rest.
 */
import {
  type AnyRows,
  type DriverRow,
  type EntityOutput,
  type InstanceId,
  ReadFault,
  type ReadMode,
  readingOf,
  type Services,
  type ValueOutput,
  valueReaderOf,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError } from '../error.js'
import type { QueryAnswer } from '../program/request.js'
import type { SessionState } from '../state/session-state.js'
import { inOrder, populate, presentBy } from './populate.js'

/**
 * What one of the outputs holds in each row, in the order of the answer: instances, or values.
 *
 * @category model
 */
export type TakenOutput =
  | { readonly _tag: 'Instances'; readonly output: EntityOutput; readonly ids: ReadonlyArray<InstanceId | null> }
  | { readonly _tag: 'Values'; readonly values: ReadonlyArray<unknown> }

/**
 * Takes rows into the state, output by output. O(rows x outputs).
 *
 * @category transitions
 */
export const takeRows = (
  state: SessionState,
  statement: AnyRows,
  answer: QueryAnswer,
  services: Services,
): Either<DecodeError | HookError, readonly [ReadonlyArray<TakenOutput>, SessionState]> => {
  const taken: TakenOutput[] = []
  let current = state
  for (const output of statement.outputs) {
    if (output._tag === 'Value') {
      const values = valuesOf(statement, output, answer)
      if (isLeft(values)) return values
      taken.push({ _tag: 'Values', values: values.right })
      continue
    }
    const instances = instancesOf(current, statement, output, answer, services)
    if (isLeft(instances)) return instances
    taken.push({ _tag: 'Instances', output, ids: instances.right[0] })
    current = instances.right[1]
  }
  return right([taken, current])
}

const instancesOf = (
  state: SessionState,
  { options }: AnyRows,
  { columns, isOptional, mapping }: EntityOutput,
  { batches, order }: QueryAnswer,
  services: Services,
): Either<DecodeError | HookError, readonly [ReadonlyArray<InstanceId | null>, SessionState]> => {
  const key = presentBy(mapping, columns, options)
  const isThere = (row: DriverRow): boolean => key.every((column) => row[column] !== null)
  const present = isOptional ? batches.map((batch) => ({ ...batch, rows: batch.rows.filter(isThere) })) : batches
  const populated = populate(
    state,
    mapping,
    { batches: present, order: null, isJoined: false },
    { ...options, columns },
    services,
  )
  if (isLeft(populated)) return populated
  const [ids, next] = populated.right
  let at = 0
  const spread = batches.map(({ rows }) =>
    rows.map((row) => (isOptional && !isThere(row) ? null : (ids[at++] as InstanceId))),
  )
  return right([inOrder(spread, order), next])
}

const valuesOf = (
  statement: AnyRows,
  output: ValueOutput,
  { batches, order }: QueryAnswer,
): Either<DecodeError, ReadonlyArray<unknown>> => {
  const mode: ReadMode = statement.options.strict === false ? 'trusted' : 'strict'
  const reading = readingOf(statement, output)
  const { column } = output
  const read: Array<ReadonlyArray<unknown>> = []
  for (const { dialect, rows, token } of batches) {
    const readValue = valueReaderOf(reading, dialect, mode)
    const values = new Array<unknown>(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const value = readValue((rows[i] as DriverRow)[column])
      if (value instanceof ReadFault) return left(valueError(statement, output, value, token))
      values[i] = value
    }
    read.push(values)
  }
  return right(inOrder(read, order))
}

const valueError = (
  statement: AnyRows,
  output: ValueOutput,
  { expected, value }: ReadFault,
  shard: DecodeError['shard'],
): DecodeError => {
  const { source } = readingOf(statement, output)
  const { mapping } = source ?? statement.entity
  return {
    _tag: 'DecodeError',
    entity: mapping.name,
    table: mapping.table,
    attribute: source?.attribute.name ?? output.name,
    column: source?.attribute.columnName ?? output.column,
    key: null,
    value,
    expected,
    shard,
  }
}
