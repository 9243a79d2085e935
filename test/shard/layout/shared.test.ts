/**
 * Shards of one database are one connection and one transaction; a map of one shard is a session without shards.
 */
import { createAllSync, type Engine, type EngineCall, orderBy, select, set, update, where } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  atomic,
  byAttribute,
  choosers,
  createCommitTablesSync,
  onlyOn,
  recover,
  routeOf,
  shardedRuntime,
  shardMap,
  tablePrefix,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { counting, journal } from '../counting-engine.js'
import { byContinent, cities, leftOf, model, rightOf, type Shard, tokens } from '../weather.js'

describe('shards of one database', () => {
  const entries = journal()
  const database = new Database(':memory:')
  const base = counting(sqliteEngine(database), 'base', entries)
  const engines = Object.fromEntries(tokens.map((token) => [token, tablePrefix(`${token}_`)(base)]))
  for (const engine of Object.values(engines)) rightOf(createAllSync(model)(engine))
  const runtime = shardedRuntime<Shard>(model, { shards: shardMap(engines as never) as never, choosers: byContinent })
  const run = <E, A>(program: Session.Program<E, A>) => {
    entries.asked.splice(0)
    const result = Session.runSync(runtime)(program)
    return { result, asked: entries.asked.splice(0).map(({ call }) => call._tag) }
  }
  const of = (asked: ReadonlyArray<EngineCall['_tag']>, what: EngineCall['_tag']) =>
    asked.filter((one) => one === what).length

  test('begin and commit once', () => {
    const { asked, result } = run(Session.chain(() => Session.commit)(Session.addAll(model.Location, cities)))
    rightOf(result)
    expect([of(asked, 'Begin'), of(asked, 'Commit')]).toEqual([1, 1])
  })

  test('have each savepoint once', () => {
    const { asked, result } = run(
      Session.gen(function* () {
        yield* Session.query(select(model.Location))
        yield* Session.beginNested
        yield* Session.add(model.Location, { id: 20, continent: 'Asia', city: 'Kyoto' })
        yield* Session.commitNested
        yield* Session.rollback
      }),
    )
    rightOf(result)
    expect([of(asked, 'Savepoint'), of(asked, 'ReleaseSavepoint'), of(asked, 'Rollback')]).toEqual([1, 1, 1])
  })

  test('change all of them by one statement each', () => {
    const { result } = run(
      pipe(
        Session.execute()(pipe(update(model.Location), set({ city: 'x' }), where('id', '>', 5))),
        Session.chain(() => Session.query(pipe(select(model.Location), orderBy('id')))),
      ),
    )
    expect(rightOf(result).map(({ city }) => city)).toEqual([
      'Tokyo',
      'New York',
      'Toronto',
      'London',
      'Dublin',
      'x',
      'x',
    ])
  })

  test('name the shard and the table in errors', () => {
    const { result } = run(
      Session.chain(() => Session.flush)(Session.add(model.Location, { id: 1, continent: 'Asia', city: 'again' })),
    )
    expect(leftOf(result)).toMatchObject({ _tag: 'IntegrityError', shard: 'asia', table: 'weather_locations' })
  })
})

describe('a map of one shard', () => {
  const open = () => {
    const entries = journal()
    const engine: Engine = counting(sqliteEngine(new Database(':memory:')), 'only', entries)
    rightOf(createAllSync(model)(engine))
    entries.asked.splice(0)
    return { entries, engine }
  }
  const program = Session.gen(function* () {
    yield* Session.addAll(model.Location, cities)
    yield* Session.commit
    const [tokyo] = yield* Session.query(pipe(select(model.Location), where('continent', '=', 'Asia')))
    if (tokyo === undefined) throw new Error('not found')
    yield* Session.load(model.Location, 'reports')(tokyo)
    yield* Session.set(model.Location, { city: 'Edo' })(tokyo)
    yield* Session.execute()(pipe(update(model.Report), set({ temperature: 1 })))
    yield* Session.commit
  })

  test('asks what a session over the engine asks', () => {
    const [plain, sharded] = [open(), open()]
    rightOf(Session.runSync(Session.runtime(model, plain.engine))(program))
    const runtime = shardedRuntime(model, {
      shards: shardMap({ only: sharded.engine }),
      choosers: choosers(model)({ Location: onlyOn('only'), Report: onlyOn('only') }),
    })
    rightOf(Session.runSync(runtime)(program))
    expect(sharded.entries.asked.map(({ call }) => call)).toEqual(plain.entries.asked.map(({ call }) => call))
  })

  test('asks no chooser', () => {
    const { engine } = open()
    const asked: string[] = []
    const by = choosers(model)({
      Location: byAttribute('continent', (continent: string) => {
        asked.push(continent)
        return 'only' as const
      }),
      Report: withParent('location'),
    })
    const runtime = shardedRuntime(model, { shards: shardMap({ only: engine }), choosers: by })
    rightOf(Session.runSync(runtime)(program))
    expect(asked).toEqual([])
    expect(rightOf(routeOf(runtime)(select(model.Location)))).toMatchObject({ shards: ['only'] })
  })
})

describe('atomic commits of shards that share a database', () => {
  const open = (shards: Readonly<Record<string, Engine>>) => {
    for (const engine of Object.values(shards)) {
      rightOf(createAllSync(model)(engine))
      rightOf(createCommitTablesSync(engine))
    }
    return shardedRuntime(model, {
      shards: shardMap(shards),
      choosers: choosers(model)({
        Location: byAttribute('continent', { Asia: 'asia', Europe: 'europe' }),
        Report: withParent('location'),
      }),
      commit: atomic({ application: 'layouts' }),
    })
  }
  const write = pipe(
    Session.addAll(model.Location, [
      { id: 1, continent: 'Asia', city: 'a' },
      { id: 2, continent: 'Europe', city: 'b' },
    ]),
    Session.chain(() => Session.commit),
  )

  test('are commits of that database', async () => {
    const base = sqliteEngine(new Database(':memory:'))
    const runtime = open({ asia: tablePrefix('asia_')(base), europe: tablePrefix('europe_')(base) })
    rightOf(Session.runSync(runtime)(write))
    expect(rightOf(await recover(runtime.shards, { application: 'layouts' })())).toMatchObject({ unreachable: [] })
  })

  test('are refused where others have databases of their own', () => {
    const base = sqliteEngine(new Database(':memory:'))
    const runtime = open({
      asia: tablePrefix('asia_')(base),
      europe: tablePrefix('europe_')(base),
      other: sqliteEngine(new Database(':memory:')),
    })
    expect(leftOf(Session.runSync(runtime)(write))).toMatchObject({ _tag: 'RoutingError', reason: 'FaultyMap' })
  })
})
