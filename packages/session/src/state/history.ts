/**
 * What has changed about an attribute or relationship since it was last in step with the database.
 */
import type { InstanceId, Snapshot } from '@unitary/core'
import * as Collection from './collection.js'
import * as Instance from './instance.js'
import { instanceAt, isExpired, type SessionState } from './session-state.js'

/**
 * Values that came, stayed and went. Of relationships: snapshots of the instances. What is not known is in none of them.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.attributes.History
 * @category model
 */
export interface History {
  readonly added: ReadonlyArray<unknown>
  readonly unchanged: ReadonlyArray<unknown>
  readonly deleted: ReadonlyArray<unknown>
}

const nothing: History = { added: [], unchanged: [], deleted: [] }

/**
 * The history of an attribute or relationship of an instance, as the state knows it.
 *
 * @category interpreters
 */
export const historyOf = (state: SessionState, instance: Instance.Instance, name: string): History => {
  if (isExpired(state, instance)) return nothing
  const attribute = instance.mapping.attributeOf.get(name)
  if (attribute !== undefined) {
    const value = Instance.valueAt(instance, attribute)
    if (value === undefined || Instance.isUnset(instance, name)) return nothing
    if (!Instance.hasIdentity(instance) && instance.key === null) return { ...nothing, added: [value] }
    const before = instance.committed?.[name]
    if (before === undefined) return { ...nothing, unchanged: [value] }
    return { added: [value], unchanged: [], deleted: before === Instance.unknown ? [] : [before] }
  }
  const relationship = instance.mapping.relationshipOf.get(name)
  const related = relationship === undefined ? undefined : Instance.relatedOf(instance, relationship)
  if (related === undefined) return nothing
  return related._tag === 'One' ? historyOfOne(state, related) : historyOfMany(state, related)
}

const shown = (state: SessionState, ids: ReadonlyArray<InstanceId>): ReadonlyArray<Snapshot> =>
  ids.map((id) => instanceAt(state, id).snapshot)

const historyOfOne = (state: SessionState, { target, changed, committed }: Instance.One): History => {
  const now = target === null ? [null] : shown(state, [target])
  if (!changed) return { ...nothing, unchanged: now }
  const before = committed === Instance.unknown || committed === null ? [] : shown(state, [committed])
  return { added: now, unchanged: [], deleted: before }
}

/** Of a collection that is not loaded no history can be told. */
const historyOfMany = (state: SessionState, { members, added, removed }: Instance.Many): History =>
  members === null
    ? nothing
    : {
        added: shown(state, Collection.toArray(added)),
        unchanged: shown(
          state,
          Collection.toArray(members).filter((id) => !Collection.has(added, id)),
        ),
        deleted: shown(state, Collection.toArray(removed)),
      }
