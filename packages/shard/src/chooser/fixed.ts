/**
 * All rows of an entity on one shard.
 */
import type { Strategy, Subject } from './strategy.js'

/**
 * Keeps an entity on one shard: a table of generated ids, say, that has to be in one place.
 *
 * @example
 * choosers(model)({ Counter: onlyOn('north_america') })
 *
 * @category strategies
 */
export const onlyOn = <const Token extends string>(token: Token): Strategy<Subject, Token> => ({
  basis: null,
  tokens: [token],
  shardOf: () => token,
  shardsOfKey: () => [token],
  // of a statement that merely joins the entity it says nothing: the join may be an outer one
  shardsOf: (_, { entity }, { mapping }) => (entity === mapping.name ? [token] : null),
})
