/**
 * What a commit over several shards promises: one of three levels, in the type of the runtime, and never less than its name
 * says.
 *
 * None of them isolates: while a commit is finished on one shard and not yet on another, readers of both see the one and
 * not the other. See the guide for what to do where that matters.
 */

/** A transaction that would write on a second shard is refused before it does. @category model */
export interface SingleShard {
  readonly _tag: 'SingleShard'
  readonly level: 'single-shard'
}

/**
 * Shards are committed one after another. Where one fails, those before it stay committed, and the error is
 * `PartlyCommitted`.
 *
 * @category model
 */
export interface BestEffort {
  readonly _tag: 'BestEffort'
  readonly level: 'best-effort'
}

/** All shards are committed, or none, whatever crashes on the way. @category model */
export interface Atomic extends AtomicOptions {
  readonly _tag: 'Atomic'
  readonly level: 'atomic'
}

/** @category model */
export interface AtomicOptions {
  /**
   * The name of the application, by which its transactions are told from those of others on the same servers: 1 to 20
   * characters of `a-z 0-9 _ -`. `recover` has to be given the same.
   */
  readonly application: string
  /** How long each step of a commit waits for a shard's answer, in ms; 10,000 by default. */
  readonly timeout?: number
  /**
   * How long a statement waits for a lock on PostgreSQL, which sees no deadlock that goes over several servers, in ms;
   * 10,000 by default.
   */
  readonly lockTimeout?: number
  /**
   * Whether a commit on one shard is recorded too, so that one whose answer is lost is looked up: it has then either
   * succeeded, or failed and may be tried again. False by default; it costs a row a commit.
   */
  readonly exactlyOnce?: boolean
}

/** @category model */
export type CommitLevel = SingleShard | BestEffort | Atomic

/** @category model */
export type Atomicity = CommitLevel['level']

/**
 * Transactions write on one shard.
 *
 * @example
 * shardedRuntime(model, { shards, choosers, commit: singleShard })
 *
 * @category constructors
 */
export const singleShard: SingleShard = { _tag: 'SingleShard', level: 'single-shard' }

/**
 * Shards are committed one after another.
 *
 * @category constructors
 */
export const bestEffort: BestEffort = { _tag: 'BestEffort', level: 'best-effort' }

/**
 * All shards are committed, or none. Each needs the tables that `createCommitTables` makes; `recover` finishes what a crash
 * has left.
 *
 * @example
 * shardedRuntime(model, { shards, choosers, commit: atomic({ application: 'shop' }) })
 *
 * @category constructors
 */
export const atomic = (options: AtomicOptions): Atomic => ({ ...options, _tag: 'Atomic', level: 'atomic' })

/** Why an application cannot have that name; null where it can. */
export const applicationFault = (application: string): string | null =>
  /^[a-z0-9_-]{1,20}$/.test(application)
    ? null
    : `'${application}' cannot name an application; give atomic and recover one of 1 to 20 characters of a-z 0-9 _ -`
