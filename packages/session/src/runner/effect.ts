/**
 * Effects as coroutines: the one description of how requests are answered, for both interpreters.
 *
 * An effect yields operations and is sent their results. Driven synchronously there is no promise anywhere; driven
 * asynchronously it waits only for what cannot answer at once.
 *
 * What answers at once under any driver is asked in place: to yield it would pass through every coroutine that the effect
 * is nested in, and say the same.
 */
import {
  type Answer,
  type Connection,
  type Engine,
  type EngineCall,
  type EngineError,
  engineError,
} from '@unitary/core'
import { type Either, isRight, left, right } from 'fp-ts/lib/Either.js'
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import { Cutoff } from './cutoff.js'

/** What an effect can ask of its driver. */
export type Operation =
  | { readonly _tag: 'Connect'; readonly engine: Engine }
  | { readonly _tag: 'Call'; readonly connection: Connection; readonly call: EngineCall }
  | { readonly _tag: 'Release'; readonly connection: Connection }
  | { readonly _tag: 'Wait'; readonly task: Task<unknown> }
  | { readonly _tag: 'Pause'; readonly milliseconds: number }
  | { readonly _tag: 'Within'; readonly milliseconds: number; readonly effect: Effect<unknown> }
  | { readonly _tag: 'Together'; readonly effects: ReadonlyArray<Effect<unknown>> }

/**
 * A description of work with databases that gives an `A`.
 *
 * @category model
 */
export type Effect<A> = Generator<Operation, A, unknown>

/** @category constructors */
export function* connect(engine: Engine): Effect<Either<EngineError, Connection>> {
  const now = engine.connectSync === null ? null : engine.connectSync()
  // where there is none now, the driver says whether to wait for one
  if (now !== null && now._tag === 'Right') return now
  return (yield { _tag: 'Connect', engine }) as Either<EngineError, Connection>
}

/** @category constructors */
export function* call<C extends EngineCall>(connection: Connection, asked: C): Effect<Either<EngineError, Answer<C>>> {
  if (connection._tag === 'SyncConnection') return connection.call(asked)
  return (yield { _tag: 'Call', connection, call: asked }) as Either<EngineError, Answer<C>>
}

/** Gives a connection back. @category constructors */
export function* release(connection: Connection): Effect<void> {
  if (connection._tag === 'SyncConnection') connection.release()
  else yield { _tag: 'Release', connection }
}

/** Waits for a task of the application's. Left where the driver cannot wait. @category constructors */
export function* wait<A>(task: Task<A>): Effect<Either<EngineError, A>> {
  return (yield { _tag: 'Wait', task: task as Task<unknown> }) as Either<EngineError, A>
}

/** Lets so much time pass. @category constructors */
export function* pause(milliseconds: number): Effect<void> {
  yield { _tag: 'Pause', milliseconds }
}

/**
 * An effect that is given up when it has taken so long: none then, and the connection that it waited for is discarded. A
 * driver that does not wait has nothing to give up.
 *
 * @category constructors
 */
export function* within<A>(milliseconds: number, effect: Effect<A>): Effect<Option<A>> {
  return (yield { _tag: 'Within', milliseconds, effect }) as Option<A>
}

/**
 * Effects on different connections, at the same time where the driver can. Their values are in the order given.
 *
 * @category constructors
 */
export function* together<A>(effects: ReadonlyArray<Effect<A>>): Effect<ReadonlyArray<A>> {
  if (effects.length === 1) return [yield* effects[0] as Effect<A>]
  return (yield { _tag: 'Together', effects }) as ReadonlyArray<A>
}

/** What a driver that does not wait answers where it would have to. */
export const mustWait: EngineError = engineError(
  { _tag: 'Unsupported' },
  'the engine or task has to be waited for; use run instead of runSync',
)

/**
 * Drives an effect without waiting for anything.
 *
 * @category interpreters
 */
export const driveSync = <A>(effect: Effect<A>): A => {
  let step = effect.next()
  while (step.done !== true) step = effect.next(performSync(step.value))
  return step.value
}

const performSync = (operation: Operation): unknown => {
  switch (operation._tag) {
    case 'Call':
      return operation.connection._tag === 'SyncConnection' ? operation.connection.call(operation.call) : left(mustWait)
    case 'Connect':
      return operation.engine.connectSync === null ? left(mustWait) : operation.engine.connectSync()
    case 'Release':
      if (operation.connection._tag === 'SyncConnection') operation.connection.release()
      return undefined
    case 'Wait':
      return left(mustWait)
    case 'Pause':
      return sleep(operation.milliseconds)
    case 'Within':
      return some(driveSync(operation.effect))
    case 'Together':
      return operation.effects.map(driveSync)
  }
}

/** As SQLite's busy timeout waits: nothing else runs meanwhile in this thread. */
const sleep = (milliseconds: number): void => {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/**
 * Drives an effect, waiting where it must. What answers at once costs no promise: an effect that never has to wait is
 * done when this returns, and then the value itself is given.
 *
 * @category interpreters
 */
export const drive = <A>(effect: Effect<A>): A | Promise<A> => driveUntil(effect, null) as A | Promise<A>

/** What an effect gives that was given up. */
export const givenUp: unique symbol = Symbol('given up')

/**
 * The same, until a moment comes at which it is given up: then the connections that it waits for are discarded, nothing more
 * is asked, and it gives `givenUp`.
 */
export const driveUntil = <A>(
  effect: Effect<A>,
  cutoff: Cutoff | null,
): A | typeof givenUp | Promise<A | typeof givenUp> => {
  let step = effect.next()
  while (step.done !== true) {
    const result = perform(step.value, cutoff)
    if (result instanceof Promise) return driveOn(effect, step.value, result, cutoff)
    step = effect.next(result)
  }
  return step.value
}

/**
 * Waits until whatever else has come in the meantime has had its turn: for work that is long and never waits, beside which
 * no timer would run and no signal be heard.
 */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const driveOn = async <A>(
  effect: Effect<A>,
  first: Operation,
  firstResult: Promise<unknown>,
  cutoff: Cutoff | null,
): Promise<A | typeof givenUp> => {
  let result: unknown = await untilCutoff(first, firstResult, cutoff)
  while (result !== givenUp) {
    const step = effect.next(result)
    if (step.done === true) return step.value
    result = perform(step.value, cutoff)
    if (result instanceof Promise) result = await untilCutoff(step.value, result, cutoff)
  }
  return givenUp
}

/** The result of an operation, or `givenUp` when that comes first. */
const untilCutoff = (operation: Operation, result: Promise<unknown>, cutoff: Cutoff | null): Promise<unknown> => {
  // those are told of it, and give up by themselves
  if (cutoff === null || operation._tag === 'Together' || operation._tag === 'Within') return result
  return new Promise((resolve, reject) => {
    const unlisten = cutoff.onReached(() => {
      giveUp(operation, result)
      resolve(givenUp)
    })
    result.then(resolve, reject).finally(unlisten)
  })
}

/** Sees to it that nothing is left of an operation that nobody waits for any more. */
const giveUp = (operation: Operation, result: Promise<unknown>): void => {
  if (operation._tag === 'Call') {
    const { connection } = operation
    if (connection._tag === 'AsyncConnection' && connection.discard !== undefined) connection.discard()
    else result.then(() => connection.release()).catch(() => {})
  }
  if (operation._tag === 'Connect') {
    const connecting = result as Promise<Either<EngineError, Connection>>
    connecting.then((connected) => (isRight(connected) ? connected.right.release() : undefined)).catch(() => {})
  }
}

const perform = (operation: Operation, cutoff: Cutoff | null): unknown => {
  switch (operation._tag) {
    case 'Call':
      return operation.connection.call(operation.call)
    case 'Connect': {
      const { engine } = operation
      if (engine.connectSync === null) return engine.connect()
      // a connection that is free now needs no waiting; one that is not is queued for
      const connection = engine.connectSync()
      return connection._tag === 'Left' && connection.left.reason._tag === 'Unavailable' ? engine.connect() : connection
    }
    case 'Release':
      return operation.connection.release()
    case 'Wait':
      return operation.task().then(right)
    case 'Pause':
      return new Promise((resolve) => setTimeout(resolve, operation.milliseconds))
    case 'Within':
      return performWithin(operation.milliseconds, operation.effect, cutoff)
    case 'Together': {
      const results = operation.effects.map((effect) => driveUntil(effect, cutoff))
      // nothing is given up but what is waited for
      return results.some((result) => result instanceof Promise)
        ? Promise.all(results).then((all) => (all.includes(givenUp) ? givenUp : all))
        : results
    }
  }
}

const performWithin = (milliseconds: number, effect: Effect<unknown>, outer: Cutoff | null): unknown => {
  const cutoff = new Cutoff()
  const result = driveUntil(effect, cutoff)
  if (!(result instanceof Promise)) return some(result)
  const unlisten = outer?.onReached(() => cutoff.reach())
  const timer = setTimeout(() => cutoff.reach(), milliseconds)
  return result
    .then((value) => (value !== givenUp ? some(value) : outer?.isReached === true ? givenUp : none))
    .finally(() => {
      clearTimeout(timer)
      unlisten?.()
    })
}
