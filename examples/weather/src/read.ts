/**
 * Reading the world. Each of these programs runs in a session of its own; which shards it asks follows from its
 * conditions, or from where its instances live.
 */
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { isNone } from 'fp-ts/lib/Option.js'
import type { Journal } from './journal.js'
import { model } from './model.js'
import { celsius, chapter, count, latitude } from './print.js'
import {
  type CityWithReports,
  citiesCalled,
  citiesOn,
  citiesWithReports,
  hottestCities,
  northernmostOfEurope,
} from './queries.js'

type Step = Session.Program<Session.SessionError, unknown>

/** The programs, for a world that has a city of that id and a city of that name. */
export const readings = (journal: Journal, id: number, name: string): ReadonlyArray<Step> => {
  const { measured } = journal
  return [
    chapter('Reading the world'),
    pipe(citiesOn(['AF']), Session.query, measured('cities of one continent', cities)),
    pipe(citiesOn(['AN', 'OC']), Session.query, measured('cities of two continents', cities)),
    pipe(citiesCalled([name]), Session.query, measured('cities of one name', namesAndCountries)),
    pipe(
      northernmostOfEurope,
      Session.query,
      measured('pinned to a shard', ([city]) =>
        city === undefined ? 'none' : `${city.name}, ${latitude(city.latitude)}`,
      ),
    ),
    oneCity(journal, id),
    pipe(
      citiesWithReports('SA'),
      Session.query,
      measured('a continent with its reports', (found) => `${cities(found)}, ${reportsOf(found)}`),
    ),
    pipe(
      hottestCities,
      Session.query,
      measured('the ten hottest cities', (found) => found.map(hottest).join('\n')),
    ),
  ]
}

/** A city by its key, which does not tell where it lives; then its reports, from where it was found. */
const oneCity = ({ measured }: Journal, id: number): Step =>
  Session.gen(function* () {
    const city = yield* pipe(Session.get(model.Location, id), measured('a city by its key'))
    if (isNone(city)) return
    yield* pipe(
      city.value,
      Session.load(model.Location, 'reports'),
      measured('its reports, on demand', (reports) => temperatures(city.value.name, reports)),
    )
  })

/** Cities by their names, in a session that knows nothing of them. */
export const readByName = ({ measured }: Journal, names: ReadonlyArray<string>): Step =>
  pipe(citiesCalled(names), Session.query, measured('read what was committed', namesAndCountries))

interface City {
  readonly name: string
  readonly country: string
}

const cities = (found: ReadonlyArray<unknown>): string => count(found.length, 'city', 'cities')

const reportsOf = (found: ReadonlyArray<CityWithReports>): string =>
  count(
    found.reduce((sum, city) => sum + city.reports.length, 0),
    'report',
  )

const nameAndCountry = ({ name, country }: City): string => `${name}, ${country}`

const namesAndCountries = (found: ReadonlyArray<City>): string =>
  `${cities(found)}: ${[...new Set(found.map(nameAndCountry))].join('; ')}`

const temperatures = (name: string, reports: ReadonlyArray<{ readonly temperature: number }>): string =>
  `${name}: ${reports.map(({ temperature }) => celsius(temperature)).join(', ')}`

const hottest = (city: CityWithReports): string => {
  const temperature = Math.max(...city.reports.map((report) => report.temperature))
  return `${celsius(temperature)}  ${nameAndCountry(city)}, ${latitude(city.latitude)} (${city.continent})`
}
