/**
 * The shards: a SQLite file for each continent, and the rules by which rows find theirs.
 *
 * A location lives where its continent says, a report beside its location, and the counters on one shard for all. That is
 * all that this application knows of its sharding; neither its drafts nor its queries say where they go.
 */
import { join } from 'node:path'
import { createAllSync, type Engine } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, onlyOn, shardedRuntime, shardMap, withParent } from '@unitary/shard'
import Database from 'better-sqlite3'
import * as Either from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Meter } from './meter.js'
import { model } from './model.js'

/** The shard of each continent, by the continent's code. */
export const shardOfContinent = {
  AF: 'africa',
  AN: 'antarctica',
  AS: 'asia',
  EU: 'europe',
  NA: 'north_america',
  OC: 'oceania',
  SA: 'south_america',
} as const

export type Continent = keyof typeof shardOfContinent

export type Shard = (typeof shardOfContinent)[Continent]

export const shardNames: ReadonlyArray<Shard> = Object.values(shardOfContinent)

const byContinent = choosers(model)({
  Location: byAttribute('continent', shardOfContinent),
  Report: withParent('location'),
  Counter: onlyOn('europe'),
})

/** The file of a shard. */
export const fileOf = (folder: string, shard: Shard): string => join(folder, `${shard}.db`)

/** The open databases of the world. */
export interface World {
  /** What sessions run on. */
  readonly runtime: Session.Runtime
  readonly close: () => Promise<void>
}

/** Opens the files of all shards in a folder, has the calls to them counted, and creates their tables. */
export const openWorld = (folder: string, meter: Meter): Either.Either<Session.DatabaseError, World> => {
  const engines = shardNames.map(
    (shard) => [shard, meter.watch(shard, sqliteEngine(new Database(fileOf(folder, shard))))] as const,
  )
  const shards = shardMap(Object.fromEntries(engines) as Record<Shard, Engine>)
  const world: World = {
    runtime: shardedRuntime(model, { shards, choosers: byContinent }),
    close: async () => {
      await Promise.all(engines.map(([, engine]) => engine.close()))
    },
  }
  return pipe(
    engines,
    Either.traverseArray(([shard, engine]) =>
      pipe(
        createAllSync(model)(engine),
        Either.mapLeft((error) => Session.databaseError('create tables', null, shard, error)),
      ),
    ),
    Either.map(() => world),
  )
}
