import { fromSelect, insertInto, onConflictDoUpdate, returningEntities, select, values, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outage } from './counting-engine.js'
import { leftOf, model, openWorld, rightOf, rowsIn, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = openWorld()
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))
const failSync = <E, A>(program: Session.Program<E, A>): E => leftOf(Session.runSync(world.runtime)(program))

const cities = [
  { id: 1, continent: 'Asia', city: 'Tokyo' },
  { id: 2, continent: 'Europe', city: 'London' },
  { id: 3, continent: 'Asia', city: 'Delhi' },
  { id: 4, continent: 'North America', city: 'New York' },
]

const locations = pipe(insertInto(model.Location), values(cities))

const idsIn = (table: string): unknown =>
  Object.fromEntries(
    Object.entries(rowsIn(world, table)).map(([shard, rows]) => [shard, rows.map((row) => (row as { id: number }).id)]),
  )

describe('an insert over shards', () => {
  it('puts each row where the choosers put a new instance', () => {
    expect(
      runSync(
        pipe(
          locations,
          Session.execute(),
          Session.chainFirst(() => Session.commit),
        ),
      ),
    ).toBe(4)
    expect(idsIn('weather_locations')).toEqual({ north_america: [4], asia: [1, 3], europe: [2], south_america: [] })
  })

  it('gives the entities in the order of the rows, each of its shard', () => {
    const [made, seen] = runSync(
      pipe(
        locations,
        returningEntities,
        Session.execute(),
        Session.chain((found) =>
          Session.gets(
            (state) =>
              [
                found.map(({ city }) => city),
                found.map((one) => Session.inspect(state, one)?.identity?.shard),
              ] as const,
          ),
        ),
      ),
    )
    expect(made).toEqual(['Tokyo', 'London', 'Delhi', 'New York'])
    expect(seen).toEqual(['asia', 'europe', 'asia', 'north_america'])
  })

  it('puts rows beside what they refer to, where the session knows that', () => {
    const reports = runSync(
      pipe(
        locations,
        returningEntities,
        Session.execute(),
        Session.chain(() =>
          pipe(
            insertInto(model.Report),
            values([
              { locationId: 2, temperature: 20 },
              { locationId: 4, temperature: 30 },
            ]),
            Session.execute(),
          ),
        ),
        Session.chainFirst(() => Session.commit),
      ),
    )
    expect(reports).toBe(2)
    expect(idsIn('weather_reports')).toEqual({ north_america: [1], asia: [], europe: [1], south_america: [] })
  })

  it('of a row that nothing places fails before anything is asked, and names the row', () => {
    const reports = pipe(insertInto(model.Report), values([{ locationId: 9, temperature: 20 }]))
    expect(failSync(Session.execute()(reports))).toMatchObject({
      _tag: 'RoutingError',
      reason: 'NoShard',
      entity: 'Report',
      attribute: 'location',
      message: expect.stringContaining('insert of row 0 of Report'),
    })
    const nowhere = pipe(insertInto(model.Location), values([...cities, { id: 5, continent: 'Atlantis', city: 'x' }]))
    expect(failSync(Session.execute()(nowhere))).toMatchObject({
      reason: 'NoShard',
      attribute: 'continent',
      value: 'Atlantis',
    })
    expect(world.asked()).toEqual([])
  })

  it('that is pinned goes there as a whole', () => {
    runSync(
      pipe(
        locations,
        onShard(world.shards, 'europe'),
        Session.execute(),
        Session.chainFirst(() => Session.commit),
      ),
    )
    expect(idsIn('weather_locations')).toEqual({ north_america: [], asia: [], europe: [1, 2, 3, 4], south_america: [] })
  })

  it('from a query has to be pinned', () => {
    const copies = pipe(
      insertInto(model.Location),
      fromSelect(['id', 'continent', 'city'], (eb) =>
        eb.selectFrom('weather_locations').select((of) => [of('id', '+', 100).as('id'), 'continent', 'city']),
      ),
    )
    expect(failSync(Session.execute()(copies))).toMatchObject({ _tag: 'RoutingError', reason: 'NoShard' })
    runSync(
      pipe(
        Session.execute()(locations),
        Session.chain(() => pipe(copies, onShard(world.shards, 'asia'), Session.execute())),
        Session.chainFirst(() => Session.commit),
      ),
    )
    expect(idsIn('weather_locations')).toMatchObject({ asia: [1, 3, 101, 103] })
  })

  it('that fails on one shard writes nothing on the others, and the transaction goes on', () => {
    world.journal.fault = (shard, call) => (shard === 'europe' && call._tag === 'Insert' ? outage('gone') : null)
    const caught = Session.catchError((error: Session.InsertError) => Session.of(error))(Session.execute()(locations))
    expect(
      runSync(
        pipe(
          caught,
          Session.chainFirst(() => Session.commit),
        ),
      ),
    ).toMatchObject({
      _tag: 'DatabaseError',
      shard: 'europe',
    })
    expect(idsIn('weather_locations')).toEqual({ north_america: [], asia: [], europe: [], south_america: [] })
  })
})

describe('an upsert over shards', () => {
  it('updates the rows of each shard, and the instances that stand for them', () => {
    const renamed = pipe(
      insertInto(model.Location),
      values(cities.slice(1).map((one) => ({ ...one, city: sql<string>`upper(${one.city})` }))),
      onConflictDoUpdate('id', ['city']),
    )
    const [written, seen] = runSync(
      Session.gen(function* () {
        const before = yield* pipe(locations, returningEntities, Session.execute())
        const count = yield* Session.execute()(renamed)
        return [count, yield* Session.traverseArray(Session.read(model.Location))(before)] as const
      }),
    )
    expect(written).toBe(3)
    expect(seen.map(({ city }) => city)).toEqual(['Tokyo', 'LONDON', 'DELHI', 'NEW YORK'])
    expect(world.asked().filter((asked) => asked.includes('insert'))).toHaveLength(6)
  })
})

describe('an update of many rows over shards', () => {
  it('goes where the session holds the rows, else where their keys can be', () => {
    const met = runSync(
      Session.gen(function* () {
        yield* Session.execute()(locations)
        yield* Session.query(pipe(select(model.Location), where('continent', '=', 'Asia')))
        const asked = world.asked().length
        expect(asked).toBeGreaterThan(0)
        const count = yield* Session.updateMany(model.Location, [
          { id: 1, city: 'Edo' },
          { id: 2, city: 'Londinium' },
        ])
        yield* Session.commit
        return count
      }),
    )
    expect(met).toBe(2)
    expect(world.asked()).toEqual([
      'asia: update weather_locations (2)',
      'north_america: update weather_locations (1)',
      'europe: update weather_locations (1)',
      'south_america: update weather_locations (1)',
    ])
    expect(rowsIn(world, 'weather_locations')).toMatchObject({
      asia: [{ city: 'Edo' }, { city: 'Delhi' }],
      europe: [{ city: 'Londinium' }],
    })
  })

  it('may not change what decides the shard', () => {
    const moves = Session.updateMany(model.Location, [{ id: 1, continent: 'Europe' }])
    expect(failSync(moves)).toMatchObject({ _tag: 'RoutingError', reason: 'ShardsDiffer', attribute: 'continent' })
  })
})
