/**
 * Pinning statements to a shard.
 */
import { type AnyStatement, withOptions } from '@unitary/core'
import type { ShardMap } from './shard-map.js'

/**
 * Pins a query, update or delete to one shard: it runs there, whatever its conditions say. With the shard map as first
 * argument a token that is not in the map does not compile; without, it is a `RoutingError` when the statement runs.
 *
 * @example
 * pipe(select(model.Location), onShard(shards, 'asia'), Session.query)
 *
 * @category combinators
 */
export function onShard<Token extends string>(
  shards: ShardMap<Token>,
  token: NoInfer<Token>,
): <S extends AnyStatement>(self: S) => S
export function onShard(token: string): <S extends AnyStatement>(self: S) => S
export function onShard(shardsOrToken: ShardMap | string, token?: string): <S extends AnyStatement>(self: S) => S {
  return withOptions({ shard: typeof shardsOrToken === 'string' ? shardsOrToken : (token as string) })
}
