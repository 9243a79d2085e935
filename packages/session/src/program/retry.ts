/**
 * Transactions that are run anew where the database asks for that.
 *
 * Two transactions that meet under SERIALIZABLE, or lock each other out, are not both to succeed: the database refuses one
 * and leaves it to its client to run it again. So do databases that distribute themselves, and rather more often. A
 * program is data, and a rollback gives back the state from before it: to run it again is to run the same value again.
 *
 * @see https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
 */
import type { Services } from '@unitary/core'
import type { DatabaseError, TransactionBegun } from '../error.js'
import type { FlushError } from './flush.js'
import { transact } from './framing.js'
import { ask, catchError, chain, fail, type Program, suspend } from './program.js'

/**
 * When a failed transaction is run again.
 *
 * @category model
 */
export interface RetryPolicy {
  /** How often it is run at most, the first time included. */
  readonly attempts: number
  /** How many milliseconds to wait after so many failures, counted from 1. */
  readonly delay: (failures: number, services: Services) => number
  /** Which failures another attempt may mend: by default those of `isTransient`. */
  readonly mayRetry?: (error: unknown) => boolean
}

/**
 * Waits that double from `first` to `most` milliseconds, of which chance takes a part, so that transactions which have met
 * do not meet again.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("full jitter")
 * @category constructors
 */
export const backoff =
  ({ first = 10, most = 1000 }: { readonly first?: number; readonly most?: number } = {}): RetryPolicy['delay'] =>
  (failures, { random }) =>
    random() * Math.min(most, first * 2 ** (failures - 1))

/** Five attempts, with a `backoff` between them. @category constructors */
export const patient: RetryPolicy = { attempts: 5, delay: backoff() }

/**
 * Has the database undone the whole transaction for a reason that may be gone the next time: a serialization failure, a
 * deadlock, a lock that took too long, a lost connection? Not where the connection was lost in the middle of a commit
 * (`CommitUnknown`): then nobody knows whether it is done, and a second run could do it twice.
 *
 * @category guards
 */
export const isTransient = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (error as { readonly _tag?: unknown })._tag === 'DatabaseError' &&
  (error as DatabaseError).retryable

/**
 * Runs a program and commits, like `transact`, and does it again where that failed for a reason that may be gone the next
 * time. Each attempt begins with the session as it was before the first; tasks that the program runs are run each time.
 * The last failure is the result's.
 *
 * The transaction is its own from the beginning: `TransactionBegun` where one is open, since what was done in it would be
 * undone and not done again.
 *
 * @example
 * pipe(transfer(from, to, 100), Session.transactRetrying({ attempts: 5, delay: Session.backoff({ first: 20 }) }))
 *
 * @category transactions
 */
export const transactRetrying =
  (policy: RetryPolicy = patient) =>
  <E, A>(program: Program<E, A>): Program<E | FlushError | TransactionBegun, A> =>
    suspend(
      (state): Program<E | FlushError | TransactionBegun, A> =>
        state.frames === null ? attempt(policy, transact(program), 1) : fail({ _tag: 'TransactionBegun' }),
    )

const attempt = <E, A>(policy: RetryPolicy, program: Program<E, A>, count: number): Program<E | FlushError, A> =>
  catchError((error: E): Program<E | FlushError, A> => {
    const { attempts, mayRetry = isTransient } = policy
    return count < attempts && mayRetry(error)
      ? chain(() => attempt(policy, program, count + 1))(pause(policy, count))
      : fail(error)
  })(program)

const pause = ({ delay }: RetryPolicy, failures: number): Program<FlushError, undefined> =>
  chain((services: Services) => ask({ _tag: 'Pause', milliseconds: delay(failures, services) }))(
    ask({ _tag: 'Services' }),
  )
