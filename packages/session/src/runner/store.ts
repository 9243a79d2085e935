/**
 * A store: one session in one cell, for edges that are imperative.
 *
 * It holds the current state and the open transaction, runs programs against them one at a time, and tells those who
 * subscribed when the state has changed.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Interrupted } from '../error.js'
import { Machine } from '../program/machine.js'
import type { Program } from '../program/program.js'
import { empty, type SessionState } from '../state/session-state.js'
import { undone } from '../transition/frame.js'
import { drive, driveSync } from './effect.js'
import { interrupted, type RunOptions, stepAll, stepAllSync } from './run.js'
import type { Runtime } from './runtime.js'

/**
 * @category model
 */
export interface Store {
  readonly getState: () => SessionState
  /** Calls back after every program that changed the state; gives the function that ends it. */
  readonly subscribe: (listener: (state: SessionState) => void) => () => void
  /**
   * Runs a program on the current state. Programs that are given at the same time run one after another. A defect, which
   * leaves nobody to end what was begun, rolls the whole transaction back, and so does aborting the signal.
   */
  readonly run: {
    <E, A>(program: Program<E, A>): TaskEither<E, A>
    <E, A>(program: Program<E, A>, options: RunOptions): TaskEither<E | Interrupted, A>
  }
  /** The same without a promise; not while a program given to `run` is running. */
  readonly runSync: <E, A>(program: Program<E, A>) => Either<E, A>
  /** Rolls back what is not committed, and gives the connections back. The state stays as it is. */
  readonly close: () => Promise<void>
  readonly closeSync: () => void
}

/**
 * @example
 * const store = createStore(app)
 * await store.run(Session.add(model.User, { name: 'ed' }))()
 * await store.run(Session.commit)()
 *
 * @category constructors
 */
export const createStore = (runtime: Runtime, from: SessionState = empty(runtime.model, runtime.options)): Store => {
  const interpreter = runtime.open()
  const listeners = new Set<(state: SessionState) => void>()
  let state = from
  let last: Promise<unknown> = Promise.resolve()
  const become = (next: SessionState): void => {
    if (next === state) return
    state = next
    for (const listener of listeners) listener(next)
  }
  /** Nobody is left to end what the program began: what was written is undone, and else nothing has happened. */
  const cutOff = (machine: Machine): void => {
    // whichever options it had set for a part of itself end with it
    if (machine.state.isWritten) become({ ...undone(machine.state), options: state.options })
  }
  return {
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    run:
      <E, A>(program: Program<E, A>, options?: RunOptions) =>
      () => {
        const result = last.then(async () => {
          const machine = new Machine(state)
          let isDone = false
          try {
            const [outcome, next] = await stepAll<E, A>(interpreter, machine, program, options?.signal)
            isDone = outcome !== interrupted
            if (isDone) become(next)
            return outcome as Either<E, A>
          } finally {
            if (!isDone) {
              await drive(interpreter.end())
              cutOff(machine)
            }
          }
        })
        // a defect of one program is not the next one's
        last = result.catch(() => undefined)
        return result
      },
    runSync: (program) => {
      const machine = new Machine(state)
      let isDone = false
      try {
        const [outcome, next] = stepAllSync(interpreter, machine, program)
        isDone = true
        become(next)
        return outcome
      } finally {
        if (!isDone) {
          driveSync(interpreter.end())
          cutOff(machine)
        }
      }
    },
    close: async () => {
      await last
      await drive(interpreter.end())
    },
    closeSync: () => driveSync(interpreter.end()),
  }
}
