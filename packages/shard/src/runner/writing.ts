/**
 * What a sharded session writes: flushes and statements, each part on the shard that it concerns.
 */
import { type AnyModel, type Engine, generatorName } from '@unitary/core'
import {
  type AnswerOf,
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
  isStale,
  operationOf,
  type RequestError,
  type RouteRequest,
  type RoutingError,
  returnable,
  returnablePlan,
  runDraw,
  runInsert,
  runSql,
  runUpdateRows,
  runWrite,
  type SessionState,
  type SqlRequest,
  type Step,
  type StepResult,
  type Transactions,
  together,
  type UpdateRowsAnswer,
  type UpdateRowsRequest,
  type WriteAnswer,
  type WriteRequest,
} from '@unitary/session'
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js'
import type { Choosers } from '../chooser/chooser.js'
import type { OneShard } from '../commit/one-shard.js'
import { isRead } from '../commit/recording.js'
import { unknownShard } from '../error.js'
import type { Askers, Asking } from '../fan-out/asking.js'
import { shardsOfSql, shardsOfWrite } from '../route/choose.js'
import { isEverywhere } from '../route/everywhere.js'
import { type InsertPart, routeInsert } from '../route/route-insert.js'
import { lanesOf, routePlan } from '../route/route-plan.js'
import { routeUpdates } from '../route/route-updates.js'
import { databaseOf, type ShardMap } from '../shard-map.js'

/** Writes of one run. */
export class Writing {
  readonly #shards: ShardMap
  readonly #choosers: Choosers
  readonly #transactions: Transactions
  readonly #askers: Askers
  /** Where transactions may write on one shard only. */
  readonly #oneShard: OneShard | null

  constructor(
    shards: ShardMap,
    choosers: Choosers,
    transactions: Transactions,
    askers: Askers,
    oneShard: OneShard | null,
  ) {
    this.#shards = shards
    this.#choosers = choosers
    this.#transactions = transactions
    this.#askers = askers
    this.#oneShard = oneShard
  }

  route({ plan }: RouteRequest, state: SessionState): Either<RequestError, FlushPlan> {
    const capabilitiesOf = ({ token }: Step) => this.#askers.engine(token as string).capabilities
    return map((routed: FlushPlan) => returnablePlan(routed, capabilitiesOf))(
      routePlan(state, plan, this.#shards, this.#choosers),
    )
  }

  *flush({ plan }: FlushRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, FlushAnswer>> {
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
  *draw(request: DrawRequest): Effect<Either<RequestError, AnswerOf<DrawRequest>>> {
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

  *write(request: WriteRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, WriteAnswer>> {
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

  *insert(request: InsertRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, InsertAnswer>> {
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

  *updateRows(
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
  *sql(request: SqlRequest, asking: Asking): Effect<Either<RequestError, AnswerOf<SqlRequest>>> {
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
