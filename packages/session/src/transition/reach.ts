/**
 * What an instance reaches by its relationships, as far as the state knows.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { isExpired, type SessionState } from '../state/session-state.js'

/**
 * The instances that an instance refers to over the relationships that `follows` lets through, as far as they are
 * loaded, in order.
 *
 * @category combinators
 */
export const reachedBy = (
  state: SessionState,
  instance: Instance.Instance,
  follows: (relationship: RelationshipMapping) => boolean,
): ReadonlyArray<InstanceId> => {
  const reached: InstanceId[] = []
  if (isExpired(state, instance)) return reached
  for (const relationship of instance.mapping.relationships) {
    if (!follows(relationship)) continue
    const related = Instance.relatedOf(instance, relationship)
    if (related === undefined) continue
    for (const id of Instance.membersOf(related) ?? []) reached.push(id)
  }
  return reached
}

/**
 * What an instance has given up over save-update relationships, and no flush has written: its own row has to lose the
 * foreign key, so it belongs where the instance does.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/cascades.html#save-update
 * @category combinators
 */
export const givenUpBy = (instance: Instance.Instance): ReadonlyArray<InstanceId> =>
  instance.mapping.relationships.flatMap((relationship) => {
    const related = Instance.relatedOf(instance, relationship)
    const isTheirs = relationship.kind !== 'BelongsTo' && relationship.cascade.has('save-update')
    return related === undefined || !isTheirs ? [] : Instance.removedFrom(related)
  })
