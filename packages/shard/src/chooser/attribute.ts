/**
 * Rows by the value of an attribute.
 */
import { byValue, type Looking } from './by-value.js'
import type { Strategy } from './strategy.js'

/**
 * Which shard has the rows with a value: a record by the value as text, a map, or a function; null for none of them.
 */
export type Lookup<V, Token extends string> =
  | Readonly<Record<string, Token>>
  | ReadonlyMap<V, Token>
  | ((value: V) => Token | null)

/**
 * Puts each row on the shard that an attribute's value names. Queries go where the values of their conditions (`=`,
 * `in`, AND, OR, NOT) can be; a value that no shard is named for is looked for on all.
 *
 * @example
 * byAttribute('continent', { Asia: 'asia', Europe: 'europe' })
 * byAttribute('tenant', (tenant: number) => (tenant < 1000 ? 'first' : 'second'))
 *
 * @category strategies
 */
export const byAttribute = <const A extends string, V, const Token extends string>(
  attribute: A,
  lookup: Lookup<V, Token>,
): Strategy<Looking<A, V>, Token> => byValue(attribute, lookupOf(lookup), tokensIn(lookup))

const lookupOf = <V, Token extends string>(lookup: Lookup<V, Token>): ((value: V) => Token | null) => {
  if (typeof lookup === 'function') return lookup
  if (lookup instanceof Map) return (value) => lookup.get(value) ?? null
  const tokens = new Map(Object.entries<Token>(lookup as Readonly<Record<string, Token>>))
  return (value) => (typeof value === 'object' ? null : (tokens.get(String(value)) ?? null))
}

const tokensIn = <V, Token extends string>(lookup: Lookup<V, Token>): ReadonlyArray<Token> | null =>
  typeof lookup === 'function'
    ? null
    : [
        ...new Set(
          lookup instanceof Map
            ? (lookup as ReadonlyMap<V, Token>).values()
            : Object.values<Token>(lookup as Readonly<Record<string, Token>>),
        ),
      ]
