/**
 * Calls that are not waited for any longer than a commit can wait.
 */
import {
  type Answer,
  type Connection,
  type Engine,
  type EngineCall,
  type EngineError,
  engineError,
} from '@unitary/core'
import { call, type Effect, wait } from '@unitary/session'
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js'

/** The cause of an error that stands for no answer. */
const silence = Symbol('no answer')

const noAnswer = (ms: number): EngineError => ({
  ...engineError({ _tag: 'StatementTimeout' }, `no answer within ${ms} ms`, { cause: silence }),
  retryable: true,
})

/** Was it given up waiting? Then the connection may be busy for ever. */
export const isSilent = ({ cause }: EngineError): boolean => cause === silence

const notFailed: ReadonlySet<EngineError['reason']['_tag']> = new Set(['ConnectionLost', 'Unknown', 'Full'])

/** May a call that failed so have been done all the same? */
export const isLost = (error: EngineError): boolean => isSilent(error) || notFailed.has(error.reason._tag)

const raced = <A>(
  work: () => Promise<Either<EngineError, A>>,
  ms: number,
  late: (answer: Either<EngineError, A>) => void,
): Promise<Either<EngineError, A>> =>
  new Promise((resolve) => {
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      resolve(left(noAnswer(ms)))
    }, ms)
    void work().then((answer) => {
      clearTimeout(timer)
      if (isOver) late(answer)
      else resolve(answer)
    })
  })

const flat = <A>(answer: Either<EngineError, Either<EngineError, A>>): Either<EngineError, A> =>
  isLeft(answer) ? answer : answer.right

/** Asks, and gives up after so many ms. What a synchronous connection is asked ends by itself. */
export function* callWithin<C extends EngineCall>(
  connection: Connection,
  asked: C,
  ms: number,
): Effect<Either<EngineError, Answer<C>>> {
  if (connection._tag === 'SyncConnection') return yield* call(connection, asked)
  return flat(
    yield* wait(() =>
      raced(
        () => connection.call(asked),
        ms,
        () => {},
      ),
    ),
  )
}

/** Connects, and gives up after so many ms; a connection that comes later is given back. */
export function* connectWithin(engine: Engine, ms: number): Effect<Either<EngineError, Connection>> {
  const atOnce = engine.connectSync?.() ?? null
  // one connection that another session has is waited for
  if (atOnce !== null && (!isLeft(atOnce) || atOnce.left.reason._tag !== 'Unavailable')) return atOnce
  return flat(
    yield* wait(() =>
      raced(
        () => engine.connect(),
        ms,
        (late) => {
          if (!isLeft(late)) void late.right.release()
        },
      ),
    ),
  )
}

/** Gives a connection back, waiting for that only where it is known to answer. */
export function* releaseWithin(connection: Connection, ms: number): Effect<void> {
  if (connection._tag === 'SyncConnection') connection.release()
  else {
    yield* wait(() =>
      raced(
        () => connection.release().then(() => left(noAnswer(0))),
        ms,
        () => {},
      ),
    )
  }
}

/** Waits so many ms, where there is waiting. */
export function* pause(ms: number): Effect<void> {
  yield* wait(() => new Promise((resolve) => setTimeout(resolve, ms)))
}
