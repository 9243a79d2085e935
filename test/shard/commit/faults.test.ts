/**
 * Commits over several servers of which one hangs, is down, loses the connection or refuses: the right error in time,
 * nothing lost, nothing doubled.
 */
import { createAll, defineModel, type Engine, entity, integer, primaryKey, select, text } from '@unitary/core'
import { kyselyEngine } from '@unitary/core/engine/kysely'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  type AtomicOptions,
  atomic,
  byAttribute,
  choosers,
  createCommitTables,
  onShard,
  outcomeOf,
  type RecoverOptions,
  recover,
  shardedRuntime,
  shardMap,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { MysqlDialect, PostgresDialect, sql } from 'kysely'
import { createPool } from 'mysql2'
import { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  createMysql,
  createPostgres,
  mysqlHost,
  mysqlServer,
  postgresHost,
  skipped,
} from '../../core/engine/databases.js'
import { ask, connect, raw } from '../../core/engine/engine-conformance.js'
import { clusterMissing, type PostgresCluster, startCluster } from '../../core/engine/postgres-cluster.js'
import { leftOf, rightOf } from '../weather.js'
import { fails, type Intercept, intercepted, losesAnswer, lost, never, once } from './intercepted.js'

const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), home: text })
const model = defineModel({ Item })(() => ({}))
const application = 'faults'

/** Short, so that tests of hanging shards are. */
const timeout = 400

let cluster: PostgresCluster
const engines: Engine[] = []
const servers: Array<() => Promise<void>> = []
let made = 0

const kept = <E extends Engine>(engine: E): E => {
  engines.push(engine)
  return engine
}

/** An engine on an empty database with its tables. */
const ready = async (engine: Engine): Promise<Engine> => {
  rightOf(await createAll(model)(engine)())
  rightOf(await createCommitTables(engine)())
  return kept(engine)
}

const newDatabase = async (): Promise<string> => {
  const name = `faults_${made++}`
  await cluster.create(name)
  return name
}

const newShard = async (): Promise<Engine> => ready(cluster.open(await newDatabase()))

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
  for (const drop of servers.splice(0)) await drop()
})

type Shards = Readonly<Record<string, Engine>>

const runtimeOn = (shards: Shards, options: Partial<AtomicOptions> = {}, session: Session.RuntimeOptions = {}) =>
  shardedRuntime(model, {
    shards: shardMap(shards),
    choosers: choosers(model)({
      Item: byAttribute('home', Object.fromEntries(Object.keys(shards).map((token) => [token, token]))),
    }),
    commit: atomic({ application, timeout, ...options }),
    ...session,
  })

/** Adds an item to each shard, does something, and commits. */
const adding = (shards: Shards, item: number, between: () => void = () => {}) =>
  Session.gen(function* () {
    yield* Session.addAll(
      model.Item,
      Object.keys(shards).map((home) => ({ id: item, home })),
    )
    yield* Session.flush
    yield* Session.fromIO(between)
    return yield* Session.commit
  })

const itemsOf = async (engine: Engine): Promise<ReadonlyArray<number>> => {
  const connection = await connect(engine)
  const { rows } = await ask(connection, raw(engine, sql`select id from items order by id`))
  await connection.release()
  return rows.map(({ id }) => Number(id))
}

const itemsOn = (shards: Shards): Promise<ReadonlyArray<ReadonlyArray<number>>> =>
  Promise.all(Object.values(shards).map(itemsOf))

const recovered = async (shards: Shards, options: Partial<RecoverOptions> = {}) =>
  rightOf(await recover(shardMap(shards), { application, timeout: 2000, ...options })())

const nothing = { committed: [], rolledBack: [], unfinished: [], unreachable: [], forgotten: 0 }

/** What a call took, in ms, and gave. */
const timed = async <A>(work: () => Promise<A>): Promise<readonly [number, A]> => {
  const start = performance.now()
  const value = await work()
  return [performance.now() - start, value]
}

const isCommit: Parameters<typeof once>[0] = ({ _tag }) => _tag === 'Commit'
const isPrepare: Parameters<typeof once>[0] = ({ _tag }) => _tag === 'Prepare'

/** Two databases of PostgreSQL; `b` decides. */
const openPair = async (intercepts: { readonly a?: Intercept; readonly b?: Intercept } = {}) => {
  const [a, b] = [await newShard(), await newShard()] as const
  return { a: intercepted(a, intercepts.a ?? (() => null)), b: intercepted(b, intercepts.b ?? (() => null)) }
}

const failedWith = (done: Either<unknown, unknown>): Session.SessionError => leftOf(done) as Session.SessionError

describe.skipIf(clusterMissing !== null)(
  `two databases of PostgreSQL${clusterMissing === null ? '' : ` (${clusterMissing})`}`,
  () => {
    beforeAll(() => {
      cluster = startCluster()
    }, 60_000)
    afterAll(() => cluster.remove())

    test('are committed together', async () => {
      const shards = await openPair()
      expect(rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())).toMatchObject({ notices: [] })
      expect(await itemsOn(shards)).toEqual([[1], [1]])
      expect(await recovered(shards)).toEqual(nothing)
    })

    test('of which one hangs when it is to prepare: an error in time, and nothing anywhere', async () => {
      const hanging = once(isPrepare, never)
      const shards = await openPair({ a: hanging.intercept })
      const [took, done] = await timed(Session.run(runtimeOn(shards))(adding(shards, 1, hanging.arm)))
      expect(failedWith(done)).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'prepare',
        shard: 'a',
        retryable: true,
        cause: { reason: { _tag: 'StatementTimeout' }, message: 'no answer within 400 ms' },
      })
      expect(took).toBeLessThan(3 * timeout)
      expect(await recovered(shards)).toEqual(nothing)
      expect(await itemsOn(shards)).toEqual([[], []])
    })

    test('of which one hangs when it is told: committed, and told later', async () => {
      const hanging = once(({ _tag }) => _tag === 'CommitPrepared', never)
      const shards = await openPair({ a: hanging.intercept })
      // another connection tells it
      hanging.arm()
      expect(rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())).toMatchObject({ notices: [] })
      const always: Intercept = ({ _tag }) => (_tag === 'CommitPrepared' ? never() : null)
      const deaf = { ...shards, a: intercepted(shards.a, always) }
      const [took, done] = await timed(Session.run(runtimeOn(deaf))(adding(shards, 2)))
      expect(rightOf(done)).toMatchObject({ notices: [{ _tag: 'CommittedPending', shards: ['a'] }] })
      expect(took).toBeLessThan(4 * timeout)
      expect(await itemsOn(shards)).toEqual([[1], [1, 2]])
      expect(await recovered(shards)).toMatchObject({ committed: [{ shards: ['a'] }] })
      expect(await itemsOn(shards)).toEqual([
        [1, 2],
        [1, 2],
      ])
    })

    test('of which the one that decides stops in mid-commit: unknown in time, and known when it goes on', async () => {
      const [first, name] = [await newShard(), await newDatabase()]
      const shards = { a: first, b: await ready(cluster.open(name)) }
      let pid = 0
      const done = await Session.run(runtimeOn(shards))(
        Session.gen(function* () {
          yield* Session.addAll(model.Item, [
            { id: 1, home: 'a' },
            { id: 1, home: 'b' },
          ])
          const [row] = yield* Session.sql<{ pid: number }>(sql`select pg_backend_pid() as pid`, { shard: 'b' })
          pid = row?.pid ?? 0
          yield* Session.fromIO(() => process.kill(pid, 'SIGSTOP'))
          yield* Session.commit
        }),
      )()
      // the record was not even written: that is no commit
      expect(failedWith(done)).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'commit',
        shard: 'b',
        retryable: true,
      })
      process.kill(pid, 'SIGCONT')
      expect(await recovered(shards)).toMatchObject({ unfinished: [], unreachable: [] })
      expect(await itemsOn(shards)).toEqual([[], []])
    })

    test('of which the one that decides is silent about its commit: unknown in time, and then known', async () => {
      // COMMIT goes on its way when everybody has given up waiting
      let go: () => void = () => {}
      const late = once(isCommit, (_, perform) => {
        const gone = new Promise<void>((resolve) => {
          go = resolve
        })
        return gone.then(perform)
      })
      const shards = await openPair({ b: late.intercept })
      const [took, done] = await timed(Session.run(runtimeOn(shards))(adding(shards, 1, late.arm)))
      const error = failedWith(done)
      expect(error).toMatchObject({
        _tag: 'CommitUnknown',
        shard: 'b',
        transaction: expect.stringMatching(/^faults\..*\.b$/),
      })
      expect(took).toBeLessThan(5 * timeout)
      expect(Session.render(error)).toMatch(
        /^Whether the commit was done cannot be told: .* Ask outcomeOf for faults\./,
      )
      go()
      const transaction = error._tag === 'CommitUnknown' ? (error.transaction ?? '') : ''
      const outcome = rightOf(await outcomeOf(shardMap(shards), transaction)())
      expect(rightOf(await outcomeOf(shardMap(shards), transaction)())).toEqual(outcome)
      expect(await recovered(shards)).toMatchObject({ unfinished: [] })
      expect(await itemsOn(shards)).toEqual(outcome.isCommitted ? [[1], [1]] : [[], []])
    })

    test('of which one is cut off before it has prepared: nothing anywhere, and a second try succeeds', async () => {
      const [first, name] = [await newShard(), await newDatabase()]
      const shards = { b: first, a: await ready(cluster.open(name)) }
      const cutOff = () =>
        cluster.query(
          name,
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`,
        )
      const add = (isCut: boolean) =>
        Session.gen(function* () {
          yield* Session.addAll(model.Item, [
            { id: 1, home: 'a' },
            { id: 1, home: 'b' },
          ])
          yield* Session.flush
          if (isCut) yield* Session.fromTask(cutOff)
          yield* Session.commit
        })
      const done = await Session.run(runtimeOn(shards))(add(true))()
      expect(failedWith(done)).toMatchObject({
        _tag: 'DatabaseError',
        shard: 'a',
        retryable: true,
        cause: { reason: { _tag: 'ConnectionLost' } },
      })
      expect(await itemsOn(shards)).toEqual([[], []])
      expect(await recovered(shards)).toEqual(nothing)
      rightOf(await Session.run(runtimeOn(shards))(add(false))())
      expect(await itemsOn(shards)).toEqual([[1], [1]])
    })

    test('of which one is down say so, and leave nothing on the other', async () => {
      const pool = new Pool({ host: '/nowhere', database: 'none' })
      const shards = { a: await newShard(), b: kept(kyselyEngine(new PostgresDialect({ pool }))) }
      const done = await Session.run(runtimeOn(shards))(adding(shards, 1))()
      expect(failedWith(done)).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'connect',
        shard: 'b',
        retryable: true,
      })
      expect(await itemsOf(shards.a)).toEqual([])
      expect(await recovered(shards)).toMatchObject({ ...nothing, unreachable: [{ shard: 'b' }] })
    })

    test('of which the one that decides loses its answer have committed, whatever it was asked', async () => {
      const losing = once(isCommit, losesAnswer)
      const shards = await openPair({ b: losing.intercept })
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1, losing.arm))())
      expect(await itemsOn(shards)).toEqual([[1], [1]])
      expect(await recovered(shards)).toEqual(nothing)
    })

    test('of which one loses the answer to its promise leave nothing', async () => {
      const losing = once(isPrepare, losesAnswer)
      const shards = await openPair({ a: losing.intercept })
      const done = await Session.run(runtimeOn(shards))(adding(shards, 1, losing.arm))()
      expect(failedWith(done)).toMatchObject({ operation: 'prepare', shard: 'a', retryable: true })
      expect(await recovered(shards)).toEqual(nothing)
      expect(await itemsOn(shards)).toEqual([[], []])
    })

    test('of which one reports a serialization failure leave nothing, and a second try succeeds', async () => {
      const shards = await openPair()
      const app = runtimeOn(shards, {}, { isolationLevel: 'serializable' })
      const everything = pipe(select(model.Item), onShard('a'))
      // each writes what the other has looked for: one of them is too late
      const store = Session.createStore(app)
      rightOf(await store.run(Session.query(everything))())
      rightOf(
        await Session.run(app)(
          Session.gen(function* () {
            yield* Session.query(everything)
            yield* adding(shards, 1)
          }),
        )(),
      )
      const late = await store.run(adding(shards, 2))()
      expect(failedWith(late)).toMatchObject({
        shard: 'a',
        retryable: true,
        cause: { reason: { _tag: 'SerializationFailure' } },
      })
      expect(await itemsOn(shards)).toEqual([[1], [1]])
      rightOf(await store.run(Session.rollback)())
      rightOf(await store.run(adding(shards, 2))())
      await store.close()
      expect(await itemsOn(shards)).toEqual([
        [1, 2],
        [1, 2],
      ])
    })

    test('see no deadlock that goes over both, and wait no longer than they are told', async () => {
      const shards = await openPair()
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      const inOrder = (homes: ReadonlyArray<string>) =>
        Session.gen(function* () {
          for (const home of homes) {
            yield* Session.sql(sql`update items set home = home where id = 1`, { shard: home })
            yield* Session.fromTask(() => new Promise((resolve) => setTimeout(resolve, 100)))
          }
          yield* Session.commit
        })
      const app = runtimeOn(shards, { lockTimeout: 300 })
      const done = await Promise.all([Session.run(app)(inOrder(['a', 'b']))(), Session.run(app)(inOrder(['b', 'a']))()])
      const failures = done.flatMap((one) => (one._tag === 'Left' ? [one.left] : []))
      expect(failures.length).toBeGreaterThan(0)
      for (const error of failures) {
        expect(error).toMatchObject({ retryable: true, cause: { reason: { _tag: 'LockTimeout' } } })
      }
    })

    test('of which the server dies between promise and decision, and after it', async () => {
      const gone = { a: '', b: '' }
      for (const name of ['a', 'b'] as const) gone[name] = await newDatabase()
      const open = () => ({ a: kept(cluster.open(gone.a)), b: kept(cluster.open(gone.b)) })
      const shards = { a: await ready(cluster.open(gone.a)), b: await ready(cluster.open(gone.b)) }
      const crashing = (isIt: typeof isCommit) =>
        once(isIt, (_, perform) => {
          cluster.crash()
          return perform()
        })
      const before = crashing(({ _tag }) => _tag === 'Commit')
      const undecided = { ...shards, b: intercepted(shards.b, before.intercept) }
      const done = await Session.run(runtimeOn(undecided))(adding(shards, 1, before.arm))()
      expect(done._tag).toBe('Left')
      expect(await recovered(open())).toMatchObject({ committed: [], unfinished: [] })
      expect(await itemsOn(open())).toEqual([[], []])

      const after = crashing(({ _tag }) => _tag === 'CommitPrepared')
      const again = open()
      const decided = { ...again, a: intercepted(again.a, after.intercept) }
      rightOf(await Session.run(runtimeOn(decided))(adding(shards, 2, after.arm))())
      expect(await recovered(open())).toMatchObject({ rolledBack: [], unfinished: [] })
      expect(await itemsOn(open())).toEqual([[2], [2]])
    })

    test('are given up by a recovery while a slow process commits, which then fails as a whole', async () => {
      let others: () => Promise<unknown> = async () => {}
      const slow = once(
        ({ _tag }) => _tag === 'Query',
        (_, perform) => others().then(perform),
      )
      const shards = await openPair({ b: slow.intercept })
      const reports: unknown[] = []
      others = async () => {
        // one that leaves alone what is young, then two that do not, side by side
        reports.push(await recovered(shards, { olderThan: 60_000 }))
        reports.push(...(await Promise.all([recovered(shards), recovered(shards)])))
      }
      const done = await Session.run(runtimeOn(shards, { timeout: 5000 }))(adding(shards, 1, slow.arm))()
      expect(reports[0]).toMatchObject({ rolledBack: [], unfinished: [{ cause: { _tag: 'Young' } }] })
      expect(reports[1]).toMatchObject({ committed: [], unfinished: [] })
      expect(failedWith(done)).toMatchObject({
        _tag: 'DatabaseError',
        operation: 'commit',
        shard: 'b',
        retryable: true,
        cause: { message: 'a recovery beside this commit has given it up; try again' },
      })
      expect(await itemsOn(shards)).toEqual([[], []])
      expect(await recovered(shards)).toEqual(nothing)
    })

    test('leave what hangs on a shard that is not there until it is', async () => {
      const failing: Intercept = ({ _tag }) => (_tag === 'CommitPrepared' ? never() : null)
      const shards = await openPair({ a: failing })
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      const without = { a: shards.a, other: await newShard() }
      expect(await recovered(without)).toMatchObject({
        committed: [],
        rolledBack: [],
        unfinished: [{ shard: 'b', cause: { _tag: 'NotInMap' } }],
      })
      const down = kept(kyselyEngine(new PostgresDialect({ pool: new Pool({ host: '/nowhere' }) })))
      expect(await recovered({ a: shards.a, b: down })).toMatchObject({
        unfinished: [{ shard: 'b', cause: { reason: { _tag: 'ConnectionLost' } } }],
        unreachable: [{ shard: 'b' }],
      })
    })

    test('forget decisions that are old, and not those that are needed', async () => {
      const shards = await openPair()
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      const inDays = (days: number) => () => new Date(Date.now() + days * 86_400_000)
      expect(await recovered(shards, { now: inDays(6) })).toEqual(nothing)
      expect(await recovered(shards, { now: inDays(8), application: 'other' })).toEqual(nothing)
      expect(await recovered(shards, { now: inDays(8) })).toEqual({ ...nothing, forgotten: 1 })
      expect(await recovered(shards, { now: inDays(8) })).toEqual(nothing)
      // never less than a day: a slow process could still mean to decide
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 2))())
      expect(await recovered(shards, { keep: 0 })).toEqual(nothing)
      expect(await recovered(shards, { keep: 0, now: inDays(2) })).toEqual({ ...nothing, forgotten: 1 })
    })

    test('may have any tokens', async () => {
      const first = 'São Paulo, "first" of all'
      const deaf: Intercept = ({ _tag }) => (_tag === 'CommitPrepared' ? never() : null)
      const plain = { [first]: await newShard(), ['é'.repeat(100)]: await newShard(), 'a.b/c': await newShard() }
      const shards = { ...plain, [first]: intercepted(plain[first] as Engine, deaf) }
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      expect(await recovered(plain)).toMatchObject({ committed: [{ shards: [first] }], unfinished: [] })
      expect(await itemsOn(plain)).toEqual([[1], [1], [1]])
    })

    test('of which one is read chunk by chunk are committed between the chunks, and it is read on', async () => {
      const shards = await openPair()
      const app = runtimeOn(shards)
      const ids = Array.from({ length: 25 }, (_, id) => id)
      rightOf(
        await Session.run(app)(
          Session.transact(
            Session.addAll(
              model.Item,
              ids.map((id) => ({ id, home: 'a' })),
            ),
          ),
        )(),
      )
      const copying = pipe(
        select(model.Item),
        onShard('a'),
        Session.forEachChunk(
          (chunk) =>
            Session.gen(function* () {
              yield* Session.addAll(
                model.Item,
                chunk.flatMap(({ id }) => [
                  { id, home: 'b' },
                  { id: id + 100, home: 'a' },
                ]),
              )
              yield* Session.commit
            }),
          { chunk: 10 },
        ),
      )
      rightOf(await Session.run(app)(copying as Session.Program<Session.SessionError, unknown>)())
      expect(await itemsOn(shards)).toEqual([[...ids, ...ids.map((id) => id + 100)], ids])
      expect(await recovered(shards)).toEqual(nothing)
    })

    test('with one that cannot prepare, which decides wherever it stands', async () => {
      const asked: string[] = []
      const listening: Intercept = ({ _tag }) => {
        asked.push(_tag)
        return null
      }
      const pool = new Pool({ host: cluster.host, user: 'postgres', database: await newDatabase() })
      const last = await ready(kyselyEngine(new PostgresDialect({ pool }), { twoPhase: false }))
      const shards = { a: intercepted(last, listening), b: await newShard() }
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      expect(asked.slice(-2)).toEqual(['Query', 'Commit'])
      expect(await itemsOn(shards)).toEqual([[1], [1]])
    })

    test('of which two cannot prepare are refused', async () => {
      const open = async () => {
        const pool = new Pool({ host: cluster.host, user: 'postgres', database: await newDatabase() })
        return ready(kyselyEngine(new PostgresDialect({ pool }), { twoPhase: false }))
      }
      const shards = { a: await open(), b: await open(), c: await newShard() }
      const error = failedWith(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      expect(Session.render(error)).toBe(
        "commit: shards 'a', 'b' cannot prepare a transaction, and only one that cannot may be written together with others; write on it in a transaction of its own",
      )
      expect(await itemsOn(shards)).toEqual([[], [], []])
    })

    test('and a file of SQLite, which decides', async () => {
      const file = await ready(sqliteEngine(new Database(':memory:')))
      const shards = { file, a: await newShard(), b: await newShard() }
      rightOf(await Session.run(runtimeOn(shards))(adding(shards, 1))())
      expect(await itemsOn(shards)).toEqual([[1], [1], [1]])
      const records = await connect(file)
      const { rows } = await ask(records, raw(file, sql`select shards from unitary_commits`))
      await records.release()
      expect(rows).toEqual([{ shards: '["a","b","file"]' }])
    })

    describe('exactly once', () => {
      const exactlyOnce = { exactlyOnce: true }

      test('a commit on one shard whose answer is lost has succeeded', async () => {
        const losing = once(isCommit, losesAnswer)
        const shards = { a: intercepted(await newShard(), losing.intercept) }
        rightOf(await Session.run(runtimeOn(shards, exactlyOnce))(adding(shards, 1, losing.arm))())
        expect(await itemsOn(shards)).toEqual([[1]])
      })

      test('one that was lost on its way has not, may be tried again, and is there once', async () => {
        const losing = once(isCommit, fails(lost))
        const shards = { a: intercepted(await newShard(), losing.intercept) }
        const app = runtimeOn(shards, exactlyOnce)
        const error = failedWith(await Session.run(app)(adding(shards, 1, losing.arm))())
        expect(error).toMatchObject({ _tag: 'DatabaseError', operation: 'commit', retryable: true })
        rightOf(await Session.run(app)(adding(shards, 1))())
        expect(await itemsOn(shards)).toEqual([[1]])
      })

      test('without it nobody can tell, and the error says so', async () => {
        const losing = once(isCommit, losesAnswer)
        const shards = { a: intercepted(await newShard(), losing.intercept) }
        const error = failedWith(await Session.run(runtimeOn(shards))(adding(shards, 1, losing.arm))())
        expect(error).toMatchObject({ _tag: 'CommitUnknown', transaction: null, shard: 'a' })
        expect(Session.render(error)).toContain('with exactlyOnce there is an answer')
      })

      test('the outcome of a transaction nobody knows is that it is none', async () => {
        const shards = shardMap({ a: await newShard() })
        const unheard = 'faults.0mwq00000aaaaaaaaaaaaaaaaaaaa.a'
        expect(rightOf(await outcomeOf(shards, unheard)())).toEqual({ isCommitted: false, digest: null })
        expect(leftOf(await outcomeOf(shards, 'nonsense')())).toMatchObject({ _tag: 'RoutingError' })
      })
    })
  },
)

const noPostgres = skipped(postgresHost)

test.skipIf(noPostgres !== null)('PostgreSQL that does not prepare says what to set', async () => {
  const databases = [await createPostgres(), await createPostgres()] as const
  for (const { drop } of databases) servers.push(drop)
  const shards = { a: await ready(databases[0].open()), b: await ready(databases[1].open()) }
  const connection = await connect(shards.a)
  const { rows } = await ask(connection, raw(shards.a, sql`show max_prepared_transactions`))
  await connection.release()
  if (rows[0]?.max_prepared_transactions !== '0') return
  const error = failedWith(await Session.run(runtimeOn(shards))(adding(shards, 1))())
  expect(Session.render(error)).toBe(
    "prepare failed on shard 'a': prepared transactions are disabled; set max_prepared_transactions to a number of connections, and restart the server (Unsupported).",
  )
  expect(await itemsOn(shards)).toEqual([[], []])
})

const noMysql = skipped(mysqlHost)

describe.skipIf(noMysql !== null)(`MariaDB${noMysql === null ? '' : ` (${noMysql})`}`, () => {
  const options = { application: 'faults_m' }
  const newMaria = async (): Promise<Engine> => {
    const database = await createMysql()
    servers.push(database.drop)
    return ready(database.open())
  }

  test('commits with a file of SQLite', async () => {
    const shards = { file: await ready(sqliteEngine(new Database(':memory:'))), m: await newMaria() }
    rightOf(await Session.run(runtimeOn(shards, options))(adding(shards, 1))())
    expect(await itemsOn(shards)).toEqual([[1], [1]])
  })

  test('that was only read from the first leaves a single writer to itself', async () => {
    const asked: string[] = []
    const listening: Intercept = ({ _tag }) => {
      asked.push(_tag)
      return null
    }
    const shards = { m: intercepted(await newMaria(), listening), n: intercepted(await newMaria(), listening) }
    rightOf(
      await Session.run(runtimeOn(shards, options))(
        Session.gen(function* () {
          yield* Session.query(pipe(select(model.Item), onShard('m')))
          yield* Session.add(model.Item, { id: 1, home: 'n' })
          yield* Session.commit
        }),
      )(),
    )
    expect(asked).toEqual(['Begin', 'Query', 'Begin', 'Insert', 'Commit', 'Commit'])
    expect(await itemsOn(shards)).toEqual([[], [1]])
  })

  test('is bound to who decides, and refuses one that would have to', async () => {
    const database = await createMysql()
    servers.push(database.drop)
    const pool = createPool({ ...mysqlServer, database: database.name })
    const last = await ready(kyselyEngine(new MysqlDialect({ pool }), { twoPhase: false }))
    const shards = { m: await newMaria(), z: last }
    const error = failedWith(await Session.run(runtimeOn(shards, options))(adding(shards, 1))())
    expect(Session.render(error)).toBe(
      "commit: shard 'z' cannot prepare a transaction, and does not go together with MySQL or MariaDB, whose transactions are bound from the beginning to 'm' as the one that decides; write on it in a transaction of its own",
    )
    expect(await itemsOn(shards)).toEqual([[], []])
  })
})
