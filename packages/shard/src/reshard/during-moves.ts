/**
 * Sessions while rows move: where they put new rows, and where they look for what is there.
 */
import type { IsolationLevel } from '@unitary/core'
import { isTransient } from '@unitary/session'
import type { Choosers } from '../chooser/chooser.js'
import type { Atomic } from '../commit/level.js'
import type { ShardMap } from '../shard-map.js'
import type { Direction, Resharding } from './resharding.js'

/** What a runtime has to know. @category model */
export interface DuringMoves<Token extends string = string> {
  readonly shards: ShardMap<Token>
  readonly choosers: Choosers<Token>
  readonly commit: Atomic
  readonly isolationLevel: IsolationLevel
  readonly moving: ReadonlyArray<Direction>
}

/**
 * The options of a runtime whose sessions are right before, during and after the moves of a resharding. New rows go where the
 * new choosers put them, and children beside their parents; keys and statements are looked for where they were and where they
 * will be, sources before targets; a row that is on both is taken once.
 *
 * Transactions are READ COMMITTED where the database knows that: under an isolation that shows each of several databases as it
 * was at another moment, a row could be missed that moves in between. An instance whose row has moved meanwhile is `StaleData`,
 * `ObjectDeleted` or a retryable `DatabaseError` when it is written; `mayHaveMoved` tells them.
 *
 * @example
 * const app = shardedRuntime(model, duringMoves(adding))
 *
 * @category constructors
 */
export const duringMoves = <Token extends string>({
  commit,
  directions,
  from,
  shards,
  to,
}: Resharding<Token>): DuringMoves<Token> => ({
  shards,
  choosers: bothChoosers(from, to) as Choosers<Token>,
  commit,
  isolationLevel: 'read committed',
  moving: directions,
})

/** Choosers that look at both places, and put new rows in the second. */
const bothChoosers = (from: Choosers, to: Choosers): Choosers => ({
  shardOf: to.shardOf,
  shardsOfKey: (entity, key, context) =>
    both(from.shardsOfKey(entity, key, context), to.shardsOfKey(entity, key, context)),
  shardsOf: (analysis, context) => both(from.shardsOf(analysis, context), to.shardsOf(analysis, context)),
  ...(to.basisOf === undefined ? {} : { basisOf: to.basisOf }),
})

const both = (
  before: ReadonlyArray<string> | null,
  after: ReadonlyArray<string> | null,
): ReadonlyArray<string> | null => (before === null || after === null ? null : [...new Set([...before, ...after])])

const traces: ReadonlySet<unknown> = new Set(['StaleData', 'ObjectDeleted'])

/**
 * Can a failure be that of a row that has moved since the session has read it? Beside those that are transient anyway. A row
 * that refers to one that has moved is an `IntegrityError`.
 *
 * @example
 * pipe(work, Session.transactRetrying({ ...Session.patient, mayRetry: mayHaveMoved }))
 *
 * @category guards
 */
export const mayHaveMoved = (error: unknown): boolean => {
  if (isTransient(error)) return true
  if (typeof error !== 'object' || error === null || !('_tag' in error)) return false
  if (error._tag !== 'IntegrityError') return traces.has(error._tag)
  const { reason } = error as { readonly reason?: { readonly _tag?: unknown } }
  return reason?._tag === 'ForeignKeyViolation'
}
