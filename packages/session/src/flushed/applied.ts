/**
 * Folding the results of a flush back into the state.
 */
import { type InstanceId, type Mapping, withDescendants } from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { StaleData } from '../error.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, revise, type SessionState } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'
import { placed } from '../unit-of-work/places.js'
import { type FlushPlan, isStale, type Notice, type Step, type StepResult } from '../unit-of-work/step.js'
import { deleted, switched } from './gone.js'
import { inserted } from './inserted.js'
import { countsOf, unmatched } from './matched.js'
import { settle } from './settled.js'
import { carried, updated } from './updated.js'

/**
 * What a flush did.
 *
 * @category model
 */
export interface Flushed {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly notices: ReadonlyArray<Notice>
}

/**
 * The state after a plan has run with these results, one for each step up to one that is stale. `StaleData` where an update
 * did not match its row.
 * O(rows).
 *
 * @category transitions
 */
export const applied = (
  flushed: SessionState,
  plan: FlushPlan,
  results: ReadonlyArray<StepResult>,
): Either<StaleData, readonly [Flushed, SessionState]> => {
  const state = placed(flushed)
  const changes = edit(state)
  const notices: Notice[] = [...plan.notices]
  const replaced = replacedBy(plan)
  const going = goingBy(plan)
  const outdated = new Set<InstanceId>()
  const count = { Insert: 0, Update: 0, Vacate: 0, Delete: 0, Link: 0, Unlink: 0 }
  for (let i = 0; i < plan.steps.length; i++) {
    const step = plan.steps[i] as Step
    const result = results[i] as StepResult
    // of a hierarchy the entity whose table it is
    const mapping = state.model.mappingOf.get(step.entity) as Mapping
    if (step.isCopy === true) {
      const stale = isStale(step, result) ? unmatched(changes, step, countsOf(result)) : null
      if (stale !== null) return left(stale)
      continue
    }
    count[step._tag] += instancesIn(plan, step, mapping)
    switch (step._tag) {
      case 'Insert':
        inserted(state, changes, mapping, step, result.returned, outdated)
        break
      case 'Update': {
        const stale = updated(state, changes, mapping, step, result, { going, replaced, outdated })
        if (stale !== null) return left(stale)
        break
      }
      case 'Delete': {
        const stale = deleted(state, changes, mapping, step, countsOf(result), notices)
        if (stale !== null) return left(stale)
        break
      }
      case 'Unlink': {
        const stale = unmatched(changes, step, countsOf(result))
        if (stale !== null) return left(stale)
        break
      }
      case 'Vacate': {
        // what it wrote is written over; whether the row is there shows then, unless a version was checked
        const stale = isStale(step, result) ? unmatched(changes, step, countsOf(result)) : null
        if (stale !== null) return left(stale)
        break
      }
      case 'Link':
        break
    }
  }
  for (const followed of plan.carried) carried(changes, followed, outdated)
  for (const { inserted: id, deleted: replaced } of plan.switches) switched(state, changes, id, replaced)
  settle(state, changes, plan)
  for (const id of outdated) {
    const instance = standingAt(changes, id)
    if (instance.status === 'persistent') changes.instances.set(id, { ...instance, epoch: -1 })
  }
  // every pending instance was inserted or turned out to be an orphan, every changed one is in step or gone
  const next = revise(done(state, changes), {
    added: IntSet.empty,
    changed: IntSet.empty,
    isWritten: state.isWritten || plan.steps.length > 0,
  })
  return right([{ inserted: count.Insert, updated: count.Update, deleted: count.Delete, notices }, next])
}

const nobody: ReadonlySet<InstanceId> = new Set()

/** The instances that a plan deletes. */
const goingBy = ({ steps }: FlushPlan): ReadonlySet<InstanceId> =>
  steps.some(({ _tag }) => _tag === 'Delete')
    ? new Set(steps.flatMap((step) => (step._tag === 'Delete' ? step.instances : [])))
    : nobody

/** How many instances a step writes that no step of another table of theirs counts. */
const instancesIn = (plan: FlushPlan, step: Step, { parent, root }: Mapping): number => {
  if (parent === null) return step.rows.length
  if (step._tag !== 'Update') return 0
  const elsewhere = new Set(
    plan.steps.flatMap((other) =>
      other._tag === 'Update' && other.id < step.id && other.token === step.token && isOfLine(other.entity, root)
        ? other.instances
        : [],
    ),
  )
  return step.instances.filter((id) => !elsewhere.has(id)).length
}

const isOfLine = (entity: string, root: Mapping): boolean => withDescendants(root).some(({ name }) => name === entity)

const nothingReplaced: ReadonlyMap<InstanceId, InstanceId> = new Map()

/** The instances whose rows others take over, by those. */
const replacedBy = ({ switches }: FlushPlan): ReadonlyMap<InstanceId, InstanceId> =>
  switches.length === 0 ? nothingReplaced : new Map(switches.map(({ inserted: id, deleted: old }) => [id, old]))
