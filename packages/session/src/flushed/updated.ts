/**
 * Rows that a flush has updated, or the database along with them, folded back into their instances.
 */
import { type Attribute, type InstanceId, type Mapping, type RawKey, rawKeyOf, rowClassOf } from '@unitary/core'
import type { StaleData } from '../error.js'
import * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'
import { type CarriedKey, isStale, type StepResult, type UpdateStep } from '../unit-of-work/step.js'
import { accepted, fill, filledColumns, type Outdated, returnedAttributes, type Values } from './filled.js'
import { forget } from './gone.js'
import { countsOf, stale } from './matched.js'
import { keepOrigin } from './settled.js'

/** What an update needs to know of the rest of its plan. */
export interface Around {
  /** Instances that the plan deletes. */
  readonly going: ReadonlySet<InstanceId>
  /** Instances that take over the row of others, with those. */
  readonly replaced: ReadonlyMap<InstanceId, InstanceId>
  readonly outdated: Outdated
}

/** Folds the rows of an update back. `StaleData` where one did not match its row. @category transitions */
export const updated = (
  state: SessionState,
  changes: StateEdit,
  holder: Mapping,
  step: UpdateStep,
  result: StepResult,
  { going, outdated, replaced }: Around,
): StaleData | null => {
  const isInSavepoint = state.frames?.kind === 'savepoint'
  if (!isInSavepoint && !isStale(step, result) && tellsNothing(state, holder, step)) return null
  const counts = countsOf(result)
  // it is the root's, and what its table gives back
  const serverVersion = holder.parent === null ? holder.serverVersion : null
  let mapping = holder
  let filled = filledColumns(state, mapping, step.set)
  const { computed } = step
  let given = returnedAttributes(mapping, step)
  const keyChanges = changesKey(holder, step)
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const instance = standingAt(changes, id)
    if (counts[i] !== 1) {
      // what takes over a row has no key of its own yet
      const { key } = changes.instances.get(replaced.get(id) ?? id) as Instance.Instance
      return stale(step, instance.mapping.name, key, counts[i] ?? 0)
    }
    if (instance.mapping !== mapping) {
      mapping = instance.mapping
      filled = filledColumns(state, mapping, step.set)
      given = returnedAttributes(mapping, step)
    }
    if (isInSavepoint) keepOrigin(changes, instance)
    // a row that goes learns nothing of what was written before it went
    const isKept =
      filled.length === 0 &&
      !keyChanges &&
      serverVersion === null &&
      computed === undefined &&
      mapping.expressions.length === 0
    if (isKept || going.has(id)) continue
    const patch: Values = {}
    for (let j = 0; j < given.length; j++) {
      const attribute = given[j] as Attribute
      patch[attribute.name] = accepted(attribute, result.returned[j]?.[i])
    }
    if (serverVersion !== null) {
      if (patch[serverVersion.name] === undefined) outdated.add(id)
      else outdated.delete(id)
    }
    if (computed?.some(({ attribute }) => patch[attribute] === undefined)) outdated.add(id)
    fill(changes, filled, step.rows[i] as ReadonlyArray<unknown>, patch)
    const snapshot = rowClassOf(mapping).patch(instance.snapshot, id, patch)
    const key =
      keyChanges && instance.key !== null ? (rawKeyOf(mapping, snapshot as unknown as Values) as RawKey) : instance.key
    rename(changes, instance, Instance.uncomputed({ ...instance, snapshot, key }))
  }
  return null
}

/** Does a row that was updated hold but what its instance has? Of a hierarchy each instance is asked. */
const tellsNothing = (state: SessionState, mapping: Mapping, step: UpdateStep): boolean =>
  mapping.parent === null &&
  mapping.subtypes.length === 0 &&
  mapping.serverVersion === null &&
  mapping.expressions.length === 0 &&
  step.computed === undefined &&
  !changesKey(mapping, step) &&
  filledColumns(state, mapping, step.set).length === 0

const changesKey = (mapping: Mapping, { set }: UpdateStep): boolean =>
  set.some(({ attribute }) => mapping.attributeOf.get(attribute)?.isKey)

/** Puts an instance back, under its new key where that has changed. */
const rename = (changes: StateEdit, before: Instance.Instance, after: Instance.Instance): void => {
  const { id, key, mapping, token } = after
  changes.instances.set(id, after)
  if (key === before.key) return
  keepOrigin(changes, before)
  if (before.key !== null) forget(changes, before)
  if (key !== null) changes.identityMap.set(mapping, token, key, id)
}

/** The database has changed foreign keys along with the key that they refer to. @category transitions */
export const carried = (
  changes: StateEdit,
  { instance: id, target, attributes }: CarriedKey,
  outdated: Outdated,
): void => {
  const instance = standingAt(changes, id)
  const parent = standingAt(changes, target).snapshot as unknown as Values
  const { mapping } = instance
  if (mapping.serverVersion !== null) outdated.add(id)
  const patch = Object.fromEntries(attributes.map(([foreignKey, key]) => [foreignKey, parent[key]]))
  const snapshot = rowClassOf(mapping).patch(instance.snapshot, id, patch)
  const isKey = attributes.some(([foreignKey]) => mapping.attributeOf.get(foreignKey)?.isKey)
  const key = isKey ? rawKeyOf(mapping, snapshot as unknown as Values) : instance.key
  rename(changes, instance, Instance.uncomputed({ ...instance, snapshot, key: key ?? instance.key }))
}
