/**
 * Finishing what a crash has left of commits over several shards.
 *
 * Every shard is asked for what it has prepared. For each transaction that is found, the shard that decides it is asked what
 * has become of it; where it knows nothing, the transaction is given up there first, so that whoever is still about to
 * commit it fails. Only then is it committed or rolled back on the shards that have prepared it. Each of these may be done
 * twice, and by several at once.
 */
import type { BranchId, Connection, Engine, EngineError } from '@unitary/core'
import { drive, driveSync, type Effect, type RoutingError, systemServices, together } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { faultyMap } from '../error.js'
import { faultOf, firstOfEach, type ShardMap } from '../shard-map.js'
import { meansOf } from './commit-plan.js'
import { type Decision, forget, settle } from './decision.js'
import { endBranchOn } from './end-branch.js'
import { applicationFault } from './level.js'
import { applyRedo, deleteRedo, listRedo } from './redo.js'
import { sayingWhatIsMissing } from './tables.js'
import { parseTransaction, shardKey } from './transaction-id.js'
import { callWithin, connectWithin, releaseWithin } from './within.js'

/** @category model */
export interface RecoverOptions {
  /** That of `atomic`. */
  readonly application: string
  /** How long each shard's answers are waited for, in ms; 10,000 by default. */
  readonly timeout?: number
  /**
   * Only transactions that began so many ms ago; 0 by default. What another process is just committing is left alone then,
   * where it would fail otherwise, as a whole, and could be tried again.
   */
  readonly olderThan?: number
  /** How long decisions are kept that nothing hangs on any more, in ms; a week by default, and never less than a day. */
  readonly keep?: number
  /** Now; by the system's clock by default. */
  readonly now?: () => Date
}

/** A transaction that was found unfinished, and the shards on which it was. @category model */
export interface Recovered {
  readonly transaction: string
  readonly shards: ReadonlyArray<string>
}

/** One that could not be finished, and why; `shard` is the one that stood in the way. @category model */
export interface Unfinished {
  readonly transaction: string
  readonly shard: string
  readonly cause: EngineError | LeftAlone
}

/** The map lacks the shard that decides, or the transaction is too young for `olderThan`. @category model */
export interface LeftAlone {
  readonly _tag: 'NotInMap' | 'Young'
}

/** @category model */
export interface RecoveryReport {
  readonly committed: ReadonlyArray<Recovered>
  readonly rolledBack: ReadonlyArray<Recovered>
  /** To be tried again. */
  readonly unfinished: ReadonlyArray<Unfinished>
  /** Shards that could not be asked for what they have prepared. */
  readonly unreachable: ReadonlyArray<{ readonly shard: string; readonly cause: EngineError }>
  /** How many old decisions were forgotten. */
  readonly forgotten: number
}

/**
 * Finishes what a crash has left. Safe at every start, while others commit, and by several at once. What it could not finish
 * is in its report, and is found again the next time.
 *
 * @example
 * const report = await recover(shards, { application: 'shop' })()
 *
 * @category interpreters
 */
export const recover =
  (shards: ShardMap, options: RecoverOptions): TaskEither<RoutingError, RecoveryReport> =>
  async () =>
    drive(recovery(shards, options))

/**
 * The same without a promise, where every engine answers at once.
 *
 * @category interpreters
 */
export const recoverSync = (shards: ShardMap, options: RecoverOptions): Either<RoutingError, RecoveryReport> =>
  driveSync(recovery(shards, options))

const day = 86_400_000

/** A shard that answers. */
interface Asked {
  readonly token: string
  readonly engine: Engine
  readonly connection: Connection
}

/** What a shard has prepared. */
interface Found {
  readonly on: Asked
  readonly branch: BranchId
}

function* recovery(shards: ShardMap, options: RecoverOptions): Effect<Either<RoutingError, RecoveryReport>> {
  const fault = faultOf(shards) ?? applicationFault(options.application)
  if (fault !== null) return left(faultyMap('recover', fault))
  const timeout = options.timeout ?? 10_000
  const connected = yield* together(
    Array.from(firstOfEach(shards), ([token, engine]) => connectTo(token, engine, timeout)),
  )
  const asked = connected.flatMap((one) => (isLeft(one) ? [] : [one.right]))
  const recovering = new Recovering(asked, { ...options, timeout, now: options.now ?? (() => systemServices().now) })
  const report = yield* recovering.all(connected.flatMap((one) => (isLeft(one) ? [one.left] : [])))
  yield* together(asked.map(({ connection }) => releaseWithin(connection, timeout)))
  return right(report)
}

type Unreachable = RecoveryReport['unreachable'][number]

function* connectTo(token: string, engine: Engine, ms: number): Effect<Either<Unreachable, Asked>> {
  const connected = yield* connectWithin(engine, ms)
  return isLeft(connected)
    ? left({ shard: token, cause: connected.left })
    : right({ token, engine, connection: connected.right })
}

class Recovering {
  readonly #asked: ReadonlyArray<Asked>
  readonly #byKey: ReadonlyMap<string, Asked>
  readonly #options: RecoverOptions & { readonly timeout: number; readonly now: () => Date }

  constructor(
    asked: ReadonlyArray<Asked>,
    options: RecoverOptions & { readonly timeout: number; readonly now: () => Date },
  ) {
    this.#asked = asked
    this.#byKey = new Map(asked.map((one) => [shardKey(one.token), one]))
    this.#options = options
  }

  *all(unconnected: ReadonlyArray<Unreachable>): Effect<RecoveryReport> {
    const listed = yield* together(this.#asked.map((one) => this.#list(one)))
    const unreachable = [...unconnected, ...listed.flatMap((found) => (isLeft(found) ? [found.left] : []))]
    const report = { committed: [] as Recovered[], rolledBack: [] as Recovered[], unfinished: [] as Unfinished[] }
    for (const [transaction, found] of this.#transactions(listed.flatMap((some) => (isLeft(some) ? [] : some.right)))) {
      const ended = yield* this.#end(transaction, found, unreachable)
      if (isLeft(ended)) report.unfinished.push(...ended.left)
      else report[ended.right].push({ transaction, shards: found.map(({ on }) => on.token) })
    }
    // what a shard that was not asked has prepared may hang on any of them
    const forgotten = unreachable.length > 0 ? 0 : yield* this.#forget(report.unfinished)
    return { ...report, unreachable, forgotten }
  }

  /** What a shard has prepared of the application's transactions. */
  *#list(on: Asked): Effect<Either<Unreachable, ReadonlyArray<Found>>> {
    const branches = yield* branchesOn(on, this.#options.timeout)
    if (isLeft(branches)) return left({ shard: on.token, cause: branches.left })
    return right(
      branches.right
        .filter(({ transaction }) => parseTransaction(transaction)?.application === this.#options.application)
        .map((branch) => ({ on, branch })),
    )
  }

  /** Each branch once: a server tells those of all of its databases to each. */
  #transactions(found: ReadonlyArray<Found>): ReadonlyMap<string, ReadonlyArray<Found>> {
    const byBranch = new Map<string, Found>()
    for (const one of found) {
      const { branch, transaction } = one.branch
      const name = `${transaction}/${branch}`
      if (!byBranch.has(name) || shardKey(one.on.token) === branch) byBranch.set(name, one)
    }
    const byTransaction = new Map<string, Found[]>()
    for (const one of byBranch.values()) {
      const { transaction } = one.branch
      const others = byTransaction.get(transaction)
      if (others === undefined) byTransaction.set(transaction, [one])
      else others.push(one)
    }
    return byTransaction
  }

  *#end(
    transaction: string,
    found: ReadonlyArray<Found>,
    unreachable: ReadonlyArray<Unreachable>,
  ): Effect<Either<ReadonlyArray<Unfinished>, 'committed' | 'rolledBack'>> {
    const { now, olderThan = 0, timeout } = this.#options
    const name = parseTransaction(transaction)
    const key = name?.decider ?? ''
    if (name !== null && now().getTime() - name.begun.getTime() < olderThan) {
      return left([{ transaction, shard: key, cause: { _tag: 'Young' } }])
    }
    const decider = this.#byKey.get(key)
    if (decider === undefined) {
      const cause = unreachable.find(({ shard }) => shardKey(shard) === key)?.cause
      return left([{ transaction, shard: key, cause: cause ?? { _tag: 'NotInMap' } }])
    }
    const decision = yield* settle(decider.connection, decider.engine, transaction, now(), timeout)
    if (isLeft(decision)) {
      return left([{ transaction, shard: decider.token, cause: sayingWhatIsMissing(decision.left) }])
    }
    const failures: Unfinished[] = []
    // one after another: several may be on one connection
    for (const one of found) {
      const ended = yield* endOne(one, decision.right, timeout)
      if (isLeft(ended)) failures.push({ transaction, shard: one.on.token, cause: ended.left })
    }
    return failures.length > 0
      ? left(failures)
      : right(decision.right.outcome === 'commit' ? 'committed' : 'rolledBack')
  }

  *#forget(unfinished: ReadonlyArray<Unfinished>): Effect<number> {
    const { application, keep = 7 * day, now, timeout } = this.#options
    const before = new Date(now().getTime() - Math.max(keep, day))
    const kept = unfinished.map(({ transaction }) => transaction)
    const counts = yield* together(
      this.#asked.map(({ connection, engine }) => forget(connection, engine, application, before, kept, timeout)),
    )
    return counts.reduce((sum, count) => sum + (isLeft(count) ? 0 : count.right), 0)
  }
}

function* branchesOn(
  { connection, engine, token }: Asked,
  ms: number,
): Effect<Either<EngineError, ReadonlyArray<BranchId>>> {
  switch (meansOf(engine)) {
    case 'none':
      return right([])
    case 'redo': {
      const listed = yield* listRedo(connection, engine)
      return isLeft(listed)
        ? listed
        : right(listed.right.map((transaction) => ({ transaction, branch: shardKey(token) })))
    }
    case 'prepare':
    case 'xa':
      return yield* callWithin(connection, { _tag: 'ListPrepared' }, ms)
  }
}

function* endOne(
  { branch, on: { connection, engine } }: Found,
  { outcome }: Decision,
  ms: number,
): Effect<Either<EngineError, unknown>> {
  const { transaction } = branch
  if (meansOf(engine) === 'redo') {
    return yield* outcome === 'commit'
      ? applyRedo(connection, engine, transaction)
      : deleteRedo(connection, engine, transaction)
  }
  const _tag = outcome === 'commit' ? 'CommitPrepared' : 'RollbackPrepared'
  return yield* endBranchOn(connection, { _tag, branch }, ms)
}
