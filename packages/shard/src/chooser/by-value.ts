/**
 * Strategies that decide by the value of one attribute, whatever they do with it.
 */
import { type Analysis, type Mapping, Ranges, ValueSet } from '@unitary/core'
import { isSome } from 'fp-ts/lib/Option.js'
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
      const values = listedValues(analysis, mapping, attribute)
      if (values === null) return null
      // NULL is a value of the statement's own rows; of a table that is joined it may mean that it has no row
      const isValue = mapping.name === entity && mapping.attributeOf.get(attribute)?.isNullable === true
      return known(values.map((value) => (value === null && !isValue ? null : tokenOf(value))))
    },
  }
}

/** Whole numbers between two others are looked up one by one, up to so many. */
const mostListed = 64

/** The values that an attribute can have, where they can be listed. */
export const listedValues = (
  analysis: Analysis,
  mapping: Mapping,
  attribute: string,
): ReadonlyArray<unknown> | null => {
  const set = analysis.valuesOf(mapping, attribute)
  const values = ValueSet.values(set)
  if (isSome(values)) return values.value
  const kind = mapping.attributeOf.get(attribute)?.column.kind
  if (kind !== 'integer' && kind !== 'bigint') return null
  const whole = Ranges.listed(analysis.rangesOf(mapping, attribute), mostListed)
  if (whole === null) return null
  const own = whole
    .map((value) => (kind === 'integer' ? Number(value) : value))
    .filter((value) => ValueSet.has(value)(set))
  return ValueSet.has(null)(set) ? [...own, null] : own
}
