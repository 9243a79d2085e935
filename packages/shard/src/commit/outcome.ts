/**
 * Asking what has become of a commit whose answer was lost.
 */
import type { Engine } from '@unitary/core'
import {
  type DatabaseError,
  databaseError,
  drive,
  driveSync,
  type Effect,
  type RoutingError,
  systemServices,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { faultyMap } from '../error.js'
import { databaseOf, type ShardMap } from '../shard-map.js'
import { settle } from './decision.js'
import { parseTransaction, shardKey } from './transaction-id.js'
import { connectWithin, releaseWithin } from './within.js'

/**
 * What has become of a transaction. `digest` is that of what it has written, with `exactlyOnce`: the same for the same.
 *
 * @category model
 */
export interface TransactionOutcome {
  readonly isCommitted: boolean
  readonly digest: string | null
}

/** @category model */
export interface OutcomeOptions {
  /** How long each answer is waited for, in ms; 10,000 by default. */
  readonly timeout?: number
}

/**
 * What has become of a commit that ended as `CommitUnknown`, once and for all: where it is not committed, it never will be,
 * and may be tried again.
 *
 * @example
 * const outcome = await outcomeOf(shards, unknown.transaction)()
 *
 * @category interpreters
 */
export const outcomeOf =
  (
    shards: ShardMap,
    transaction: string,
    options: OutcomeOptions = {},
  ): TaskEither<RoutingError | DatabaseError, TransactionOutcome> =>
  async () =>
    drive(asked(shards, transaction, options))

/**
 * The same without a promise, where the engine answers at once.
 *
 * @category interpreters
 */
export const outcomeOfSync = (
  shards: ShardMap,
  transaction: string,
  options: OutcomeOptions = {},
): Either<RoutingError | DatabaseError, TransactionOutcome> => driveSync(asked(shards, transaction, options))

function* asked(
  shards: ShardMap,
  transaction: string,
  { timeout = 10_000 }: OutcomeOptions,
): Effect<Either<RoutingError | DatabaseError, TransactionOutcome>> {
  const name = parseTransaction(transaction)
  const token = shards.tokens.find((one) => shardKey(one) === name?.decider)
  if (token === undefined) {
    return left(
      faultyMap(
        'outcome',
        `outcome of '${transaction}': the shard map has no shard that has decided it; give the map it was committed with`,
      ),
    )
  }
  const engine = databaseOf(shards.engines.get(token) as Engine)
  const connected = yield* connectWithin(engine, timeout)
  if (isLeft(connected)) return left(databaseError('connect', null, token, connected.left))
  const decision = yield* settle(connected.right, engine, transaction, systemServices().now, timeout)
  yield* releaseWithin(connected.right, timeout)
  return isLeft(decision)
    ? left(databaseError('outcome', null, token, decision.left))
    : right({ isCommitted: decision.right.outcome === 'commit', digest: decision.right.digest })
}
