import { distinct, limit, modify, orderBy, select, set as setTo, update } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  byAttribute,
  type Choosers,
  choosers,
  custom,
  onlyOn,
  onShard,
  shardedRuntime,
  shardMap,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { isSome } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  byContinent,
  cities,
  continents,
  filledWorld,
  leftOf,
  model,
  rightOf,
  type Shard,
  type World,
} from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const errorOf = <E, A>(program: Session.Program<E, A>): E => leftOf(Session.runSync(world.runtime)(program))

const using = (other: Choosers<string>): void => {
  world = { ...world, runtime: shardedRuntime(model, { shards: world.shards, choosers: other as Choosers<Shard> }) }
}

const flushed = (program: Session.Program<unknown, unknown>) =>
  pipe(
    program,
    Session.chain(() => Session.flush),
  ) as Session.Program<Session.SessionError, unknown>

const message = (error: unknown): string => Session.render(error as Session.SessionError)

describe('an unknown shard', () => {
  it('named by a pinned statement', () => {
    const error = errorOf(Session.query(pipe(select(model.Location), onShard('azia'))))
    expect(error).toEqual({
      _tag: 'RoutingError',
      reason: 'UnknownShard',
      operation: 'query',
      entity: 'Location',
      attribute: null,
      value: null,
      shard: 'azia',
      message:
        "query of Location: onShard names the shard \"azia\", which is not in the shard map; it has 'north_america', 'asia', 'europe', 'south_america'",
    })
    expect(
      errorOf(pipe(update(model.Location), setTo({ city: '' }), onShard('azia'), Session.execute())),
    ).toMatchObject({ reason: 'UnknownShard', operation: 'bulk update' })
  })

  it('named with a key', () => {
    const error = errorOf(Session.get(model.Location, 1, { shard: 'azia' }))
    expect(message(error)).toMatch(/^get of Location: the shard option names the shard "azia"/)
  })

  it('named by choosers', () => {
    using(choosers(model)({ Location: onlyOn('atlantis'), Report: withParent('location') }))
    expect(message(errorOf(Session.query(select(model.Location))))).toMatch(/^query of Location: shardsOf names/)
    expect(message(errorOf(Session.get(model.Location, 1)))).toMatch(/^get of Location: shardsOfKey names/)
    expect(message(errorOf(flushed(Session.addAll(model.Location, cities.slice(0, 1)))))).toMatch(
      /^insert of Location: shardOf names/,
    )
    expect(world.asked()).toEqual([])
  })
})

describe('a chooser that names no shard', () => {
  it('fails the flush of a row, and the state survives it', () => {
    const [outcome] = Session.runStateSync(world.runtime)(
      pipe(
        Session.add(model.Location, { id: 20, continent: 'Atlantis', city: 'Poseidonis' }),
        Session.bindTo('city'),
        Session.bind('failed', () => Session.attempt(Session.flush)),
        Session.chainFirst(({ city }) => Session.set(model.Location, { continent: 'Asia' })(city)),
        Session.chainFirst(() => Session.commit),
        Session.bind('found', () => Session.get(model.Location, 20, { shard: 'asia' })),
      ),
    )
    const { failed, found } = rightOf(outcome)
    expect(leftOf(failed)).toEqual({
      _tag: 'RoutingError',
      reason: 'NoShard',
      operation: 'insert',
      entity: 'Location',
      attribute: 'continent',
      value: 'Atlantis',
      shard: null,
      message:
        'insert of Location: no shard is named for Location.continent = "Atlantis"; name one in the strategy of Location, or correct the value',
    })
    expect(isSome(found)).toBe(true)
  })

  it('fails the flush of a child without a parent', () => {
    expect(message(errorOf(flushed(Session.add(model.Report, { temperature: 1 }))))).toBe(
      'insert of Report: it goes where its location is, which is not set or not known to the session; set Report.location, or load what it refers to first',
    )
    expect(message(errorOf(flushed(Session.add(model.Report, { locationId: 1, temperature: 1 }))))).toMatch(
      /^insert of Report: it goes where its location is/,
    )
  })

  it('fails with what the parent lacks, where that is the reason', () => {
    const parent = Session.make(model.Location, { id: 20, continent: 'Atlantis', city: 'Poseidonis' })
    const error = errorOf(
      flushed(
        pipe(
          parent,
          Session.chain((location) => Session.add(model.Report, { temperature: 1, location })),
        ),
      ),
    )
    expect(error).toMatchObject({ entity: 'Location', value: 'Atlantis' })
  })

  it('fails a query and a get', () => {
    using({ shardOf: () => null, shardsOf: () => [], shardsOfKey: () => [] })
    expect(message(errorOf(Session.query(select(model.Location))))).toBe(
      'query of Location: shardsOf names no shard; let it name at least one, or give null for all of them',
    )
    expect(message(errorOf(Session.get(model.Location, 1)))).toBe(
      'get of Location: shardsOfKey names no shard; let it name at least one, or give null for all of them',
    )
    expect(message(errorOf(flushed(Session.addAll(model.Location, cities.slice(0, 1)))))).toBe(
      'insert of Location: shardOf names no shard for it; let it name one for every instance of Location',
    )
  })

  it('fails where the answer hangs on what has expired', () => {
    using(
      choosers(model)({
        Location: byAttribute('continent', continents),
        Report: custom({
          shardOf: (report) => (report.related('location')?.values.continent === 'Asia' ? 'asia' : null),
        }),
      }),
    )
    const add = (location: Session.Program<Session.GetError, unknown>) =>
      flushed(
        pipe(
          location,
          Session.chain((found) => Session.append(model.Location, 'reports', { temperature: 1 })(found as never)),
        ),
      )
    const tokyo = pipe(
      Session.get(model.Location, 1, { shard: 'asia' }),
      Session.map((found) => (isSome(found) ? found.value : null)),
    )
    expect(Session.runSync(world.runtime)(add(tokyo))._tag).toBe('Right')
    const expired = pipe(
      tokyo,
      Session.chainFirst(() => Session.commit),
    )
    expect(errorOf(add(expired))).toMatchObject({ reason: 'NoShard', entity: 'Report' })
  })

  it('fails where instances would decide for each other', () => {
    using(
      choosers(model)({
        Location: custom({ shardOf: (location) => location.shard }),
        Report: withParent('location'),
      }) as Choosers<string>,
    )
    expect(errorOf(flushed(Session.addAll(model.Location, cities.slice(0, 1))))).toMatchObject({ reason: 'NoShard' })
  })
})

describe('a row that would belong to another shard', () => {
  const tokyo = pipe(
    Session.get(model.Location, 1, { shard: 'asia' }),
    Session.map((found) => (isSome(found) ? found.value : null) as NonNullable<unknown> as never),
  )

  it('by its attribute is refused, and the state survives it', () => {
    const [outcome] = Session.runStateSync(world.runtime)(
      pipe(
        tokyo,
        Session.bindTo('city'),
        Session.bind('moved', ({ city }) => Session.set(model.Location, { continent: 'Europe', city: 'Edo' })(city)),
        Session.bind('failed', () => Session.attempt(Session.flush)),
        Session.chainFirst(({ city }) => Session.set(model.Location, { continent: 'Asia' })(city)),
        Session.chainFirst(() => Session.commit),
        Session.bind('after', ({ city }) => Session.read(model.Location)(city)),
      ),
    )
    const { failed, after } = rightOf(outcome)
    expect(leftOf(failed)).toMatchObject({
      reason: 'ShardsDiffer',
      entity: 'Location',
      shard: 'europe',
      value: 'Europe',
    })
    expect(message(leftOf(failed))).toBe(
      "update of Location 1: its row is on shard 'asia', and its continent = \"Europe\" puts it on 'europe'; rows do not move by themselves: remove it, and add it anew",
    )
    expect(after).toMatchObject({ continent: 'Asia', city: 'Edo' })
  })

  it('by its parent is refused', () => {
    const error = errorOf(
      flushed(
        pipe(
          Session.query(pipe(select(model.Report), onShard('asia'))),
          Session.chain(([report]) =>
            pipe(
              Session.get(model.Location, 4, { shard: 'europe' }),
              Session.chain((london) =>
                Session.append(
                  model.Location,
                  'reports',
                  report as never,
                )(isSome(london) ? london.value : (null as never)),
              ),
            ),
          ),
        ),
      ),
    )
    expect(message(error)).toBe(
      "update of Report 1: its row is on shard 'asia', and its location puts it on 'europe'; rows do not move by themselves: remove it, and add it anew",
    )
  })

  it('but was elsewhere before its change stays where it is', () => {
    world.databases.asia.exec("update weather_locations set continent = 'Europe'")
    const updated = pipe(
      tokyo,
      Session.chain(Session.set(model.Location, { city: 'Edo' })),
      Session.chain(() => Session.commit),
    )
    rightOf(Session.runSync(world.runtime)(updated))
    expect(world.databases.asia.prepare('select city from weather_locations').pluck().get()).toBe('Edo')
  })
})

describe('what cannot be merged is refused', () => {
  const refused = (query: Parameters<typeof Session.query>[0]): string =>
    message(errorOf(Session.query(query as never)))
  const all = select(model.Location)

  it('naming the cure', () => {
    expect(
      refused(
        pipe(
          all,
          orderBy(() => sql`1`),
        ),
      ),
    ).toBe(
      'query of Location over several shards: it is ordered by the number of a column; order by its name, or pin it to one shard with onShard',
    )
  })

  it('whether limit, group, distinct or collation', () => {
    expect(
      refused(
        pipe(
          all,
          modify((qb) => qb.limit(sql<number>`1 + 1`)),
        ),
      ),
    ).toMatch(/its limit or offset is no plain number/)
    expect(
      refused(
        pipe(
          all,
          modify((qb) => qb.groupBy('city')),
        ),
      ),
    ).toMatch(/a group may have rows on several shards/)
    expect(
      refused(
        pipe(
          all,
          distinct,
          orderBy((eb) => eb.fn('length', ['city'])),
        ),
      ),
    ).toMatch(/it is ordered by an expression/)
    expect(
      refused(
        pipe(
          all,
          orderBy('city', (order) => order.collate('rtrim')),
        ),
      ),
    ).toMatch(/the collation rtrim/)
    expect(world.asked()).toEqual([])
  })

  it('whatever raw text holds', () => {
    const byList = pipe(
      all,
      orderBy(() => sql`city, id`),
    )
    expect(errorOf(Session.query(byList))).toMatchObject({ _tag: 'DatabaseError', operation: 'query' })
    const byText = pipe(
      all,
      orderBy(() => sql`lower(city)`, 'desc'),
      limit(2),
    )
    expect(rightOf(Session.runSync(world.runtime)(Session.query(byText))).map(({ city }) => city)).toEqual([
      'Toronto',
      'Tokyo',
    ])
  })

  it('and is no matter on one shard', () => {
    const query = pipe(
      all,
      modify((qb) => qb.groupBy('continent')),
      onShard('europe'),
    )
    expect(rightOf(Session.runSync(world.runtime)(Session.query(query)))).toHaveLength(1)
    const byKey = pipe(
      all,
      modify((qb) => qb.groupBy(['id', 'continent', 'city'])),
      orderBy('id'),
      limit(2),
    )
    expect(rightOf(Session.runSync(world.runtime)(Session.query(byKey))).map(({ id }) => id)).toEqual([1, 2])
  })
})

describe('a broken shard', () => {
  it('that is closed fails what concerns it, and nothing else', async () => {
    await world.shards.engines.get('asia')?.close()
    expect(errorOf(Session.query(select(model.Location)))).toMatchObject({
      _tag: 'DatabaseError',
      operation: 'connect',
      shard: 'asia',
      cause: { reason: { _tag: 'Unavailable' } },
    })
    const [outcome] = Session.runStateSync(world.runtime)(
      pipe(
        Session.addAll(model.Location, [
          { id: 21, continent: 'Asia', city: 'Osaka' },
          { id: 22, continent: 'Europe', city: 'Rome' },
        ]),
        Session.chain(() => Session.attempt(Session.flush)),
        Session.bindTo('failed'),
        Session.chainFirst(() => Session.rollback),
        Session.chainFirst(() => Session.add(model.Location, { id: 22, continent: 'Europe', city: 'Rome' })),
        Session.chainFirst(() => Session.commit),
        Session.bind('found', () => Session.get(model.Location, 22, { shard: 'europe' })),
      ),
    )
    const { failed, found } = rightOf(outcome)
    expect(leftOf(failed)).toMatchObject({ _tag: 'DatabaseError', shard: 'asia' })
    expect(isSome(found)).toBe(true)
  })

  it('that has no table fails a query with its name', () => {
    world.databases.south_america.exec('drop table weather_reports')
    expect(message(errorOf(Session.query(select(model.Report))))).toBe(
      "query of Report failed on shard 'south_america': no such table: weather_reports (UnknownTable).",
    )
  })

  it('that holds a value its codec rejects is named with row and column', () => {
    world.databases.asia.exec("update weather_reports set temperature = 'mild'")
    expect(errorOf(Session.query(select(model.Report)))).toMatchObject({
      _tag: 'DecodeError',
      entity: 'Report',
      attribute: 'temperature',
      shard: 'asia',
      key: 1,
      value: 'mild',
    })
  })
})

describe('a shard map that cannot be used is refused', () => {
  const asked = Session.query(select(model.Location))
  const errorOver = (shards: Parameters<typeof shardedRuntime>[1]['shards']) =>
    leftOf(Session.runSync(shardedRuntime(model, { shards, choosers: byContinent as never }))(asked))

  it('where it is empty', () => {
    expect(message(errorOver(shardMap({})))).toBe('the shard map is empty; give it at least one engine')
  })

  it('where two shards are one engine', () => {
    const engine = sqliteEngine(new Database(':memory:'))
    expect(message(errorOver(shardMap({ asia: engine, europe: engine })))).toBe(
      "shards 'asia' and 'europe' are the same engine; give each shard an engine of its own",
    )
  })
})

describe('a row of a session over one database', () => {
  it('has no shard to be updated on', () => {
    const plain = Session.runtime(model, sqliteEngine(world.databases.asia))
    const changed = pipe(
      Session.get(model.Location, 1),
      Session.chain((found) =>
        isSome(found) ? Session.set(model.Location, { city: 'Edo' })(found.value) : Session.of(null),
      ),
    )
    const [, state] = Session.runStateSync(plain)(changed)
    const [outcome] = Session.runStateSync(world.runtime, state)(Session.flush)
    expect(message(leftOf(outcome))).toBe(
      'flush of Location 1: its row has no shard, since it was loaded over one database; load it in a sharded session',
    )
  })
})
