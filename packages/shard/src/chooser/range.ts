/**
 * Rows by ranges of an attribute.
 */
import { Ranges, ValueSet } from '@unitary/core'
import { isSome } from 'fp-ts/lib/Option.js'
import { byValue, type Looking } from './by-value.js'
import type { Strategy } from './strategy.js'

/** What is below a value, and not below an earlier one, is on a shard. */
export interface Below<V, Token extends string> {
  readonly below: V
  readonly shard: Token
}

/** The type that a bound is of. */
type Wide<V> = V extends number ? number : V extends bigint ? bigint : V extends string ? string : Date

/**
 * Puts each row on the shard of the range that an attribute's value lies in: the first bound that it is below, or else
 * `rest`. Queries go to the ranges that their conditions (`=`, `in`, `<`, `between` and the like) reach into; of texts, which
 * each database orders in its own way, only `=` and `in` tell.
 *
 * @example
 * byRange('placedAt', [{ below: new Date('2025-01-01'), shard: 'archive' }], 'current')
 *
 * @category strategies
 */
export const byRange = <const A extends string, V extends number | bigint | Date | string, const Token extends string>(
  attribute: A,
  bounds: ReadonlyArray<Below<V, Token>>,
  rest: Token,
): Strategy<Looking<A, Wide<V> | null>, Token> => {
  const ascending = [...bounds].sort((a, b) => (a.below < b.below ? -1 : a.below > b.below ? 1 : 0))
  const shardOf = (value: V | null): Token | null =>
    value === null ? null : (ascending.find(({ below }) => value < below)?.shard ?? rest)
  const tokens = [...new Set([...ascending.map(({ shard }) => shard), rest])]
  const ranges = rangesOf(ascending, rest)
  const single: Strategy<Looking<A, Wide<V> | null>, Token> = byValue(
    attribute,
    shardOf as (value: Wide<V> | null) => Token | null,
    tokens,
  )
  return {
    ...single,
    shardsOf: (analysis, asked, context) => {
      const { mapping } = context
      const values = analysis.valuesOf(mapping, attribute)
      if (isSome(ValueSet.values(values))) return single.shardsOf(analysis, asked, context)
      // a row without a value could be anywhere
      const isNullable = mapping.name !== asked.entity || mapping.attributeOf.get(attribute)?.isNullable === true
      if (ranges === null || (isNullable && ValueSet.has(null)(values))) return null
      const within = analysis.rangesOf(mapping, attribute)
      if (Ranges.isAll(within)) return null
      return [...new Set(ranges.flatMap(([token, range]) => (Ranges.overlap(within, range) ? [token] : [])))]
    },
  }
}

/** The range of each bound, in their order; null where they have no order that all databases share. */
const rangesOf = <V, Token extends string>(
  ascending: ReadonlyArray<Below<V, Token>>,
  rest: Token,
): ReadonlyArray<readonly [Token, Ranges.Ranges]> | null => {
  let left = Ranges.all
  const found: Array<readonly [Token, Ranges.Ranges]> = []
  for (const { below, shard } of ascending) {
    if (!Ranges.isOrdinal(below)) return null
    const under = Ranges.below(below, false)
    found.push([shard, Ranges.intersection(left, under)])
    left = Ranges.intersection(left, Ranges.complement(under))
  }
  return [...found, [rest, left]]
}
