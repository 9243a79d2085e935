/**
 * The members of a collection: instance ids in order, immutable. A list may hold one member twice.
 *
 * Nearly all collections are short, and for them a plain array is the smallest and fastest thing there is. A long one
 * is kept as two tries - member by place, places by member - so that adding to it or taking from it does not copy it.
 */
import type { InstanceId } from '@unitary/core'
import * as IntMap from './int-map.js'

interface Long {
  readonly _tag: 'Long'
  readonly members: IntMap.IntMap<InstanceId>
  /** The place of a member, or its places in order. */
  readonly places: IntMap.IntMap<number | ReadonlyArray<number>>
  readonly next: number
}

/** @category model */
export type Collection = ReadonlyArray<InstanceId> | Long

const longFrom = 64

/** @category constructors */
export const empty: Collection = Object.freeze([])

/**
 * A collection of ids.
 *
 * @category constructors
 */
export const from = (ids: ReadonlyArray<InstanceId>): Collection => (ids.length < longFrom ? ids : lengthen(ids))

const lengthen = (ids: ReadonlyArray<InstanceId>): Long => {
  const members = IntMap.edit<InstanceId>(IntMap.empty)
  const places = IntMap.edit<number | ReadonlyArray<number>>(IntMap.empty)
  for (let place = 0; place < ids.length; place++) {
    const id = ids[place] as InstanceId
    members.set(place, id)
    places.set(id, withPlace(places.get(id), place))
  }
  return { _tag: 'Long', members: members.done(), places: places.done(), next: ids.length }
}

const withPlace = (
  known: number | ReadonlyArray<number> | undefined,
  place: number,
): number | ReadonlyArray<number> => {
  if (known === undefined) return place
  return typeof known === 'number' ? [known, place] : [...known, place]
}

const isShort = (self: Collection): self is ReadonlyArray<InstanceId> => Array.isArray(self)

/** @category combinators */
export const size = (self: Collection): number => (isShort(self) ? self.length : self.members.size)

/** @category guards */
export const has = (self: Collection, id: InstanceId): boolean =>
  isShort(self) ? self.includes(id) : IntMap.has(self.places, id)

/** The ids in order. @category combinators */
export const toArray = (self: Collection): ReadonlyArray<InstanceId> =>
  isShort(self) ? self : IntMap.values(self.members)

/**
 * With the id at the end, once more where it is there already.
 *
 * @category combinators
 */
export const append = (self: Collection, id: InstanceId): Collection =>
  isShort(self)
    ? from([...self, id])
    : {
        _tag: 'Long',
        members: IntMap.set(self.members, self.next, id),
        places: IntMap.set(self.places, id, withPlace(IntMap.get(self.places, id), self.next)),
        next: self.next + 1,
      }

/**
 * Without the id where it stands first; the same collection where it does not have it.
 *
 * @category combinators
 */
export const remove = (self: Collection, id: InstanceId): Collection => {
  if (isShort(self)) {
    const at = self.indexOf(id)
    return at < 0 ? self : [...self.slice(0, at), ...self.slice(at + 1)]
  }
  const known = IntMap.get(self.places, id)
  if (known === undefined) return self
  const [first, ...others] = typeof known === 'number' ? [known] : known
  const [last] = others
  return {
    _tag: 'Long',
    members: IntMap.remove(self.members, first as number),
    places:
      last === undefined
        ? IntMap.remove(self.places, id)
        : IntMap.set(self.places, id, others.length === 1 ? last : others),
    next: self.next,
  }
}
