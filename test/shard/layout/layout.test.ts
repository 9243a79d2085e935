/**
 * One suite for every layout: the four-shard weather example.
 */
import { deleteFrom, joined, orderBy, select, selectin, set, update, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { onShard, shardedRuntime, shardMap } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { byContinent, cities, leftOf, model, rightOf, type Shard, tokens } from '../weather.js'
import { ask, createOnAll, type LaidOut, layouts, rowsOn } from './layouts.js'

describe.each(layouts)('on $name', ({ isShared, missing, name, open }) => {
  let laidOut: LaidOut
  beforeAll(async () => {
    if (missing !== null) return
    laidOut = await open(tokens)
    await createOnAll(laidOut, model)
  }, 60_000)
  afterAll(async () => {
    await laidOut?.close()
  })
  beforeEach(async () => {
    if (missing !== null) return
    for (const engine of Object.values(laidOut.engines)) {
      await ask(engine, sql`delete from ${sql.table('weather_reports')}`)
      await ask(engine, sql`delete from ${sql.table('weather_locations')}`)
    }
    rightOf(await run(Session.chain(() => Session.commit)(Session.addAll(model.Location, cities))))
  })

  const runtime = (options: Session.RuntimeOptions = {}) =>
    shardedRuntime<Shard>(model, {
      shards: shardMap(laidOut.engines as never) as never,
      choosers: byContinent,
      ...options,
    })
  const run = <E, A>(program: Session.Program<E, A>) => Session.run(runtime())(program)()
  const citiesOn = async (token: string) => (await rowsOn(laidOut, token, 'weather_locations')).map((row) => row.city)

  test.skipIf(missing !== null)(missing === null ? 'rows are where they belong' : `${name} (${missing})`, async () => {
    expect(await citiesOn('north_america')).toEqual(['New York', 'Toronto'])
    expect(await citiesOn('asia')).toEqual(['Tokyo'])
    expect(await citiesOn('europe')).toEqual(['London', 'Dublin'])
    expect(await citiesOn('south_america')).toEqual(['Brasilia', 'Quito'])
  })

  test.skipIf(missing !== null)('queries, joins and loads see the rows of all shards', async () => {
    const query = pipe(select(model.Location), orderBy('city'), selectin('reports'))
    const found = rightOf(await run(Session.query(query)))
    expect(found.map(({ city, reports }) => [city, reports.length])).toEqual(
      ['Brasilia', 'Dublin', 'London', 'New York', 'Quito', 'Tokyo', 'Toronto'].map((city) => [city, 1]),
    )
    const one = pipe(select(model.Location), where('continent', '=', 'Asia'), joined('reports'))
    expect(rightOf(await run(Session.query(one)))).toMatchObject([{ city: 'Tokyo', reports: [{ temperature: 80 }] }])
    const warm = pipe(
      select(model.Location),
      where((eb) =>
        eb.exists(
          eb
            .selectFrom('weather_reports as r')
            .select('r.id')
            .whereRef('r.locationId', '=', 'weather_locations.id')
            .where('r.temperature', '>=', 75),
        ),
      ),
      orderBy('id'),
    )
    expect(rightOf(await run(Session.query(warm))).map(({ id }) => id)).toEqual([1, 2, 6])
  })

  test.skipIf(missing !== null)('changes go home, and a rollback undoes them everywhere', async () => {
    const changes = Session.gen(function* () {
      const all = yield* Session.query(pipe(select(model.Location), orderBy('id')))
      for (const location of all) yield* Session.set(model.Location, { city: `${location.city}!` })(location)
      yield* Session.remove(model.Location)(all[0] as (typeof all)[number])
      yield* Session.flush
    })
    rightOf(await run(Session.chain(() => Session.rollback)(changes)))
    expect(await citiesOn('asia')).toEqual(['Tokyo'])
    expect(await citiesOn('europe')).toEqual(['London', 'Dublin'])
    rightOf(await run(Session.chain(() => Session.commit)(changes)))
    expect(await citiesOn('asia')).toEqual([])
    expect(await citiesOn('europe')).toEqual(['London!', 'Dublin!'])
    expect(await rowsOn(laidOut, 'asia', 'weather_reports')).toMatchObject([{ location_id: null }])
  })

  test.skipIf(missing !== null)('savepoints hold on all shards', async () => {
    rightOf(
      await run(
        Session.gen(function* () {
          const [tokyo] = yield* Session.query(pipe(select(model.Location), where('id', '=', 1)))
          if (tokyo === undefined) throw new Error('not found')
          yield* Session.beginNested
          yield* Session.set(model.Location, { city: 'Edo' })(tokyo)
          yield* Session.add(model.Location, { id: 9, continent: 'Europe', city: 'Paris' })
          yield* Session.flush
          yield* Session.rollbackNested
          yield* Session.add(model.Location, { id: 8, continent: 'Europe', city: 'Bern' })
          yield* Session.commit
        }),
      ),
    )
    expect(await citiesOn('asia')).toEqual(['Tokyo'])
    expect(await citiesOn('europe')).toEqual(['London', 'Dublin', 'Bern'])
  })

  test.skipIf(missing !== null)('a bulk statement changes all shards or none', async () => {
    const warmer = pipe(
      update(model.Report),
      set((eb) => ({ temperature: eb('temperature', '+', 1) })),
      where('temperature', '>', 60),
    )
    expect(rightOf(await run(Session.chainFirst(() => Session.commit)(Session.execute()(warmer))))).toBe(5)
    expect(await rowsOn(laidOut, 'asia', 'weather_reports')).toMatchObject([{ temperature: 81 }])
    const cooler = pipe(deleteFrom(model.Report), onShard('asia'))
    rightOf(await run(Session.chain(() => Session.commit)(Session.execute()(cooler))))
    expect(await rowsOn(laidOut, 'asia', 'weather_reports')).toEqual([])
    expect(await rowsOn(laidOut, 'europe', 'weather_reports')).toHaveLength(2)
    // fails on the third shard: an id that is taken there
    const clash = pipe(update(model.Location), set({ id: 4 }), where('id', 'in', [2, 5]))
    expect(await run(Session.chain(() => Session.commit)(Session.execute()(clash)))).toMatchObject({ _tag: 'Left' })
    expect((await rowsOn(laidOut, 'north_america', 'weather_locations')).map(({ id }) => id)).toEqual([2, 3])
  })

  test.skipIf(missing !== null)('an error names the table as the model does', async () => {
    const error = leftOf(
      await run(
        Session.chain(() => Session.flush)(Session.add(model.Location, { id: 4, continent: 'Europe', city: 'x' })),
      ),
    )
    expect(error).toMatchObject({
      _tag: 'IntegrityError',
      entity: 'Location',
      table: 'weather_locations',
      shard: 'europe',
    })
  })

  test.skipIf(missing !== null || !isShared)('a transaction over shards of one database is one', async () => {
    // the commit of one shard would show in the other
    const before = rightOf(
      await run(
        Session.gen(function* () {
          yield* Session.add(model.Location, { id: 10, continent: 'Asia', city: 'Kyoto' })
          yield* Session.add(model.Location, { id: 11, continent: 'Europe', city: 'Rome' })
          yield* Session.flush
          return yield* Session.sql<{ n: number | string }>(
            sql`select count(*) as n from ${sql.table('weather_locations')}`,
            { shard: 'asia' },
          )
        }),
      ),
    )
    expect(Number(before[0]?.n)).toBe(2)
    expect(await citiesOn('asia')).toEqual(['Tokyo'])
  })
})
