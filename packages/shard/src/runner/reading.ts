/**
 * What a sharded session reads: queries, counts, cursors and lookups, put together from the shards that they concern.
 */
import type { AnyQuery, TextComparison } from '@unitary/core'
import {
  type CountRequest,
  type Effect,
  type LookupRequest,
  type OpenCursorRequest,
  openReader,
  type QueryAnswer,
  type QueryRequest,
  type Reader,
  type RequestError,
  type Rows,
  runCount,
  runLookup,
  runQuery,
  type SessionState,
  type Transactions,
} from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Choosers } from '../chooser/chooser.js'
import { notMergeable } from '../error.js'
import { askMoving } from '../fan-out/ask-moving.js'
import type { Answered, Askers, Asking, OnShard } from '../fan-out/asking.js'
import { combine } from '../fan-out/combine.js'
import { countOver } from '../fan-out/count.js'
import { keyColumnsIn, keyColumnsOf, linkColumnsOf } from '../fan-out/distinct.js'
import { firstRows, likelyShare } from '../fan-out/first-rows.js'
import { merge } from '../fan-out/merge.js'
import { MergedShards, openAll, ShardByShard, type ShardSource } from '../fan-out/read.js'
import { CombinedRows, MergedGroups } from '../fan-out/read-groups.js'
import { askedInOrder, askedOf, type Recombination } from '../fan-out/recombination.js'
import { spreadOf } from '../fan-out/spread.js'
import type { Moving } from '../fan-out/waves.js'
import { shardsOfLookup, shardsOfStatement, type Tokens } from '../route/choose.js'
import { canJoin, isEverywhere } from '../route/everywhere.js'
import type { ShardMap } from '../shard-map.js'

/** Reads of one run. */
export class Reading {
  readonly #shards: ShardMap
  readonly #choosers: Choosers
  readonly #transactions: Transactions
  readonly #askers: Askers
  /** By which rows are whole on one shard: while rows move, nothing but their keys tells. */
  readonly #deciding: Choosers

  constructor(shards: ShardMap, choosers: Choosers, transactions: Transactions, askers: Askers) {
    this.#deciding = askers.moving === null ? choosers : { ...choosers, basisOf: () => null }
    this.#shards = shards
    this.#choosers = choosers
    this.#transactions = transactions
    this.#askers = askers
  }

  *query(
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
    const spread = spreadOf(statement, this.#deciding, this.#comparisons(tokens))
    if (isLeft(spread)) return left(notMergeable('query', entity, spread.left))
    if (spread.right._tag === 'Recombined') {
      return yield* this.#combine(spread.right.recombination, tokens, asking)
    }
    const { fanOut } = spread.right
    const { nodeFor, start } = fanOut
    const isNullLow = this.#isNullLow(tokens)
    const ask =
      (rows: number | null): OnShard<Rows> =>
      (connection, engine, token) => {
        const node = nodeFor(engine.dialect.name, isNullLow, this.#isLater(tokens, token, start), rows)
        return runQuery(connection, engine, { ...statement, node }, token)
      }
    const share = this.#askers.moving === null ? likelyShare(fanOut, tokens.length) : null
    if (share !== null) {
      return yield* firstRows(this.#askers, tokens, asking, { entity, fanOut, share, isNullLow, ask })
    }
    const batches = yield* this.#rowsOf(tokens, statement, asking, ask(null))
    if (isLeft(batches)) return batches
    const merged = merge(batches.right, fanOut, isNullLow)
    return isLeft(merged) ? left(notMergeable('query', entity, merged.left)) : merged
  }

  /** The rows that shards give for a query, each once. */
  *#rowsOf(
    tokens: Tokens,
    statement: AnyQuery,
    asking: Asking,
    run: OnShard<Rows>,
  ): Effect<Either<RequestError, ReadonlyArray<Rows>>> {
    const { moving } = this.#askers
    if (moving === null) {
      const answered = yield* this.#askers.read(tokens, asking, run)
      return isLeft(answered) ? answered : right(answered.right.values)
    }
    const columns = keyColumnsIn(statement)
    if (columns === null) return left(notMergeable(asking.operation, statement.entity.name, mayRepeat))
    return yield* askMoving(this.#askers, moving, tokens, columns, asking, run)
  }

  /** Each shard gives its groups, which are put together. */
  *#combine(recombination: Recombination, tokens: Tokens, asking: Asking): Effect<Either<RequestError, QueryAnswer>> {
    if (this.#askers.moving !== null) {
      return left(notMergeable(asking.operation, recombination.asked.entity.name, mayRepeat))
    }
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
  *count(request: CountRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, number>> {
    const { purpose, statement } = request
    const routed = shardsOfStatement(state, 'query', statement, this.#shards, this.#choosers)
    if (isLeft(routed)) return routed
    const tokens = routed.right
    if (tokens.length < 2) return yield* this.#sumOfCounts(tokens, request, asking)
    if (this.#askers.moving !== null) {
      const rows = yield* this.query({ _tag: 'Query', statement: unordered(statement), joined: null }, state, asking)
      return isLeft(rows) ? rows : right(rows.right.batches.reduce((sum, batch) => sum + batch.rows.length, 0))
    }
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

  *reader(request: OpenCursorRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, Reader>> {
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
    if (this.#askers.moving !== null) return left(notMergeable('query', entity, mayRepeatInPortions))
    const spread = spreadOf(statement, this.#choosers, this.#comparisons(tokens))
    if (isLeft(spread)) return left(notMergeable('query', entity, spread.left))
    if (spread.right._tag === 'Recombined') {
      return yield* this.#groupReader(spread.right.recombination, tokens, request, asking)
    }
    const { fanOut } = spread.right
    const isNullLow = this.#isNullLow(tokens)
    const sources = tokens.map((token) => {
      const node = fanOut.nodeFor(this.#askers.engine(token).dialect.name, isNullLow, false, null)
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
        this.#askers.patiently(token, asking, (attempt) => {
          this.#askers.begin(token, asking, attempt)
          return openReader(this.#transactions, engine, asked, token)
        }),
      inTime: (work) => this.#askers.inTime(token, asking, work),
    }
  }

  /** Does a shard come after another? Rows that compare the same come in this order. */
  #isLater(tokens: ReadonlyArray<string>, token: string, start: string | null): boolean {
    // a row that has moved since is not another
    if (start === null || this.#askers.moving !== null) return false
    const order = tokens.includes(start) ? tokens : [...this.#shards.engines.keys()]
    return order.indexOf(token) > order.indexOf(start)
  }

  *lookUp(request: LookupRequest, state: SessionState, asking: Asking): Effect<Either<RequestError, QueryAnswer>> {
    const tokens = shardsOfLookup(state, request, this.#shards, this.#choosers)
    if (isLeft(tokens)) return tokens
    // links with what is on every shard are on one
    const isSpread = request.through !== null || !isEverywhere(this.#choosers, request.mapping)
    if (this.#askers.moving !== null && isSpread) {
      return yield* this.#lookUpMoving(request, tokens.right, this.#askers.moving, asking)
    }
    // rows that are left out would be taken for rows that are not there
    const found = yield* this.#askers.onEach(tokens.right, asking, (connection, engine, token) =>
      runLookup(connection, engine, request, token),
    )
    return isLeft(found) ? found : right({ batches: found.right, order: null, isJoined: false })
  }

  /**
   * What an instance's row or its relationships are, wherever they are by now. They go on being on its shard to the session, as
   * it does itself; what is got by its key is a new instance where its row has moved.
   */
  *#lookUpMoving(
    request: LookupRequest,
    routed: Tokens,
    moving: Moving,
    asking: Asking,
  ): Effect<Either<RequestError, QueryAnswer>> {
    const { mapping, purpose, through, token: home } = request
    const tokens = home === null ? routed : moving.from(home)
    const columns = through === null ? keyColumnsOf(mapping) : linkColumnsOf(mapping, through)
    const found = yield* askMoving(this.#askers, moving, tokens, columns, asking, (connection, engine, token) =>
      runLookup(connection, engine, request, purpose === 'get' ? token : (home ?? token)),
    )
    return isLeft(found) ? found : right({ batches: found.right, order: null, isJoined: false })
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

const mayRepeat =
  'rows are being moved between shards, and one on its way would be counted twice; ask for the entity itself (or for Session.count), wait until the moves are done'

const mayRepeatInPortions =
  'rows are being moved between shards, and one on its way would come twice; ask for them page by page, wait until the moves are done'

const unordered = <S extends AnyQuery>(statement: S): S => {
  const { orderBy: _order, ...node } = statement.node
  return { ...statement, node }
}

const inOrder = (
  answered: Either<RequestError, Answered<Rows>>,
  isJoined: boolean,
): Either<RequestError, QueryAnswer> =>
  isLeft(answered) ? answered : right({ batches: answered.right.values, order: null, isJoined })
