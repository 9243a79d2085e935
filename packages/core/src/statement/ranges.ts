/**
 * Sets of ordered values: intervals of numbers, bigints and instants, which are ordered by their milliseconds. They are a
 * Boolean algebra under intersection, union and complement, as `ValueSet` is for single values.
 *
 * NULL and values without such an order are in none of them.
 *
 * @example
 * const early = below(10, false) // everything below 10
 * has(7)(union(early, points([20]))) // true
 */

/** A value that ranges order. */
export type Ordinal = number | bigint | Date

/** Where a set begins or ends: just before a value, or just after it. */
interface Cut {
  readonly at: number | bigint
  readonly isAfter: boolean
}

/**
 * Intervals in ascending order, apart from each other.
 *
 * @category model
 */
export interface Ranges {
  /** Does it hold the values below the first cut? */
  readonly isOpenBelow: boolean
  /** In ascending order: the set begins, or ends, at each of them. */
  readonly cuts: ReadonlyArray<Cut>
}

/** Is it a value that ranges order? @category guards */
export const isOrdinal = (value: unknown): value is Ordinal =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Date

/** NaN comes after every number, as on PostgreSQL; no other database keeps it. */
const numberOf = (value: Ordinal): number | bigint => {
  const number = value instanceof Date ? value.getTime() : value
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number
}

const before = (value: Ordinal): Cut => ({ at: numberOf(value), isAfter: false })

const after = (value: Ordinal): Cut => ({ at: numberOf(value), isAfter: true })

const compareCuts = (a: Cut, b: Cut): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : Number(a.isAfter) - Number(b.isAfter)

/** Every ordered value. @category constructors */
export const all: Ranges = { isOpenBelow: true, cuts: [] }

/** No value. @category constructors */
export const none: Ranges = { isOpenBelow: false, cuts: [] }

/** What is below a value, or the value too. @category constructors */
export const below = (value: Ordinal, isClosed: boolean): Ranges => ({
  isOpenBelow: true,
  cuts: [isClosed ? after(value) : before(value)],
})

/** What is above a value, or the value too. @category constructors */
export const above = (value: Ordinal, isClosed: boolean): Ranges => ({
  isOpenBelow: false,
  cuts: [isClosed ? before(value) : after(value)],
})

/** Single values. O(n log n). @category constructors */
export const points = (values: Iterable<Ordinal>): Ranges => {
  const cuts: Cut[] = []
  for (const at of [...values].map(numberOf).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    // 1 and 1n are the same
    const last = cuts.at(-1)
    if (last !== undefined && compareCuts(last, after(at)) === 0) continue
    cuts.push(before(at), after(at))
  }
  return { isOpenBelow: false, cuts }
}

/** The integers among them, with the cuts moved to integers: `> 9` is `>= 10`. @category combinators */
export const integers = ({ cuts, isOpenBelow }: Ranges): Ranges => {
  const moved: Cut[] = []
  for (const { at, isAfter } of cuts) {
    const isWhole = typeof at === 'bigint' || Number.isInteger(at)
    const cut =
      !isWhole && Number.isFinite(at)
        ? before(Math.ceil(at as number))
        : isWhole && isAfter
          ? before(typeof at === 'bigint' ? at + 1n : BigInt(at) + 1n)
          : { at, isAfter }
    // two cuts at one place undo each other
    if (moved.length > 0 && compareCuts(moved.at(-1) as Cut, cut) === 0) moved.pop()
    else moved.push(cut)
  }
  return { isOpenBelow, cuts: moved }
}

/** @category guards */
export const has =
  (value: unknown) =>
  ({ cuts, isOpenBelow }: Ranges): boolean => {
    if (!isOrdinal(value)) return false
    // between the cuts before and after the value
    const at = after(value)
    let low = 0
    let high = cuts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareCuts(cuts[middle] as Cut, at) < 0) low = middle + 1
      else high = middle
    }
    return low % 2 === 0 ? isOpenBelow : !isOpenBelow
  }

/** @category guards */
export const isEmpty = ({ cuts, isOpenBelow }: Ranges): boolean => !isOpenBelow && cuts.length === 0

/** Whether it holds every ordered value. @category guards */
export const isAll = ({ cuts, isOpenBelow }: Ranges): boolean => isOpenBelow && cuts.length === 0

/** @category combinators */
export const complement = ({ cuts, isOpenBelow }: Ranges): Ranges => ({ isOpenBelow: !isOpenBelow, cuts })

/** O(n + m). @category combinators */
export const intersection = (a: Ranges, b: Ranges): Ranges => swept(a, b, (inA, inB) => inA && inB)

/** O(n + m). @category combinators */
export const union = (a: Ranges, b: Ranges): Ranges => swept(a, b, (inA, inB) => inA || inB)

const swept = (a: Ranges, b: Ranges, holds: (inA: boolean, inB: boolean) => boolean): Ranges => {
  let inA = a.isOpenBelow
  let inB = b.isOpenBelow
  const isOpenBelow = holds(inA, inB)
  let inside = isOpenBelow
  const cuts: Cut[] = []
  let i = 0
  let j = 0
  while (i < a.cuts.length || j < b.cuts.length) {
    const ours = a.cuts[i]
    const theirs = b.cuts[j]
    const order = ours === undefined ? 1 : theirs === undefined ? -1 : compareCuts(ours, theirs)
    const cut = (order <= 0 ? ours : theirs) as Cut
    if (order <= 0) {
      inA = !inA
      i++
    }
    if (order >= 0) {
      inB = !inB
      j++
    }
    if (holds(inA, inB) !== inside) {
      inside = !inside
      cuts.push(cut)
    }
  }
  return { isOpenBelow, cuts }
}

/**
 * The integers in it, where there are no more than `most` of them; null where there are.
 *
 * @category interpreters
 */
export const listed = (self: Ranges, most: number): ReadonlyArray<bigint> | null => {
  const { cuts, isOpenBelow } = integers(self)
  if (isOpenBelow || cuts.length % 2 === 1) return null
  const found: bigint[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const [from, to] = [(cuts[i] as Cut).at, (cuts[i + 1] as Cut).at]
    if (!isBounded(from) || !isBounded(to) || BigInt(to) - BigInt(from) > BigInt(most - found.length)) return null
    for (let at = BigInt(from); at < BigInt(to); at++) found.push(at)
  }
  return found
}

const isBounded = (at: number | bigint): boolean => typeof at === 'bigint' || Number.isFinite(at)

/** Whether two sets have a value in common. @category guards */
export const overlap = (a: Ranges, b: Ranges): boolean => !isEmpty(intersection(a, b))
