import {
  bigint,
  createAll,
  decimal,
  defineModel,
  distinct,
  type Engine,
  entity,
  groupBy,
  having,
  integer,
  join,
  limit,
  modify,
  nullable,
  offset,
  orderBy,
  primaryKey,
  select,
  selectRows,
  selectScalar,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { byAttribute, choosers, onShard, shardedRuntime, shardMap } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { expressionBuilder, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mysqlHost, postgresHost, skipped, sqliteHost } from '../../core/engine/databases.js'
import { filledWorld, leftOf, model, rightOf, type World } from '../weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const run = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))
const fails = <E, A>(program: Session.Program<E, A>): E => leftOf(Session.runSync(world.runtime)(program))

const locations = select(model.Location)
const reports = select(model.Report)

describe('aggregates over several shards', () => {
  it('are those of all rows', () => {
    const all = pipe(
      reports,
      selectRows((q) => ({
        rows: q.fn.countAll(),
        known: q.fn.count('temperature'),
        sum: q.fn.sum('temperature'),
        mean: q.fn.avg('temperature'),
        coldest: q.fn.min('temperature'),
        hottest: q.fn.max('temperature'),
        range: q(q.fn.max('temperature'), '-', q.fn.min('temperature')),
      })),
    )
    expect(run(Session.rows(all))).toEqual([
      { rows: 7, known: 6, sum: 435, mean: 72.5, coldest: 60, hottest: 85, range: 25 },
    ])
    expect(world.asked()).toHaveLength(4)
    expect(run(Session.one(all)).rows).toBe(7)
    expect(run(Session.count(all))).toBe(1)
    expect(run(pipe(all, limit(0), Session.rows))).toEqual([])
  })

  it('of no rows are a row all the same', () => {
    const none = pipe(
      locations,
      where('city', '=', 'Atlantis'),
      selectRows((q) => ({ rows: q.fn.countAll(), kinds: q.fn.count('city').distinct(), first: q.fn.min('city') })),
    )
    expect(run(Session.rows(none))).toEqual([{ rows: 0, kinds: 0, first: null }])
    expect(
      run(
        pipe(
          none,
          having((eb) => eb(eb.fn.countAll(), '>', 0)),
          Session.rows,
        ),
      ),
    ).toEqual([])
  })

  it('ask each shard for its groups alone', () => {
    run(
      pipe(
        reports,
        selectScalar((q) => q.fn.avg('temperature')),
        Session.rows,
      ),
    )
    const [asked] = world.journal.asked.flatMap(({ call }) => (call._tag === 'Query' ? [call.statement.sql] : []))
    expect(asked).toBe(
      'select sum("weather_reports"."temperature") as "unitary_0", count("weather_reports"."temperature") as "unitary_1" from "weather_reports"',
    )
  })

  it('count distinct values once, wherever they are', () => {
    run(
      pipe(
        Session.addAll(model.Location, [
          { id: 8, continent: 'Asia', city: 'London' },
          { id: 9, continent: 'Europe', city: 'Tokyo' },
        ]),
        Session.chain(() => Session.commit),
      ),
    )
    const cities = pipe(
      locations,
      selectScalar((q) => q.fn.count('city').distinct()),
    )
    expect(run(Session.rows(cities))).toEqual([7])
    expect(run(pipe(locations, selectScalar('city'), distinct, Session.count))).toBe(7)
    expect(
      run(pipe(locations, selectScalar('city'), distinct, orderBy('city', 'desc'), limit(2), Session.rows)),
    ).toEqual(['Toronto', 'Tokyo'])
  })
})

describe('groups over several shards', () => {
  const perInitial = pipe(
    locations,
    selectRows((q) => ({ initial: q.fn<string>('substr', ['city', q.val(1), q.val(1)]), cities: q.fn.countAll() })),
    groupBy('initial'),
  )

  it('come together by what is grouped by', () => {
    expect(run(pipe(perInitial, orderBy('cities', 'desc'), orderBy('initial'), limit(3), Session.rows))).toEqual([
      { initial: 'T', cities: 2 },
      { initial: 'B', cities: 1 },
      { initial: 'D', cities: 1 },
    ])
    expect(run(pipe(perInitial, orderBy('initial'), offset(4), limit(2), Session.count))).toBe(2)
    expect(
      run(
        pipe(
          perInitial,
          having((eb) => eb(eb.fn.countAll(), '>=', 2)),
          Session.rows,
        ),
      ),
    ).toEqual([{ initial: 'T', cities: 2 }])
  })

  it('are asked for up to the end of the window where they are ordered by their keys', () => {
    const perCity = pipe(
      locations,
      groupBy('city'),
      selectRows((q) => ({ city: q.ref('city'), locations: q.fn.countAll() })),
      orderBy('city', 'desc'),
      limit(2),
      offset(1),
    )
    world.asked()
    expect(run(Session.rows(perCity)).map(({ city }) => city)).toEqual(['Tokyo', 'Quito'])
    const asked = world.journal.asked.flatMap(({ call }) => (call._tag === 'Query' ? [call.statement] : []))
    expect(asked[0]).toEqual({
      sql: 'select "weather_locations"."city" as "unitary_0", count(*) as "unitary_1" from "weather_locations" group by "weather_locations"."city" order by "weather_locations"."city" collate "binary" desc limit ?',
      parameters: [3],
    })
  })

  it('may be of what is joined', () => {
    const perTemperature = pipe(
      locations,
      join('reports', 'r'),
      groupBy((eb) => eb.ref('r.temperature')),
      selectRows((q) => ({ temperature: q.ref('r.temperature'), cities: q.fn.count('weather_locations.id') })),
      orderBy('temperature'),
      limit(2),
    )
    expect(run(Session.rows(perTemperature))).toEqual([
      { temperature: null, cities: 1 },
      { temperature: 60, cities: 1 },
    ])
  })

  it('stand as they are where what decides the shard is grouped by', () => {
    const perContinent = pipe(
      locations,
      selectRows((q) => ({
        continent: q.ref('continent'),
        cities: q.fn.agg<string>('group_concat', ['city']),
        n: q.fn.countAll(),
      })),
      groupBy('continent'),
      orderBy('n', 'desc'),
      orderBy('continent'),
      limit(2),
    )
    expect(run(Session.rows(perContinent))).toEqual([
      { continent: 'Europe', cities: 'London,Dublin', n: 2 },
      { continent: 'North America', cities: 'New York,Toronto', n: 2 },
    ])
    const placed = pipe(
      locations,
      selectRows((q) => ({
        city: q.ref('city'),
        place: q.fn.agg<number>('rank').over((over) => over.partitionBy('weather_locations.continent').orderBy('city')),
      })),
      orderBy('city'),
      limit(2),
    )
    expect(run(Session.rows(placed))).toEqual([
      { city: 'Brasilia', place: 1 },
      { city: 'Dublin', place: 1 },
    ])
  })

  it('of rows that have lost their parent are one, wherever the rows are', () => {
    for (const database of Object.values(world.databases)) {
      database.prepare('insert into weather_reports (location_id, temperature) values (null, 50)').run()
    }
    const perLocation = pipe(
      reports,
      groupBy('locationId'),
      selectRows((q) => ({ location: q.ref('locationId'), reports: q.fn.countAll() })),
      orderBy('location'),
      limit(2),
    )
    expect(run(Session.rows(perLocation))).toEqual([
      { location: null, reports: 4 },
      { location: 1, reports: 1 },
    ])
  })

  it('are ordered by an aggregate that no row holds', () => {
    const byCount = pipe(
      locations,
      groupBy('continent'),
      selectScalar('continent'),
      orderBy((eb) => eb.fn.countAll(), 'desc'),
      orderBy('continent'),
    )
    expect(run(Session.rows(byCount))).toEqual(['Europe', 'North America', 'South America', 'Asia'])
  })
})

describe('streams of groups over several shards', () => {
  const many = () => {
    for (const [shard, database] of Object.entries(world.databases)) {
      const insert = database.prepare('insert into weather_locations (id, continent, city) values (?, ?, ?)')
      for (let i = 100; i < 1100; i++) insert.run(i, shard, `city ${i % 700}`)
    }
  }
  const perCity = pipe(
    locations,
    where('id', '>=', 100),
    groupBy('city'),
    selectRows((q) => ({ city: q.ref('city'), locations: q.fn.countAll(), ids: q.fn.count('id').distinct() })),
  )
  const first = <A>(query: typeof perCity): ReadonlyArray<A> => {
    for (const chunk of Session.streamChunksSync(world.runtime, { chunk: 20 })(query)) return rightOf(chunk) as never
    return []
  }
  const fetched = () =>
    world.journal.asked.splice(0).reduce((sum, { call }) => sum + (call._tag === 'Fetch' ? call.count : 0), 0)

  it('hold a portion of each shard where these can give their groups in order', () => {
    many()
    world.asked()
    expect(first(pipe(perCity, orderBy('city', 'desc')))).toHaveLength(20)
    // groups of one id each at the finest, four shards, portions of a hundred
    expect(fetched()).toBeLessThanOrEqual(800)
    expect(first(perCity)).toHaveLength(20)
    expect(fetched()).toBeLessThanOrEqual(800)
  })

  it('are those of the whole query, whatever its order is', () => {
    many()
    const queries = [
      perCity,
      pipe(perCity, orderBy('city'), limit(30), offset(650)),
      pipe(perCity, orderBy('locations', 'desc'), orderBy('city'), limit(50)),
      pipe(
        perCity,
        having((eb) => eb(eb.fn.countAll(), '>', 4)),
        orderBy('city', 'desc'),
      ),
    ]
    for (const query of queries) {
      const whole = run(Session.rows(query))
      const streamed = [...Session.streamSync(world.runtime, { chunk: 7 })(query)].map(rightOf)
      if (query === perCity) expect(new Set(streamed.map(({ city }) => city)).size).toBe(700)
      else expect(streamed).toEqual(whole)
      expect(streamed).toHaveLength(whole.length)
    }
  })
})

describe('what cannot be put together from groups', () => {
  const problem = (query: Parameters<typeof Session.rows>[0]): string => {
    const { message } = fails(Session.rows(query)) as Session.RoutingError
    return message.replace(/^query of \w+ over several shards: (.*), or pin it to one shard with onShard$/, '$1')
  }

  it('is an error that names the clause and the cure', () => {
    const names = (name: string) =>
      pipe(
        locations,
        selectRows((q) => ({ names: q.fn.agg<string>(name, ['city']) })),
      )
    expect([
      problem(names('group_concat')),
      problem(names('median')),
      problem(
        pipe(
          locations,
          selectRows((q) => ({ city: q.ref('city'), rows: q.fn.countAll() })),
        ),
      ),
      problem(
        pipe(
          locations,
          groupBy('city'),
          selectRows((q) => ({ location: q.entity(), rows: q.fn.countAll() })),
        ),
      ),
      problem(
        pipe(
          locations,
          groupBy('city'),
          selectRows((q) => ({ share: q(q.fn.countAll(), '/', 2) })),
        ),
      ),
      problem(
        pipe(
          locations,
          groupBy('city'),
          having((eb) => eb(eb.fn('round', [eb.fn.avg('id')]), '>', 2)),
          selectScalar('city'),
        ),
      ),
      problem(
        pipe(
          locations,
          groupBy('city'),
          selectScalar('city'),
          orderBy((eb) => eb.ref('continent')),
        ),
      ),
      problem(
        pipe(
          locations,
          selectScalar(() => sql<number>`count(*) filter (where id > 3)`),
        ),
      ),
      problem(
        pipe(
          locations,
          selectScalar((q) => q.fn.count('city').distinct().filterWhere('id', '>', 3)),
        ),
      ),
      problem(
        pipe(
          locations,
          selectScalar('continent'),
          modify((qb) =>
            qb.union(
              expressionBuilder<never, never>()
                .selectFrom('weather_locations' as never)
                .select('continent' as never),
            ),
          ),
        ),
      ),
    ]).toEqual([
      'in names, the aggregate group_concat is not put together from those of several shards; ask for the rows themselves, or group by what decides their shard',
      'in names, the aggregate median is not put together from those of several shards; ask for the rows themselves, or group by what decides their shard',
      'in city, city is neither grouped by nor in an aggregate; group by it too',
      'it asks for Location, of which a group has many; group by the key of Location too',
      'in share, it computes with the aggregate count in a way that is not done over several shards (/); ask for the aggregate itself',
      'in HAVING, it computes with the aggregate avg in a way that is not done over several shards (round); ask for the aggregate itself',
      'in ORDER BY, continent is neither grouped by nor in an aggregate; group by it too',
      'it asks for the raw text with count, which would see the rows of one shard at a time; say it by the functions of the expression builder, or ask for the rows themselves',
      'the aggregate count of distinct values has a FILTER, which is not put together from several shards; say it in where',
      'UNION of values would see those of one shard at a time; ask for the Location beside, or say UNION ALL',
    ])
  })

  it('is no matter on one shard', () => {
    const names = pipe(
      locations,
      selectScalar((q) => q.fn.agg<string>('group_concat', ['city'])),
    )
    expect(run(pipe(names, onShard('europe'), Session.rows))).toEqual(['London,Dublin'])
    expect(run(pipe(names, where('continent', '=', 'Asia'), Session.rows))).toEqual(['Tokyo'])
  })
})

const Item = entity('Item', 'items', {
  id: pipe(integer, primaryKey),
  home: text,
  kind: text,
  price: pipe(decimal(20, 2), nullable),
  views: pipe(bigint, nullable),
})
const items = defineModel({ Item })(() => ({}))

describe.each([sqliteHost('SQLite'), postgresHost, mysqlHost])('values of groups', (host) => {
  const missing = skipped(host)
  it.skipIf(missing !== null)(`are exact, and texts those of a collation, on ${host.name}`, async () => {
    const databases = [await host.create(), await host.create()]
    const [one, two] = databases.map((database) => database.open()) as [Engine, Engine]
    for (const engine of [one, two]) rightOf(await createAll(items)(engine)())
    const app = shardedRuntime(items, {
      shards: shardMap({ one, two }),
      choosers: choosers(items)({ Item: byAttribute('home', { one: 'one', two: 'two' }) }),
    })
    const ask = <E, A>(program: Session.Program<E, A>) => Session.run(app)(program)()
    const price = (cents: string) => cents as never
    rightOf(
      await ask(
        pipe(
          Session.addAll(items.Item, [
            { id: 1, home: 'one', kind: 'tokyo', price: price('0.1'), views: 9_007_199_254_740_993n },
            { id: 2, home: 'two', kind: 'oslo', price: price('0.2'), views: 9_007_199_254_740_993n },
            { id: 3, home: 'two', kind: 'tokyo', price: price('99999999999999999.99'), views: null },
          ]),
          Session.chain(() => Session.commit),
        ),
      ),
    )
    const all = select(items.Item)
    const perKind = pipe(
      all,
      groupBy('kind'),
      selectRows((q) => ({ kind: q.ref('kind'), items: q.fn.countAll(), dearest: q.fn.max('price') })),
      orderBy('kind'),
    )
    expect(rightOf(await ask(Session.rows(perKind)))).toEqual([
      { kind: 'oslo', items: 1, dearest: '0.2' },
      { kind: 'tokyo', items: 2, dearest: '99999999999999999.99' },
    ])
    const sums = pipe(
      all,
      selectRows((q) => ({ views: q.fn.sum('views'), price: q.fn.sum('price') })),
    )
    const summed = await ask(Session.rows(sums))
    if (one.dialect.name === 'sqlite') {
      expect((leftOf(summed) as Session.RoutingError).message).toMatch(/keeps decimals as text/)
      expect(
        rightOf(
          await ask(
            pipe(
              all,
              selectScalar((q) => q.fn.sum('views')),
              Session.rows,
            ),
          ),
        ),
      ).toEqual([18_014_398_509_481_986n])
    } else {
      expect(rightOf(summed)).toEqual([{ views: 18_014_398_509_481_986n, price: '100000000000000000.29' }])
    }
    // both shards have the same one
    const greatest = await ask(
      pipe(
        all,
        selectScalar((q) => q.fn.max('kind')),
        Session.rows,
      ),
    )
    expect(rightOf(greatest)).toEqual(['tokyo'])
    rightOf(
      await ask(
        pipe(
          Session.add(items.Item, { id: 4, home: 'two', kind: 'Tokyo' }),
          Session.chain(() => Session.add(items.Item, { id: 5, home: 'one', kind: 'zürich' })),
          Session.chain(() => Session.commit),
        ),
      ),
    )
    const further = await ask(Session.rows(perKind))
    if (one.dialect.name === 'mysql') {
      expect((leftOf(further) as Session.RoutingError).message).toMatch(
        /in GROUP BY or DISTINCT, whether "(T|t)okyo" and "(T|t)okyo" are the same only the collation of their database tells/,
      )
    } else {
      expect(rightOf(further).map(({ kind }) => kind)).toEqual(['Tokyo', 'oslo', 'tokyo', 'zürich'])
    }
    const last = await ask(
      pipe(
        all,
        selectScalar((q) => q.fn.max('kind')),
        Session.rows,
      ),
    )
    if (one.dialect.name === 'sqlite') expect(rightOf(last)).toEqual(['zürich'])
    else expect((leftOf(last) as Session.RoutingError).message).toMatch(/the greatest only their database tells/)
    for (const engine of [one, two]) await engine.close()
    for (const database of databases) await database.drop()
  })
})
