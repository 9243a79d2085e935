import {
  except,
  fromQuery,
  groupBy,
  having,
  join,
  limit,
  offset,
  orderBy,
  select,
  selectin,
  selectRows,
  selectScalar,
  union,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filledWorld, leftOf, model, rightOf, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const run = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))
const fails = <E, A>(program: Session.Program<E, A>): E => leftOf(Session.runSync(world.runtime)(program))

const locations = select(model.Location)
const inOrder = ['Brasilia', 'Dublin', 'London', 'New York', 'Quito', 'Tokyo', 'Toronto']

describe('rows over several shards', () => {
  it('come one shard after another, or in the order of the query, with its limit and offset', () => {
    const cities = pipe(locations, selectScalar('city'))
    expect(run(Session.rows(cities))).toEqual(['New York', 'Toronto', 'Tokyo', 'London', 'Dublin', 'Brasilia', 'Quito'])
    expect(run(pipe(cities, orderBy('city'), Session.rows))).toEqual(inOrder)
    expect(run(pipe(locations, orderBy('city'), limit(3), offset(2), selectScalar('city'), Session.rows))).toEqual([
      'London',
      'New York',
      'Quito',
    ])
    const named = pipe(
      locations,
      selectRows((q) => ({ town: q.ref('city'), id: q.ref('id') })),
    )
    expect(run(pipe(named, orderBy('town', 'desc'), limit(2), Session.rows))).toEqual([
      { town: 'Toronto', id: 3 },
      { town: 'Tokyo', id: 1 },
    ])
  })

  it('are ordered by what is not among them, and by other names than those of columns', () => {
    const swapped = pipe(
      locations,
      selectRows((q) => ({ city: q.ref('continent'), id: q.ref('weather_locations.city') })),
    )
    expect(run(pipe(swapped, orderBy('id'), Session.rows)).map(({ id }) => id)).toEqual(inOrder)
    expect(
      run(
        pipe(
          swapped,
          orderBy((eb) => eb.ref('weather_locations.id')),
          Session.rows,
        ),
      )[0],
    ).toEqual({ city: 'Asia', id: 'Tokyo' })
    expect(run(pipe(locations, orderBy('city'), selectScalar('id'), Session.rows))).toEqual([6, 5, 4, 2, 7, 1, 3])
  })

  it('have entities of their shards, joined and loaded', () => {
    const found = run(
      pipe(
        locations,
        join('reports', 'r'),
        selectin('reports'),
        orderBy((eb) => eb.ref('r.temperature'), 'desc'),
        limit(2),
        selectRows((q) => [q.entity(), q.ref('r.temperature'), q.entity('r')]),
        Session.rows,
      ),
    )
    expect(found).toMatchObject([
      [{ city: 'Brasilia', reports: [{ temperature: 85 }] }, 85, { temperature: 85 }],
      [{ city: 'Tokyo', reports: [{ temperature: 80 }] }, 80, { temperature: 80 }],
    ])
  })

  it('are grouped where the groups are of one shard each', () => {
    const perCity = pipe(
      locations,
      join('reports', 'r'),
      groupBy('id', 'city'),
      having((eb) => eb(eb.fn.countAll(), '=', 1)),
      selectRows((q) => ({ city: q.ref('city'), reports: q.fn.countAll(), max: q.fn.max('r.temperature') })),
      orderBy('max', 'desc'),
      limit(2),
    )
    expect(run(Session.rows(perCity))).toEqual([
      { city: 'Brasilia', reports: 1, max: 85 },
      { city: 'Tokyo', reports: 1, max: 80 },
    ])
    expect(run(Session.count(perCity))).toBe(2)
  })

  it('are refused where shards by themselves would give something else', () => {
    const messages = [
      pipe(
        locations,
        selectRows((q) => ({ place: q.fn.agg<number>('rank').over((over) => over.orderBy('city')) })),
        Session.rows,
      ),
      Session.query(fromQuery(model.Location, (db) => db.selectFrom('weather_locations').selectAll().limit(1))),
      Session.count(pipe(locations, orderBy('id'), limit(2), union(pipe(locations, where('id', '=', 7))))),
    ].map((program) => fails(program as Session.Program<Session.RoutingError, unknown>))
    expect(messages.every(({ _tag, reason }) => _tag === 'RoutingError' && reason === 'NotMergeable')).toBe(true)
    expect(messages.map(({ message }) => message.replace(/^.* over several shards: (.*), or pin .*$/, '$1'))).toEqual([
      'place is the window function rank, which would see the rows of one shard at a time; partition by the key of Location or by what decides its shard, or ask for the rows themselves',
      'it selects from a query with a limit, which would see the rows of one shard at a time; say it of the whole query instead',
      'it selects from a query with a limit, which would see the rows of one shard at a time; say it of the whole query instead',
    ])
  })

  it('of one shard are whatever they like', () => {
    const perContinent = pipe(
      locations,
      selectRows((q) => ({ continent: q.ref('continent'), n: q.fn.countAll() })),
      groupBy('continent'),
    )
    expect(run(pipe(perContinent, where('continent', '=', 'Europe'), Session.rows))).toEqual([
      { continent: 'Europe', n: 2 },
    ])
    expect(world.asked()).toEqual(['europe: select weather_locations'])
    expect(run(pipe(perContinent, onShard('asia'), Session.rows))).toEqual([{ continent: 'Asia', n: 1 }])
  })

  it('of set operations are those of all shards', () => {
    const asked = pipe(
      locations,
      where('id', '<', 4),
      union(pipe(locations, where('id', '>', 5))),
      except(pipe(locations, where('city', '=', 'Quito'))),
      orderBy('city'),
    )
    expect(run(Session.query(asked)).map(({ city }) => city)).toEqual(['Brasilia', 'New York', 'Tokyo', 'Toronto'])
    expect(run(Session.count(asked))).toBe(4)
  })
})

describe('streams of rows over several shards', () => {
  it('merge them in portions of any size', () => {
    const asked = pipe(
      locations,
      orderBy('city'),
      offset(1),
      selectRows((q) => ({ location: q.entity(), name: q.ref('city') })),
    )
    const expected = run(Session.rows(asked))
    expect(expected.map(({ name }) => name)).toEqual(inOrder.slice(1))
    for (const chunk of [1, 2, 100]) {
      expect([...Session.streamSync(world.runtime, { chunk })(asked)].map(rightOf)).toEqual(expected)
    }
  })
})

describe('count and exists over several shards', () => {
  it('add up, and ask the shards that are concerned', () => {
    expect(run(Session.count(locations))).toBe(7)
    expect(world.asked()).toHaveLength(4)
    expect(run(pipe(locations, where('continent', '=', 'Europe'), Session.count))).toBe(2)
    expect(world.asked()).toHaveLength(1)
    expect(run(pipe(locations, where('city', '=', 'Quito'), Session.exists))).toBe(true)
    expect(run(pipe(locations, where('city', '=', 'Paris'), Session.exists))).toBe(false)
    expect(run(pipe(locations, where('id', 'in', []), Session.count))).toBe(0)
  })

  it('know limit and offset for all shards together', () => {
    const ordered = pipe(locations, orderBy('city'))
    expect(run(pipe(ordered, limit(5), Session.count))).toBe(5)
    expect(run(pipe(ordered, limit(50), Session.count))).toBe(7)
    expect(run(pipe(ordered, limit(5), offset(3), Session.count))).toBe(4)
    expect(run(pipe(ordered, offset(9), Session.count))).toBe(0)
    expect(run(pipe(ordered, offset(6), Session.exists))).toBe(true)
    expect(run(pipe(ordered, offset(7), Session.exists))).toBe(false)
    expect(run(pipe(ordered, limit(0), Session.exists))).toBe(false)
  })
})
