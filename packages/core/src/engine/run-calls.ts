/**
 * Work on an engine as a generator of calls, each asked for with the answer to the one before: run with promises or
 * without.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { RootOperationNode } from 'kysely'
import type { EngineCall, QueryCall } from './call.js'
import type { Engine } from './engine.js'
import { type EngineError, engineError } from './error.js'

/** Yields calls, or an error to end with, and returns what the work gives. */
export type Calls<A> = Generator<EngineCall | EngineError, A, unknown>

export const queryCall = (engine: Engine, node: RootOperationNode): QueryCall => ({
  _tag: 'Query',
  statement: engine.compile(node),
})

/** On a connection of its own. A transaction that is open when a call fails is rolled back. */
export const runCalls =
  <A>(engine: Engine, calls: () => Calls<A>): TaskEither<EngineError, A> =>
  async () => {
    const connected = await engine.connect()
    if (isLeft(connected)) return connected
    const connection = connected.right
    const steps = calls()
    let step = steps.next()
    while (step.done !== true) {
      const answer = step.value._tag === 'EngineError' ? left(step.value) : await connection.call(step.value)
      if (isLeft(answer)) {
        await connection.release()
        return answer
      }
      step = steps.next(answer.right)
    }
    await connection.release()
    return right(step.value)
  }

/** The same without a promise; `instead` names the function for an engine that has to wait. */
export const runCallsSync = <A>(engine: Engine, instead: string, calls: () => Calls<A>): Either<EngineError, A> => {
  if (engine.connectSync === null) {
    return left(engineError({ _tag: 'Unsupported' }, `the engine is not synchronous; use ${instead}`))
  }
  const connected = engine.connectSync()
  if (isLeft(connected)) return connected
  const connection = connected.right
  const steps = calls()
  let step = steps.next()
  while (step.done !== true) {
    const answer = step.value._tag === 'EngineError' ? left(step.value) : connection.call(step.value)
    if (isLeft(answer)) {
      connection.release()
      return answer
    }
    step = steps.next(answer.right)
  }
  connection.release()
  return right(step.value)
}
