/**
 * Rows that a flush has inserted, folded back into their instances.
 */
import {
  type Attribute,
  type InstanceId,
  type Mapping,
  type RawKey,
  type Returned,
  type RowClass,
  rawKeyOf,
  rowClassOf,
  type Snapshot,
} from '@unitary/core'
import type * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { standingAt } from '../transition/standing.js'
import type { InsertStep } from '../unit-of-work/step.js'
import {
  accepted,
  type Filled,
  fill,
  filledColumns,
  type Outdated,
  returnedAttributes,
  type Values,
  valueIn,
} from './filled.js'
import { settledAll } from './settled.js'

/**
 * Folds the rows of an insert back: their instances have rows now, and keys. Of a hierarchy once for each table, the root's
 * first.
 *
 * @category transitions
 */
export const inserted = (
  state: SessionState,
  changes: StateEdit,
  holder: Mapping,
  step: InsertStep,
  returned: Returned,
  outdated: Outdated,
): void => {
  let { mapping, given, filled, isPartial, isPatched, patch, rows, unsetOf } = foldingOf(state, holder, holder, step)
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const pending = standingAt(changes, id)
    if (pending.mapping !== mapping) {
      ;({ mapping, given, filled, isPartial, isPatched, patch, rows, unsetOf } = foldingOf(
        state,
        holder,
        pending.mapping,
        step,
      ))
    }
    if (mapping.serverVersion !== null) outdated.add(id)
    let { snapshot } = pending
    let partial = isPartial
    if (isPatched) {
      for (let j = 0; j < given.length; j++) {
        const attribute = given[j] as Attribute
        const value = accepted(attribute, returned[j]?.[i])
        if (value === undefined) partial = true
        else if (attribute === mapping.serverVersion) outdated.delete(id)
        patch[attribute.name] = value
      }
      if (filled.length > 0) fill(changes, filled, step.rows[i] as ReadonlyArray<unknown>, patch)
      snapshot = rows.inserted(snapshot, id, patch)
    }
    if (holder.parent !== null) {
      // the root's table has made it persistent
      const unset = unsetOf((changes.origins.get(id) as Instance.Instance).snapshot, snapshot)
      changes.instances.set(id, { ...pending, snapshot, partial: partial || pending.partial, unset })
      continue
    }
    const key = rawKeyOf(mapping, snapshot as unknown as Values) as RawKey
    changes.instances.set(id, {
      id,
      mapping,
      status: 'persistent',
      key,
      token: step.token,
      snapshot,
      epoch: state.epoch,
      partial,
      committed: null,
      related: settledAll(pending.related),
      order: pending.order,
      wasDeleted: false,
      unset: unsetOf(pending.snapshot, snapshot),
      origin: pending.origin,
    })
    changes.origins.set(id, pending)
    changes.identityMap.set(mapping, step.token, key, id)
  }
}

/** How the rows of an insert are folded back into instances of one entity. */
interface Folding {
  readonly mapping: Mapping
  readonly given: ReadonlyArray<Attribute>
  readonly filled: Filled
  readonly isPartial: boolean
  readonly isPatched: boolean
  /** Of one row after the other: all of them are given the same. */
  readonly patch: Values
  readonly rows: RowClass
  readonly unsetOf: UnsetReader
}

const foldingOf = (state: SessionState, holder: Mapping, mapping: Mapping, step: InsertStep): Folding => {
  const given = returnedAttributes(mapping, step)
  const filled = filledColumns(state, mapping, step.columns)
  const isWritten = (name: string): boolean => step.columns.some(({ attribute }) => attribute === name)
  const { attributes } = mapping.parts.find((part) => part.mapping === holder) ?? mapping
  return {
    mapping,
    given,
    filled,
    // what the table has filled in, and not given back, is known when it is read
    isPartial:
      attributes.some(
        (attribute) => !given.includes(attribute) && !attribute.isDeferred && !isWritten(attribute.name),
      ) || mapping.expressions.some(({ isDeferred }) => !isDeferred),
    isPatched: given.length > 0 || filled.length > 0 || attributes.some(({ isNullByDefault }) => isNullByDefault),
    patch: {},
    rows: rowClassOf(mapping),
    unsetOf: unsetReader(mapping),
  }
}

type UnsetReader = (pending: Snapshot, stored: Snapshot) => Instance.Instance['unset']

/** Tells what a row was inserted without, and nothing filled in. Rows that lack the same share one list. */
const unsetReader = ({ attributes }: Mapping): UnsetReader => {
  const optional = attributes.filter(({ isNullByDefault }) => isNullByDefault)
  let last: ReadonlyArray<string> = []
  return (pending, stored) => {
    const isUnset = (attribute: Attribute): boolean =>
      valueIn(pending, attribute) === undefined && valueIn(stored, attribute) === null
    let count = 0
    let isLast = true
    for (const attribute of optional) if (isUnset(attribute) && last[count++] !== attribute.name) isLast = false
    if (count === 0) return null
    if (!isLast || count !== last.length) last = optional.filter(isUnset).map(({ name }) => name)
    return last
  }
}
