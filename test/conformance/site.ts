/**
 * Where a scenario takes place: on one database, or on several shards.
 */
import type { EngineCall } from '@unitary/core'
import { type Runtime, type RuntimeOptions, runtime } from '@unitary/session'
import { shardedRuntime, shardMap } from '@unitary/shard'
import type { Host, Layout, ScenarioDatabase } from './database.js'
import type { ScenarioModel } from './model.js'
import { type RecordingEngine, recording } from './recording.js'
import type { Scenario, ShardingDescription, Tables } from './scenario.js'
import { byTable, choosersOf, rowsOn } from './sharding.js'

/** A call, and the shard that was asked. */
export interface SiteCall {
  readonly shard: string | null
  readonly call: EngineCall
  /** The model's name of a table. */
  readonly inModel: (table: string) => string
}

const same = (table: string): string => table

/** A runtime that keeps what its databases are asked. */
export interface SiteRuntime {
  readonly runtime: Runtime
  /** The calls since this was last called: of each database in their order. */
  readonly take: () => ReadonlyArray<SiteCall>
}

/** The databases of one scenario. */
export interface Site {
  /** A runtime for one session. */
  readonly runtime: (options: RuntimeOptions) => SiteRuntime
  /** Has a database to be asked for the keys of the rows that it is going to change? */
  readonly selectsKeys: boolean
  /** Statements that another connection commits. */
  readonly external: (statements: ReadonlyArray<string>) => Promise<void>
  /** The committed rows by table; `asia: reports` is a table of a shard. */
  readonly contents: () => Promise<Tables>
  readonly close: () => Promise<void>
}

/** A site with the rows that a scenario begins with. */
export const openSite = async (host: Host, layout: Layout, scenario: Scenario, model: ScenarioModel): Promise<Site> =>
  scenario.session.sharding === undefined
    ? siteOf(await host.open(scenario, model), model)
    : shardedSite(layout, scenario, scenario.session.sharding, model)

const siteOf = (database: ScenarioDatabase, { model }: ScenarioModel): Site => ({
  runtime: (options) => {
    const { engine, take } = recording(database.engine())
    return {
      runtime: runtime(model, engine, options),
      take: () => take().map((call) => ({ shard: null, call, inModel: same })),
    }
  },
  selectsKeys: false,
  external: database.external,
  contents: database.contents,
  close: database.close,
})

const shardedSite = async (
  layout: Layout,
  scenario: Scenario,
  sharding: ShardingDescription,
  model: ScenarioModel,
): Promise<Site> => {
  const { close, shards } = await layout.openShards(
    sharding.shards.map((token) => ({ token, rows: rowsOn(scenario, token) })),
    model,
  )
  return {
    runtime: (options) => {
      const recorded = new Map<string, RecordingEngine>()
      for (const [token, { engine }] of shards) recorded.set(token, recording(engine()))
      const engines = Object.fromEntries([...recorded].map(([token, { engine }]) => [token, engine]))
      return {
        runtime: shardedRuntime(model.model, {
          shards: shardMap(engines),
          choosers: choosersOf(model.model, sharding),
          ...options,
        }),
        take: () =>
          [...recorded].flatMap(([shard, { engine, take }]) => {
            const inModel = engine.layout?.names.inModel ?? same
            return take().map((call) => ({ shard, call, inModel }))
          }),
      }
    },
    selectsKeys: [...shards.values()].some(({ engine }) => !engine().capabilities.returning.update),
    external: async () => {
      throw new Error(`${scenario.name}: no other connection writes to shards in any recording`)
    },
    contents: async () => {
      const found: Record<string, Tables> = {}
      for (const [token, shard] of shards) found[token] = await shard.contents()
      return byTable(found)
    },
    close,
  }
}
