/**
 * What a column can hold: a set of single values and, of what has an order, a set of ranges. A value is possible where
 * both have it; each alone is sound.
 */
import type { Ranges } from './ranges.js'
import * as Range from './ranges.js'
import type { ValueSet } from './value-set.js'
import * as Values from './value-set.js'

export interface Domain {
  readonly values: ValueSet
  /** Of values that are not NULL; all of them where the column has no order. */
  readonly ranges: Ranges
}

/** Every value. */
export const any: Domain = { values: Values.any, ranges: Range.all }

/** No value. */
export const none: Domain = { values: Values.none, ranges: Range.none }

/** Single values, of a column without an order. */
export const values = (set: ValueSet): Domain => ({ values: set, ranges: Range.all })

/** Single values, of a column with an order. */
export const ordered = (set: ValueSet): Domain => {
  const members = [...set.members.values()].filter((value) => value !== null)
  const ordinals = members.filter(Range.isOrdinal)
  if (set._tag === 'NoneOf') return { values: set, ranges: Range.complement(Range.points(ordinals)) }
  return { values: set, ranges: ordinals.length === members.length ? Range.points(ordinals) : Range.all }
}

/** What lies in a range. */
export const within = (ranges: Ranges): Domain => ({ values: Values.notNull, ranges })

export const intersection = (a: Domain, b: Domain): Domain => ({
  values: Values.intersection(a.values, b.values),
  ranges: Range.intersection(a.ranges, b.ranges),
})

export const union = (a: Domain, b: Domain): Domain => ({
  values: Values.union(a.values, b.values),
  ranges: Range.union(a.ranges, b.ranges),
})

export const isAny = (self: Domain): boolean => Values.isAny(self.values) && Range.isAll(self.ranges)

export const isEmpty = (self: Domain): boolean => Values.isEmpty(valuesOf(self)) || isOutOfRange(self)

const isOutOfRange = ({ ranges, values: set }: Domain): boolean => Range.isEmpty(ranges) && !Values.has(null)(set)

/** The single values, without those that no range has. */
export const valuesOf = ({ ranges, values: set }: Domain): ValueSet => {
  if (set._tag === 'NoneOf' || Range.isAll(ranges)) return set
  const members = [...set.members.values()]
  const possible = members.filter((value) => !Range.isOrdinal(value) || Range.has(value)(ranges))
  return possible.length === members.length ? set : Values.oneOf(possible)
}
