/**
 * The planner: from a state to the plan of its flush. Pure, deterministic, and without a connection.
 *
 * Entities that are referred to are written before those that refer to them, and deleted after. Where entities refer to
 * each other or to themselves, their instances are sorted instead. Within one entity updates stand before inserts, and
 * inserts in the order in which the instances became pending, which is what fixes their generated keys. Links go first, and
 * come when both ends are there; foreign keys of `postUpdate` relationships are written by updates of
 * their own. Where unique keys ask for another order, `unique-keys.ts` finds it in the end.
 *
 * O(changes + links between them).
 */
import type { Attribute, Mapping, Services } from '@unitary/core'
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js'
import type { BlanksPrimaryKey, CircularDependency, MissingKey, UniqueClash } from '../error.js'
import { hasWork, type SessionState } from '../state/session-state.js'
import { noServices } from '../transition/add.js'
import { changeSet } from './change-set.js'
import type { Carried } from './changed-keys.js'
import { deleteRows } from './deletes.js'
import { entityGroups } from './dependencies.js'
import { insertRows } from './inserts.js'
import { type LinkChanges, linkChanges, linkSteps, unlinkStep } from './links.js'
import { placed } from './places.js'
import { type Planning, planning } from './planning.js'
import { postUpdates } from './post-updates.js'
import { deleteOrder, saveOrder } from './row-order.js'
import { type CarriedKey, emptyPlan, type FlushPlan, type Step } from './step.js'
import { inUniqueOrder } from './unique-keys.js'
import { updateRows } from './updates.js'

/** Why no plan can be made. @category errors */
export type PlanError = CircularDependency | MissingKey | BlanksPrimaryKey | UniqueClash

/**
 * The plan of the next flush. Of a state without work it is empty, and costs nothing. `services` are what defaults on
 * insert and update ask.
 *
 * @category constructors
 */
export const plan = (given: SessionState, services: Services = noServices): Either<PlanError, FlushPlan> => {
  if (!hasWork(given)) return right(emptyPlan)
  const state = placed(given)
  const changes = changeSet(state)
  const made = planning(state, changes, services)
  const fault = addSteps(made)
  if (fault !== null) return left(fault)
  return map(
    (steps: ReadonlyArray<Step>): FlushPlan => ({
      _tag: 'FlushPlan',
      steps,
      notices: made.notices,
      orphans: changes.orphans,
      switches: Array.from(changes.switches, ([inserted, { id }]) => ({ inserted, deleted: id })),
      carried: changes.carried.map(carriedKey),
    }),
  )(inUniqueOrder(state, changes.switches, made.steps.all))
}

const carriedKey = ({ instance, relationship, target }: Carried): CarriedKey => ({
  instance,
  target,
  attributes: relationship.foreignKey.map(({ name }, i) => [name, (relationship.key[i] as Attribute).name]),
})

const addSteps = (planning: Planning): PlanError | null => {
  const links = linkChanges(planning.state, planning.changes)
  unlink(planning, links)
  const fault = saves(planning)
  if (fault !== null) return fault
  postUpdates(planning)
  link(planning, links)
  return deletes(planning)
}

const saves = (planning: Planning): PlanError | null => {
  const { inserts, updates } = planning.changes
  for (const group of entityGroups(planning.state.model)) {
    if (!group.isCyclic) {
      const mapping = group.mappings[0] as Mapping
      const fault =
        updateRows(planning, mapping, updates[mapping.index] ?? []) ??
        insertRows(planning, mapping, inserts[mapping.index] ?? [])
      if (fault !== null) return fault
      continue
    }
    const instances = group.mappings.flatMap((mapping) => [
      ...(updates[mapping.index] ?? []),
      ...(inserts[mapping.index] ?? []),
    ])
    if (instances.length === 0) continue
    const levels = saveOrder(planning, instances)
    if (isLeft(levels)) return levels.left
    for (const level of levels.right) {
      for (const mapping of group.mappings) {
        const own = level.filter((instance) => instance.mapping.root === mapping)
        const { isInserted } = planning.changes
        const fault =
          updateRows(
            planning,
            mapping,
            own.filter(({ id }) => !isInserted(id)),
          ) ??
          insertRows(
            planning,
            mapping,
            own.filter(({ id }) => isInserted(id)),
          )
        if (fault !== null) return fault
      }
    }
  }
  return null
}

const unlink = ({ changes, state, steps }: Planning, { removed }: LinkChanges): void => {
  for (const links of removed) steps.unlink(unlinkStep(state, changes, links, steps.next))
}

const link = ({ changes, notices, state, steps }: Planning, links: LinkChanges): void => {
  notices.push(...links.notices)
  for (const one of links.added) {
    const { owner, target } = one.relationship
    const after = steps.beforeLink(owner.root, target.root)
    for (const step of linkSteps(state, changes, one, steps.next, after)) steps.save(owner.root, step)
  }
}

const deletes = (planning: Planning): PlanError | null => {
  const { deletes } = planning.changes
  if (deletes.every(({ length }) => length === 0)) return null
  const groups = entityGroups(planning.state.model)
  for (let i = groups.length - 1; i >= 0; i--) {
    const group = groups[i] as (typeof groups)[number]
    const instances = group.mappings.flatMap((mapping) => deletes[mapping.index] ?? [])
    if (instances.length === 0) continue
    if (!group.isCyclic) {
      deleteRows(planning, group.mappings[0] as Mapping, instances)
      continue
    }
    const levels = deleteOrder(planning, instances)
    if (isLeft(levels)) return levels.left
    for (const level of levels.right) {
      for (const mapping of group.mappings) {
        deleteRows(
          planning,
          mapping,
          level.filter((instance) => instance.mapping.root === mapping),
        )
      }
    }
  }
  return null
}
