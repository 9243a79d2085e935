/**
 * Marking instances for deletion.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import type { InvalidState } from '../error.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { invalidState } from './expunge.js'
import { reachedBy } from './reach.js'
import { targetOf } from './target.js'

/**
 * What has to be loaded before an instance can be marked for deletion: its own row where whom it refers to goes along and
 * is not known, and the relationships whose members go with it. (What only loses its foreign key the flush finds.)
 *
 * @category model
 */
export interface LoadNeeded {
  readonly instance: Instance.Instance
  /** Null for the instance's own row. */
  readonly relationship: RelationshipMapping | null
}

/**
 * What `mark` would need to know that the state does not, for an instance and all that its delete cascade reaches.
 * Empty once everything is loaded.
 *
 * @category combinators
 */
export const loadsForRemoval = (state: SessionState, root: InstanceId): ReadonlyArray<LoadNeeded> => {
  const needed: LoadNeeded[] = []
  for (const id of reachedByDelete(state, root)) {
    const instance = instanceAt(state, id)
    if (instance.status !== 'persistent') continue
    if (lacks(state, instance)) {
      needed.push({ instance, relationship: null })
      continue
    }
    for (const relationship of instance.mapping.relationships) {
      const { cascade, passiveDeletes, viewonly } = relationship
      if (viewonly || passiveDeletes !== false || !cascade.has('delete')) continue
      if (!isKnown(state, instance, relationship)) needed.push({ instance, relationship })
    }
  }
  return needed
}

/** Is it not known whom the row takes along? */
const lacks = (state: SessionState, instance: Instance.Instance): boolean =>
  instance.mapping.relationships.some(
    ({ cascade, foreignKey, kind }) =>
      kind === 'BelongsTo' &&
      cascade.has('delete') &&
      (isExpired(state, instance) ||
        foreignKey.some((attribute) => Instance.valueAt(instance, attribute) === undefined)),
  )

const isKnown = (state: SessionState, instance: Instance.Instance, relationship: RelationshipMapping): boolean => {
  if (relationship.kind === 'BelongsTo') {
    return targetOf(state, edit(state), instance, relationship) !== undefined
  }
  const related = isExpired(state, instance) ? undefined : Instance.relatedOf(instance, relationship)
  return Instance.isWhole(related)
}

const reachedByDelete = (state: SessionState, root: InstanceId): ReadonlySet<InstanceId> => {
  const reached = new Set<InstanceId>()
  const stack: InstanceId[] = [root]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (reached.has(id)) continue
    reached.add(id)
    const next = goingAlong(state, instanceAt(state, id))
    for (let i = next.length - 1; i >= 0; i--) stack.push(next[i] as InstanceId)
  }
  return reached
}

/** What goes with an instance: also a reference that only its foreign key tells. */
const goingAlong = (state: SessionState, instance: Instance.Instance): ReadonlyArray<InstanceId> =>
  instance.mapping.relationships.flatMap((relationship) => {
    if (!relationship.cascade.has('delete')) return []
    if (relationship.kind !== 'BelongsTo') return reachedBy(state, instance, (other) => other === relationship)
    const target = targetOf(state, edit(state), instance, relationship)
    return target === null || target === undefined ? [] : [target]
  })

/**
 * Marks an instance, and all that its delete cascade reaches, for deletion by the next flush. What is pending stays so:
 * its insert fails if it still refers to what goes. What a flush has deleted already is deleted once more, which comes to a notice.
 *
 * @category transitions
 */
export const mark = (state: SessionState, root: InstanceId): InvalidState | SessionState => {
  const instance = instanceAt(state, root)
  if (!Instance.hasIdentity(instance)) return invalidState(instance, 'remove')
  const changes = edit(state)
  for (const id of reachedByDelete(state, root)) {
    const reached = instanceAt(state, id)
    if (!Instance.hasIdentity(reached)) continue
    changes.deleted.add(id)
    // what it held before it expired says nothing of the rows that the flush will find
    if (reached.related !== null && isExpired(state, reached)) changes.instances.set(id, { ...reached, related: null })
  }
  return done(state, changes)
}
