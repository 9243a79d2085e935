/**
 * Rows by the value of an attribute.
 */
import { ValueSet } from '@unitary/core'
import { isNone } from 'fp-ts/lib/Option.js'
import { known, type Strategy } from './strategy.js'

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
): Strategy<{ readonly attributes: { readonly [K in A]: V }; readonly references: object }, Token> => {
  const shardFor = lookupOf(lookup)
  const shardOf = (value: unknown): Token | null => (value === undefined ? null : shardFor(value as V))
  return {
    basis: { kind: 'attribute', name: attribute },
    shardOf: ({ values }) => shardOf(values[attribute]),
    shardsOfKey: (key) => known([shardOf(key[attribute] ?? undefined)]),
    shardsOf: (analysis, { entity }, { mapping }) => {
      const values = ValueSet.values(analysis.valuesOf(mapping, attribute))
      if (isNone(values)) return null
      // NULL is a value of the statement's own rows; of a table that is joined it may mean that it has no row
      const isValue = mapping.name === entity && mapping.attributeOf.get(attribute)?.isNullable === true
      return known(values.value.map((value) => (value === null && !isValue ? null : shardOf(value))))
    },
  }
}

const lookupOf = <V, Token extends string>(lookup: Lookup<V, Token>): ((value: V) => Token | null) => {
  if (typeof lookup === 'function') return lookup
  if (lookup instanceof Map) return (value) => lookup.get(value) ?? null
  const tokens = new Map(Object.entries<Token>(lookup as Readonly<Record<string, Token>>))
  return (value) => (typeof value === 'object' ? null : (tokens.get(String(value)) ?? null))
}
