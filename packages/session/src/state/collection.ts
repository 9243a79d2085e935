/**
 * The members of a collection: instance ids in order, immutable. A list may hold one member twice.
 *
 * Nearly all collections are short, and for them a plain array is the smallest and fastest thing there is. A long one
 * is kept as two tries - member by place, places by member - so that adding to it or taking from it does not copy it. One
 * that is kept by key has two more: key by member, member by key.
 */
import type { CollectionKey, InstanceId } from '@unitary/core'
import * as HashMap from './hash-map.js'
import * as IntMap from './int-map.js'

interface Long {
  readonly _tag: 'Long'
  readonly members: IntMap.IntMap<InstanceId>
  /** The place of a member, or its places in order. */
  readonly places: IntMap.IntMap<number | ReadonlyArray<number>>
  readonly next: number
}

/** Members that are kept by key: each stands under the key that it had when it came. */
interface Keyed {
  readonly _tag: 'Keyed'
  readonly list: List
  readonly keys: IntMap.IntMap<Key>
  /** Of members that stand under one key the last. Those whose key is not known are not among them. */
  readonly byKey: HashMap.HashMap<InstanceId>
}

/** What is undefined is not known. */
interface Key {
  readonly value: CollectionKey | undefined
}

type List = ReadonlyArray<InstanceId> | Long

/** @category model */
export type Collection = List | Keyed

const longFrom = 64

/** @category constructors */
export const empty: Collection = Object.freeze([])

/**
 * A collection of ids.
 *
 * @category constructors
 */
export const from = (ids: ReadonlyArray<InstanceId>): List => (ids.length < longFrom ? ids : lengthen(ids))

/**
 * A collection of ids that is kept by key.
 *
 * @category constructors
 */
export const keyed = (
  ids: ReadonlyArray<InstanceId>,
  keyOf: (id: InstanceId) => CollectionKey | undefined,
): Collection => {
  const keys = IntMap.edit<Key>(IntMap.empty)
  const byKey = HashMap.edit<InstanceId>(HashMap.empty)
  for (const id of ids) {
    const value = keyOf(id)
    keys.set(id, { value })
    if (value !== undefined) byKey.set(textOf(value), id)
  }
  return { _tag: 'Keyed', list: from(ids), keys: keys.done(), byKey: byKey.done() }
}

/**
 * The same members under other ids.
 *
 * @category combinators
 */
export const map = (self: Collection, f: (id: InstanceId) => InstanceId): Collection => {
  const ids = toArray(self)
  if (!isKeyed(self)) return from(ids.map(f))
  const keys = new Map(ids.map((id) => [f(id), keyOf(self, id)]))
  return keyed([...keys.keys()], (id) => keys.get(id))
}

/**
 * The same members in another order.
 *
 * @category combinators
 */
export const inOrder = (self: Collection, ids: ReadonlyArray<InstanceId>): Collection =>
  isKeyed(self) ? { ...self, list: from(ids) } : from(ids)

const withKey = (
  byKey: HashMap.HashMap<InstanceId>,
  key: CollectionKey | undefined,
  id: InstanceId,
): HashMap.HashMap<InstanceId> => {
  if (key === undefined) return byKey
  const changes = HashMap.edit(byKey)
  changes.set(textOf(key), id)
  return changes.done()
}

/** Keys of one attribute are equal where their texts are. */
const textOf = (key: CollectionKey): string => `${typeof key} ${String(key)}`

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

const isKeyed = (self: Collection): self is Keyed => !isShort(self) && self._tag === 'Keyed'

/** @category combinators */
export const size = (self: Collection): number => {
  if (isShort(self)) return self.length
  return self._tag === 'Keyed' ? size(self.list) : self.members.size
}

/** @category guards */
export const has = (self: Collection, id: InstanceId): boolean => {
  if (isShort(self)) return self.includes(id)
  return self._tag === 'Keyed' ? IntMap.has(self.keys, id) : IntMap.has(self.places, id)
}

/** The ids in order. @category combinators */
export const toArray = (self: Collection): ReadonlyArray<InstanceId> => {
  if (isShort(self)) return self
  return self._tag === 'Keyed' ? toArray(self.list) : IntMap.values(self.members)
}

/**
 * The key that a member stands under; undefined where it has none, or none is known.
 *
 * @category combinators
 */
export const keyOf = (self: Collection, id: InstanceId): CollectionKey | undefined =>
  isKeyed(self) ? IntMap.get(self.keys, id)?.value : undefined

/** The member that stands under a key. @category combinators */
export const at = (self: Collection, key: CollectionKey): InstanceId | undefined =>
  isKeyed(self) ? HashMap.get(self.byKey, textOf(key)) : undefined

/**
 * With the id at the end, once more where it is there already.
 *
 * @category combinators
 */
export const append = (self: Collection, id: InstanceId, key?: CollectionKey): Collection =>
  isKeyed(self)
    ? {
        _tag: 'Keyed',
        list: appendTo(self.list, id),
        keys: IntMap.set(self.keys, id, { value: key }),
        byKey: withKey(self.byKey, key, id),
      }
    : appendTo(self, id)

const appendTo = (self: List, id: InstanceId): List =>
  isShort(self)
    ? from([...self, id])
    : {
        _tag: 'Long',
        members: IntMap.set(self.members, self.next, id),
        places: IntMap.set(self.places, id, withPlace(IntMap.get(self.places, id), self.next)),
        next: self.next + 1,
      }

/**
 * With a new id in the place of another, under its key; the other stands at the end, and under none that can be looked up.
 *
 * @category combinators
 */
export const displace = (self: Collection, other: InstanceId, id: InstanceId): Collection => {
  if (!isKeyed(self)) return self
  const key = IntMap.get(self.keys, other) ?? { value: undefined }
  return {
    _tag: 'Keyed',
    list: appendTo(inPlaceOf(self.list, other, id), other),
    keys: IntMap.set(self.keys, id, key),
    byKey: withKey(self.byKey, key.value, id),
  }
}

const inPlaceOf = (self: List, other: InstanceId, id: InstanceId): List => {
  if (isShort(self)) return self.map((one) => (one === other ? id : one))
  const place = IntMap.get(self.places, other) as number
  return {
    ...self,
    members: IntMap.set(self.members, place, id),
    places: IntMap.set(IntMap.remove(self.places, other), id, place),
  }
}

/**
 * Without the id where it stands first; the same collection where it does not have it.
 *
 * @category combinators
 */
export const remove = (self: Collection, id: InstanceId): Collection => {
  if (!isKeyed(self)) return removeFrom(self, id)
  const key = IntMap.get(self.keys, id)
  if (key === undefined) return self
  return {
    _tag: 'Keyed',
    list: removeFrom(self.list, id),
    keys: IntMap.remove(self.keys, id),
    byKey: withoutKey(self.byKey, key.value, id),
  }
}

/** Another may have taken its key. */
const withoutKey = (byKey: Keyed['byKey'], key: CollectionKey | undefined, id: InstanceId): Keyed['byKey'] => {
  if (key === undefined) return byKey
  const text = textOf(key)
  if (HashMap.get(byKey, text) !== id) return byKey
  const changes = HashMap.edit(byKey)
  changes.delete(text)
  return changes.done()
}

const removeFrom = (self: List, id: InstanceId): List => {
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
