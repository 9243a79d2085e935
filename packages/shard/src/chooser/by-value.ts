/**
 * Strategies that decide by the value of one attribute, whatever they do with it.
 */
import { ValueSet } from '@unitary/core'
import { isNone } from 'fp-ts/lib/Option.js'
import { known, type Strategy } from './strategy.js'

/** Looks at an attribute called `A` of the type `V`. */
export interface Looking<A extends string, V> {
  readonly attributes: { readonly [K in A]: V }
  readonly references: object
}

/** A strategy by the shard of an attribute's value. What has none is looked for on all shards. */
export const byValue = <const A extends string, V, const Token extends string>(
  attribute: A,
  shardOf: (value: V) => Token | null,
  tokens: ReadonlyArray<Token> | null,
): Strategy<Looking<A, V>, Token> => {
  const tokenOf = (value: unknown): Token | null => (value === undefined ? null : shardOf(value as V))
  return {
    basis: { kind: 'attribute', name: attribute },
    tokens,
    shardOf: ({ values }) => tokenOf(values[attribute]),
    shardsOfKey: (key) => known([tokenOf(key[attribute] ?? undefined)]),
    shardsOf: (analysis, { entity }, { mapping }) => {
      const values = ValueSet.values(analysis.valuesOf(mapping, attribute))
      if (isNone(values)) return null
      // NULL is a value of the statement's own rows; of a table that is joined it may mean that it has no row
      const isValue = mapping.name === entity && mapping.attributeOf.get(attribute)?.isNullable === true
      return known(values.value.map((value) => (value === null && !isValue ? null : tokenOf(value))))
    },
  }
}
