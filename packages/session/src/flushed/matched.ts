/**
 * How many rows the steps of a flush have matched, and the error where that is not one for each instance.
 */
import type { InstanceId, RawKey } from '@unitary/core'
import type { StaleData } from '../error.js'
import type { StateEdit } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'
import type { Step, StepResult } from '../unit-of-work/step.js'

/** The rows that each statement of a step matched. @category combinators */
export const countsOf = (result: StepResult): ReadonlyArray<number> => (result._tag === 'Matched' ? result.counts : [])

/** A step that did not match a row of each instance is stale. @category combinators */
export const unmatched = (changes: StateEdit, step: Step, counts: ReadonlyArray<number>): StaleData | null => {
  const at = counts.indexOf(0)
  if (at < 0) return null
  const { key } = standingAt(changes, step.instances[at] as InstanceId)
  return stale(step, step.entity, key, 0)
}

/** The error of a step that did not match a row of an instance. @category errors */
export const stale = (step: Step, entity: string, key: RawKey | null, matched: number): StaleData => ({
  _tag: 'StaleData',
  entity,
  table: step.table,
  key,
  matched,
  shard: step.token,
})
