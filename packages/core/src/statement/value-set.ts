/**
 * Sets of values: those given, or all but those given. They are a Boolean algebra under intersection, union and
 * complement.
 *
 * NULL is a value like any other here (`null`); that comparisons with NULL are never true is the business of whoever
 * makes a set from a comparison.
 *
 * @example
 * const north = oneOf(['europe', 'asia'])
 * has('asia')(intersection(north, noneOf(['asia']))) // false
 */
import { none as absent, type Option, some } from 'fp-ts/lib/Option.js'

/** The values given, in the order in which they were first named. @category model */
export interface OneOf {
  readonly _tag: 'OneOf'
  readonly members: Members
}

/** Every value but those given. @category model */
export interface NoneOf {
  readonly _tag: 'NoneOf'
  readonly members: Members
}

/** @category model */
export type ValueSet = OneOf | NoneOf

/** Values by what makes them equal (see `keyOf`). */
type Members = ReadonlyMap<unknown, unknown>

/**
 * What two values have in common when a database takes them for the same: numbers and bigints by their number, dates by
 * their instant, bytes by their content. Anything else that is an object is the same as itself only.
 */
const keyOf = (value: unknown): unknown => {
  switch (typeof value) {
    case 'number':
      // a number so large that it is written with an exponent is the same as the bigint that is not
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? `n${BigInt(value)}` : `n${value}`
    case 'bigint':
      return `n${value}`
    case 'string':
      return `s${value}`
    default:
      if (value instanceof Date) return `d${value.getTime()}`
      return value instanceof Uint8Array ? `b${value.join()}` : value
  }
}

/**
 * Whether equality of such values is known: a primitive, a date, bytes.
 *
 * @category guards
 */
export const isComparable = (value: unknown): boolean => {
  const key = keyOf(value)
  return key === null || (typeof key !== 'object' && typeof key !== 'function' && key !== undefined)
}

const membersOf = (values: Iterable<unknown>): Members => {
  const members = new Map<unknown, unknown>()
  for (const value of values) {
    const key = keyOf(value)
    if (!members.has(key)) members.set(key, value)
  }
  return members
}

/** @category constructors */
export const oneOf = (values: Iterable<unknown>): ValueSet => ({ _tag: 'OneOf', members: membersOf(values) })

/** @category constructors */
export const noneOf = (values: Iterable<unknown>): ValueSet => ({ _tag: 'NoneOf', members: membersOf(values) })

/** Every value. @category constructors */
export const any: ValueSet = noneOf([])

/** No value. @category constructors */
export const none: ValueSet = oneOf([])

/** Every value but NULL. @category constructors */
export const notNull: ValueSet = noneOf([null])

/** @category guards */
export const has =
  (value: unknown) =>
  (self: ValueSet): boolean =>
    self.members.has(keyOf(value)) === (self._tag === 'OneOf')

/** @category guards */
export const isEmpty = (self: ValueSet): boolean => self._tag === 'OneOf' && self.members.size === 0

/** Whether it holds every value. @category guards */
export const isAny = (self: ValueSet): boolean => self._tag === 'NoneOf' && self.members.size === 0

/**
 * The values, where they can be listed: what a router looks up one by one.
 *
 * @category interpreters
 */
export const values = (self: ValueSet): Option<ReadonlyArray<unknown>> =>
  self._tag === 'OneOf' ? some([...self.members.values()]) : absent

/** @category combinators */
export const complement = (self: ValueSet): ValueSet => ({
  _tag: self._tag === 'OneOf' ? 'NoneOf' : 'OneOf',
  members: self.members,
})

/** @category combinators */
export const intersection = (a: ValueSet, b: ValueSet): ValueSet => {
  if (a._tag === 'NoneOf' && b._tag === 'NoneOf') {
    return { _tag: 'NoneOf', members: new Map([...a.members, ...b.members]) }
  }
  const [listed, other] = a._tag === 'OneOf' ? [a, b] : [b, a]
  return { _tag: 'OneOf', members: new Map([...listed.members].filter(([, value]) => has(value)(other))) }
}

/** @category combinators */
export const union = (a: ValueSet, b: ValueSet): ValueSet => complement(intersection(complement(a), complement(b)))

/** Whether two sets hold the same values. @category instances */
export const equals = (a: ValueSet, b: ValueSet): boolean =>
  a._tag === b._tag && a.members.size === b.members.size && [...a.members.keys()].every((key) => b.members.has(key))

/** Whether every value of `a` is in `b`. @category guards */
export const isSubset = (a: ValueSet, b: ValueSet): boolean => isEmpty(intersection(a, complement(b)))
