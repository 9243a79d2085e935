/**
 * Rows by the hash of an attribute.
 */
import { bytesOf, canonicalText, type Hashable, hash, hashOf } from '../hash.js'
import { byValue, type Looking } from './by-value.js'
import type { Strategy } from './strategy.js'

/**
 * Spreads rows evenly by the hash of an attribute's value: over the shards given, in their order, by the remainder. It never
 * changes which shard a value is on, as long as the list is the same; with one shard more most values are on another. Where
 * shards come and go, use `byRendezvous`.
 *
 * @example
 * byHash('tenantId', ['first', 'second', 'third'])
 *
 * @see {@link hash} for the function
 * @category strategies
 */
export const byHash = <const A extends string, const Token extends string>(
  attribute: A,
  shards: readonly [Token, ...Token[]],
): Strategy<Looking<A, Hashable>, Token> =>
  byValue(
    attribute,
    (value) => {
      const text = canonicalText(value)
      return text === null ? null : (shards[hash(text) % shards.length] as Token)
    },
    shards,
  )

/** Shards with their weights: one of weight 2 gets twice as many values as one of weight 1. */
export type Weights<Token extends string> = Readonly<Record<Token, number>>

/**
 * Spreads rows by rendezvous hashing: each shard has a score for each value, and the highest has it. A shard that is added
 * takes its share from all others, one that is removed leaves its own to them, and no other value moves. A shard of weight 0
 * takes no new values.
 *
 * @example
 * byRendezvous('tenantId', ['first', 'second'])
 * byRendezvous('tenantId', { first: 1, second: 2 })
 *
 * @see Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998), and Schindelhauer and Schomaker,
 *   "Weighted distributed hash tables" (2005), for the weights: the score is -weight / ln(hash)
 * @category strategies
 */
export const byRendezvous = <const A extends string, const Token extends string>(
  attribute: A,
  shards: readonly [Token, ...Token[]] | Weights<Token>,
): Strategy<Looking<A, Hashable>, Token> => {
  const weighed: ReadonlyArray<readonly [Token, number]> = Array.isArray(shards)
    ? (shards as ReadonlyArray<Token>).map((token) => [token, 1])
    : (Object.entries<number>(shards as Weights<Token>) as ReadonlyArray<readonly [string, number]> as ReadonlyArray<
        readonly [Token, number]
      >)
  // in the order of their names, so that the order in which they are given does not matter where scores are equal
  const contenders = weighed
    .filter(([, weight]) => weight > 0)
    .map(([token, weight]) => ({ token, weight, seed: hash(token) }))
    .sort((a, b) => (a.token < b.token ? -1 : 1))
  return byValue(
    attribute,
    (value) => {
      const text = canonicalText(value)
      if (text === null) return null
      const bytes = bytesOf(text)
      let best: Token | null = null
      let highest = Number.NEGATIVE_INFINITY
      for (const { seed, token, weight } of contenders) {
        const score = -weight / Math.log((hashOf(bytes, seed) + 0.5) / 2 ** 32)
        if (score > highest) {
          highest = score
          best = token
        }
      }
      return best
    },
    weighed.map(([token]) => token),
  )
}
