/**
 * The runtime over a shard map: the session's requests, answered by the shards that they concern.
 *
 * Each shard has a connection and a transaction of its own, begun when it is first touched. Shards that are asked the
 * same thing are asked side by side.
 */
import { type AnyModel, type Engine, generatorName, type Services, type TextComparison } from '@unitary/core'
import {
  type AnswerOf,
  answerCommon,
  type CountRequest,
  type CursorId,
  type Draw,
  type DrawRequest,
  drawAll,
  type Effect,
  executeStep,
  type FlushAnswer,
  type FlushPlan,
  type FlushRequest,
  type GivenKeys,
  givenKeys,
  type InsertAnswer,
  type Inserted,
  type InsertRequest,
  type Interpreter,
  isStale,
  type LookupRequest,
  locksRows,
  type OpenCursorRequest,
  oneAfterAnother,
  openReader,
  operationOf,
  type QueryAnswer,
  type QueryRequest,
  type Reader,
  Readers,
  type Request,
  type RequestError,
  type RouteRequest,
  type RoutingError,
  type Rows,
  type Runtime,
  type RuntimeOptions,
  returnable,
  returnablePlan,
  runCount,
  runDraw,
  runInsert,
  runLookup,
  runQuery,
  runSql,
  runUpdateRows,
  runWrite,
  type SessionState,
  type SqlRequest,
  type Step,
  type StepResult,
  sessionOptions,
  systemServices,
  Transactions,
  together,
  type UpdateRowsAnswer,
  type UpdateRowsRequest,
  type WriteAnswer,
  type WriteRequest,
} from '@unitary/session'
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js'
import type { Choosers } from './chooser/chooser.js'
import { AtomicCommit } from './commit/coordinator.js'
import { type Atomicity, applicationFault, type BestEffort, bestEffort, type CommitLevel } from './commit/level.js'
import { OneShard } from './commit/one-shard.js'
import { isRead } from './commit/recording.js'
import { faultyMap, faultyPolicy, notMergeable, unknownShard } from './error.js'
import { type Answered, Askers, type Asking } from './fan-out/asking.js'
import { combine } from './fan-out/combine.js'
import { countOver } from './fan-out/count.js'
import { merge } from './fan-out/merge.js'
import { type FanOutPolicy, faultOfSettings, settingsOf } from './fan-out/policy.js'
import { MergedShards, openAll, ShardByShard, type ShardSource } from './fan-out/read.js'
import { CombinedRows, MergedGroups } from './fan-out/read-groups.js'
import { askedInOrder, askedOf, type Recombination } from './fan-out/recombination.js'
import { spreadOf } from './fan-out/spread.js'
import { shardsOfLookup, shardsOfSql, shardsOfStatement, shardsOfWrite, type Tokens } from './route/choose.js'
import { canJoin, everywhereIn, isEverywhere } from './route/everywhere.js'
import { type InsertPart, routeInsert } from './route/route-insert.js'
import { lanesOf, routePlan } from './route/route-plan.js'
import { routeUpdates } from './route/route-updates.js'
import { atomicFaultOf, databaseOf, faultOf, type ShardMap } from './shard-map.js'

/** @category model */
export interface ShardedOptions<Token extends string, Level extends CommitLevel = CommitLevel> extends RuntimeOptions {
  readonly shards: ShardMap<Token>
  readonly choosers: Choosers<NoInfer<Token>>
  /** How several shards are asked; all at the same time, once, for as long as it takes, where nothing is said. */
  readonly fanOut?: FanOutPolicy
  /** What a commit over several shards promises: `singleShard`, `bestEffort` (the default), or `atomic`. */
  readonly commit?: Level
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
 * DISTINCT. Joins and subqueries see one shard's rows at a time, and a relationship is loaded from the shard of its owner: what belongs together belongs on one shard (see
 * `withParent`).
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
  open: () => open(options),
})

const open = (options: ShardedOptions<string>): Interpreter => {
  const session = new Sharded(options)
  return { answer: (request, state) => session.answer(request, state), end: () => session.end() }
}

/** One run over the shards: it owns their connections. */
class Sharded {
  readonly #shards: ShardMap
  readonly #choosers: Choosers
  readonly #services: () => Services
  readonly #transactions: Transactions
  readonly #readers = new Readers()
  readonly #askers: Askers
  readonly #policy: FanOutPolicy | undefined
  readonly #fault: string | null
  /** Where transactions may write on one shard only. */
  readonly #oneShard: OneShard | null

  constructor({ shards, choosers, fanOut, services, isolationLevel, commit }: ShardedOptions<string>) {
    const level = commit ?? bestEffort
    this.#shards = shards
    this.#choosers = choosers
    this.#services = services ?? systemServices
    this.#oneShard = level._tag === 'SingleShard' ? new OneShard() : null
    this.#transactions = new Transactions(
      isolationLevel ?? null,
      level._tag === 'Atomic'
        ? new AtomicCommit(level, shards, this.#services)
        : (this.#oneShard?.protocol ?? oneAfterAnother),
    )
    this.#askers = new Askers(
      shards,
      this.#transactions,
      this.#services,
      isolationLevel ?? null,
      level._tag === 'Atomic',
    )
    this.#policy = fanOut
    this.#fault =
      faultOf(shards) ??
      (level._tag === 'Atomic' ? (atomicFaultOf(shards) ?? applicationFault(level.application)) : null)
  }

  end(): Effect<void> {
    this.#readers.clear()
    this.#askers.clear()
    return this.#transactions.end()
  }

  *answer(request: Request, state: SessionState): Effect<Either<RequestError, unknown>> {
    if (this.#fault !== null) return left(faultyMap(request._tag.toLowerCase(), this.#fault))
    const asking = this.#asking(request, state)
    const wrong = endings.has(request._tag) ? null : faultOfSettings(asking.settings)
    if (wrong !== null) return left(faultyPolicy(asking.operation, wrong))
    switch (request._tag) {
      case 'Flush':
        return yield* this.#flush(request, state, asking)
      case 'Route':
        return this.#route(request, state)
      case 'Draw':
        return yield* this.#draw(request)
      case 'Query':
        return yield* this.#query(request, state, asking)
      case 'Count':
        return yield* this.#count(request, state, asking)
      case 'OpenCursor':
        return yield* this.#openCursor(request, state, asking)
      case 'Fetch':
      case 'CloseCursor':
        return yield* this.#readers.answer(request)
      case 'Lookup':
        return yield* this.#lookUp(request, state, asking)
      case 'Write':
        return yield* this.#write(request, state, asking)
      case 'Insert':
        return yield* this.#insert(request, state, asking)
      case 'UpdateRows':
        return yield* this.#updateRows(request, state, asking)
      case 'Sql':
        return yield* this.#sql(request, asking)
      case 'BeginPartial':
        return right(this.#askers.beginPartial())
      case 'EndPartial':
        return right(this.#askers.endPartial())
      default:
        return yield* answerCommon(this.#transactions, this.#services, request)
    }
  }

  #route({ plan }: RouteRequest, state: SessionState): Either<RequestError, FlushPlan> {
    const capabilitiesOf = ({ token }: Step) => this.#askers.engine(token as string).capabilities
    return map((routed: FlushPlan) => returnablePlan(routed, capabilitiesOf))(
      routePlan(state, plan, this.#shards, this.#choosers),
    )
  }

  *#flush({ plan }: FlushRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, FlushAnswer>> {
    const routed = routePlan(state, plan, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const refused = this.#refuse(
      'flush',
      routed.right.steps.map(({ token }) => token as string),
    )
    if (refused !== null) return left(refused)
    const flushing: Flushing = {
      given: givenKeys(routed.right),
      steps: [...routed.right.steps],
      results: new Array<StepResult>(routed.right.steps.length),
      failure: null,
    }
    const databaseOfStep = ({ token }: Step): Engine => databaseOf(this.#askers.engine(token as string))
    yield* together(
      lanesOf(routed.right, databaseOfStep).map((steps, lane) =>
        this.#runSteps(state.model, steps, lane, flushing, asking),
      ),
    )
    if (flushing.failure === null)
      return right({ plan: { ...routed.right, steps: flushing.steps }, results: flushing.results })
    yield* this.#transactions.undo()
    return left(flushing.failure.error)
  }

  *#runSteps(
    model: AnyModel,
    steps: ReadonlyArray<Step>,
    lane: number,
    flushing: Flushing,
    asking: Asking,
  ): Effect<void> {
    for (const step of steps) {
      if (flushing.failure !== null && flushing.failure.lane < lane) return
      const result = yield* this.#askers.on(step.token as string, asking, (connection, engine) => {
        // what a server can give back is known once it is connected to
        const asked = returnable(step, engine.capabilities)
        flushing.steps[step.id] = asked
        return executeStep(connection, { model, dialect: engine.dialect }, asked, flushing.given)
      })
      if (isLeft(result)) {
        if (flushing.failure === null || lane < flushing.failure.lane) flushing.failure = { lane, error: result.left }
        return
      }
      flushing.results[step.id] = result.right
      if (isStale(step, result.right)) return
    }
  }

  /** A generator is on one shard, for rows of all. */
  *#draw(request: DrawRequest): Effect<Either<RequestError, AnswerOf<DrawRequest>>> {
    return yield* drawAll(request, (draw) => this.#drawOne(draw))
  }

  *#drawOne(draw: Draw): Effect<Either<RequestError, ReadonlyArray<bigint>>> {
    const { generator } = draw
    const token = generator.shard ?? (this.#shards.tokens[0] as string)
    const engine = this.#shards.engines.get(token)
    const operation = `draw ids from ${generatorName(generator)}`
    const refused = generator._tag === 'Counter' ? this.#refuse(operation, [token]) : null
    if (refused !== null) return left(refused)
    if (engine !== undefined) {
      this.#transactions.noteWrite(token)
      return yield* runDraw(this.#transactions, engine, token, draw)
    }
    return left(unknownShard(this.#shards, operation, null, token, 'the generator'))
  }

  *#query(
    { statement, joined }: QueryRequest,
    state: SessionState,
    asking: Asking,
  ): Effect<Either<RequestError, QueryAnswer>> {
    const routed = shardsOfStatement(state, 'query', statement, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const tokens = routed.right
    if (tokens.length < 2) {
      const isJoined = joined !== null && canJoin(state.model, this.#choosers, joined)
      const asked = isJoined ? joined : statement
      return inOrder(
        yield* this.#askers.read(tokens, asking, (connection, engine, token) =>
          runQuery(connection, engine, asked, token),
        ),
        isJoined,
      )
    }
    const entity = statement.entity.name
    const spread = spreadOf(statement, this.#choosers, this.#comparisons(tokens))
    if (isLeft(spread)) return left(notMergeable('query', entity, spread.left))
    if (spread.right._tag === 'Recombined') {
      return yield* this.#combine(spread.right.recombination, tokens, asking)
    }
    const { fanOut } = spread.right
    const { nodeFor, start } = fanOut
    const isNullLow = this.#isNullLow(tokens)
    const batches = yield* this.#askers.read(tokens, asking, (connection, engine, token) => {
      const node = nodeFor(engine.dialect.name, isNullLow, this.#isLater(tokens, token, start))
      return runQuery(connection, engine, { ...statement, node }, token)
    })
    if (isLeft(batches)) return batches
    const merged = merge(batches.right.values, fanOut, isNullLow)
    return isLeft(merged) ? left(notMergeable('query', entity, merged.left)) : merged
  }

  /** Each shard gives its groups, which are put together. */
  *#combine(recombination: Recombination, tokens: Tokens, asking: Asking): Effect<Either<RequestError, QueryAnswer>> {
    const [comparisons, isNullLow] = [this.#comparisons(tokens), this.#isNullLow(tokens)]
    const batches = yield* this.#askers.read(tokens, asking, (connection, engine, token) =>
      runQuery(connection, engine, askedOf(recombination, engine.dialect.name, isNullLow), token),
    )
    if (isLeft(batches)) return batches
    const { dialect } = this.#askers.engine(tokens[0] as string)
    const combined = combine(batches.right.values, recombination, { dialect, comparisons, isNullLow })
    return isLeft(combined)
      ? left(notMergeable(asking.operation, recombination.asked.entity.name, combined.left))
      : combined
  }

  /** Each shard counts its rows up to the end of the window; the window is cut out of their sum. */
  *#count(request: CountRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, number>> {
    const { purpose, statement } = request
    const routed = shardsOfStatement(state, 'query', statement, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const tokens = routed.right
    if (tokens.length < 2) return yield* this.#sumOfCounts(tokens, request, asking)
    const counted = countOver(request, this.#choosers, this.#comparisons(tokens))
    if (isLeft(counted)) return left(notMergeable(purpose, statement.entity.name, counted.left))
    if (counted.right._tag === 'Recombined') {
      const rows = yield* this.#combine(counted.right.recombination, tokens, asking)
      return isLeft(rows) ? rows : right(rows.right.batches.reduce((sum, batch) => sum + batch.rows.length, 0))
    }
    const { asked, window } = counted.right
    const sum = yield* this.#sumOfCounts(tokens, asked, asking)
    return isLeft(sum)
      ? sum
      : right(Math.min(Math.max(sum.right - window.offset, 0), window.limit ?? Number.POSITIVE_INFINITY))
  }

  *#sumOfCounts(tokens: Tokens, asked: CountRequest, asking: Asking): Effect<Either<RequestError, number>> {
    const counts = yield* this.#askers.read(tokens, asking, (connection, engine, token) =>
      runCount(connection, engine, asked, token),
    )
    return isLeft(counts) ? counts : right(counts.right.values.reduce((all, some) => all + some, 0))
  }

  *#openCursor(
    request: OpenCursorRequest,
    state: SessionState,
    asking: Asking,
  ): Effect<Either<RequestError, CursorId>> {
    const reader = yield* this.#reader(request, state, asking)
    return isLeft(reader) ? reader : right(this.#readers.add(reader.right))
  }

  *#reader(request: OpenCursorRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, Reader>> {
    const { statement } = request
    const routed = shardsOfStatement(state, 'query', statement, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const tokens = routed.right
    if (tokens.length < 2) {
      const all = { limit: tokens.length === 0 ? 0 : null, offset: 0 }
      const sources = tokens.map((token) => this.#source(token, request, asking))
      const opened = yield* openAll(sources, asking, this.#askers)
      return isLeft(opened) ? opened : right(new ShardByShard(opened.right.sources, opened.right.readers, all))
    }
    const entity = statement.entity.name
    const spread = spreadOf(statement, this.#choosers, this.#comparisons(tokens))
    if (isLeft(spread)) return left(notMergeable('query', entity, spread.left))
    if (spread.right._tag === 'Recombined') {
      return yield* this.#groupReader(spread.right.recombination, tokens, request, asking)
    }
    const { fanOut } = spread.right
    const isNullLow = this.#isNullLow(tokens)
    const sources = tokens.map((token) => {
      const node = fanOut.nodeFor(this.#askers.engine(token).dialect.name, isNullLow, false)
      return this.#source(token, { ...request, statement: { ...statement, node } }, asking)
    })
    const isMerged = fanOut.terms.length > 0
    // what cannot be opened has to be known before anything else is read where it is to be left out
    if (!isMerged && request.isAlone && !this.#askers.isPartial) return right(new ShardByShard(sources, [], fanOut))
    const opened = yield* openAll(sources, asking, this.#askers)
    if (isLeft(opened)) return opened
    const { readers, sources: open } = opened.right
    return right(
      isMerged ? new MergedShards(open, readers, entity, fanOut, isNullLow) : new ShardByShard(open, readers, fanOut),
    )
  }

  *#groupReader(
    recombination: Recombination,
    tokens: Tokens,
    request: OpenCursorRequest,
    asking: Asking,
  ): Effect<Either<RequestError, Reader>> {
    const { asked, keyOrder } = recombination
    if (keyOrder === null) {
      const combined = yield* this.#combine(recombination, tokens, asking)
      return isLeft(combined) ? combined : right(new CombinedRows(combined.right))
    }
    const isNullLow = this.#isNullLow(tokens)
    const sources = tokens.map((token) => {
      const statement = askedInOrder(recombination, keyOrder, this.#askers.engine(token).dialect.name, isNullLow)
      return this.#source(token, { ...request, statement }, asking)
    })
    const opened = yield* openAll(sources, asking, this.#askers)
    if (isLeft(opened)) return opened
    const { readers, sources: open } = opened.right
    const all = { terms: keyOrder, offset: 0, limit: null }
    const merged = new MergedShards(open, readers, asked.entity.name, all, isNullLow)
    const { dialect } = this.#askers.engine(tokens[0] as string)
    return right(new MergedGroups(merged, recombination, dialect, this.#comparisons(tokens)))
  }

  /** A shard whose query can be opened. */
  #source(token: string, asked: OpenCursorRequest, asking: Asking): ShardSource {
    const engine = this.#askers.engine(token)
    return {
      token,
      engine,
      open: () =>
        this.#askers.patiently(token, asking, (begun) => {
          begun()
          return openReader(this.#transactions, engine, asked, token)
        }),
      inTime: (work) => this.#askers.inTime(token, asking, work),
    }
  }

  /** What a request is about, and how it is asked. */
  #asking(request: Request, { options: { executionOptions } }: SessionState): Asking {
    const statement = 'statement' in request ? request.statement : null
    const own = statement?.options ?? ('options' in request ? request.options : undefined)
    const reads =
      request._tag === 'Lookup'
        ? request.query === null || !locksRows(request.query)
        : (request._tag === 'Query' || request._tag === 'Count' || request._tag === 'OpenCursor') &&
          !locksRows(request.statement)
    return {
      operation: nameOf(request),
      entity: statement?.entity.name ?? ('mapping' in request ? request.mapping.name : null),
      settings: settingsOf([own?.fanOut, executionOptions.fanOut, this.#policy]),
      reads,
    }
  }

  /** Does a shard come after another? Rows that compare the same come in this order. */
  #isLater(tokens: ReadonlyArray<string>, token: string, start: string | null): boolean {
    if (start === null) return false
    const order = tokens.includes(start) ? tokens : [...this.#shards.engines.keys()]
    return order.indexOf(token) > order.indexOf(start)
  }

  *#lookUp(request: LookupRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, QueryAnswer>> {
    const tokens = shardsOfLookup(state, request, this.#shards, this.#choosers)
    if (isLeft(tokens)) return tokens
    // rows that are left out would be taken for rows that are not there
    const found = yield* this.#askers.onEach(tokens.right, asking, (connection, engine, token) =>
      runLookup(connection, engine, request, token),
    )
    return isLeft(found) ? found : right({ batches: found.right, order: null, isJoined: false })
  }

  *#write(request: WriteRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, WriteAnswer>> {
    const tokens = shardsOfWrite(state, request.statement, this.#shards, this.#choosers)
    if (isLeft(tokens)) return tokens
    const refused = this.#refuse(operationOf(request.statement), tokens.right)
    if (refused !== null) return left(refused)
    const written = yield* this.#askers.onAllOrNone(tokens.right, asking, (connection, engine, token) =>
      runWrite(connection, engine, request, token),
    )
    if (isLeft(written)) return written
    // the same rows on every shard are counted once
    const isCopied = isEverywhere(this.#choosers, request.statement.entity.mapping)
    return right({ batches: isCopied ? written.right.slice(0, 1) : written.right })
  }

  *#insert(request: InsertRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, InsertAnswer>> {
    const routed = routeInsert(state, request, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const partOf = new Map(routed.right.map((part) => [part.token, part]))
    const refused = this.#refuse('insert', partOf.keys())
    if (refused !== null) return left(refused)
    const written = yield* this.#askers.onEach([...partOf.keys()], asking, (connection, engine, token) => {
      const { places, request: own } = partOf.get(token) as InsertPart
      return inPlaces(places, runInsert(connection, engine, own, token))
    })
    if (isLeft(written)) return written
    const isCopied = isEverywhere(this.#choosers, request.statement.entity.mapping)
    return right({ batches: isCopied ? written.right.slice(0, 1) : written.right })
  }

  *#updateRows(
    request: UpdateRowsRequest,
    state: SessionState,
    asking: Asking,
  ): Effect<Either<RequestError, UpdateRowsAnswer>> {
    const routed = routeUpdates(state, request, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const runsOf = routed.right
    const refused = this.#refuse('update of many rows', runsOf.keys())
    if (refused !== null) return left(refused)
    const updated = yield* this.#askers.onEach([...runsOf.keys()], asking, (connection, engine, token) =>
      runUpdateRows(connection, engine, { ...request, runs: runsOf.get(token) ?? [] }, token),
    )
    if (isLeft(updated)) return updated
    return right({ batches: isEverywhere(this.#choosers, request.mapping) ? updated.right.slice(0, 1) : updated.right })
  }

  /** A statement that is only text goes where it is sent, or everywhere. */
  *#sql(request: SqlRequest, asking: Asking): Effect<Either<RequestError, AnswerOf<SqlRequest>>> {
    const tokens = shardsOfSql(request, this.#shards)
    if (isLeft(tokens)) return tokens
    const isWriting = (token: string) => !isRead(this.#askers.engine(token).compile(request.node).sql)
    const refused = this.#oneShard === null ? null : this.#refuse('sql', tokens.right.filter(isWriting))
    if (refused !== null) return left(refused)
    const answers = yield* this.#askers.onAllOrNone(tokens.right, asking, (connection, engine, token) =>
      runSql(connection, engine, request, token),
    )
    return isLeft(answers)
      ? answers
      : right({
          rows: answers.right.flatMap(({ rows }) => rows),
          affected: answers.right.reduce((sum, { affected }) => sum + affected, 0),
        })
  }

  /** Why rows may not be written on these shards too; null where they may. */
  #refuse(operation: string, tokens: Iterable<string>): RoutingError | null {
    return this.#oneShard?.refuse(operation, tokens) ?? null
  }

  /** In what ways the shards compare texts, each once. */
  #comparisons(tokens: Tokens): ReadonlyArray<TextComparison> {
    return [...new Set(tokens.map((token) => this.#askers.engine(token).dialect.textComparison))].sort()
  }

  /** Is NULL below every value? It is above on PostgreSQL, which gives way where it is not alone. */
  #isNullLow(tokens: Tokens): boolean {
    return tokens.some((token) => this.#shards.engines.get(token)?.dialect.name !== 'postgres')
  }
}

/** A flush under way. */
interface Flushing {
  readonly given: GivenKeys | null
  /** As they run, by step. */
  readonly steps: Step[]
  /** By step. */
  readonly results: StepResult[]
  /**
   * The failure of the first lane that has one. It ends those after it; those before go on until they fail or are
   * done, so that the error is the same whether they run side by side or one after another.
   */
  failure: { readonly lane: number; readonly error: RequestError } | null
}

/** The rows of a part, by their places among all. */
function* inPlaces(
  places: ReadonlyArray<number> | null,
  work: Effect<Either<RequestError, Inserted>>,
): Effect<Either<RequestError, Inserted>> {
  const written = yield* work
  if (places === null || isLeft(written)) return written
  return right({
    ...written.right,
    places: written.right.places?.map((place) => places[place] as number) ?? null,
  })
}

const inOrder = (
  answered: Either<RequestError, Answered<Rows>>,
  isJoined: boolean,
): Either<RequestError, QueryAnswer> =>
  isLeft(answered) ? answered : right({ batches: answered.right.values, order: null, isJoined })

/** Requests that end what was begun, whatever the policy is. */
const endings: ReadonlySet<Request['_tag']> = new Set([
  'Commit',
  'Rollback',
  'ReleaseSavepoint',
  'RollbackToSavepoint',
  'CloseCursor',
  'EndPartial',
])

/** What a request is called in errors. */
const nameOf = (request: Request): string => {
  switch (request._tag) {
    case 'Count':
    case 'Lookup':
      return request.purpose
    case 'Write':
      return operationOf(request.statement)
    default:
      return nameOfRequest[request._tag]
  }
}

const nameOfRequest = {
  Flush: 'flush',
  Route: 'route',
  Draw: 'draw ids',
  Query: 'query',
  OpenCursor: 'query',
  Fetch: 'query',
  CloseCursor: 'query',
  Insert: 'insert',
  UpdateRows: 'update of many rows',
  Sql: 'sql',
  Commit: 'commit',
  Rollback: 'rollback',
  Savepoint: 'savepoint',
  ReleaseSavepoint: 'savepoint',
  RollbackToSavepoint: 'savepoint',
  Services: 'services',
  Task: 'task',
  Pause: 'pause',
  BeginPartial: 'query',
  EndPartial: 'query',
} as const satisfies Readonly<Record<Exclude<Request['_tag'], 'Count' | 'Lookup' | 'Write'>, string>>
