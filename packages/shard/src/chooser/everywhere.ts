/**
 * Rows on every shard: what all of them refer to, and few change.
 */
import type { Strategy, Subject } from './strategy.js'

/**
 * Keeps a copy of each row of an entity on every shard: countries, currencies, tariffs. They are written to all shards in one
 * transaction, and read from one of them, so that joins and loads find them beside whatever refers to them. On all shards an
 * instance is the same one.
 *
 * The program gives their keys, since each database would generate others. A query of them that joins rows which are spread is
 * refused where it would run on several shards: it is asked from the other side.
 *
 * @example
 * choosers(model)({ Country: everywhere(), Customer: byAttribute('region', regions) })
 *
 * @category strategies
 */
export const everywhere = (): Strategy<Subject, never> => ({
  basis: { kind: 'everywhere', name: '' },
  tokens: null,
  shardOf: () => null,
  shardsOfKey: () => null,
  shardsOf: () => null,
})
