/**
 * Instances whose collections and has-ones may have something to say in a flush that the rows on the other side do not tell.
 */
import type { Mapping, RelationshipMapping } from '@unitary/core'
import type { Instance } from '../state/instance.js'
import * as IntSet from '../state/int-set.js'
import { type InstanceSet, instanceAt, type SessionState } from '../state/session-state.js'

/** Instances whose collections may have changed: pending ones, then those that have rows. @category model */
export type Owners = ReadonlyArray<Instance>

const nobody: Owners = []

/** Instances of a set, in the order of their ids. @category combinators */
export const instancesIn = (state: SessionState, ids: InstanceSet): Instance[] => {
  // of its final size from the start: a flush may be about very many
  const instances = new Array<Instance>(ids.size)
  let at = 0
  IntSet.forEach(ids, (id) => {
    instances[at++] = instanceAt(state, id)
  })
  return instances
}

/** Is it over a foreign key that the other side holds, and written? @category guards */
export const isHeldByTarget = ({ kind, viewonly }: RelationshipMapping): boolean =>
  (kind === 'HasMany' || kind === 'HasOne') && !viewonly

/** The owners of a state. O(changes), and none where no entity of the model can have any. @category combinators */
export const ownersOf = (state: SessionState): Owners =>
  ownersAmong(state, instancesIn(state, state.added), instancesIn(state, state.changed))

/**
 * The owners among instances that are pending and that have changed, for those who have these at hand.
 *
 * @category combinators
 */
export const ownersAmong = (
  { model }: SessionState,
  added: ReadonlyArray<Instance>,
  changed: ReadonlyArray<Instance>,
): Owners => {
  if (!model.mappings.some(mayOwn)) return nobody
  const owners: Instance[] = []
  for (const instances of [added, changed]) {
    for (const instance of instances) if (instance.related !== null) owners.push(instance)
  }
  return owners
}

/** Can the entity's relationships say anything that its own rows do not? */
const mayOwn = (mapping: Mapping): boolean =>
  mapping.relationships.some(({ cascade, kind }) => kind !== 'BelongsTo' || cascade.has('delete-orphan'))
