import { limit, orderBy, select, selectin, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { heapGrowth } from '../session/heap-growth.js'
import { outage } from './counting-engine.js'
import { filledWorld, model, openWorld, rightOf, tokens, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const locations = select(model.Location)
const byCity = pipe(locations, orderBy('city'))
const cityOf = ({ city }: { readonly city: string }) => city
const sorted = ['Brasilia', 'Dublin', 'London', 'New York', 'Quito', 'Tokyo', 'Toronto']

const streamed = (query: typeof locations, chunk = 2) =>
  [...Session.streamSync(world.runtime, { chunk })(query)].map(rightOf)

/** Is no transaction open anywhere, and every connection to be had? */
const isFree = (): boolean =>
  tokens.every((token) => !world.databases[token].inTransaction) &&
  isRight(Session.runSync(world.runtime)(Session.query(locations)))

describe('a stream over shards', () => {
  it('merges what is ordered', () => {
    expect(streamed(byCity).map(cityOf)).toEqual(sorted)
    expect(isFree()).toBe(true)
  })

  it('gives one shard after the other what is not, and asks each when its turn has come', () => {
    const asked: Array<ReadonlyArray<string>> = []
    for (const location of Session.streamSync(world.runtime, { chunk: 1 })(locations)) {
      asked.push([cityOf(rightOf(location)), ...world.asked()])
    }
    expect(asked).toEqual([
      ['New York', 'north_america: select weather_locations'],
      ['Toronto'],
      ['Tokyo', 'asia: select weather_locations'],
      ['London', 'europe: select weather_locations'],
      ['Dublin'],
      ['Brasilia', 'south_america: select weather_locations'],
      ['Quito'],
    ])
    expect(isFree()).toBe(true)
  })

  it('asks only the shards that it concerns', () => {
    expect(streamed(pipe(locations, where('continent', '=', 'Asia'))).map(cityOf)).toEqual(['Tokyo'])
    expect(world.asked()).toEqual(['asia: select weather_locations'])
    expect(streamed(pipe(byCity, onShard(world.shards, 'europe'))).map(cityOf)).toEqual(['Dublin', 'London'])
    expect(world.asked()).toEqual(['europe: select weather_locations'])
    expect(
      streamed(pipe(locations, where('continent', '=', 'Asia'), where('continent', '=', 'Europe'))).map(cityOf),
    ).toEqual([])
    expect(world.asked()).toEqual([])
  })

  it('loads what belongs to its rows from their shards', () => {
    const loading = pipe(byCity, selectin('reports'))
    const found = [...Session.streamSync(world.runtime, { chunk: 3 })(loading)].map(rightOf)
    expect(found.map(({ reports }) => reports.map(({ temperature }) => temperature))).toEqual([
      [85],
      [null],
      [65],
      [75],
      [70],
      [80],
      [60],
    ])
    expect(found).toEqual(rightOf(Session.runSync(world.runtime)(Session.query(loading))))
  })

  it('gives everything back when the consumer stops', async () => {
    for (const query of [locations, byCity]) {
      for (const _ of Session.streamSync(world.runtime, { chunk: 1 })(query)) break
      expect(isFree()).toBe(true)
      for await (const _ of Session.stream(world.runtime, { chunk: 1 })(query)) break
      expect(isFree()).toBe(true)
    }
  })

  it('ends with the failure of a shard, and gives the others back', () => {
    let fetches = 0
    world.journal.fault = (shard, call) =>
      shard === 'europe' && call._tag === 'Fetch' && ++fetches > 1 ? outage('gone') : null
    const items = [...Session.streamSync(world.runtime, { chunk: 1 })(byCity)]
    expect(items.at(-1)).toMatchObject({ left: { _tag: 'DatabaseError', shard: 'europe', operation: 'query' } })
    expect(items.slice(0, -1).map((item) => cityOf(rightOf(item)))).toEqual(['Brasilia', 'Dublin'])
    world.journal.fault = (shard, call) => (shard === 'europe' && call._tag === 'OpenCursor' ? outage('gone') : null)
    for (const query of [locations, byCity]) {
      expect([...Session.streamSync(world.runtime)(query)].filter(isLeft)).toMatchObject([
        { left: { _tag: 'DatabaseError', shard: 'europe' } },
      ])
    }
    world.journal.fault = null
    expect(isFree()).toBe(true)
  })

  it('refuses what cannot be merged, as a query does', () => {
    const query = pipe(
      byCity,
      orderBy((eb) => eb.lit(1)),
    )
    expect([...Session.streamSync(world.runtime)(query)]).toEqual([
      Session.runSync(world.runtime)(Session.query(query)),
    ])
  })

  it('does the same where its engines have to be waited for', async () => {
    const waiting = openWorld({ waits: true })
    for (const token of tokens) {
      const rows = world.databases[token].prepare('select * from weather_locations').all() as ReadonlyArray<{
        readonly id: number
        readonly continent: string
        readonly city: string
      }>
      const insert = waiting.databases[token].prepare('insert into weather_locations values (?, ?, ?)')
      for (const { id, continent, city } of rows) insert.run(id, continent, city)
    }
    const cities: string[] = []
    for await (const location of Session.stream(waiting.runtime, { chunk: 2 })(byCity)) {
      cities.push(cityOf(rightOf(location)))
    }
    expect(cities).toEqual(sorted)
    waiting.close()
  })

  it('holds a portion of each shard, however many rows they have', () => {
    for (const [i, token] of tokens.entries()) {
      world.databases[token].exec(
        `with recursive n(i) as (select 0 union all select i + 1 from n where i < 24999)
         insert into weather_locations select 1000 + i * 4 + ${i}, 'somewhere', 'a city of some length, number ' || i from n`,
      )
    }
    for (const query of [pipe(locations, orderBy('id')), locations]) {
      const growth = heapGrowth()
      let count = 0
      for (const chunk of Session.streamChunksSync(world.runtime, { chunk: 500 })(query)) {
        count += rightOf(chunk).length
        if (count % 10_000 === 0) growth.measure()
      }
      expect(count).toBe(100_007)
      // all of them take ten times as much
      expect(growth.most()).toBeLessThan(2_000_000)
    }
  }, 20_000)
})

describe('going through shards in chunks within a session', () => {
  const through = (
    query: typeof locations,
    body: (cities: ReadonlyArray<string>) => Session.Program<Session.SessionError, unknown>,
  ) =>
    Session.runSync(world.runtime)(
      pipe(
        query,
        Session.foldChunks(
          [] as ReadonlyArray<string>,
          (all, some) =>
            pipe(
              body(some.map(cityOf)),
              Session.map(() => [...all, ...some.map(cityOf)]),
            ),
          { chunk: 2 },
        ),
      ),
    )

  it('gives the rows that there were when it began, on every shard', () => {
    let next = 100
    for (const query of [locations, byCity]) {
      const expected = rightOf(Session.runSync(world.runtime)(Session.query(query))).map(cityOf)
      const add = () =>
        pipe(
          ['Asia', 'Europe', 'South America', 'North America'],
          Session.traverseArray((continent) =>
            Session.add(model.Location, { id: next++, continent, city: `Zzz ${next}` }),
          ),
        ) as Session.Program<Session.SessionError, unknown>
      expect(rightOf(through(query, add))).toEqual(expected)
    }
  })

  it('goes on after a commit on all of them', () => {
    const rename = (cities: ReadonlyArray<string>) =>
      pipe(
        Session.query(pipe(locations, where('city', 'in', cities))),
        Session.chain(
          Session.traverseArray((location) =>
            pipe(location, Session.set(model.Location, { city: location.city.toUpperCase() })),
          ),
        ),
        Session.chain((): Session.Program<Session.SessionError, unknown> => Session.commit as never),
      ) as Session.Program<Session.SessionError, unknown>
    expect(rightOf(through(byCity, rename))).toEqual(sorted)
    expect(streamed(byCity).map(cityOf)).toEqual(sorted.map((city) => city.toUpperCase()))
    expect(isFree()).toBe(true)
  })

  it('closes all of them when the program fails, and the transaction goes on', () => {
    const program = pipe(
      pipe(byCity, limit(5)),
      Session.forEachChunk(() => Session.fail('no' as const), { chunk: 2 }),
      Session.catchError(() => Session.add(model.Location, { id: 50, continent: 'Asia', city: 'Osaka' })),
      Session.chain(() => Session.commit),
    )
    expect(isRight(Session.runSync(world.runtime)(program))).toBe(true)
    expect(streamed(byCity).map(cityOf)).toContain('Osaka')
  })
})
