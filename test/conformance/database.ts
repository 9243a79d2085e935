/**
 * The port to the databases that scenarios are replayed on. Each has a file of its own in `databases/`.
 */
import type { Engine } from '@unitary/core'
import type { Case } from './corpus.js'
import type { ScenarioModel } from './model.js'
import type { Scenario, Tables } from './scenario.js'

/** The database of one scenario: its tables and rows, and what is in it at the end. */
export interface ScenarioDatabase {
  /** An engine for one session. */
  readonly engine: () => Engine
  /** Statements that another connection commits. */
  readonly external: (statements: ReadonlyArray<string>) => Promise<void>
  /** The committed rows; tables without rows are left out. */
  readonly contents: () => Promise<Tables>
  readonly close: () => Promise<void>
}

/** One of the shards of a scenario. */
export type ScenarioShard = Pick<ScenarioDatabase, 'engine' | 'contents'>

/** The shards of a scenario by their tokens, in the order of the map. */
export interface ScenarioShards {
  readonly shards: ReadonlyMap<string, ScenarioShard>
  readonly close: () => Promise<void>
}

/** The rows that a shard begins with. */
export interface ShardRows {
  readonly token: string
  readonly rows: Tables
}

/** Where databases for scenarios are made, one at a time. */
export interface Host {
  readonly name: string
  /** Whether it is the one of the recording. Others number the keys that they generate otherwise. */
  readonly isRecorded: boolean
  readonly open: (scenario: Scenario, model: ScenarioModel) => Promise<ScenarioDatabase>
  readonly close: () => Promise<void>
}

/** How the shards of scenarios are laid out on databases. */
export interface Layout {
  readonly name: string
  readonly openShards: (shards: ReadonlyArray<ShardRows>, model: ScenarioModel) => Promise<ScenarioShards>
  readonly close: () => Promise<void>
}

/** A kind of database, of which there may be none. */
export interface Service {
  readonly name: string
  /** Why no test can run on it; null where one can. */
  readonly missing: string | null
  /** What a scenario needs that such databases do not have; null where they have all of it. */
  readonly lacks: (given: Case) => string | null
  readonly connect: () => Promise<Host>
}
