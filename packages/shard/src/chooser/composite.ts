/**
 * Strategies within strategies.
 */
import { type Looking, listedValues } from './by-value.js'
import type { Strategy, Subject } from './strategy.js'

/** A strategy for each value of an attribute, as text. */
type Parts = Readonly<Record<string, Strategy<never, string>>>

type PartSubject<P extends Parts> = {
  [K in keyof P]: P[K] extends Strategy<infer S, string> ? (subject: S) => void : never
}[keyof P] extends (subject: infer All) => void
  ? All & Subject
  : never

type PartToken<P extends Parts> = { [K in keyof P]: P[K] extends Strategy<never, infer Token> ? Token : never }[keyof P]

/**
 * Decides by the value of one attribute which strategy decides: customers of a region by their hash over the shards of that
 * region, say. Queries go where the strategies of all values that their conditions leave can have rows.
 *
 * @example
 * byParts('region', {
 *   eu: byHash('customerId', ['eu1', 'eu2']),
 *   us: byRendezvous('customerId', ['us1', 'us2', 'us3']),
 * })
 *
 * @category strategies
 */
export const byParts = <const A extends string, const P extends Parts>(
  attribute: A,
  parts: P,
): Strategy<PartSubject<P> & Looking<A, string | number>, PartToken<P>> => {
  const partOf = new Map(Object.entries<Strategy<never, string>>(parts))
  const part = (value: unknown): Strategy<never, string> | null =>
    typeof value === 'string' || typeof value === 'number' ? (partOf.get(String(value)) ?? null) : null
  const all = together([...partOf.values()].map(({ tokens }) => tokens))
  const strategy: Strategy<Subject, string> = {
    basis: {
      kind: 'attribute',
      name: attribute,
      besides: [...partOf.values()].flatMap(({ basis }) => (basis === null ? [] : [basis])),
    },
    tokens: all,
    shardOf: (instance) => part(instance.values[attribute])?.shardOf(instance) ?? null,
    shardsOfKey: (key, asked, context) => {
      const own = part(key[attribute])
      return own === null ? all : (own.shardsOfKey(key, asked, context) ?? own.tokens)
    },
    shardsOf: (analysis, asked, context) => {
      const { mapping } = context
      const of = (some: ReadonlyArray<Strategy<never, string>>): ReadonlyArray<string> | null =>
        together(some.map(({ shardsOf, tokens }) => shardsOf(analysis, asked, context) ?? tokens))
      const values = listedValues(analysis, mapping, attribute)
      // of a statement that merely joins the entity nothing is known where it is not said
      if (values === null) return mapping.name === asked.entity ? of([...partOf.values()]) : null
      const own = values.map(part)
      return own.includes(null) ? null : of(own as ReadonlyArray<Strategy<never, string>>)
    },
  }
  return strategy as never
}

/** All of them, each once; null where one of them is not known. */
const together = (lists: ReadonlyArray<ReadonlyArray<string> | null>): ReadonlyArray<string> | null =>
  lists.includes(null) ? null : [...new Set((lists as ReadonlyArray<ReadonlyArray<string>>).flat())]
