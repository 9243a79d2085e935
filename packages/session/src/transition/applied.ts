/**
 * Folding the results of a flush back into the state.
 */
import type { Attribute, InstanceId, Mapping, RawKey, Snapshot } from '@unitary/core'
import { rawKeyOf, rowClassOf } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { StaleData } from '../error.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, type SessionState, type StateEdit } from '../state/session-state.js'
import type {
  DeleteStep,
  FlushPlan,
  InsertStep,
  Notice,
  PlanColumn,
  Step,
  StepResult,
  UnlinkStep,
  UpdateStep,
} from '../unit-of-work/step.js'

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
 * The state after a plan has run with these results, one for each step. `StaleData` where an update did not match its row.
 * O(rows).
 *
 * @category transitions
 */
export const applied = (
  state: SessionState,
  plan: FlushPlan,
  results: ReadonlyArray<StepResult>,
): Either<StaleData, readonly [Flushed, SessionState]> => {
  const changes = edit(state)
  const notices: Notice[] = [...plan.notices]
  const count = { Insert: 0, Update: 0, Vacate: 0, Delete: 0, Link: 0, Unlink: 0 }
  for (let i = 0; i < plan.steps.length; i++) {
    const step = plan.steps[i] as Step
    const result = results[i] as StepResult
    const mapping = state.model.mappingOf.get(step.entity) as Mapping
    count[step._tag] += step.rows.length
    switch (step._tag) {
      case 'Insert':
        inserted(state, changes, mapping, step, result._tag === 'Inserted' ? result.keys : null)
        break
      case 'Update': {
        const stale = updated(state, changes, mapping, step, countsOf(result))
        if (stale !== null) return left(stale)
        break
      }
      case 'Delete': {
        const stale = deleted(changes, mapping, step, countsOf(result), notices)
        if (stale !== null) return left(stale)
        break
      }
      case 'Unlink': {
        const stale = unlinked(changes, step, countsOf(result))
        if (stale !== null) return left(stale)
        break
      }
      case 'Link':
      // what it wrote is written over; whether the row is there shows then
      case 'Vacate':
        break
    }
  }
  for (const { inserted: id, deleted: replaced } of plan.switches) switched(state, changes, id, replaced)
  settle(state, changes, plan)
  // every pending instance was inserted or turned out to be an orphan
  const next = { ...done(state, changes), added: IntMap.empty }
  return right([{ inserted: count.Insert, updated: count.Update, deleted: count.Delete, notices }, next])
}

const countsOf = (result: StepResult): ReadonlyArray<number> => (result._tag === 'Matched' ? result.counts : [])

type Values = Record<string, unknown>

/** The program's value of an encoded cell. A value that came from the program encodes and decodes. */
const decoded = (attribute: Attribute, value: unknown): unknown => {
  if (attribute.encode === t.identity) return value
  const decoding = attribute.column.codec.decode(value)
  return isLeft(decoding) ? value : decoding.right
}

/** A key that the database gave, as the program has it: some drivers give integers as text. */
const accepted = (attribute: Attribute, value: unknown): unknown => {
  const { codec } = attribute.column
  if (attribute.encode === t.identity && codec.is(value)) return value
  const decoding = codec.decode(value)
  return isLeft(decoding) ? value : decoding.right
}

/** The columns that the plan filled, by relationships and version counters: their values are not in the snapshot yet. */
const filledColumns = ({ model }: SessionState, mapping: Mapping, columns: ReadonlyArray<PlanColumn>) => {
  const foreignKeys = new Set<string>()
  // of either side: a has-many without inverse fills the keys of an entity that does not know it
  for (const { kind, owner, target, foreignKey } of model.mappings.flatMap(({ relationships }) => relationships)) {
    if (mapping !== (kind === 'BelongsTo' ? owner : target)) continue
    for (const { name } of foreignKey) foreignKeys.add(name)
  }
  const { updateDefaults, version } = mapping
  const filled = new Set([...updateDefaults, ...(version === null ? [] : [version])].map(({ name }) => name))
  return columns.flatMap((column, index) =>
    column.source._tag === 'Key' || filled.has(column.attribute) || foreignKeys.has(column.attribute)
      ? [{ column, index, attribute: mapping.attributeOf.get(column.attribute) as Attribute }]
      : [],
  )
}

type Filled = ReturnType<typeof filledColumns>

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
  mapping: Mapping,
  step: InsertStep,
  keys: ReadonlyArray<unknown> | null,
): void => {
  const rows = rowClassOf(mapping)
  const returned = step.returning === null ? null : (mapping.attributeOf.get(step.returning.attribute) as Attribute)
  const filled = filledColumns(state, mapping, step.columns)
  const columns = new Set(step.columns.map(({ attribute }) => attribute))
  // what the table has filled in is known when it is read
  const isPartial = mapping.attributes.some(
    (attribute) => attribute !== returned && !attribute.isDeferred && !columns.has(attribute.name),
  )
  const isPatched = returned !== null || filled.length > 0
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const pending = changes.instances.get(id) as Instance.Instance
    let { snapshot } = pending
    if (isPatched) {
      const patch: Values = {}
      if (returned !== null) patch[returned.name] = accepted(returned, keys?.[i])
      if (filled.length > 0) fill(changes, filled, step.rows[i] as ReadonlyArray<unknown>, patch)
      snapshot = rows.patch(snapshot, id, patch)
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
      partial: isPartial,
      committed: null,
      related: settledAll(pending.related),
      order: pending.order,
      wasDeleted: false,
    })
    changes.origins.set(id, pending)
    changes.identityMap.set(mapping, step.token, key, id)
  }
}

const updated = (
  state: SessionState,
  changes: StateEdit,
  mapping: Mapping,
  step: UpdateStep,
  counts: ReadonlyArray<number>,
): StaleData | null => {
  const filled = filledColumns(state, mapping, step.set)
  const keyChanges = step.set.some((column) => mapping.attributeOf.get(column.attribute)?.isKey)
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const instance = changes.instances.get(id) as Instance.Instance
    if (counts[i] !== 1) {
      return stale(step, mapping.name, instance.key, counts[i] ?? 0)
    }
    if (filled.length === 0 && !keyChanges) continue
    const patch: Values = {}
    fill(changes, filled, step.rows[i] as ReadonlyArray<unknown>, patch)
    const snapshot = rowClassOf(mapping).patch(instance.snapshot, id, patch)
    const key =
      keyChanges && instance.key !== null ? (rawKeyOf(mapping, snapshot as unknown as Values) as RawKey) : instance.key
    changes.instances.set(id, { ...instance, snapshot, key })
    if (key !== instance.key && changes.origins.get(id) === undefined) changes.origins.set(id, instance)
    if (key !== instance.key && key !== null) {
      forget(changes, instance)
      changes.identityMap.set(mapping, instance.token, key, id)
    }
  }
  return null
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
  leave(changes, old)
  const pending = changes.instances.get(id) as Instance.Instance
  const { mapping, snapshot } = pending
  const { version } = mapping
  // an update has counted up the version that the old row had; one that wrote nothing has not
  const kept = version === null ? {} : { [version.name]: Instance.valueAt(old, version) }
  const isCounted = version !== null && Instance.valueAt(pending, version) !== 1
  const current = isCounted ? snapshot : rowClassOf(mapping).patch(snapshot, id, kept)
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
const leave = (changes: StateEdit, instance: Instance.Instance): void => {
  const { id } = instance
  changes.instances.set(id, { ...instance, status: 'deleted', committed: null })
  forget(changes, instance)
  changes.deleted.delete(id)
  changes.changed.delete(id)
  changes.gone.set(id, true)
}

const deleted = (
  changes: StateEdit,
  mapping: Mapping,
  step: DeleteStep,
  counts: ReadonlyArray<number>,
  notices: Notice[],
): StaleData | null => {
  for (let i = 0; i < step.instances.length; i++) {
    const id = step.instances[i] as InstanceId
    const instance = changes.instances.get(id) as Instance.Instance
    if (counts[i] === 0 && mapping.version !== null) return stale(step, mapping.name, instance.key, 0)
    if (counts[i] === 0) {
      notices.push({ _tag: 'AlreadyGone', entity: mapping.name, key: instance.key, shard: step.token })
    }
    leave(changes, instance)
  }
  return null
}

const unlinked = (changes: StateEdit, step: UnlinkStep, counts: ReadonlyArray<number>): StaleData | null => {
  const at = counts.indexOf(0)
  if (at < 0) return null
  const owner = changes.instances.get(step.instances[at] as InstanceId) as Instance.Instance
  return stale(step, step.entity, owner.key, 0)
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
  return related.members === null ? undefined : Instance.many(related.members)
}

/** The same array where nothing in it has changes: the snapshots of a large flush share what they can. */
const settledAll = (related: Instance.Instance['related']): Instance.Instance['related'] =>
  related === null || !related.some(Instance.hasChanges) ? related : related.map(settled)

/** What was changed is in step with the database now, and orphans are outside of it. */
const settle = (state: SessionState, changes: StateEdit, plan: FlushPlan): void => {
  IntMap.forEach(state.changed, (_, id) => {
    const instance = changes.instances.get(id) as Instance.Instance
    if (instance.status !== 'persistent') return
    changes.changed.delete(id)
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
