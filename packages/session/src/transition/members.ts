/**
 * What the kind of a collection says of its members: how often it holds one, what it keeps it by, and what follows when one
 * comes or goes.
 */
import { type CollectionKey, type InstanceId, type RelationshipMapping, Snapshot } from '@unitary/core'
import * as Collection from '../state/collection.js'
import type { Instance } from '../state/instance.js'

type Members = Collection.Collection

/** The instance of an id, as it stands. */
export type Instances = (id: InstanceId) => Instance

/**
 * A collection after a change, and those that it has no place for any more: members still, and to be detached. One that has no
 * place for who would join it is as it was.
 */
export interface Arranged {
  readonly members: Members
  readonly displaced: ReadonlyArray<InstanceId>
}

const nobody: ReadonlyArray<InstanceId> = Object.freeze([])

/**
 * What a member is kept by now; undefined where that is not known, and where nothing keeps it.
 *
 * @category combinators
 */
export const keyOf = ({ collection }: RelationshipMapping, member: Instance): CollectionKey | undefined =>
  collection.key?.(member.snapshot as never)

/**
 * The collection of some members, each under the key that it has now; where that is not known, under the one that it has in
 * `before`.
 *
 * @category constructors
 */
export const collected = (
  relationship: RelationshipMapping,
  ids: ReadonlyArray<InstanceId>,
  instances: Instances,
  before: Members = Collection.empty,
): Members =>
  relationship.collection.key === null
    ? Collection.from(ids)
    : Collection.keyed(ids, (id) => keyOf(relationship, instances(id)) ?? Collection.keyOf(before, id))

/**
 * Those of some members that a collection can hold: each once in what holds a member once, and of those with one key the last,
 * where the first was. The same array where there is room for all.
 *
 * @category combinators
 */
export const fitting = (
  relationship: RelationshipMapping,
  ids: ReadonlyArray<InstanceId>,
  instances: Instances,
): ReadonlyArray<InstanceId> => {
  const { isUnique, key } = relationship.collection
  if (!isUnique) return ids
  const once = new Set(ids)
  if (key === null) return once.size === ids.length ? ids : [...once]
  const byKey = new Map<unknown, InstanceId>()
  // what is not known keeps nobody out
  for (const id of once) byKey.set(keyOf(relationship, instances(id)) ?? { id }, id)
  return byKey.size === ids.length ? ids : [...byKey.values()]
}

/**
 * A collection that a member joins.
 *
 * @category combinators
 */
export const joining = (
  relationship: RelationshipMapping,
  members: Members,
  member: InstanceId,
  instances: Instances,
): Arranged => {
  const { add, isUnique } = relationship.collection
  const isThere = isUnique && Collection.has(members, member)
  const key = keyOf(relationship, instances(member))
  if (isThere && Collection.keyOf(members, member) === key) return { members, displaced: nobody }
  const before = isThere ? Collection.remove(members, member) : members
  const other = key === undefined ? undefined : Collection.at(before, key)
  if (add !== null) {
    const rest = other === undefined ? before : Collection.remove(before, other)
    const next = arranged(relationship, rest, member, key, instances, add)
    if (next.displaced.includes(member)) return { members, displaced: nobody }
    return other === undefined ? next : withDisplaced(next, other)
  }
  return other === undefined
    ? { members: Collection.append(before, member, key), displaced: nobody }
    : { members: Collection.displace(before, other, member), displaced: [other] }
}

/**
 * A collection that a member has left, once.
 *
 * @category combinators
 */
export const leaving = (
  relationship: RelationshipMapping,
  members: Members,
  member: InstanceId,
  instances: Instances,
): Arranged => {
  const { remove } = relationship.collection
  const rest = Collection.remove(members, member)
  if (remove === null || !Collection.has(members, member)) return { members: rest, displaced: nobody }
  const shown = shownOf(relationship, members, instances)
  const after = namedBy(relationship.collection.to(remove(instances(member).snapshot)(shown)))
  return ordered(rest, after)
}

const arranged = (
  relationship: RelationshipMapping,
  members: Members,
  member: InstanceId,
  key: CollectionKey | undefined,
  instances: Instances,
  add: NonNullable<RelationshipMapping['collection']['add']>,
): Arranged => {
  const shown = shownOf(relationship, members, instances)
  const after = namedBy(relationship.collection.to(add(instances(member).snapshot)(shown)))
  return ordered(Collection.append(members, member, key), after)
}

const shownOf = ({ collection }: RelationshipMapping, members: Members, instances: Instances): unknown => {
  const ids = Collection.toArray(members)
  return collection.from(
    ids.map((id) => instances(id).snapshot),
    ids.map((id) => Collection.keyOf(members, id) as CollectionKey),
  )
}

/** The instances of what a program's own collection holds. */
const namedBy = (members: ReadonlyArray<unknown>): ReadonlyArray<InstanceId> =>
  members.flatMap((one) => Snapshot.instanceOf(one) ?? [])

/** The members in the order that a program's own collection has them in; those that it does not have stand behind. */
const ordered = (members: Members, wanted: ReadonlyArray<InstanceId>): Arranged => {
  const kept = new Set(wanted)
  const ids = Collection.toArray(members)
  const displaced = ids.filter((id) => !kept.has(id))
  const order = [...wanted.filter((id) => Collection.has(members, id)), ...displaced]
  return {
    members: order.every((id, i) => id === ids[i]) ? members : Collection.inOrder(members, order),
    displaced,
  }
}

const withDisplaced = ({ members, displaced }: Arranged, other: InstanceId): Arranged => ({
  members: Collection.append(members, other),
  displaced: [...displaced, other],
})
