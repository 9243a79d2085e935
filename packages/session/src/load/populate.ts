/**
 * From the answer to a query to instances: rows taken into the state, in the order of the answer.
 */
import type { InstanceId, Mapping, ReadMode } from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { DecodeError } from '../error.js'
import type { QueryAnswer } from '../program/request.js'
import { done, edit, type SessionState } from '../state/session-state.js'
import { absorb } from '../transition/absorb.js'

/** How rows meet what the session knows. @category model */
export interface PopulateOptions {
  readonly populateExisting?: boolean
  readonly strict?: boolean
}

/**
 * Takes an answer into the state and gives the instances of its rows.
 *
 * @category transitions
 */
export const populate = (
  state: SessionState,
  mapping: Mapping,
  answer: QueryAnswer,
  options: PopulateOptions,
): Either<DecodeError, readonly [ReadonlyArray<InstanceId>, SessionState]> => {
  const changes = edit(state)
  const mode: ReadMode = options.strict === false ? 'trusted' : 'strict'
  const populateExisting = options.populateExisting ?? false
  const batches: Array<ReadonlyArray<InstanceId>> = []
  for (const rows of answer.batches) {
    const absorbed = absorb(state, changes, mapping, rows, { populateExisting, mode })
    if (isLeft(absorbed)) return absorbed
    batches.push(absorbed.right)
  }
  return right([inOrder(batches, answer.order), done(state, changes)])
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
