/**
 * Running programs.
 *
 * `run` waits where engines need it, `runSync` never does; they step the same machine over the same effects, so that a
 * program does the same under both.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { Machine, type Progress } from '../program/machine.js'
import type { Program } from '../program/program.js'
import { empty, type SessionState } from '../state/session-state.js'
import { drive, driveSync } from './effect.js'
import type { Interpreter, Runtime } from './runtime.js'

/** A program's result, and the session's state after it: after a failure too. @category model */
export type Finished<E, A> = readonly [result: Either<E, A>, state: SessionState]

/**
 * Runs a program in a session of its own. What it has not committed is rolled back when it ends, whichever way it ends.
 *
 * @example
 * const found = await run(app)(Session.get(model.User, 1))()
 *
 * @category interpreters
 */
export const run =
  (runtime: Runtime) =>
  <E, A>(program: Program<E, A>): TaskEither<E, A> =>
  async () =>
    (await runState(runtime)(program)())[0]

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
 * the value can be looked at, compared, and gone on from.
 *
 * @category interpreters
 */
export const runState =
  (runtime: Runtime, from: SessionState = empty(runtime.model, runtime.options)) =>
  <E, A>(program: Program<E, A>): Task<Finished<E, A>> =>
  async () => {
    const interpreter = runtime.open()
    try {
      return await stepAll(interpreter, from, program)
    } finally {
      await drive(interpreter.end())
    }
  }

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
      return stepAllSync(interpreter, from, program)
    } finally {
      driveSync(interpreter.end())
    }
  }

/** Steps a program to its end against an interpreter that goes on living. */
export const stepAll = async <E, A>(
  interpreter: Interpreter,
  from: SessionState,
  program: Program<E, A>,
): Promise<Finished<E, A>> => {
  const machine = new Machine(from)
  let progress: Progress = machine.start(program)
  while (progress._tag === 'Asking') {
    const answer = drive(interpreter.answer(progress.request, machine.state))
    progress = machine.answer(answer instanceof Promise ? await answer : answer)
  }
  return progress.outcome as Finished<E, A>
}

export const stepAllSync = <E, A>(
  interpreter: Interpreter,
  from: SessionState,
  program: Program<E, A>,
): Finished<E, A> => {
  const machine = new Machine(from)
  let progress: Progress = machine.start(program)
  while (progress._tag === 'Asking') {
    progress = machine.answer(driveSync(interpreter.answer(progress.request, machine.state)))
  }
  return progress.outcome as Finished<E, A>
}
