/**
 * How several shards are asked: how many at a time, for how long, and how often where they fail for a while.
 *
 * @example
 * const app = shardedRuntime(model, { shards, choosers, fanOut: { timeout: 2000, retry: Session.patient } })
 * // for one query
 * pipe(select(model.Location), withOptions({ fanOut: { timeout: 100 } }), Session.query)
 * // for all that a program does
 * pipe(program, Session.withOptions({ fanOut: { concurrency: 4 } }))
 */
import type { RetryPolicy } from '@unitary/session'

/**
 * Each setting holds where it is given; else that of the program (`Session.withOptions`), of the runtime, or none.
 *
 * @category model
 */
export interface FanOutPolicy {
  /** How many shards are asked at the same time, from 1; null for all of them. */
  readonly concurrency?: number | null
  /**
   * How many milliseconds a shard has to answer a request, further attempts included; null for as long as it takes. What it
   * is at then is given up: its connection is discarded, and with it what the transaction had written there. An engine that
   * is synchronous is never interrupted.
   */
  readonly timeout?: number | null
  /**
   * When a shard is asked again after a failure; null for never. Only what reads is, and only where that loses nothing: the
   * transaction has written nothing on the shard, nor promised to see the same rows again (`repeatable read`,
   * `serializable`). A connection that cannot be had is tried for again in any case. Under atomic commits MySQL names the part of
   * a transaction when it begins, so that it does not begin anew: `Session.transactRetrying` runs the whole anew.
   */
  readonly retry?: RetryPolicy | null
}

declare module '@unitary/core' {
  interface ExecutionOptions {
    /** How several shards are asked. */
    readonly fanOut?: FanOutPolicy
  }
}

/** A policy in force. */
export interface Settings {
  readonly concurrency: number | null
  readonly timeout: number | null
  readonly retry: RetryPolicy | null
}

const unlimited: Settings = { concurrency: null, timeout: null, retry: null }

/** What policies come to, the first before those after it. */
export const settingsOf = (policies: ReadonlyArray<FanOutPolicy | undefined>): Settings => {
  let settings = unlimited
  for (let at = policies.length - 1; at >= 0; at--) {
    const policy = policies[at]
    if (policy === undefined) continue
    settings = {
      concurrency: policy.concurrency === undefined ? settings.concurrency : policy.concurrency,
      timeout: policy.timeout === undefined ? settings.timeout : policy.timeout,
      retry: policy.retry === undefined ? settings.retry : policy.retry,
    }
  }
  return settings
}

/** What is wrong with a policy, and the cure; null where nothing is. */
export const faultOfSettings = ({ concurrency, retry, timeout }: Settings): string | null => {
  if (concurrency !== null && !(Number.isInteger(concurrency) && concurrency > 0)) {
    return `fanOut.concurrency is ${concurrency}; give a whole number from 1, or null for all shards`
  }
  // setTimeout knows no more
  if (timeout !== null && !(timeout > 0 && timeout <= 2_147_483_647)) {
    return `fanOut.timeout is ${timeout}; give milliseconds above 0 (at most 2147483647), or null for as long as it takes`
  }
  return retry !== null && !(Number.isInteger(retry.attempts) && retry.attempts > 0)
    ? `fanOut.retry.attempts is ${retry.attempts}; give a whole number from 1, the first attempt included`
    : null
}
