/**
 * Running programs.
 *
 * `run` waits where engines need it, `runSync` never does; they step the same machine over the same effects, so that a
 * program does the same under both.
 */
import { type Either, left } from 'fp-ts/lib/Either.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Interrupted } from '../error.js'
import { Machine, type Progress } from '../program/machine.js'
import type { Program } from '../program/program.js'
import { empty, type SessionState } from '../state/session-state.js'
import { cutOff } from '../transition/frame.js'
import { Cutoff } from './cutoff.js'
import { drive, driveSync, driveUntil, givenUp, turn } from './effect.js'
import type { Interpreter, Runtime } from './runtime.js'

/** A program's result, and the session's state after it: after a failure too. @category model */
export type Finished<E, A> = readonly [result: Either<E, A>, state: SessionState]

/** @category model */
export interface RunOptions {
  /**
   * Aborting it ends the run, as `Interrupted`, and rolls back what it has not committed. What it waits for is given up at
   * once, and the connections that are busy with it discarded; but a commit that is under way is seen to its end.
   */
  readonly signal: AbortSignal
}

/**
 * Runs a program in a session of its own. What it has not committed is rolled back when it ends, whichever way it ends.
 *
 * @example
 * const found = await run(app)(Session.get(model.User, 1))()
 *
 * @category interpreters
 */
export function run(runtime: Runtime): <E, A>(program: Program<E, A>) => TaskEither<E, A>
export function run(
  runtime: Runtime,
  options: RunOptions,
): <E, A>(program: Program<E, A>) => TaskEither<E | Interrupted, A>
export function run(runtime: Runtime, options?: RunOptions) {
  return <E, A>(program: Program<E, A>): TaskEither<E | Interrupted, A> =>
    async () =>
      (await finish(runtime, empty(runtime.model, runtime.options), program, options?.signal))[0]
}

/**
 * The same without a promise, where every engine answers at once (better-sqlite3).
 *
 * @category interpreters
 */
export const runSync =
  (runtime: Runtime) =>
  <E, A>(program: Program<E, A>): Either<E, A> =>
    runStateSync(runtime)(program)[0]

/**
 * Runs a program and gives the state too, which outlives the run: the transaction ends with it, as `close` ends it, but
 * the value can be looked at, compared, and gone on from. A state that had written what it did not commit has to be rolled
 * back first, since the database has: until then it answers `PendingRollback`.
 *
 * @category interpreters
 */
export const runState =
  (runtime: Runtime, from: SessionState = empty(runtime.model, runtime.options)) =>
  <E, A>(program: Program<E, A>): Task<Finished<E, A>> =>
  () =>
    finish(runtime, from, program) as Promise<Finished<E, A>>

/**
 * The same without a promise.
 *
 * @category interpreters
 */
export const runStateSync =
  (runtime: Runtime, from: SessionState = empty(runtime.model, runtime.options)) =>
  <E, A>(program: Program<E, A>): Finished<E, A> => {
    const interpreter = runtime.open()
    try {
      const [result, state] = stepAllSync<E, A>(interpreter, new Machine(from), program)
      return [result, cutOff(state)]
    } finally {
      driveSync(interpreter.end())
    }
  }

const finish = async <E, A>(
  runtime: Runtime,
  from: SessionState,
  program: Program<E, A>,
  signal?: AbortSignal,
): Promise<Finished<E | Interrupted, A>> => {
  const interpreter = runtime.open()
  try {
    const [result, state] = await stepAll<E, A>(interpreter, new Machine(from), program, signal)
    return [result, cutOff(state)]
  } finally {
    await drive(interpreter.end())
  }
}

/** The one outcome of every run that is aborted. */
export const interrupted: Either<Interrupted, never> = left({ _tag: 'Interrupted' })

/** Steps a program to its end against an interpreter that goes on living. After a defect the machine has the state. */
export const stepAll = async <E, A>(
  interpreter: Interpreter,
  machine: Machine,
  program: Program<E, A>,
  signal?: AbortSignal,
): Promise<Finished<E | Interrupted, A>> => {
  const cutoff = signal === undefined ? null : new Cutoff()
  const onAbort = (): void => cutoff?.reach()
  signal?.addEventListener('abort', onAbort)
  try {
    let progress: Progress = machine.start(program)
    while (progress._tag === 'Asking') {
      if (signal?.aborted === true) return [interrupted, machine.state]
      const { request } = progress
      // nobody could tell what has become of a commit that is not waited for
      const answering = driveUntil(
        interpreter.answer(request, machine.state),
        request._tag === 'Commit' ? null : cutoff,
      )
      // a program that goes through many rows leaves others a turn after each chunk
      if (request._tag === 'Fetch' && !(answering instanceof Promise)) await turn()
      const answer = answering instanceof Promise ? await answering : answering
      if (answer === givenUp) return [interrupted, machine.state]
      progress = machine.answer(answer)
    }
    return progress.outcome as Finished<E, A>
  } finally {
    signal?.removeEventListener('abort', onAbort)
    machine.abandon()
  }
}

export const stepAllSync = <E, A>(
  interpreter: Interpreter,
  machine: Machine,
  program: Program<E, A>,
): Finished<E, A> => {
  try {
    let progress: Progress = machine.start(program)
    while (progress._tag === 'Asking') {
      progress = machine.answer(driveSync(interpreter.answer(progress.request, machine.state)))
    }
    return progress.outcome as Finished<E, A>
  } finally {
    machine.abandon()
  }
}
