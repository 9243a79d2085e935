/**
 * What a condition says of single columns: for each, a set that holds every value that it can have where the condition
 * is true.
 *
 * Restrictions follow SQL's logic of three values: a condition is pushed down as "this is true" or "this is false", and
 * what is unknown (a comparison with NULL) is neither.
 */

import type { ValueSet } from './value-set.js'
import * as Values from './value-set.js'

/** No row at all, or the sets of the columns that are restricted, by `columnKey`. */
export type Restriction = Nothing | Sets

export interface Nothing {
  readonly _tag: 'Nothing'
}

export interface Sets {
  readonly _tag: 'Sets'
  readonly sets: ReadonlyMap<string, ValueSet>
}

/** A column of a source, as a key. */
export const columnKey = (source: string, attribute: string): string => `${source}\u0000${attribute}`

export const nothing: Restriction = { _tag: 'Nothing' }

export const everything: Restriction = { _tag: 'Sets', sets: new Map() }

/** One column has a value of a set. */
export const restricted = (key: string, set: ValueSet): Restriction =>
  Values.isEmpty(set) ? nothing : Values.isAny(set) ? everything : { _tag: 'Sets', sets: new Map([[key, set]]) }

export const and = (a: Restriction, b: Restriction): Restriction => {
  if (a._tag === 'Nothing' || b._tag === 'Nothing') return nothing
  const sets = new Map(a.sets)
  for (const [key, set] of b.sets) {
    const both = Values.intersection(sets.get(key) ?? Values.any, set)
    if (Values.isEmpty(both)) return nothing
    sets.set(key, both)
  }
  return { _tag: 'Sets', sets }
}

export const or = (a: Restriction, b: Restriction): Restriction => {
  if (a._tag === 'Nothing') return b
  if (b._tag === 'Nothing') return a
  const sets = new Map<string, ValueSet>()
  for (const [key, set] of a.sets) {
    const either = Values.union(set, b.sets.get(key) ?? Values.any)
    if (!Values.isAny(either)) sets.set(key, either)
  }
  return { _tag: 'Sets', sets }
}

/** The same of rows that an outer join may have filled with NULL. */
export const orNull = (self: Restriction): Restriction =>
  self._tag === 'Nothing'
    ? everything
    : {
        _tag: 'Sets',
        sets: new Map([...self.sets].map(([key, set]) => [key, Values.union(set, Values.oneOf([null]))])),
      }

/** What it says of the columns of one source. */
export const only = (self: Restriction, source: string): Restriction =>
  self._tag === 'Nothing'
    ? nothing
    : { _tag: 'Sets', sets: new Map([...self.sets].filter(([key]) => key.startsWith(columnKey(source, '')))) }
