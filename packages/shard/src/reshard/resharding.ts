/**
 * A resharding: from where rows are to where they are to be, as a value that the plan of moves, its execution, the sessions
 * meanwhile and the check afterwards all start from.
 */
import type { AnyModel } from '@unitary/core'
import type { RoutingError } from '@unitary/session'
import type { Choosers } from '../chooser/chooser.js'
import { type Atomic, applicationFault } from '../commit/level.js'
import { faultyMap } from '../error.js'
import { atomicFaultOf, faultOf, type ShardMap } from '../shard-map.js'

/** From one shard to another. @category model */
export type Direction<Token extends string = string> = readonly [from: Token, to: Token]

/** @category model */
export interface ReshardingOptions<Token extends string> {
  /** All shards, old and new; the new ones last, since rows that are on every shard are copied from the first. */
  readonly shards: ShardMap<Token>
  /** Where rows are. */
  readonly from: Choosers<NoInfer<Token>>
  /** Where they are to be. */
  readonly to: Choosers<NoInfer<Token>>
  /** How batches are committed; the application of the sessions beside them, so that one `recover` finishes both. */
  readonly commit: Atomic
  /**
   * The only directions in which rows move, where they are known: from each old shard to the new one, say. Sessions then ask
   * each shard once, and can write in bulk meanwhile; a plan that would move rows in another direction is refused. Without
   * them rows may move from any shard to any other.
   */
  readonly directions?: ReadonlyArray<Direction<NoInfer<Token>>>
}

/** @category model */
export interface Resharding<out Token extends string = string> {
  readonly _tag: 'Resharding'
  readonly model: AnyModel
  readonly shards: ShardMap<Token>
  readonly from: Choosers<Token>
  readonly to: Choosers<Token>
  readonly commit: Atomic
  readonly directions: ReadonlyArray<Direction>
}

/**
 * A resharding of a model's rows. Their keys have to be unique over all shards.
 *
 * @example
 * const adding = resharding(model, {
 *   shards: shardMap({ a, b, c }),
 *   from: choosers(model)({ Customer: byRendezvous('id', ['a', 'b']), Order: withParent('customer') }),
 *   to: choosers(model)({ Customer: byRendezvous('id', ['a', 'b', 'c']), Order: withParent('customer') }),
 *   commit: atomic({ application: 'shop' }),
 *   directions: [['a', 'c'], ['b', 'c']],
 * })
 *
 * @category constructors
 */
export const resharding = <Token extends string>(
  model: AnyModel,
  { commit, directions, from, shards, to }: ReshardingOptions<Token>,
): Resharding<Token> => ({
  _tag: 'Resharding',
  model,
  shards,
  from,
  to,
  commit,
  directions: directions ?? everyDirection(shards.tokens),
})

const everyDirection = (tokens: ReadonlyArray<string>): ReadonlyArray<Direction> =>
  tokens.flatMap((from) => tokens.flatMap((to): ReadonlyArray<Direction> => (from === to ? [] : [[from, to]])))

/** Why nothing can be moved so; null where it can. */
export const reshardingFault = (
  { commit, from, model, shards, to }: Resharding,
  operation: string,
): RoutingError | null => {
  const fault = faultOf(shards) ?? atomicFaultOf(shards) ?? applicationFault(commit.application)
  if (fault !== null) return faultyMap(operation, fault)
  for (const { name } of model.mappings) {
    const [before, after] = [from, to].map((choosers) => choosers.basisOf?.(name) ?? null)
    const isEverywhere = after?.kind === 'everywhere'
    if (isEverywhere !== (before?.kind === 'everywhere')) {
      return faultyMap(
        operation,
        `${name} is on every shard ${isEverywhere ? 'afterwards' : 'before'}, and spread ${isEverywhere ? 'before' : 'afterwards'}; moves do not change that`,
      )
    }
    const isBeside = after?.kind === 'relationship'
    if (isBeside !== (before?.kind === 'relationship') || (isBeside && before?.name !== after.name)) {
      return faultyMap(
        operation,
        `${name} belongs beside ${isBeside ? `its ${after.name}` : 'none'} afterwards, and beside ${before?.kind === 'relationship' ? `its ${before.name}` : 'none'} before; moves do not change that`,
      )
    }
    if (isBeside && model.mappingOf.get(name)?.relationshipOf.get(after.name)?.foreignKey.length === 0) {
      return faultyMap(operation, `${name} belongs beside its ${after.name}, which has no foreign key to find it by`)
    }
  }
  return null
}
