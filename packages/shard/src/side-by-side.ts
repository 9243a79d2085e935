/**
 * Work on several shards at once: side by side on databases of their own, one after another on shards that share one, whose
 * connection answers one call at a time.
 */
import type { Connection, Engine } from '@unitary/core'
import { call, databaseError, type Effect, type RequestError, type Transactions, together } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { databaseOf, type ShardMap } from './shard-map.js'

/** What is run on a shard, given its connection. */
export type OnShard<A> = (connection: Connection, engine: Engine, token: string) => Effect<Either<RequestError, A>>

/** Works on each item, given the engine that it is for; gives the results in the order of the items. */
export function* sideBySide<A, B>(
  items: ReadonlyArray<A>,
  engineOf: (item: A) => Engine,
  work: (item: A) => Effect<B>,
): Effect<ReadonlyArray<B>> {
  const groups = new Map<Engine, number[]>()
  for (const [i, item] of items.entries()) {
    const database = databaseOf(engineOf(item))
    const group = groups.get(database)
    if (group === undefined) groups.set(database, [i])
    else group.push(i)
  }
  if (groups.size === items.length) return yield* together(items.map(work))
  const results: B[] = []
  yield* together(
    Array.from(groups.values(), function* (group): Effect<void> {
      for (const i of group) results[i] = yield* work(items[i] as A)
    }),
  )
  return results
}

/** Runs things on shards, each in the transaction of its database. It belongs to one run. */
export class Shards {
  readonly #shards: ShardMap
  readonly #transactions: Transactions

  constructor(shards: ShardMap, transactions: Transactions) {
    this.#shards = shards
    this.#transactions = transactions
  }

  /** The engine of a shard that is in the map. */
  engine(token: string): Engine {
    return this.#shards.engines.get(token) as Engine
  }

  *on<A>(token: string, run: OnShard<A>): Effect<Either<RequestError, A>> {
    const engine = this.engine(token)
    const connection = yield* this.#transactions.connection(token, engine)
    return isLeft(connection)
      ? left(databaseError('connect', null, token, connection.left))
      : yield* run(connection.right, engine, token)
  }

  /** Runs something on each shard, side by side; the first failure in their order, or what each gave. */
  *onEach<A>(tokens: ReadonlyArray<string>, run: OnShard<A>): Effect<Either<RequestError, ReadonlyArray<A>>> {
    const results = yield* sideBySide(
      tokens,
      (token) => this.engine(token),
      (token) => this.on(token, run),
    )
    const values: A[] = []
    for (const result of results) {
      if (isLeft(result)) return result
      values.push(result.right)
    }
    return right(values)
  }

  /** Runs a statement on each shard; where it fails on one, it has changed nothing on the others either. */
  *onAllOrNone<A>(tokens: ReadonlyArray<string>, run: OnShard<A>): Effect<Either<RequestError, ReadonlyArray<A>>> {
    if (tokens.length < 2) return yield* this.onEach(tokens, run)
    /** A shard of each database in which a savepoint has begun. */
    const begun = new Map<Engine, string>()
    const results = yield* this.onEach(tokens, function* (connection, engine, token): ReturnType<OnShard<A>> {
      const database = databaseOf(engine)
      if (!begun.has(database)) {
        begun.set(database, token)
        const saved = yield* call(connection, { _tag: 'Savepoint', name: savepoint })
        if (isLeft(saved)) return left(databaseError('savepoint', null, token, saved.left))
      }
      return yield* run(connection, engine, token)
    })
    yield* this.onEach([...begun.values()], (connection) => endSavepoint(connection, isLeft(results)))
    return results
  }
}

const savepoint = 'unitary_bulk'

function* endSavepoint(connection: Connection, isUndone: boolean): Effect<Either<never, undefined>> {
  if (isUndone) yield* call(connection, { _tag: 'RollbackToSavepoint', name: savepoint })
  yield* call(connection, { _tag: 'ReleaseSavepoint', name: savepoint })
  return right(undefined)
}
