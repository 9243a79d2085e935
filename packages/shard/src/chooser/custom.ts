/**
 * Strategies of an application's own.
 */
import type { Analysis } from '@unitary/core'
import type { InstanceView, KeyContext, StatementContext } from './chooser.js'
import type { Strategy, StrategyContext, Subject } from './strategy.js'

/** An instance of an entity, with the types of its attributes and references. @category model */
export interface TypedView<S extends Subject, Token extends string>
  extends Omit<InstanceView, 'values' | 'shard' | 'related'> {
  readonly values: { readonly [K in keyof S['attributes']]: S['attributes'][K] | undefined }
  readonly shard: Token | null
  readonly related: <K extends keyof S['references'] & string>(
    relationship: K,
  ) => TypedView<{ readonly attributes: S['references'][K] & object; readonly references: object }, Token> | null
}

/** What a strategy is made of. What is left out cannot tell. @category model */
export interface CustomStrategy<S extends Subject, Token extends string> {
  readonly shardOf: (instance: TypedView<S, Token>) => Token | null
  readonly shardsOfKey?: (
    key: { readonly [K in keyof S['attributes']]?: S['attributes'][K] },
    asked: KeyContext,
    context: StrategyContext,
  ) => ReadonlyArray<NoInfer<Token>> | null
  /** Asked of statements on the entity itself. */
  readonly shardsOf?: (
    analysis: Analysis,
    asked: StatementContext,
    context: StrategyContext,
  ) => ReadonlyArray<NoInfer<Token>> | null
}

/**
 * A strategy from functions. They have to be pure, and what `shardsOfKey` and `shardsOf` leave out is not looked at:
 * they name too many shards rather than too few.
 *
 * @example
 * choosers(model)({
 *   Location: custom({ shardOf: ({ values }) => ((values.latitude ?? 0) < 0 ? 'south' : 'north') }),
 * })
 *
 * @category strategies
 */
export const custom = <S extends Subject, const Token extends string>(
  strategy: CustomStrategy<S, Token>,
): Strategy<S, Token> => ({
  basis: null,
  tokens: null,
  // a strategy only meets entities that have what it looks at
  shardOf: strategy.shardOf as unknown as Strategy<S, Token>['shardOf'],
  shardsOfKey: (strategy.shardsOfKey as Strategy<S, Token>['shardsOfKey'] | undefined) ?? (() => null),
  shardsOf: (analysis, asked, context) =>
    asked.entity === context.mapping.name ? (strategy.shardsOf?.(analysis, asked, context) ?? null) : null,
})
