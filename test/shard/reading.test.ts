import {
  compileStatistics,
  immediate,
  joined,
  limit,
  offset,
  orderBy,
  select,
  selectin,
  subquery,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone, isSome, type Option } from 'fp-ts/lib/Option.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filledWorld, leftOf, model, rightOf, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))

const names = (found: ReadonlyArray<{ readonly city: string }>): ReadonlyArray<string> => found.map(({ city }) => city)

const onAll = (what: string): ReadonlyArray<string> =>
  ['north_america', 'asia', 'europe', 'south_america'].map((shard) => `${shard}: ${what}`)

const given = <A>(option: Option<A>): A => {
  if (isNone(option)) throw new Error('none')
  return option.value
}

/** A second row of key 1, on another shard. */
const twin = (): void => {
  world.databases.europe.exec("insert into weather_locations values (1, 'Europe', 'Paris')")
}

describe('get', () => {
  it('asks every shard for a key, and none when it is known', () => {
    const city = runSync(
      pipe(
        Session.get(model.Location, 1),
        Session.chain(() => Session.get(model.Location, 1)),
      ),
    )
    expect(isSome(city) && city.value.city).toBe('Tokyo')
    expect(world.asked()).toEqual(onAll('select weather_locations'))
  })

  it('gives none where no shard has the key', () => {
    expect(isNone(runSync(Session.get(model.Location, 99)))).toBe(true)
  })

  it('asks the shard that is named, and no other', () => {
    expect(isSome(runSync(Session.get(model.Location, 1, { shard: 'asia' })))).toBe(true)
    expect(isSome(runSync(Session.get(model.Location, 1, { shard: 'europe' })))).toBe(false)
    expect(world.asked()).toEqual(['asia: select weather_locations', 'europe: select weather_locations'])
  })

  it('does not choose where a key lives on two shards', () => {
    twin()
    expect(leftOf(Session.runSync(world.runtime)(Session.get(model.Location, 1)))).toEqual({
      _tag: 'MultipleResults',
      entity: 'Location',
      count: 2,
      shards: ['asia', 'europe'],
    })
  })

  it('gives two instances of one key, each by its shard', () => {
    twin()
    const [pair, state] = Session.runStateSync(world.runtime)(
      Session.all([
        Session.get(model.Location, 1, { shard: 'europe' }),
        Session.get(model.Location, 1, { shard: 'asia' }),
        Session.get(model.Location, 1, { shard: 'europe' }),
      ]),
    )
    const [paris, tokyo, again] = rightOf(pair).map(given)
    expect([paris?.city, tokyo?.city]).toEqual(['Paris', 'Tokyo'])
    expect(again).toBe(paris)
    expect([paris, tokyo].map((city) => Session.inspect(state, city as never)?.identity)).toEqual([
      { entity: 'Location', key: 1, shard: 'europe' },
      { entity: 'Location', key: 1, shard: 'asia' },
    ])
    expect(world.asked()).toEqual(['europe: select weather_locations', 'asia: select weather_locations'])
  })
})

describe('a query', () => {
  it('by name asks every shard', () => {
    expect(names(runSync(Session.query(pipe(select(model.Location), where('city', '=', 'Quito')))))).toEqual(['Quito'])
    expect(world.asked()).toEqual(onAll('select weather_locations'))
  })

  it('by continent asks one shard', () => {
    const query = pipe(select(model.Location), where('continent', '=', 'Europe'))
    expect(names(runSync(Session.query(query)))).toEqual(['London', 'Dublin'])
    expect(world.asked()).toEqual(['europe: select weather_locations'])
  })

  it('by IN asks the shards of its values, in their order', () => {
    const query = pipe(select(model.Location), where('continent', 'in', ['Europe', 'Asia']))
    expect(names(runSync(Session.query(query)))).toEqual(['London', 'Dublin', 'Tokyo'])
    expect(world.asked()).toEqual(['europe: select weather_locations', 'asia: select weather_locations'])
  })

  it('by OR asks the shards of either side, and by AND those of both', () => {
    const either = pipe(
      select(model.Location),
      where((eb) => eb.or([eb('continent', '=', 'Asia'), eb('continent', '=', 'Europe')])),
      where('continent', '!=', 'Europe'),
    )
    expect(names(runSync(Session.query(either)))).toEqual(['Tokyo'])
    expect(world.asked()).toEqual(['asia: select weather_locations'])
  })

  it('whose conditions contradict each other asks nobody', () => {
    const query = pipe(select(model.Location), where('continent', '=', 'Asia'), where('continent', '=', 'Europe'))
    expect(runSync(Session.query(query))).toEqual([])
    expect(world.asked()).toEqual([])
  })

  it('by a continent of no shard asks every shard', () => {
    world.databases.asia.exec("insert into weather_locations values (9, 'Atlantis', 'Poseidonis')")
    const query = pipe(select(model.Location), where('continent', '=', 'Atlantis'))
    expect(names(runSync(Session.query(query)))).toEqual(['Poseidonis'])
  })

  it('that is pinned runs on its shard, whatever its conditions say', () => {
    expect(names(runSync(Session.query(pipe(select(model.Location), onShard(world.shards, 'asia')))))).toEqual([
      'Tokyo',
    ])
    const contrary = pipe(select(model.Location), where('continent', '=', 'Europe'), onShard('asia'))
    expect(runSync(Session.query(contrary))).toEqual([])
    expect(world.asked()).toEqual(['asia: select weather_locations', 'asia: select weather_locations'])
  })

  it('without an order has the rows of the shards in the order of the map', () => {
    expect(names(runSync(Session.query(select(model.Location))))).toEqual([
      'New York',
      'Toronto',
      'Tokyo',
      'London',
      'Dublin',
      'Brasilia',
      'Quito',
    ])
  })

  it('without an order cuts its window out of that', () => {
    const query = pipe(select(model.Location), offset(1), limit(3))
    const [found, state] = Session.runStateSync(world.runtime)(Session.query(query))
    expect(names(rightOf(found))).toEqual(['Toronto', 'Tokyo', 'London'])
    expect(Session.inspectAll(state)).toHaveLength(3)
  })

  it('with an order merges the rows of all', () => {
    const query = pipe(select(model.Location), orderBy('city', 'desc'), offset(1), limit(3))
    expect(names(runSync(Session.query(query)))).toEqual(['Tokyo', 'Quito', 'New York'])
  })

  it('asks each shard for the rows up to the end of its window, and is compiled once', () => {
    const query = pipe(select(model.Location), orderBy('city', 'desc'), offset(1), limit(3))
    runSync(Session.query(query))
    runSync(Session.query(query))
    const statements = world.journal.asked.flatMap(({ call }) => (call._tag === 'Query' ? [call.statement] : []))
    expect(statements).toHaveLength(8)
    for (const engine of world.shards.engines.values()) {
      expect(compileStatistics(engine)).toMatchObject({ hits: 1, misses: 1 })
    }
    expect(statements[0]?.sql).toContain('order by "weather_locations"."city" collate "binary" desc limit ?')
    expect(statements[0]?.parameters).toEqual([4])
  })

  it('is not rewritten where one shard answers it', () => {
    const query = pipe(
      select(model.Location),
      where('continent', '=', 'Europe'),
      orderBy('city', 'desc'),
      offset(1),
      limit(1),
    )
    expect(names(runSync(Session.query(query)))).toEqual(['Dublin'])
    const [statement] = world.journal.asked.flatMap(({ call }) => (call._tag === 'Query' ? [call.statement] : []))
    expect(statement?.parameters).toEqual(['Europe', 1, 1])
  })

  it('orders by expressions that are no attributes', () => {
    const query = pipe(
      select(model.Location),
      orderBy((eb) => eb.fn('length', ['city'])),
      orderBy('id'),
      limit(4),
    )
    expect(names(runSync(Session.query(query)))).toEqual(['Tokyo', 'Quito', 'London', 'Dublin'])
  })

  it('by a foreign key goes where the parent could be', () => {
    runSync(Session.query(pipe(select(model.Report), where('locationId', '=', 1))))
    expect(world.asked()).toEqual(onAll('select weather_reports'))
  })
})

describe('loading', () => {
  it('a collection stays on the shard of its owner', () => {
    const reports = runSync(
      pipe(
        Session.get(model.Location, 7, { shard: 'south_america' }),
        Session.map(given),
        Session.chain(Session.load(model.Location, 'reports')),
      ),
    )
    expect(reports.map(({ temperature }) => temperature)).toEqual([70])
    expect(world.asked()).toEqual(['south_america: select weather_locations', 'south_america: select weather_reports'])
  })

  it('a reference stays on the shard of its owner, where others have the same key', () => {
    world.databases.asia.exec("insert into weather_locations values (7, 'Asia', 'Osaka')")
    const location = runSync(
      pipe(
        Session.query(pipe(select(model.Report), onShard('south_america'), orderBy('id'), offset(1), limit(1))),
        Session.map(([report]) => report as NonNullable<typeof report>),
        Session.chain(Session.load(model.Report, 'location')),
      ),
    )
    expect(given(location).city).toBe('Quito')
    expect(world.asked()).toEqual(['south_america: select weather_reports', 'south_america: select weather_locations'])
  })

  it('for all results at once asks each shard for its own', () => {
    const query = pipe(select(model.Location), orderBy('id'), selectin('reports'))
    const found = runSync(Session.query(query))
    expect(found.map(({ reports }) => reports.map(({ temperature }) => temperature))).toEqual([
      [80],
      [75],
      [60],
      [65],
      [null],
      [85],
      [70],
    ])
    expect([...world.asked()].sort()).toEqual(
      [...onAll('select weather_locations'), ...onAll('select weather_reports')].sort(),
    )
  })

  it('in the statement of the query itself, where that goes to one shard', () => {
    const query = pipe(select(model.Location), where('continent', '=', 'Europe'), orderBy('id'), joined('reports'))
    const found = runSync(Session.query(query))
    expect(found.map(({ reports }) => reports.map(({ temperature }) => temperature))).toEqual([[65], [null]])
    expect(world.asked()).toEqual(['europe: select weather_locations'])
  })

  it.each(['joined', 'subquery', 'immediate'] as const)('by %s gives the same over several shards', (strategy) => {
    const by = { joined, subquery, immediate }[strategy]
    const query = pipe(select(model.Location), orderBy('id', 'desc'), offset(1), limit(4), by('reports'))
    const found = runSync(Session.query(query))
    expect(found.map(({ id, reports }) => [id, reports.map(({ temperature }) => temperature)])).toEqual([
      [6, [85]],
      [5, [null]],
      [4, [65]],
      [3, [60]],
    ])
    const loads = world.asked().filter((asked) => asked.endsWith('weather_reports'))
    expect(loads).toHaveLength(strategy === 'immediate' ? 4 : new Set(loads).size)
  })

  it('as a query, stays on the shard of the owner', () => {
    const location = given(runSync(Session.get(model.Location, 7, { shard: 'south_america' })))
    const reports = pipe(
      Session.get(model.Location, 7, { shard: 'south_america' }),
      Session.map(given),
      Session.chain(Session.members(model.Location, 'reports')),
      Session.chain((query) => Session.query(query)),
    )
    expect(location.city).toBe('Quito')
    world.asked()
    expect(runSync(reports).map(({ temperature }) => temperature)).toEqual([70])
    expect(world.asked()).toEqual(['south_america: select weather_locations', 'south_america: select weather_reports'])
  })

  it('beside a query of one shard asks that shard only', () => {
    const query = pipe(select(model.Location), where('continent', '=', 'Europe'), selectin('reports'))
    runSync(Session.query(query))
    expect(world.asked()).toEqual(['europe: select weather_locations', 'europe: select weather_reports'])
  })

  it('is joined where one shard answers, and done as selectin over several', () => {
    const query = pipe(select(model.Location), orderBy('id'), joined('reports'))
    const all = runSync(Session.query(query))
    expect([...world.asked()].sort()).toEqual(
      [...onAll('select weather_locations'), ...onAll('select weather_reports')].sort(),
    )
    const before = world.asked().length
    const some = runSync(Session.query(pipe(query, where('continent', '=', 'Europe'))))
    expect(world.asked().slice(before)).toHaveLength(1)
    expect(some).toMatchObject(all.filter(({ continent }) => continent === 'Europe'))
  })
})

describe('what has expired', () => {
  it('is loaded again from its shard', () => {
    const [city, state] = Session.runStateSync(world.runtime)(
      pipe(
        Session.get(model.Location, 4, { shard: 'europe' }),
        Session.map(given),
        Session.chainFirst(Session.expire(model.Location)),
        Session.chain(Session.read(model.Location)),
      ),
    )
    expect(rightOf(city).city).toBe('London')
    expect(world.asked()).toEqual(['europe: select weather_locations', 'europe: select weather_locations'])
    expect(Session.inspect(state, rightOf(city))?.identity?.shard).toBe('europe')
  })

  it('after a commit is loaded again from its shard, each from its own', () => {
    const cities = runSync(
      pipe(
        Session.query(pipe(select(model.Location), where('continent', 'in', ['Asia', 'Europe']), orderBy('id'))),
        Session.chainFirst(() => Session.commit),
        Session.chain(Session.traverseArray(Session.read(model.Location))),
      ),
    )
    expect(names(cities)).toEqual(['Tokyo', 'London', 'Dublin'])
    expect(world.asked().slice(2)).toEqual([
      'asia: select weather_locations',
      'europe: select weather_locations',
      'europe: select weather_locations',
    ])
  })

  it('is gone where its own shard has lost it, though another has the key', () => {
    const outcome = Session.runSync(world.runtime)(
      pipe(
        Session.get(model.Location, 1, { shard: 'asia' }),
        Session.map(given),
        Session.chainFirst(() => Session.commit),
        Session.chainFirst(() =>
          Session.fromIO(() => {
            twin()
            world.databases.asia.exec('delete from weather_reports; delete from weather_locations')
          }),
        ),
        Session.chain(Session.refresh(model.Location)),
      ),
    )
    expect(leftOf(outcome)).toEqual({ _tag: 'ObjectDeleted', entity: 'Location', key: 1, shard: 'asia' })
  })
})
