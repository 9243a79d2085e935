/**
 * From the answer to a query to instances: rows taken into the state, in the order of the answer.
 */
import type { InstanceId, Mapping, ReadMode, RowColumns, Services } from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError } from '../error.js'
import { hasLoadHooks } from '../hook/hooks.js'
import { loaded } from '../hook/loaded.js'
import type { QueryAnswer } from '../program/request.js'
import { done, edit, type SessionState } from '../state/session-state.js'
import { absorb } from '../transition/absorb.js'

/** How rows meet what the session knows. @category model */
export interface PopulateOptions {
  readonly populateExisting?: boolean
  readonly strict?: boolean
  /** Do rows count whose key is NULL in part? */
  readonly allowPartialKeys?: boolean
  /** Where the rows have the attributes, if not under their names or not all of them. */
  readonly columns?: RowColumns | null
  /** The same for the attributes of a subtype. */
  readonly columnsAs?: ((subtype: Mapping) => RowColumns | null) | null
}

/**
 * The columns that are NULL where a row has nothing of an entity, as an outer join leaves them: those of its key, less what may
 * be NULL in part.
 */
export const presentBy = (
  { key }: Mapping,
  columns: RowColumns,
  { allowPartialKeys = true }: PopulateOptions,
): ReadonlyArray<string> =>
  key.flatMap(({ isNullable, position }) => (isNullable && allowPartialKeys ? [] : [columns[position] as string]))

/**
 * Takes an answer into the state and gives the instances of its rows. Hooks are told of those that it made known, once all
 * of it is taken in.
 *
 * @category transitions
 */
export const populate = (
  state: SessionState,
  mapping: Mapping,
  answer: QueryAnswer,
  options: PopulateOptions,
  services: Services,
): Either<DecodeError | HookError, readonly [ReadonlyArray<InstanceId>, SessionState]> => {
  const changes = edit(state)
  const mode: ReadMode = options.strict === false ? 'trusted' : 'strict'
  const populateExisting = options.populateExisting ?? false
  const columns = options.columns ?? null
  const columnsAs = options.columnsAs ?? null
  const arrived = hasLoadHooks(state.hooks, mapping) ? new Map<InstanceId, boolean>() : null
  const batches: Array<ReadonlyArray<InstanceId>> = []
  for (const rows of answer.batches) {
    const absorbed = absorb(state, changes, mapping, rows, { populateExisting, mode, columns, columnsAs, arrived })
    if (isLeft(absorbed)) return absorbed
    batches.push(absorbed.right)
  }
  const ids = inOrder(batches, answer.order)
  const next = done(state, changes)
  if (arrived === null || arrived.size === 0) return right([ids, next])
  const seen = loaded(next, ids, arrived, services)
  return isLeft(seen) ? seen : right([ids, seen.right])
}

/** What came of the rows of each batch, in the order of the answer. */
export const inOrder = <A>(
  batches: ReadonlyArray<ReadonlyArray<A>>,
  order: ReadonlyArray<number> | null,
): ReadonlyArray<A> => {
  if (batches.length === 1) return batches[0] as ReadonlyArray<A>
  if (order === null) return batches.flat()
  const next = batches.map(() => 0)
  return order.map((batch) => {
    const at = next[batch] as number
    next[batch] = at + 1
    return (batches[batch] as ReadonlyArray<A>)[at] as A
  })
}
