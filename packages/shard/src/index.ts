/**
 * `@unitary/shard`: one session over many databases.
 *
 * @example
 * const shards = shardMap({ asia: sqliteEngine(asia), europe: sqliteEngine(europe) })
 * const app = shardedRuntime(model, {
 *   shards,
 *   choosers: choosers(model)({
 *     Location: byAttribute('continent', { Asia: 'asia', Europe: 'europe' }),
 *     Report: withParent('location'),
 *   }),
 * })
 */
export { byAttribute, type Lookup } from './chooser/attribute.js'
export type { Basis, Choosers, InstanceView, KeyContext, StatementContext } from './chooser/chooser.js'
export { choosers, type Strategies } from './chooser/choosers.js'
export { byParts } from './chooser/composite.js'
export { type CustomStrategy, custom, type TypedView } from './chooser/custom.js'
export { byDirectory, type Directory, directory, readDirectory } from './chooser/directory.js'
export { everywhere } from './chooser/everywhere.js'
export { onlyOn } from './chooser/fixed.js'
export { byHash, byRendezvous, type Weights } from './chooser/hash.js'
export { withParent } from './chooser/parent.js'
export { type Below, byRange } from './chooser/range.js'
export type { Strategy, StrategyContext, SubjectOf } from './chooser/strategy.js'
export {
  type Atomic,
  type Atomicity,
  type AtomicOptions,
  atomic,
  type BestEffort,
  bestEffort,
  type CommitLevel,
  type SingleShard,
  singleShard,
} from './commit/level.js'
export { type OutcomeOptions, outcomeOf, outcomeOfSync, type TransactionOutcome } from './commit/outcome.js'
export {
  type LeftAlone,
  type Recovered,
  type RecoverOptions,
  type RecoveryReport,
  recover,
  recoverSync,
  type Unfinished,
} from './commit/recover.js'
export { createCommitTables, createCommitTablesSync } from './commit/tables.js'
export { citusStatements } from './distribution/citus.js'
export { type CockroachOptions, cockroachStatements } from './distribution/cockroach.js'
export { type Distribution, distributionOf, type PlacedTable } from './distribution/distribution.js'
export type { DistributionFault } from './distribution/fault.js'
export type { Placement } from './distribution/placement.js'
export { refuseScattered } from './distribution/scatter.js'
export { type VSchema, type VSchemaTable, vschemaOf } from './distribution/vschema.js'
export type { FanOutPolicy } from './fan-out/policy.js'
export { canonicalText, type Hashable, hash } from './hash.js'
export { tablePrefix } from './layout/prefix.js'
export { type SchemaMap, schemaTranslate } from './layout/schema.js'
export { type MoveError, moveToShard } from './move.js'
export { onShard } from './on-shard.js'
export type { Route } from './route/choose.js'
export { routeOf } from './route/route-of.js'
export { routePlan } from './route/route-plan.js'
export { type ShardedOptions, type ShardedRuntime, shardedRuntime } from './runner/runtime.js'
export { type ShardMap, shardMap } from './shard-map.js'
