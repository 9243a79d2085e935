/**
 * Folding the results of a flush back into the state.
 */

import type { Attribute, InstanceId, Mapping, RawKey, Returned, RowClass, Snapshot } from '@unitary/core'
import { decodedKeyOf, rawKeyOf, rowClassOf, withDescendants } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { StaleData } from '../error.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, isExpired, revise, type SessionState, type StateEdit } from '../state/session-state.js'
import { placed } from '../unit-of-work/places.js'
import {
  type CarriedKey,
  type DeleteStep,
  type FlushPlan,
  type InsertStep,
  isStale,
  type Notice,
  type PlanColumn,
  type Step,
  type StepResult,
  type UpdateStep,
} from '../unit-of-work/step.js'
import { givenByFlush } from './given.js'

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
 * The state after a plan has run with these results, one for each step up to one that is stale. `StaleData` where an update did not match its row.
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
    const instance = changes.instances.get(id) as Instance.Instance
    if (instance.status === 'persistent') changes.instances.set(id, { ...instance, epoch: -1 })
  }
  // every pending instance was inserted or turned out to be an orphan, every changed one is in step or gone
  const next = revise(done(state, changes), {
    added: IntMap.empty,
    changed: IntMap.empty,
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

const nothingReplaced: ReadonlyMap<InstanceId, InstanceId> = new Map()

/** The instances whose rows others take over, by those. */
const replacedBy = ({ switches }: FlushPlan): ReadonlyMap<InstanceId, InstanceId> =>
  switches.length === 0 ? nothingReplaced : new Map(switches.map(({ inserted: id, deleted: old }) => [id, old]))

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

const countsOf = (result: StepResult): ReadonlyArray<number> => (result._tag === 'Matched' ? result.counts : [])

type Values = Record<string, unknown>

/**
 * Instances whose rows have another version, which the database has not given back. All of a row is read again with its
 * version: what was known of it might be that of another one by then.
 */
type Outdated = Set<InstanceId>

/** The program's value of an encoded cell. A value that came from the program encodes and decodes. */
const decoded = (attribute: Attribute, value: unknown): unknown => {
  if (attribute.encode === t.identity) return value
  const decoding = attribute.column.codec.decode(value)
  return isLeft(decoding) ? value : decoding.right
}

/**
 * What the database gave, as the program has it: some drivers give integers as text. What the codec does not take is as
 * good as unknown, so that it fails whoever reads it, as if it had been loaded; but a row is not found without its key.
 */
const accepted = (attribute: Attribute, value: unknown): unknown => {
  const { codec } = attribute.column
  if (attribute.encode === t.identity && codec.is(value)) return value
  const decoding = codec.decode(value)
  return isLeft(decoding) ? (attribute.isKey ? value : undefined) : decoding.right
}

/** The columns that the plan filled: their values are not in the snapshot yet. */
const filledColumns = ({ model }: SessionState, mapping: Mapping, columns: ReadonlyArray<PlanColumn>): Filled => {
  const given = givenByFlush(model, mapping)
  const filled: FilledColumn[] = []
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as PlanColumn
    const attribute = mapping.attributeOf.get(column.attribute)
    if (attribute === undefined) continue
    if (column.source._tag === 'Key' || given.has(attribute)) filled.push({ column, index, attribute })
  }
  return filled
}

interface FilledColumn {
  readonly column: PlanColumn
  /** Of its cell in each row. */
  readonly index: number
  readonly attribute: Attribute
}

type Filled = ReadonlyArray<FilledColumn>

const fill = (changes: StateEdit, filled: Filled, row: ReadonlyArray<unknown>, patch: Values): void => {
  for (const { column, index, attribute } of filled) {
    const cell = row[index]
    patch[attribute.name] =
      column.source._tag === 'Key'
        ? ((changes.instances.get(cell as InstanceId) as Instance.Instance).snapshot as unknown as Values)[
            column.source.of
          ]
        : decoded(attribute, cell)
  }
}

const inserted = (
  state: SessionState,
  changes: StateEdit,
  holder: Mapping,
  step: InsertStep,
  returned: Returned,
  outdated: Outdated,
): void => {
  let { mapping, given, filled, isPartial, isPatched, rows, unsetOf } = foldingOf(state, holder, holder, step)
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const pending = changes.instances.get(id) as Instance.Instance
    if (pending.mapping !== mapping) {
      ;({ mapping, given, filled, isPartial, isPatched, rows, unsetOf } = foldingOf(
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
      const patch: Values = {}
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
    rows: rowClassOf(mapping),
    unsetOf: unsetReader(mapping),
  }
}

const returnedAttributes = (mapping: Mapping, { returning }: InsertStep | UpdateStep): ReadonlyArray<Attribute> =>
  returning.map(({ attribute }) => mapping.attributeOf.get(attribute) as Attribute)

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

/** What an update needs to know of the rest of its plan. */
interface Around {
  /** Instances that the plan deletes. */
  readonly going: ReadonlySet<InstanceId>
  /** Instances that take over the row of others, with those. */
  readonly replaced: ReadonlyMap<InstanceId, InstanceId>
  readonly outdated: Outdated
}

const updated = (
  state: SessionState,
  changes: StateEdit,
  holder: Mapping,
  step: UpdateStep,
  result: StepResult,
  { going, outdated, replaced }: Around,
): StaleData | null => {
  const counts = countsOf(result)
  // it is the root's, and what its table gives back
  const serverVersion = holder.parent === null ? holder.serverVersion : null
  let mapping = holder
  let filled = filledColumns(state, mapping, step.set)
  const { computed } = step
  let given = returnedAttributes(mapping, step)
  const isInSavepoint = state.frames?.kind === 'savepoint'
  const keyChanges = step.set.some((column) => holder.attributeOf.get(column.attribute)?.isKey)
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const instance = changes.instances.get(id) as Instance.Instance
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

/** Puts an instance back, under its new key where that has changed. */
const rename = (changes: StateEdit, before: Instance.Instance, after: Instance.Instance): void => {
  const { id, key, mapping, token } = after
  changes.instances.set(id, after)
  if (key === before.key) return
  keepOrigin(changes, before)
  if (before.key !== null) forget(changes, before)
  if (key !== null) changes.identityMap.set(mapping, token, key, id)
}

/** The database has changed foreign keys along with the key that they refer to. */
const carried = (changes: StateEdit, { instance: id, target, attributes }: CarriedKey, outdated: Outdated): void => {
  const instance = changes.instances.get(id) as Instance.Instance
  const parent = (changes.instances.get(target) as Instance.Instance).snapshot as unknown as Values
  const { mapping } = instance
  if (mapping.serverVersion !== null) outdated.add(id)
  const patch = Object.fromEntries(attributes.map(([foreignKey, key]) => [foreignKey, parent[key]]))
  const snapshot = rowClassOf(mapping).patch(instance.snapshot, id, patch)
  const isKey = attributes.some(([foreignKey]) => mapping.attributeOf.get(foreignKey)?.isKey)
  const key = isKey ? rawKeyOf(mapping, snapshot as unknown as Values) : instance.key
  rename(changes, instance, Instance.uncomputed({ ...instance, snapshot, key: key ?? instance.key }))
}

/** What was written inside a savepoint, or has another key since, is known no more when that is rolled back. */
const keepOrigin = (changes: StateEdit, instance: Instance.Instance): void => {
  if (changes.origins.get(instance.id) === undefined) changes.origins.set(instance.id, instance)
}

/** Nobody is found by the instance's key any more, unless another instance has taken it. */
const forget = (changes: StateEdit, { id, key, mapping, token }: Instance.Instance): void => {
  if (changes.identityMap.get(mapping, token, key as RawKey) === id) {
    changes.identityMap.delete(mapping, token, key as RawKey)
  }
}

/** A pending instance has taken over the row of a deleted one. */
const switched = (state: SessionState, changes: StateEdit, id: InstanceId, replaced: InstanceId): void => {
  const old = changes.instances.get(replaced) as Instance.Instance
  leave(state, changes, old)
  const pending = changes.instances.get(id) as Instance.Instance
  const { mapping, snapshot } = pending
  const { version } = mapping
  const kept: Values = {}
  // an update has counted up the version that the old row had; one that wrote nothing has not
  if (version !== null && Instance.valueAt(pending, version) === undefined) {
    kept[version.name] = Instance.valueAt(old, version)
  }
  const key = decodedKeyOf(mapping, old.key as RawKey)
  mapping.key.forEach(({ name }, i) => {
    kept[name] = key[i]
  })
  const current = rowClassOf(mapping).patch(snapshot, id, kept)
  changes.instances.set(id, {
    ...pending,
    status: 'persistent',
    key: old.key,
    token: old.token,
    snapshot: current,
    epoch: state.epoch,
    partial: mapping.attributes.some((attribute) => !attribute.isDeferred && valueIn(current, attribute) === undefined),
    committed: null,
    related: settledAll(pending.related),
  })
  changes.origins.set(id, pending)
  changes.identityMap.set(mapping, old.token, old.key as RawKey, id)
}

const valueIn = (snapshot: Snapshot, { name }: Attribute): unknown => (snapshot as unknown as Values)[name]

/** A row is gone from the database. */
const leave = (state: SessionState, changes: StateEdit, instance: Instance.Instance): void => {
  const { id, mapping } = instance
  // what had expired can be known no more
  const known = isExpired(state, instance)
    ? { snapshot: rowClassOf(mapping).make(id, {}), partial: true, related: null }
    : {}
  changes.instances.set(id, { ...instance, ...known, status: 'deleted', committed: null })
  forget(changes, instance)
  changes.deleted.delete(id)
  changes.gone.set(id, true)
}

const deleted = (
  state: SessionState,
  changes: StateEdit,
  mapping: Mapping,
  step: DeleteStep,
  counts: ReadonlyArray<number>,
  notices: Notice[],
): StaleData | null => {
  // the root's table tells whether the row was there
  if (mapping.parent !== null) return null
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const instance = changes.instances.get(id) as Instance.Instance
    if (counts[i] === 0 && mapping.version !== null) return stale(step, instance.mapping.name, instance.key, 0)
    if (counts[i] === 0) {
      notices.push({ _tag: 'AlreadyGone', entity: instance.mapping.name, key: instance.key, shard: step.token })
    }
    leave(state, changes, instance)
  }
  return null
}

/** A step that did not match a row of each instance is stale. */
const unmatched = (changes: StateEdit, step: Step, counts: ReadonlyArray<number>): StaleData | null => {
  const at = counts.indexOf(0)
  if (at < 0) return null
  const { key } = changes.instances.get(step.instances[at] as InstanceId) as Instance.Instance
  return stale(step, step.entity, key, 0)
}

const stale = (step: Step, entity: string, key: RawKey | null, matched: number): StaleData => ({
  _tag: 'StaleData',
  entity,
  table: step.table,
  key,
  matched,
  shard: step.token,
})

/** A relationship whose changes have been written. */
const settled = (related: Instance.Related | undefined): Instance.Related | undefined => {
  if (related === undefined || !Instance.hasChanges(related)) return related
  if (related._tag === 'One') return Instance.one(related.target)
  return related.members === null ? undefined : Instance.many(related.members, related.narrowed)
}

/** The same array where nothing in it has changes: the snapshots of a large flush share what they can. */
const settledAll = (related: Instance.Instance['related']): Instance.Instance['related'] =>
  related === null || !related.some(Instance.hasChanges) ? related : related.map(settled)

/** What was changed is in step with the database now, and orphans are outside of it. */
const settle = (state: SessionState, changes: StateEdit, plan: FlushPlan): void => {
  IntMap.forEach(state.changed, (_, id) => {
    const instance = changes.instances.get(id) as Instance.Instance
    if (instance.status !== 'persistent') return
    // also where only links were written, which are no rows of its own
    if (state.frames?.kind === 'savepoint') keepOrigin(changes, instance)
    changes.instances.set(id, {
      ...instance,
      committed: null,
      related: settledAll(instance.related),
    })
  })
  for (const id of plan.orphans) {
    changes.instances.set(id, { ...(changes.instances.get(id) as Instance.Instance), status: 'transient', order: 0 })
  }
}
