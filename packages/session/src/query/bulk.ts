/**
 * Updates and deletes by criteria.
 */
import {
  type AnyDelete,
  type AnyUpdate,
  DecodeFault,
  evaluateCriteria,
  type InstanceId,
  type NotEvaluable,
  rawKeyOf,
  rowReaderOf,
  type Select,
  select,
} from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { ModelMismatch, RequestError } from '../error.js'
import { rewritten } from '../hook/execute.js'
import { autoflush, type FlushError, unlessFailed } from '../program/flush.js'
import { chain, fail, gets, type Outcome, of, type Program, request } from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import * as IdentityMap from '../state/identity-map.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { bulkDeleted, bulkUpdated, knownInstances, onShards, rowOf } from '../transition/bulk.js'
import { checkModel } from '../transition/transition.js'

/** Why a bulk statement fails. @category errors */
export type BulkError = FlushError | ModelMismatch | NotEvaluable

/**
 * How instances that the session holds learn of a bulk statement. `evaluate`: its criteria are evaluated on them, and
 * `NotEvaluable` names what only the database can. `fetch`: the keys that it will meet are selected first. `auto`: the first
 * where that is possible, else the second. `none`: not at all, until they expire.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#selecting-a-synchronization-strategy
 * @category model
 */
export type Synchronize = 'auto' | 'evaluate' | 'fetch' | 'none'

/**
 * Runs an update or delete by criteria, on every shard that it concerns, and gives the number of rows that it met.
 * Pending changes are flushed first.
 *
 * @example
 * pipe(update(model.User), set({ nickname: null }), where('name', '=', 'ed'), Session.execute())
 *
 * @category queries
 */
export const execute =
  (options: { readonly synchronize?: Synchronize } = {}) =>
  (statement: AnyUpdate | AnyDelete): Program<BulkError, number> =>
    unlessFailed((state): Program<BulkError, number> => {
      const checked = checkModel(state, statement.entity)
      if (isLeft(checked)) return fail(checked.left)
      return chain((asked: AnyUpdate | AnyDelete) =>
        chain(() =>
          chain((met: ReadonlyArray<InstanceId>) => write(asked, met))(matched(asked, options.synchronize ?? 'auto')),
        )(asked.options.autoflush === false ? of(undefined) : autoflush),
      )(rewritten(statement, 'bulk'))
    })

/** The instances of the session that the statement will meet, before it runs. */
const matched = (
  statement: AnyUpdate | AnyDelete,
  synchronize: Synchronize,
): Program<RequestError | NotEvaluable, ReadonlyArray<InstanceId>> => {
  if (synchronize === 'none') return of([])
  if (synchronize === 'fetch') return fetchMatched(statement)
  const criteria = evaluateCriteria(statement)
  if (isLeft(criteria)) return synchronize === 'auto' ? fetchMatched(statement) : fail(criteria.left)
  return gets((state) =>
    knownInstances(state, statement.entity.mapping)
      .filter((instance) => criteria.right(rowOf(instance)) === true)
      .map((instance) => instance.id),
  )
}

const fetchMatched = (statement: AnyUpdate | AnyDelete): Program<RequestError, ReadonlyArray<InstanceId>> =>
  request(
    { _tag: 'Query', statement: selectOf(statement) },
    (answer, state): Outcome<RequestError, ReadonlyArray<InstanceId>> => [
      isLeft(answer) ? answer : right(known(state, statement, answer.right)),
      state,
    ],
  )

/** The rows that the statement will meet, as a query. */
const selectOf = (statement: AnyUpdate | AnyDelete): Select<unknown, string> => {
  const all = select(statement.entity)
  const { where } = statement.node
  return { ...all, node: where === undefined ? all.node : { ...all.node, where }, options: statement.options }
}

const known = (
  state: SessionState,
  statement: AnyUpdate | AnyDelete,
  answer: QueryAnswer,
): ReadonlyArray<InstanceId> => {
  const { mapping } = statement.entity
  return answer.batches.flatMap(({ dialect, token, rows }) => {
    const read = rowReaderOf(mapping, dialect, 'trusted')
    return rows.flatMap((row) => {
      const snapshot = read(row, 0)
      if (snapshot instanceof DecodeFault) return []
      const key = rawKeyOf(mapping, snapshot as never)
      const id = key === null ? undefined : IdentityMap.get(state.identityMap, mapping, token, key)
      return id === undefined || isExpired(state, instanceAt(state, id)) ? [] : [id]
    })
  })
}

const write = (statement: AnyUpdate | AnyDelete, met: ReadonlyArray<InstanceId>): Program<RequestError, number> =>
  request({ _tag: 'Write', statement }, (answer, state): Outcome<RequestError, number> => {
    if (isLeft(answer)) return [left(answer.left), state]
    const ids = onShards(state, met, answer.right.tokens)
    return [
      right(answer.right.affected),
      statement._tag === 'Update' ? bulkUpdated(state, statement, ids) : bulkDeleted(state, ids),
    ]
  })
