/**
 * The queries: plain values, built once, that say what is wanted and not where it is.
 */
import { limit, orderBy, type ResultOf, select, selectin, where } from '@unitary/core'
import { onShard } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { model } from './model.js'
import type { Continent } from './shards.js'

export const citiesOn = (continents: ReadonlyArray<Continent>) =>
  pipe(select(model.Location), where('continent', 'in', continents))

export const citiesCalled = (names: ReadonlyArray<string>) => pipe(select(model.Location), where('name', 'in', names))

/** Only the pin says that this is about one shard. */
export const northernmostOfEurope = pipe(
  select(model.Location),
  orderBy('latitude', 'desc'),
  limit(1),
  onShard('europe'),
)

/** The cities of a continent, each with its reports. */
export const citiesWithReports = (continent: Continent) =>
  pipe(select(model.Location), where('continent', '=', continent), selectin('reports'))

/** The cities with the highest temperatures of all, by a subquery in Kysely's own words. */
export const hottestCities = pipe(
  select(model.Location),
  orderBy(
    (eb) =>
      eb
        .selectFrom('reports')
        .whereRef('reports.locationId', '=', 'locations.id')
        .select(({ fn }) => fn.max('reports.temperature').as('hottest')),
    'desc',
  ),
  orderBy('id'),
  limit(10),
  selectin('reports'),
)

/** A city with its reports. */
export type CityWithReports = ResultOf<typeof hottestCities>
