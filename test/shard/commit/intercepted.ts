/**
 * An engine whose calls a test can get in the way of.
 */
import { type Connection, type Engine, type EngineCall, type EngineError, engineError } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'

type Answer = Either<EngineError, unknown>
type Perform = () => Answer | Promise<Answer>

/** What becomes of a call: null lets it pass. */
export type Intercept = (call: EngineCall, perform: Perform) => Answer | Promise<Answer> | null

export const lost: EngineError = engineError({ _tag: 'ConnectionLost' }, 'cable cut')

/** Ways of failing. */
export const never = (): Promise<Answer> => new Promise(() => {})
export const fails = (error: EngineError) => (): Answer => left(error)
/** It is done, and nobody hears of it. */
export const losesAnswer = (_: EngineCall, perform: Perform): Promise<Answer> =>
  Promise.resolve(perform()).then(() => left(lost))

export const intercepted = (engine: Engine, intercept: Intercept): Engine => {
  const lend = <C extends Connection>(connected: Either<EngineError, C>): Either<EngineError, C> => {
    if (isLeft(connected)) return connected
    const connection = connected.right
    const call = (asked: EngineCall): unknown => {
      const answer = intercept(asked, () => connection.call(asked) as Answer | Promise<Answer>)
      if (answer === null) return connection.call(asked)
      return connection._tag === 'SyncConnection' ? answer : Promise.resolve(answer)
    }
    return right({ ...connection, call } as C)
  }
  const { connectSync } = engine
  return {
    ...engine,
    connect: async () => lend(await engine.connect()),
    connectSync: connectSync === null ? null : () => lend(connectSync()),
  }
}

/** Gets in the way of the first call of a kind, while it is armed. */
export const once = (
  isIt: (call: EngineCall) => boolean,
  fate: Intercept,
): { readonly intercept: Intercept; readonly arm: () => void } => {
  let isArmed = false
  return {
    intercept: (call, perform) => {
      if (!isArmed || !isIt(call)) return null
      isArmed = false
      return fate(call, perform)
    },
    arm: () => {
      isArmed = true
    },
  }
}
