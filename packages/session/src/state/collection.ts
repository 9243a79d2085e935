/**
 * The members of a has-many relationship: instance ids in order, each at most once, immutable.
 *
 * Nearly all collections are short, and for them a plain array is the smallest and fastest thing there is. A long one
 * is kept as two tries - member by place, place by member - so that adding to it or taking from it does not copy it.
 */
import type { InstanceId } from '@unitary/core'
import * as IntMap from './int-map.js'

interface Long {
  readonly _tag: 'Long'
  readonly members: IntMap.IntMap<InstanceId>
  readonly places: IntMap.IntMap<number>
  readonly next: number
}

/** @category model */
export type Collection = ReadonlyArray<InstanceId> | Long

const longFrom = 64

/** @category constructors */
export const empty: Collection = Object.freeze([])

/**
 * A collection of distinct ids.
 *
 * @category constructors
 */
export const from = (ids: ReadonlyArray<InstanceId>): Collection => (ids.length < longFrom ? ids : lengthen(ids))

const lengthen = (ids: ReadonlyArray<InstanceId>): Long => {
  const members = IntMap.edit<InstanceId>(IntMap.empty)
  const places = IntMap.edit<number>(IntMap.empty)
  for (let place = 0; place < ids.length; place++) {
    const id = ids[place] as InstanceId
    members.set(place, id)
    places.set(id, place)
  }
  return { _tag: 'Long', members: members.done(), places: places.done(), next: ids.length }
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
 * With the id at the end; the same collection where it has it already.
 *
 * @category combinators
 */
export const append = (self: Collection, id: InstanceId): Collection => {
  if (has(self, id)) return self
  if (isShort(self)) return from([...self, id])
  return {
    _tag: 'Long',
    members: IntMap.set(self.members, self.next, id),
    places: IntMap.set(self.places, id, self.next),
    next: self.next + 1,
  }
}

/**
 * Without the id; the same collection where it does not have it.
 *
 * @category combinators
 */
export const remove = (self: Collection, id: InstanceId): Collection => {
  if (isShort(self)) return self.includes(id) ? self.filter((member) => member !== id) : self
  const place = IntMap.get(self.places, id)
  return place === undefined
    ? self
    : {
        _tag: 'Long',
        members: IntMap.remove(self.members, place),
        places: IntMap.remove(self.places, id),
        next: self.next,
      }
}
