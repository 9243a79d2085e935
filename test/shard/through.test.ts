import { any, computed, orderBy, real, select, through, valueThrough, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { filledWorld, model, rightOf, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))

const temperatures = through(model.Location, 'reports', 'temperature')
const neighbours = through(model.Report, 'location', temperatures)

it('a proxy is loaded from the shard of its owner', () => {
  const shown = runSync(
    Session.gen(function* () {
      const tokyo = yield* pipe(select(model.Location), where('city', '=', 'Tokyo'), Session.one)
      world.asked()
      return yield* pipe(tokyo, Session.loadThrough(temperatures))
    }),
  )
  expect(shown).toEqual([80])
  expect(world.asked()).toEqual(['asia: select weather_reports'])
})

it('a proxy over several relationships stays on that shard', () => {
  const shown = runSync(
    Session.gen(function* () {
      const report = yield* pipe(select(model.Report), where('temperature', '=', 80), Session.one)
      world.asked()
      return yield* pipe(report, Session.loadThrough(neighbours))
    }),
  )
  expect(shown).toEqual([80])
  expect(world.asked()).toEqual(['asia: select weather_locations', 'asia: select weather_reports'])
})

it('all shards are asked what proxies lead to, and the rows of a computed order are merged', () => {
  const colder = computed(model.Report, real, (eb) => eb(eb.val(0), '-', eb.ref('temperature')))
  const warm = pipe(
    select(model.Location),
    where(
      any(
        temperatures,
        where((eb) => eb('temperature', '>', 72)),
      ),
    ),
    orderBy('id'),
  )
  expect(runSync(Session.query(warm)).map(({ id }) => id)).toEqual([1, 2, 6])
  const coldest = pipe(
    select(model.Report),
    where((eb) => eb(colder(eb), '>', -73)),
    orderBy('temperature'),
  )
  const found = runSync(Session.query(coldest)).map(({ temperature }) => temperature)
  expect(found).toEqual([...found].sort((a, b) => (a ?? 0) - (b ?? 0)))
})

it('rows of all shards are merged in the order of values that proxies lead to', () => {
  const city = through(model.Report, 'location', 'city')
  const cities = runSync(
    Session.gen(function* () {
      const reports = yield* pipe(
        select(model.Report),
        where((eb) => eb(valueThrough(eb, city), '<>', 'Tokyo')),
        orderBy((eb) => valueThrough(eb, city)),
        orderBy('id'),
        Session.query,
      )
      return yield* Session.traverseArray((report: (typeof reports)[number]) =>
        pipe(report, Session.loadThrough(city)),
      )(reports)
    }),
  )
  const names = cities.map((one) => (one._tag === 'Some' ? one.value : ''))
  expect(names).toEqual([...names].sort((a, b) => (a < b ? -1 : 1)))
  expect(names).not.toContain('Tokyo')
  expect(names.length).toBeGreaterThan(2)
})
