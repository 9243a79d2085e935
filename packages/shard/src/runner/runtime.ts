/**
 * The runtime over a shard map: the session's requests, answered by the shards that they concern.
 *
 * Each shard has a connection and a transaction of its own, begun when it is first touched. Shards that are asked the
 * same thing are asked side by side.
 */
import type { AnyModel, Services } from '@unitary/core'
import {
  answerCommon,
  type CursorId,
  type Effect,
  type Interpreter,
  type OpenCursorRequest,
  oneAfterAnother,
  Readers,
  type Request,
  type RequestError,
  type Runtime,
  type RuntimeOptions,
  type SessionState,
  sessionOptions,
  systemServices,
  Transactions,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Choosers } from '../chooser/chooser.js'
import { AtomicCommit } from '../commit/coordinator.js'
import { type Atomicity, applicationFault, type BestEffort, bestEffort, type CommitLevel } from '../commit/level.js'
import { OneShard } from '../commit/one-shard.js'
import { faultyMap, faultyPolicy } from '../error.js'
import { Askers, type Asking } from '../fan-out/asking.js'
import { type FanOutPolicy, faultOfSettings } from '../fan-out/policy.js'
import { type Directions, Moving } from '../fan-out/waves.js'
import { everywhereIn } from '../route/everywhere.js'
import { atomicFaultOf, faultOf, type ShardMap } from '../shard-map.js'
import { askingOf, endings } from './asking-of.js'
import { Reading } from './reading.js'
import { Writing } from './writing.js'

/** @category model */
export interface ShardedOptions<Token extends string, Level extends CommitLevel = CommitLevel> extends RuntimeOptions {
  readonly shards: ShardMap<Token>
  readonly choosers: Choosers<NoInfer<Token>>
  /** How several shards are asked; all at the same time, once, for as long as it takes, where nothing is said. */
  readonly fanOut?: FanOutPolicy
  /** What a commit over several shards promises: `singleShard`, `bestEffort` (the default), or `atomic`. */
  readonly commit?: Level
  /** Between which shards rows are being moved meanwhile: see `duringMoves`, which gives it. */
  readonly moving?: Directions
}

/** A level other than the default one has to be given, not just claimed. */
type LevelGiven<Level extends CommitLevel> = BestEffort extends Level ? unknown : { readonly commit: Level }

/**
 * A runtime over several databases.
 *
 * @category model
 */
export interface ShardedRuntime<out Token extends string = string, out Level extends Atomicity = Atomicity>
  extends Runtime {
  readonly shards: ShardMap<Token>
  readonly choosers: Choosers
  /** What a commit over several shards promises. */
  readonly atomicity: Level
}

/**
 * A runtime over a shard map.
 *
 * New rows go where the choosers put them, and instances keep to the shard that they came from: refreshes, loads of
 * their relationships, updates and deletes go there. Queries, gets by key and bulk statements go to the shards that
 * they concern; ORDER BY, LIMIT and OFFSET hold for all shards together, and so do aggregates, GROUP BY, HAVING and
 * DISTINCT. Joins and subqueries see one shard's rows at a time, and a relationship is loaded from the shard of its
 * owner: what belongs together belongs on one shard (see `withParent`).
 *
 * A flush that fails on one shard is undone on all. What a commit over several shards promises is for the option `commit`
 * to say, and stands in the type: unless it is `atomic`, they are committed one after another in the order in which the
 * transaction came to them, and where one fails, those before it stay committed (`PartlyCommitted`).
 *
 * @example
 * const app = shardedRuntime(model, { shards, choosers: byContinent })
 * const found = await run(app)(Session.get(model.Location, 1))()
 *
 * @category constructors
 */
export const shardedRuntime = <Token extends string, Level extends CommitLevel = BestEffort>(
  model: AnyModel,
  options: ShardedOptions<Token, Level> & LevelGiven<Level>,
): ShardedRuntime<Token, Level['level']> => ({
  _tag: 'Runtime',
  model,
  options: {
    ...sessionOptions(options),
    tokens: options.shards.tokens,
    everywhere: everywhereIn(model, options.choosers),
  },
  shards: options.shards,
  choosers: options.choosers,
  atomicity: (options.commit ?? bestEffort).level,
  open: opener(options),
})

const opener = (options: ShardedOptions<string>): (() => Interpreter) => {
  const fault = faultOf(options.shards)
  return () => open(options, fault)
}

const open = (options: ShardedOptions<string>, fault: string | null): Interpreter => {
  const session = new Sharded(options, fault)
  return { answer: (request, state) => session.answer(request, state), end: () => session.end() }
}

/** Why no order of asking shards meets each row that moves between them; null where one does. */
const circlesFault = ({ engines, tokens }: ShardMap, moving: Moving | null): string | null => {
  const circles = (moving?.waves(tokens).again ?? []).filter((token) => engines.get(token)?.dialect.name === 'sqlite')
  return circles.length === 0
    ? null
    : `rows may be moved to and from ${circles.map((token) => `'${token}'`).join(', ')} on SQLite, which shows a transaction each file as it was at another moment; give the resharding directions that are no circle, or make two of it`
}

/** One run over the shards: it owns their connections. */
class Sharded {
  readonly #services: () => Services
  readonly #transactions: Transactions
  readonly #readers = new Readers()
  readonly #askers: Askers
  readonly #policy: FanOutPolicy | undefined
  readonly #fault: string | null
  readonly #reading: Reading
  readonly #writing: Writing

  /** `fault`: what is wrong with the map itself. */
  constructor(
    { shards, choosers, fanOut, services, isolationLevel, commit, moving }: ShardedOptions<string>,
    fault: string | null,
  ) {
    const level = commit ?? bestEffort
    const oneShard = level._tag === 'SingleShard' ? new OneShard() : null
    this.#services = services ?? systemServices
    this.#transactions = new Transactions(
      isolationLevel ?? null,
      level._tag === 'Atomic'
        ? new AtomicCommit(level, shards, this.#services)
        : (oneShard?.protocol ?? oneAfterAnother),
    )
    this.#askers = new Askers(
      shards,
      this.#transactions,
      this.#services,
      isolationLevel ?? null,
      level._tag === 'Atomic',
      moving === undefined ? null : new Moving(moving),
    )
    this.#reading = new Reading(shards, choosers, this.#transactions, this.#askers)
    this.#writing = new Writing(shards, choosers, this.#transactions, this.#askers, oneShard)
    this.#policy = fanOut
    this.#fault =
      fault ??
      circlesFault(shards, this.#askers.moving) ??
      (level._tag === 'Atomic' ? (atomicFaultOf(shards) ?? applicationFault(level.application)) : null)
  }

  end(): Effect<void> {
    this.#readers.clear()
    this.#askers.clear()
    return this.#transactions.end()
  }

  *answer(request: Request, state: SessionState): Effect<Either<RequestError, unknown>> {
    if (this.#fault !== null) return left(faultyMap(request._tag.toLowerCase(), this.#fault))
    const asking = askingOf(request, state, this.#policy)
    const wrong = endings.has(request._tag) ? null : faultOfSettings(asking.settings)
    if (wrong !== null) return left(faultyPolicy(asking.operation, wrong))
    switch (request._tag) {
      case 'Flush':
        return yield* this.#writing.flush(request, state, asking)
      case 'Route':
        return this.#writing.route(request, state)
      case 'Draw':
        return yield* this.#writing.draw(request)
      case 'Query':
        return yield* this.#reading.query(request, state, asking)
      case 'Count':
        return yield* this.#reading.count(request, state, asking)
      case 'OpenCursor':
        return yield* this.#openCursor(request, state, asking)
      case 'Fetch':
      case 'CloseCursor':
        return yield* this.#readers.answer(request)
      case 'Lookup':
        return yield* this.#reading.lookUp(request, state, asking)
      case 'Write':
        return yield* this.#writing.write(request, state, asking)
      case 'Insert':
        return yield* this.#writing.insert(request, state, asking)
      case 'UpdateRows':
        return yield* this.#writing.updateRows(request, state, asking)
      case 'Sql':
        return yield* this.#writing.sql(request, asking)
      case 'BeginPartial':
        return right(this.#askers.beginPartial())
      case 'EndPartial':
        return right(this.#askers.endPartial())
      default:
        return yield* answerCommon(this.#transactions, this.#services, request)
    }
  }

  *#openCursor(
    request: OpenCursorRequest,
    state: SessionState,
    asking: Asking,
  ): Effect<Either<RequestError, CursorId>> {
    const reader = yield* this.#reading.reader(request, state, asking)
    return isLeft(reader) ? reader : right(this.#readers.add(reader.right))
  }
}
