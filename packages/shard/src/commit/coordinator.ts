/**
 * The atomic commit of a session's transactions: `two-phase.ts` says what to ask, this asks it.
 */
import {
  type BeginCall,
  type Connection,
  type Engine,
  type EngineError,
  engineError,
  type IsolationLevel,
  type Services,
} from '@unitary/core'
import {
  type CommitOutcome,
  type CommitProtocol,
  call,
  databaseError,
  type Effect,
  type OpenTransaction,
  type RequestError,
  type ShardToken,
  together,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { cannotPrepare } from '../error.js'
import type { ShardMap } from '../shard-map.js'
import { meansOf, planCommit } from './commit-plan.js'
import { recordCall, settle } from './decision.js'
import type { Atomic } from './level.js'
import { Participant } from './participant.js'
import { type Noted, Recording, recorded } from './recording.js'
import { beginRedo } from './redo.js'
import { durable } from './sqlite-settings.js'
import { sayingWhatIsMissing } from './tables.js'
import { decidedOn, digestOf, newTransaction, shardKey } from './transaction-id.js'
import { type Action, type Answer, advance, type CommitPlan, type Outcome, type Progress, start } from './two-phase.js'
import { connectWithin, isLost, releaseWithin } from './within.js'

/** How long a step waits, in ms, where nobody says. */
export const defaultTimeout = 10_000

/** How long after it has begun to prepare a commit may still be decided, in ms: tombstones are kept for much longer. */
const longest = 3_600_000

/** One run's commits over the shards of a map. */
export class AtomicCommit implements CommitProtocol {
  readonly #level: Atomic
  readonly #shards: ShardMap
  readonly #services: () => Services
  readonly #timeout: number
  /** What is under the connections that were given out. */
  readonly #given = new WeakMap<Connection, Noted>()
  readonly #participants = new Map<string, Participant>()
  /** The name of the transaction that is open, but for its decider. */
  #transaction: string | null = null
  /** The decider, where names of branches tell it from the beginning. */
  #named: string | null = null

  constructor(level: Atomic, shards: ShardMap, services: () => Services) {
    this.#level = level
    this.#shards = shards
    this.#services = services
    this.#timeout = level.timeout ?? defaultTimeout
  }

  begin(
    token: ShardToken | null,
    engine: Engine,
    isolationLevel: IsolationLevel | null,
  ): (connection: Connection) => Effect<Either<EngineError, Connection>> {
    const shard = token as string
    const asked = this.#beginCall(engine, shard, isolationLevel)
    return (given) => this.#beginOn(shard, engine, asked, given)
  }

  /** The branch as which a shard begins is named at once, so that who decides does not hang on who connects first. */
  #beginCall(engine: Engine, shard: string, isolationLevel: IsolationLevel | null): BeginCall {
    const means = meansOf(engine)
    const plain = { _tag: 'Begin', isolationLevel } as const
    if (!this.#hasOthers || means === 'none' || means === 'redo') return plain
    if (means === 'xa') this.#named ??= shard
    // PostgreSQL is told the name when it prepares
    const branch = { transaction: this.#nameOf(this.#named ?? shard), branch: shardKey(shard) }
    return { ...plain, branch, lockTimeout: this.#level.lockTimeout ?? defaultTimeout }
  }

  *#beginOn(
    shard: string,
    engine: Engine,
    begin: BeginCall,
    given: Connection,
  ): Effect<Either<EngineError, Connection>> {
    // one that was kept for its cursors has been given out before
    const kept = this.#given.get(given)
    const connection = kept?.connection ?? given
    const isFile = meansOf(engine) === 'redo'
    const begun = isFile ? yield* this.#beginFile(connection, engine, begin) : yield* call(connection, begin)
    if (isLeft(begun)) return begun
    const recording = new Recording({
      writes: isFile && this.#hasOthers,
      digest: this.#level.exactlyOnce === true,
    })
    this.#participants.set(shard, new Participant(shard, engine, connection, recording, this.#timeout))
    if (kept !== undefined) {
      kept.recording = recording
      return right(given)
    }
    const noted = { connection, recording }
    const lent = recorded(noted)
    this.#given.set(lent, noted)
    return right(lent)
  }

  *#beginFile(connection: Connection, engine: Engine, begin: BeginCall): Effect<Either<EngineError, undefined>> {
    const checked = yield* durable(connection, engine)
    if (isLeft(checked)) return checked
    const begun = yield* call(connection, begin)
    if (isLeft(begun) || !this.#hasOthers) return begun
    const free = yield* beginRedo(connection, engine)
    if (isLeft(free)) yield* call(connection, { _tag: 'Rollback' })
    return free
  }

  /** Can there be a commit over several shards? */
  get #hasOthers(): boolean {
    return this.#shards.tokens.length > 1
  }

  #nameOf(decider: string): string {
    this.#transaction ??= newTransaction(this.#level.application, this.#services())
    return decidedOn(this.#transaction, decider)
  }

  ended(): void {
    this.#participants.clear()
    this.#transaction = null
    this.#named = null
  }

  *commit(open: ReadonlyArray<OpenTransaction>): Effect<CommitOutcome> {
    const places = this.#shards.places
    const participants = open
      .map(({ token }) => this.#participants.get(token as string) as Participant)
      .sort((a, b) => (places.get(a.token) ?? 0) - (places.get(b.token) ?? 0))
    const parts = participants.map(({ part }) => part)
    const planned = planCommit(parts, this.#named, this.#level.exactlyOnce === true)
    const result = isLeft(planned)
      ? left(cannotPrepare(planned.left.shards, planned.left.decider))
      : planned.right === null
        ? yield* commitReads(participants)
        : this.#participants.has(planned.right.decider)
          ? yield* this.#run(planned.right)
          : left(databaseError('commit', null, planned.right.decider, undecided))
    return {
      result,
      committed: participants.filter(({ isCommitted }) => isCommitted).map(({ token }) => token),
      abandoned: participants.filter(({ isSilent }) => isSilent).map(({ token }) => token),
    }
  }

  /** Steps the machine to its end. */
  *#run(plan: CommitPlan): Effect<CommitOutcome['result']> {
    const committing: Committing = { plan, transaction: this.#nameOf(plan.decider), begun: this.#services().now }
    let progress: Progress<EngineError> = start(plan)
    while (progress.state._tag !== 'Ended') {
      const answers = yield* together(progress.ask.map((action) => this.#answer(action, committing)))
      for (const answer of answers) progress = advance(plan, progress.state, answer)
    }
    return resultOf(progress.state.outcome, committing)
  }

  *#answer({ _tag, shard }: Action, committing: Committing): Effect<Answer<EngineError>> {
    const participant = this.#participants.get(shard) as Participant
    const { transaction } = committing
    switch (_tag) {
      case 'Commit':
        return answered(shard, yield* participant.commit())
      case 'Prepare':
        return answered(shard, yield* participant.prepare(transaction, this.#services().now))
      case 'Decide':
        return yield* this.#decide(participant, committing)
      case 'Settle':
        return yield* this.#settle(participant, transaction)
      case 'Finish':
        return answered(shard, yield* participant.finish(transaction))
      case 'Undo':
        return answered(shard, yield* participant.undo(transaction))
    }
  }

  *#decide(participant: Participant, { begun, plan, transaction }: Committing): Effect<Answer<EngineError>> {
    const { engine, token: shard } = participant
    if (plan.isRecorded) {
      const { now } = this.#services()
      const shards = [...plan.prepares, plan.decider]
      const digest = this.#digest(shards)
      const written =
        now.getTime() - begun.getTime() > longest
          ? left(tooLate)
          : yield* participant.ask(recordCall(engine, { transaction, shards, digest, now }))
      // whatever has become of the record, nobody has committed it
      if (isLeft(written)) return { _tag: 'Failed', shard, error: givenUp(written.left), isLost: false }
    }
    return answered(shard, yield* participant.commit())
  }

  /** Of all that is written; null where no digests are kept. */
  #digest(shards: ReadonlyArray<string>): string | null {
    if (this.#level.exactlyOnce !== true) return null
    return digestOf(shards.map((shard) => `${shard} ${this.#participants.get(shard)?.recording.digest() ?? ''}`))
  }

  *#settle(participant: Participant, transaction: string): Effect<Answer<EngineError>> {
    const { connection, engine, isSilent, token: shard } = participant
    const { now } = this.#services()
    const isOwn = connection._tag === 'SyncConnection'
    // what has one connection is asked on it; else the lost one makes way for another
    if (isOwn) connection.call({ _tag: 'Rollback' })
    else if (!isSilent) yield* releaseWithin(connection, this.#timeout)
    const connected = isOwn ? right(connection) : yield* connectWithin(engine, this.#timeout)
    if (isLeft(connected)) return answered(shard, connected)
    const decision = yield* settle(connected.right, engine, transaction, now, this.#timeout)
    if (!isOwn) yield* releaseWithin(connected.right, this.#timeout)
    if (isLeft(decision)) return answered(shard, decision)
    const isCommitted = decision.right.outcome === 'commit'
    participant.isCommitted = isCommitted
    return { _tag: 'Settled', shard, isCommitted }
  }
}

/** A commit under way. */
interface Committing {
  readonly plan: CommitPlan
  readonly transaction: string
  readonly begun: Date
}

const answered = (shard: string, answer: Either<EngineError, unknown>): Answer<EngineError> =>
  isLeft(answer) ? { _tag: 'Failed', shard, error: answer.left, isLost: isLost(answer.left) } : { _tag: 'Done', shard }

const tooLate = engineError(
  { _tag: 'StatementTimeout' },
  `the commit was held up for more than ${longest / 60_000} minutes, and is not decided any more`,
)

/** Branches of the others bear its name, and it was not to be had when it was first asked for. */
const undecided: EngineError = {
  ...engineError({ _tag: 'Unavailable' }, 'the shard that was to decide the commit could not be reached; try again'),
  retryable: true,
}

/** A record that clashes is the tombstone of someone who took this for dead. */
const givenUp = (error: EngineError): EngineError =>
  error.reason._tag === 'UniqueViolation'
    ? engineError({ _tag: 'SerializationFailure' }, 'a recovery beside this commit has given it up; try again', {
        cause: error,
      })
    : sayingWhatIsMissing(error)

/** Where nothing was written. */
function* commitReads(participants: ReadonlyArray<Participant>): Effect<CommitOutcome['result']> {
  for (const participant of participants) {
    const committed = yield* participant.commit()
    if (isLeft(committed)) return left(databaseError('commit', null, participant.token, committed.left))
  }
  return right([])
}

const resultOf = (outcome: Outcome<EngineError>, { plan, transaction }: Committing): CommitOutcome['result'] => {
  switch (outcome._tag) {
    case 'Committed':
      return right(
        outcome.pending.length === 0 ? [] : [{ _tag: 'CommittedPending', transaction, shards: outcome.pending }],
      )
    case 'RolledBack':
      return left(databaseError(outcome.at === 'Prepare' ? 'prepare' : 'commit', null, outcome.shard, outcome.error))
    case 'Unknown':
      return left<RequestError>({
        _tag: 'CommitUnknown',
        transaction: plan.isRecorded ? transaction : null,
        shard: outcome.shard,
        cause: outcome.error,
      })
  }
}
