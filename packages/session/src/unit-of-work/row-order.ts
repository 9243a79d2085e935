/**
 * The order of rows of entities that refer to each other, or to themselves.
 */
import type { InstanceId } from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CircularDependency } from '../error.js'
import * as Instance from '../state/instance.js'
import { edit, instanceAt } from '../state/session-state.js'
import { referencesOf } from './cells.js'
import { isPostUpdate } from './dependencies.js'
import { committedTarget, type Planning } from './planning.js'
import { type Sorted, sortByLevels } from './topological-sort.js'

type Instance = Instance.Instance

/** Rows in levels, each after all that its rows need. @category model */
export type Levels = Either<CircularDependency, ReadonlyArray<ReadonlyArray<Instance>>>

/** Those that are referred to come first. @category combinators */
export const saveOrder = (planning: Planning, instances: ReadonlyArray<Instance>): Levels => {
  const recorded = sortByLevels(instances, (instance) => referredTo(planning, instance, () => true))
  // rows that change places have an order all the same: what is there already need not come first
  return levelsOf(
    recorded._tag === 'Levels'
      ? recorded
      : sortByLevels(instances, (instance) => referredTo(planning, instance, planning.changes.isInserted)),
  )
}

/** Those that are referred to go last. @category combinators */
export const deleteOrder = (planning: Planning, instances: ReadonlyArray<Instance>): Levels => {
  const referrers = deletedReferrers(planning, instances)
  return levelsOf(sortByLevels(instances, (instance) => referrers.get(instance) ?? []))
}

const levelsOf = (sorted: Sorted<Instance>): Levels =>
  sorted._tag === 'Levels' ? right(sorted.levels) : left({ _tag: 'CircularDependency', path: sorted.cycle.map(nameOf) })

const nameOf = (instance: Instance): string => `${instance.mapping.name} ${instance.key ?? `#${instance.id}`}`

const referredTo = (
  planning: Planning,
  instance: Instance,
  counts: (target: InstanceId) => boolean,
): ReadonlyArray<Instance> =>
  referencesOf(planning.changes, instance, false).flatMap(({ target }) =>
    target !== null && counts(target) && !hasKey(instanceAt(planning.state, target), instance)
      ? [instanceAt(planning.state, target)]
      : [],
  )

/** A row may refer to itself where its key is given: one INSERT then holds both. */
const hasKey = (target: Instance, from: Instance): boolean =>
  target === from && target.mapping.key.every((attribute) => Instance.valueAt(target, attribute) !== undefined)

const deletedReferrers = (
  planning: Planning,
  instances: ReadonlyArray<Instance>,
): ReadonlyMap<Instance, ReadonlyArray<Instance>> => {
  const referrers = new Map<Instance, Instance[]>()
  const refers = (instance: Instance, target: InstanceId | null | undefined): void => {
    if (target === null || target === undefined || target === instance.id || !planning.changes.isDeleted(target)) return
    const referred = instanceAt(planning.state, target)
    const list = referrers.get(referred)
    if (list === undefined) referrers.set(referred, [instance])
    else list.push(instance)
  }
  const identityMap = edit(planning.state)
  for (const instance of instances) {
    for (const relationship of instance.mapping.relationships) {
      if (relationship.through !== null || relationship.viewonly || isPostUpdate(relationship)) continue
      if (relationship.kind === 'BelongsTo') {
        refers(instance, committedTarget(planning, identityMap, instance, relationship))
        continue
      }
      // members know by themselves where they belong, but for those of a relationship without inverse
      const related = relationship.inverse === null ? Instance.relatedOf(instance, relationship) : undefined
      if (related === undefined) continue
      for (const id of [...(Instance.membersOf(related) ?? []), ...Instance.removedFrom(related)]) {
        if (planning.changes.isDeleted(id)) refers(instanceAt(planning.state, id), instance.id)
      }
    }
  }
  return referrers
}
