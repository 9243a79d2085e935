/**
 * Choosers put together from a strategy for each entity.
 */
import type { AnyModel, Entities, Mapping, Model, SubtypeName } from '@unitary/core'
import type { Choosers } from './chooser.js'
import type { Strategy, StrategyContext, SubjectOf } from './strategy.js'

/** The entities that are no subtypes. */
type BaseName<M> =
  M extends Model<infer Es extends Entities, infer _Rs>
    ? Exclude<keyof Es & string, SubtypeName<M, keyof Es & string>>
    : never

/**
 * A strategy for each entity of a model. A subtype has that of its parent where it has none of its own.
 *
 * @category model
 */
export type Strategies<M, Token extends string = string> =
  M extends Model<infer Es extends Entities, infer _Rs>
    ? { readonly [N in BaseName<M>]: Strategy<SubjectOf<M, N>, Token> } & {
        readonly [N in Exclude<keyof Es & string, BaseName<M>>]?: Strategy<SubjectOf<M, N>, Token>
      }
    : never

/** The shards that strategies name. */
export type TokenOf<S> = { [N in keyof S]: S[N] extends Strategy<never, infer Token> ? Token : never }[keyof S]

type AnyStrategy = Strategy<never, string>

/**
 * The choosers of a model: a strategy for each of its entities. Names of entities, attributes and relationships are the
 * model's; the shards that are named have to be in the map of the runtime.
 *
 * A query goes where every entity that it reads can have rows for it: joins never leave a shard.
 *
 * @example
 * const byContinent = choosers(model)({
 *   Location: byAttribute('continent', { 'North America': 'north_america', Asia: 'asia' }),
 *   Report: withParent('location'),
 * })
 *
 * @category constructors
 */
export const choosers =
  <M extends AnyModel>(model: M) =>
  <const S extends Strategies<M>>(
    strategies: S & { readonly [N in Exclude<keyof S, keyof Strategies<M>>]: never },
  ): Choosers<TokenOf<S>> => {
    const given = strategies as Readonly<Record<string, AnyStrategy>>
    const strategyOf = new Map(
      model.mappings.flatMap((mapping) => {
        const strategy = strategyFor(given, mapping)
        return strategy === null ? [] : [[mapping.name, strategy] as const]
      }),
    )
    const lookUp =
      (hops: number): StrategyContext['shardsOfKey'] =>
      (mapping, key, asked) =>
        // entities whose keys are each other's foreign keys would ask each other for ever
        hops > model.mappings.length
          ? null
          : (strategyOf.get(mapping.name)?.shardsOfKey(key, asked, { mapping, shardsOfKey: lookUp(hops + 1) }) ?? null)
    const contexts = model.mappings.map((mapping): StrategyContext => ({ mapping, shardsOfKey: lookUp(1) }))
    const contextsFrom = (entity: string): ReadonlyArray<StrategyContext> => {
      const own = contexts.find(({ mapping }) => mapping.name === entity)
      return own === undefined ? contexts : [own, ...contexts.filter((context) => context !== own)]
    }
    return {
      shardOf: (instance) => (strategyOf.get(instance.entity)?.shardOf(instance) ?? null) as TokenOf<S> | null,
      shardsOfKey: (entity, key, asked) => {
        const mapping = model.mappingOf.get(entity)
        return mapping === undefined ? null : (lookUp(0)(mapping, key, asked) as ReadonlyArray<TokenOf<S>> | null)
      },
      shardsOf: (analysis, asked) => {
        let found: ReadonlyArray<string> | null = null
        // the statement's own entity first: the order of its values is the order of the shards
        for (const context of contextsFrom(asked.entity)) {
          const tokens = strategyOf.get(context.mapping.name)?.shardsOf(analysis, asked, context) ?? null
          if (tokens === null) continue
          if (found === null) found = tokens
          else {
            const both: ReadonlyArray<string> = found.filter((token) => tokens.includes(token))
            // where no shard can have rows, one is enough to say so
            if (both.length > 0) found = both
          }
        }
        return found as ReadonlyArray<TokenOf<S>> | null
      },
      basisOf: (entity) => strategyOf.get(entity)?.basis ?? null,
    }
  }

/** That of the entity, or of the nearest that it is a subtype of. */
const strategyFor = (given: Readonly<Record<string, AnyStrategy>>, mapping: Mapping): AnyStrategy | null => {
  for (let at: Mapping | null = mapping; at !== null; at = at.parent ?? at.concreteOf) {
    const strategy = given[at.name]
    if (strategy !== undefined) return strategy
  }
  return null
}
