/**
 * The classic sharding example: weather locations on four shards by their continent, reports beside their locations.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createAllSync,
  type Draft,
  defineModel,
  type Engine,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  real,
  references,
  text,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  byAttribute,
  type Choosers,
  choosers,
  type FanOutPolicy,
  type ShardedRuntime,
  type ShardMap,
  shardedRuntime,
  shardMap,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { counting, type Journal, journal, summaries } from './counting-engine.js'

export const Location = entity('Location', 'weather_locations', {
  id: pipe(integer, primaryKey),
  continent: text,
  city: text,
})

export const Report = entity('Report', 'weather_reports', {
  id: pipe(integer, primaryKey, generated),
  locationId: pipe(integer, named('location_id'), nullable, references('weather_locations.id')),
  temperature: pipe(real, nullable),
})

export const model = defineModel({ Location, Report })((r) => ({
  Location: {
    reports: r.Location.hasMany('Report', { foreignKey: 'locationId', inverse: 'location', orderBy: 'id' }),
  },
  Report: { location: r.Report.belongsTo('Location', { foreignKey: 'locationId', inverse: 'reports' }) },
}))

export const continents = {
  'North America': 'north_america',
  Asia: 'asia',
  Europe: 'europe',
  'South America': 'south_america',
} as const

export type Shard = (typeof continents)[keyof typeof continents]

export const tokens: ReadonlyArray<Shard> = ['north_america', 'asia', 'europe', 'south_america']

export const byContinent = choosers(model)({
  Location: byAttribute('continent', continents),
  Report: withParent('location'),
})

/** Four databases, a runtime over them, and what they were asked. */
export interface World {
  readonly shards: ShardMap<Shard>
  readonly runtime: ShardedRuntime<Shard>
  readonly databases: Readonly<Record<Shard, Database.Database>>
  readonly journal: Journal
  /** What was asked since this was last called. */
  readonly asked: () => ReadonlyArray<string>
  readonly close: () => void
}

export interface WorldOptions {
  readonly choosers?: Choosers<Shard>
  readonly waits?: boolean
  readonly files?: boolean
  readonly runtime?: Session.RuntimeOptions & { readonly fanOut?: FanOutPolicy }
}

export const openWorld = (options: WorldOptions = {}): World => {
  const folder = options.files === true ? mkdtempSync(join(tmpdir(), 'unitary-shard-')) : null
  const entries = journal()
  const databases = {} as Record<Shard, Database.Database>
  const engine = (shard: Shard): Engine => {
    databases[shard] = new Database(folder === null ? ':memory:' : join(folder, `${shard}.db`))
    const plain = sqliteEngine(databases[shard])
    rightOf(createAllSync(model)(plain))
    return counting(plain, shard, entries, options.waits)
  }
  const shards = shardMap({
    north_america: engine('north_america'),
    asia: engine('asia'),
    europe: engine('europe'),
    south_america: engine('south_america'),
  })
  return {
    shards,
    runtime: shardedRuntime(model, { shards, choosers: options.choosers ?? byContinent, ...options.runtime }),
    databases,
    journal: entries,
    asked: () => summaries(entries.asked.splice(0)),
    close: () => {
      for (const database of Object.values(databases)) database.close()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const rightOf = <E, A>(either: Either<E, A>): A => {
  if (either._tag === 'Left') throw new Error(`left: ${JSON.stringify(either.left)}`)
  return either.right
}

export const leftOf = <E, A>(either: Either<E, A>): E => {
  if (either._tag === 'Right') throw new Error(`right: ${JSON.stringify(either.right)}`)
  return either.left
}

/** Seven cities, as in the classic example, each with a report. */
export const cities: ReadonlyArray<Draft<typeof model, 'Location'>> = [
  { id: 1, continent: 'Asia', city: 'Tokyo', reports: [{ temperature: 80 }] },
  { id: 2, continent: 'North America', city: 'New York', reports: [{ temperature: 75 }] },
  { id: 3, continent: 'North America', city: 'Toronto', reports: [{ temperature: 60 }] },
  { id: 4, continent: 'Europe', city: 'London', reports: [{ temperature: 65 }] },
  { id: 5, continent: 'Europe', city: 'Dublin', reports: [{ temperature: null }] },
  { id: 6, continent: 'South America', city: 'Brasilia', reports: [{ temperature: 85 }] },
  { id: 7, continent: 'South America', city: 'Quito', reports: [{ temperature: 70 }] },
]

/** A world with the seven cities in it. */
export const filledWorld = (options: WorldOptions = {}): World => {
  const world = openWorld({ ...options, waits: false })
  rightOf(
    Session.runSync(world.runtime)(
      pipe(
        Session.addAll(model.Location, cities),
        Session.chainFirst(() => Session.commit),
      ),
    ),
  )
  world.asked()
  return world
}

/** Rows of a table, by shard. */
export const rowsIn = (world: World, table: string): Readonly<Record<string, ReadonlyArray<unknown>>> =>
  Object.fromEntries(
    tokens.map((shard) => [shard, world.databases[shard].prepare(`select * from ${table} order by id`).all()]),
  )
