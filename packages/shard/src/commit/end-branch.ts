/**
 * Ending a prepared branch from a connection that has not prepared it.
 */
import type { Connection, EndPreparedCall, Engine, EngineError } from '@unitary/core'
import type { Effect } from '@unitary/session'
import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import { callWithin, connectWithin, pause, releaseWithin } from './within.js'

/** How long to wait, in ms, before asking again for what another connection holds. */
const again = 20

/**
 * On a connection that is there. Another may hold the branch: MariaDB's until it has noticed that its client is gone, that
 * of a recovery beside this one until it is done.
 */
export function* endBranchOn(
  connection: Connection,
  asked: EndPreparedCall,
  ms: number,
): Effect<Either<EngineError, boolean>> {
  for (let patience = ms; ; patience -= again) {
    const ended = yield* callWithin(connection, asked, ms)
    if (!isLeft(ended) || ended.left.reason._tag !== 'LockTimeout' || patience < again) return ended
    yield* pause(again)
  }
}

/** On a connection of its own. */
export function* endBranch(engine: Engine, asked: EndPreparedCall, ms: number): Effect<Either<EngineError, boolean>> {
  const connected = yield* connectWithin(engine, ms)
  if (isLeft(connected)) return connected
  const ended = yield* endBranchOn(connected.right, asked, ms)
  yield* releaseWithin(connected.right, ms)
  return ended
}
