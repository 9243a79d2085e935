/**
 * What the steps of one plan are made of.
 */
import type { InstanceId, Mapping, Services } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { referredAt } from '../transition/referred.js'
import { findTarget, foreignKeyOf } from '../transition/target.js'
import { keyFound } from './cells.js'
import type { ChangeSet } from './change-set.js'
import { PlanSteps } from './plan-steps.js'
import { whereOf } from './rows.js'
import type { PlanNotice } from './step.js'

type Instance = Instance.Instance

/**
 * A plan in the making. Steps and notices are added to it; nobody sees them before it is done.
 *
 * @category model
 */
export interface Planning {
  readonly state: SessionState
  readonly changes: ChangeSet
  readonly services: Services
  readonly steps: PlanSteps
  readonly notices: PlanNotice[]
  /** Entities of whose instances, or whose subtypes' instances, keys change. */
  readonly renamed: ReadonlySet<Mapping>
  /** Instances to be deleted whose version an update of the same plan checks, and changes. */
  readonly checked: Set<InstanceId>
}

/** A plan that has no steps yet. @category constructors */
export const planning = (state: SessionState, changes: ChangeSet, services: Services): Planning => ({
  state,
  changes,
  services,
  steps: new PlanSteps(state.model),
  notices: [],
  renamed:
    changes.renamed.size === 0
      ? nowhere
      : new Set(Array.from(changes.renamed, (id) => instanceAt(state, id).mapping.root)),
  checked: new Set(),
})

const nowhere: ReadonlySet<Mapping> = new Set()

/** The values by which a row is found, as it stands before the flush. @category combinators */
export const foundBy = ({ changes, state }: Planning, row: Instance): ReadonlyArray<unknown> =>
  whereOf(row, keyFound(state, changes, row))

/** What a row refers to in the database, whatever has been set since. @category combinators */
export const committedTarget = (
  { state }: Planning,
  identityMap: Parameters<typeof findTarget>[1],
  instance: Instance,
  relationship: Mapping['relationships'][number],
): InstanceId | null | undefined => {
  const one = Instance.relatedOf(instance, relationship)
  if (one?._tag !== 'One' || !one.changed) return findTarget(state, identityMap, instance, relationship)
  if (one.committed !== Instance.unknown) return one.committed
  // the row may have been loaded since it was set
  const key = foreignKeyOf(instance, relationship, Instance.committedAt)
  return key === undefined || key === null
    ? key
    : referredAt(state, relationship, relationship.target, instance.token, key)?.id
}
