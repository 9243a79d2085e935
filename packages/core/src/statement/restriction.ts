/**
 * What a condition says of single columns: for each, a domain that has every value that it can have where the condition
 * is true.
 *
 * Restrictions follow SQL's logic of three values: a condition is pushed down as "this is true" or "this is false", and
 * what is unknown (a comparison with NULL) is neither.
 */

import type { Domain } from './domain.js'
import * as Domains from './domain.js'
import * as Values from './value-set.js'

/** No row at all, or the domains of the columns that are restricted, by `columnKey`. */
export type Restriction = Nothing | Within

export interface Nothing {
  readonly _tag: 'Nothing'
}

export interface Within {
  readonly _tag: 'Within'
  readonly domains: ReadonlyMap<string, Domain>
}

/** A column of a source, as a key. */
export const columnKey = (source: string, attribute: string): string => `${source}\u0000${attribute}`

export const nothing: Restriction = { _tag: 'Nothing' }

export const everything: Restriction = { _tag: 'Within', domains: new Map() }

/** One column has a value of a domain. */
export const restricted = (key: string, domain: Domain): Restriction =>
  Domains.isEmpty(domain)
    ? nothing
    : Domains.isAny(domain)
      ? everything
      : { _tag: 'Within', domains: new Map([[key, domain]]) }

export const and = (a: Restriction, b: Restriction): Restriction => {
  if (a._tag === 'Nothing' || b._tag === 'Nothing') return nothing
  if (a.domains.size === 0) return b
  if (b.domains.size === 0) return a
  const domains = new Map(a.domains)
  for (const [key, domain] of b.domains) {
    const both = Domains.intersection(domains.get(key) ?? Domains.any, domain)
    if (Domains.isEmpty(both)) return nothing
    domains.set(key, both)
  }
  return { _tag: 'Within', domains }
}

export const or = (a: Restriction, b: Restriction): Restriction => {
  if (a._tag === 'Nothing') return b
  if (b._tag === 'Nothing') return a
  const domains = new Map<string, Domain>()
  for (const [key, domain] of a.domains) {
    const either = Domains.union(domain, b.domains.get(key) ?? Domains.any)
    if (!Domains.isAny(either)) domains.set(key, either)
  }
  return { _tag: 'Within', domains }
}

/** The same of rows that an outer join may have filled with NULL. */
export const orNull = (self: Restriction): Restriction =>
  self._tag === 'Nothing'
    ? everything
    : {
        _tag: 'Within',
        domains: new Map(
          [...self.domains].map(([key, domain]) => [
            key,
            { ...domain, values: Values.union(domain.values, Values.oneOf([null])) },
          ]),
        ),
      }

/** What it says of the columns of one source. */
export const only = (self: Restriction, source: string): Restriction =>
  self._tag === 'Nothing'
    ? nothing
    : { _tag: 'Within', domains: new Map([...self.domains].filter(([key]) => key.startsWith(columnKey(source, '')))) }
