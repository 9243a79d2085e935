import { insertInto, select, set, update, values, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { atomic, bestEffort, createCommitTablesSync, onShard, shardedRuntime, singleShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outage } from '../counting-engine.js'
import { byContinent, cities, leftOf, model, openWorld, rightOf, rowsIn, tokens, type World } from '../weather.js'

let world: World
beforeEach(() => {
  world = openWorld()
})
afterEach(() => world.close())

const counts = (): ReadonlyArray<number> => Object.values(rowsIn(world, 'weather_locations')).map((rows) => rows.length)
const add = (...ids: ReadonlyArray<number>) =>
  Session.addAll(
    model.Location,
    cities.filter(({ id }) => ids.includes(id)),
  )
const transactions = (): ReadonlyArray<string> =>
  world.journal.asked
    .splice(0)
    .flatMap(({ call, shard }) =>
      ['Begin', 'Commit', 'Prepare', 'Rollback'].includes(call._tag) ? [`${shard} ${call._tag}`] : [],
    )

describe('single-shard', () => {
  const app = () => shardedRuntime(model, { shards: world.shards, choosers: byContinent, commit: singleShard })
  const runSync = <E, A>(program: Session.Program<E, A>) => Session.runSync(app())(program)

  it('says so', () => expect(app().atomicity).toBe('single-shard'))

  it('commits what is on one shard', () => {
    rightOf(runSync(Session.transact(add(4, 5))))
    expect(counts()).toEqual([0, 0, 2, 0])
  })

  it('refuses a flush over several before a row is written, and the session goes on', () => {
    const done = runSync(
      Session.gen(function* () {
        const [tokyo] = yield* Session.addAll(model.Location, [bare(1, 'Asia'), bare(4, 'Europe')])
        const refused = yield* Session.attempt(Session.flush)
        if (tokyo !== undefined) yield* pipe(tokyo, Session.expunge(model.Location))
        yield* Session.commit
        return leftOf(refused)
      }),
    )
    expect(counts()).toEqual([0, 0, 1, 0])
    const error = rightOf(done)
    expect(error).toMatchObject({ _tag: 'RoutingError', reason: 'SeveralShards', operation: 'flush' })
    expect(Session.render(error)).toBe(
      "flush: the transaction would write on shards 'asia', 'europe', and the runtime commits on a single shard; commit in between, or give the runtime another level: commit: atomic({ application: ... })",
    )
  })

  it('refuses a second shard later in the transaction, and allows it in the next', () => {
    const later = (between: Session.Program<Session.FlushError, unknown>) =>
      runSync(
        Session.gen(function* () {
          yield* add(1)
          yield* Session.flush
          yield* between
          yield* add(4)
          yield* Session.commit
        }),
      )
    expect(leftOf(later(Session.of(null)))).toMatchObject({ reason: 'SeveralShards' })
    expect(counts()).toEqual([0, 0, 0, 0])
    rightOf(later(Session.commit))
    expect(counts()).toEqual([0, 1, 1, 0])
  })

  it('reads of all', () => {
    rightOf(runSync(Session.transact(add(1))))
    const found = runSync(
      Session.gen(function* () {
        yield* Session.query(select(model.Location))
        yield* add(4)
        yield* Session.commit
        return yield* Session.query(select(model.Location))
      }),
    )
    expect(rightOf(found)).toHaveLength(2)
  })

  it('refuses bulk statements over several', () => {
    const everywhere = [
      pipe(update(model.Location), set({ city: 'Atlantis' }), Session.execute()),
      pipe(insertInto(model.Location), values([bare(1, 'Asia'), bare(4, 'Europe')]), Session.execute()),
      Session.sql(sql`update weather_locations set city = 'x'`),
    ]
    for (const statement of everywhere) {
      expect(leftOf(runSync(statement as Session.Program<Session.SessionError, unknown>))).toMatchObject({
        reason: 'SeveralShards',
      })
    }
    rightOf(
      runSync(pipe(update(model.Location), set({ city: 'Edo' }), where('continent', '=', 'Asia'), Session.execute())),
    )
    rightOf(runSync(Session.sql(sql`select 1`)))
  })
})

const bare = (id: number, continent: string) => ({ id, continent, city: 'Atlantis' })

const many = Array.from({ length: 35 }, (_, id) => bare(id + 1, 'Asia'))

describe('best-effort', () => {
  it('is the default, and says which shards stay committed', () => {
    const app = shardedRuntime(model, { shards: world.shards, choosers: byContinent })
    expect([
      app.atomicity,
      shardedRuntime(model, { ...app, choosers: byContinent, commit: bestEffort }).atomicity,
    ]).toEqual(['best-effort', 'best-effort'])
    world.journal.fault = (shard, call) => (shard === 'europe' && call._tag === 'Commit' ? outage('cable cut') : null)
    const error = leftOf(Session.runSync(app)(Session.transact(add(1, 2, 4, 6))))
    expect(error).toMatchObject({ _tag: 'PartlyCommitted', committed: ['north_america', 'asia'], shard: 'europe' })
    expect(Session.render(error as Session.SessionError)).toBe(
      "The commit failed on shard 'europe': cable cut; north_america, asia had been committed, and stay so. Give the runtime the level atomic, where all or none is wanted.",
    )
    expect(counts()).toEqual([1, 1, 0, 0])
  })
})

describe('atomic', () => {
  const app = (exactlyOnce = false) =>
    shardedRuntime(model, {
      shards: world.shards,
      choosers: byContinent,
      commit: atomic({ application: 'weather', exactlyOnce }),
    })
  const runSync = <E, A>(program: Session.Program<E, A>) => Session.runSync(app())(program)
  const createTables = (): void => {
    for (const engine of world.shards.engines.values()) rightOf(createCommitTablesSync(engine))
    world.journal.asked.splice(0)
  }
  const records = (): ReadonlyArray<unknown> =>
    tokens.flatMap((token) => world.databases[token].prepare('select * from unitary_commits').all())

  it('commits one writing shard as ever, without a record', () => {
    createTables()
    rightOf(
      runSync(
        Session.gen(function* () {
          yield* Session.query(pipe(select(model.Location), onShard('europe')))
          yield* add(1)
          yield* Session.commit
        }),
      ),
    )
    expect(transactions()).toEqual(['europe Begin', 'asia Begin', 'europe Commit', 'asia Commit'])
    expect(records()).toEqual([])
  })

  it('commits what was read under a lock last, so that it holds until all is decided', () => {
    createTables()
    // SQLite knows no locks of rows; their words are in a comment
    const reading = sql`select id from weather_locations /* for update */`
    rightOf(
      runSync(
        Session.gen(function* () {
          yield* Session.sql(reading, { shard: 'europe' })
          yield* add(1)
          yield* Session.commit
        }),
      ),
    )
    expect(transactions()).toEqual(['europe Begin', 'asia Begin', 'asia Commit', 'europe Commit'])
  })

  it('writes one record for several, on the one that decides', () => {
    createTables()
    rightOf(runSync(Session.transact(add(1, 4))))
    expect(counts()).toEqual([0, 1, 1, 0])
    expect(records()).toEqual([
      {
        id: expect.stringMatching(/^weather\.[0-9a-z]{29}\.europe$/),
        outcome: 'commit',
        shards: '["asia","europe"]',
        digest: null,
        decided_at: expect.any(String),
      },
    ])
  })

  it('writes a record with a digest for one shard too, where it is to be exactly once', () => {
    createTables()
    rightOf(Session.runSync(app(true))(Session.transact(add(1))))
    expect(records()).toMatchObject([
      { outcome: 'commit', shards: '["asia"]', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])
  })

  it('has the same digest for the same work, whatever a savepoint has undone', () => {
    const digestOf = (program: Session.Program<Session.SessionError, unknown>): unknown => {
      world.close()
      world = openWorld()
      createTables()
      rightOf(Session.runSync(app(true))(Session.transact(program)))
      const [record] = records() as ReadonlyArray<{ readonly digest: string }>
      return record?.digest
    }
    const undone = Session.nested(
      pipe(
        add(6),
        Session.chain(() => Session.flush),
        Session.chain(() => Session.fail('undone' as const)),
      ),
    )
    const both = digestOf(add(1, 4))
    expect(both).toMatch(/^[0-9a-f]{64}$/)
    expect(digestOf(add(1, 4))).toBe(both)
    expect(
      digestOf(
        pipe(
          add(1, 4),
          Session.chain(() => Session.attempt(undone)),
        ),
      ),
    ).toBe(both)
    expect(digestOf(add(1, 5))).not.toBe(both)
    expect(digestOf(add(1))).not.toBe(both)
  })

  it('commits chunk by chunk what it reads meanwhile', () => {
    createTables()
    rightOf(Session.runSync(app())(Session.transact(Session.addAll(model.Location, many))))
    const renaming = pipe(
      select(model.Location),
      onShard('asia'),
      Session.forEachChunk(
        (chunk) =>
          Session.gen(function* () {
            for (const location of chunk) yield* pipe(location, Session.set(model.Location, { city: 'Edo' }))
            yield* Session.commit
          }),
        { chunk: 10 },
      ),
    )
    rightOf(Session.runSync(app())(renaming as Session.Program<Session.SessionError, unknown>))
    expect(
      world.databases.asia.prepare("select count(*) from weather_locations where city = 'Edo'").pluck().get(),
    ).toBe(35)
  })

  it('leaves nothing anywhere where one refuses', () => {
    createTables()
    world.databases.europe.exec(
      'create table refusing (id integer primary key references weather_locations deferrable initially deferred)',
    )
    const error = leftOf(
      runSync(
        Session.gen(function* () {
          yield* add(1, 2, 6)
          yield* Session.flush
          yield* Session.sql(sql`insert into refusing values (77)`, { shard: 'europe' })
          yield* Session.commit
        }),
      ),
    )
    expect(error).toMatchObject({
      _tag: 'DatabaseError',
      shard: 'europe',
      cause: { reason: { _tag: 'ForeignKeyViolation' } },
    })
    expect(counts()).toEqual([0, 0, 0, 0])
    expect(records()).toEqual([])
  })

  it('says what is missing where its tables are', () => {
    const error = leftOf(runSync(Session.transact(add(1, 4)))) as Session.SessionError
    expect(error).toMatchObject({ _tag: 'DatabaseError', shard: 'asia', cause: { reason: { _tag: 'UnknownTable' } } })
    expect(Session.render(error)).toContain('createCommitTables')
  })

  it('refuses a name that its transactions could not have', () => {
    const named = shardedRuntime(model, {
      shards: world.shards,
      choosers: byContinent,
      commit: atomic({ application: "Bob's" }),
    })
    expect(leftOf(Session.runSync(named)(Session.transact(add(1)))) as Session.SessionError).toMatchObject({
      _tag: 'RoutingError',
      reason: 'FaultyMap',
      message: "'Bob's' cannot name an application; give atomic and recover one of 1 to 20 characters of a-z 0-9 _ -",
    })
  })
})
