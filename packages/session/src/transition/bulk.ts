/**
 * What a bulk update or delete means for the instances that the session holds.
 *
 * Which of them it concerns is told by the keys of the rows that it met, or else by its criteria, evaluated on what is
 * known of each instance, changes that no flush has written included. As in SQLAlchemy an instance that is expired is left
 * to its next load, and one that is known too little to tell is taken for met: an update expires what it sets, a delete
 * expires the instance. Where the database gives each row another version an update expires the instance, too, but for
 * changes that no flush has written.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#selecting-a-synchronization-strategy
 */
import {
  type AnyDelete,
  type AnyUpdate,
  changesKey,
  type Dialect,
  decodedKeyOf,
  type EvaluableChanges,
  type EvaluableCriteria,
  evaluateChanges,
  type InstanceId,
  isKindOf,
  type Mapping,
  type MetKey,
  type RawKey,
  rawKeyOf,
  rowClassOf,
} from '@unitary/core'
import type { ShardToken } from '../state/identity-map.js'
import * as IdentityMap from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, instanceAt, isExpired, revise, type SessionState, type StateEdit } from '../state/session-state.js'
import { forgetAll } from './expire.js'
import { put, standingAt } from './standing.js'

type Row = Readonly<Record<string, unknown>>

/**
 * What an update or delete did on one database.
 *
 * @category model
 */
export interface Written {
  readonly dialect: Dialect
  readonly token: ShardToken | null
  /** Rows matched. */
  readonly affected: number
  /** Their keys; null where they were not asked for. */
  readonly keys: ReadonlyArray<MetKey> | null
}

/** An instance that a bulk statement concerns. */
export interface Met {
  readonly instance: Instance.Instance
  readonly dialect: Dialect
  /** False where too little is known to tell. */
  readonly isCertain: boolean
  /** The key that the row has now, where that was told; null where it was not. */
  readonly key: RawKey | null
}

/**
 * After a bulk statement: the instances that it concerns are in step with their rows. Without criteria only the keys tell
 * which those are. O(keys), or O(instances in the state) where criteria have to.
 *
 * @category transitions
 */
export const bulkWritten = (
  state: SessionState,
  statement: AnyUpdate | AnyDelete,
  batches: ReadonlyArray<Written>,
  criteria: EvaluableCriteria | null,
): SessionState => {
  const { mapping } = statement.entity
  const keyed = batches.flatMap((written) => metByKeys(state, mapping, written))
  const met = criteria === null ? keyed : keyed.concat(metByCriteria(state, mapping, batches, criteria))
  if (met.length === 0) return written(state, batches)
  const changes = edit(state)
  if (statement._tag === 'Update') updated(state, changes, statement, met)
  else deleted(state, changes, met)
  return written(done(state, changes), batches)
}

/** A statement that met no row has written nothing. */
const written = (state: SessionState, batches: ReadonlyArray<Written>): SessionState =>
  state.isWritten || batches.every(({ affected }) => affected === 0) ? state : revise(state, { isWritten: true })

const metByKeys = (state: SessionState, mapping: Mapping, { dialect, keys, token }: Written): ReadonlyArray<Met> => {
  const met = new Map<InstanceId, Met>()
  for (const { before, after } of keys ?? []) {
    const id = IdentityMap.get(state.identityMap, mapping, token, before)
    if (id !== undefined) met.set(id, { instance: instanceAt(state, id), dialect, isCertain: true, key: after })
  }
  return [...met.values()]
}

const metByCriteria = (
  state: SessionState,
  mapping: Mapping,
  batches: ReadonlyArray<Written>,
  criteria: EvaluableCriteria,
): ReadonlyArray<Met> => {
  const dialects = new Map(batches.flatMap(({ dialect, keys, token }) => (keys === null ? [[token, dialect]] : [])))
  const met: Met[] = []
  if (dialects.size === 0) return met
  IntMap.forEach(state.instances, (instance) => {
    if (!isKindOf(instance.mapping, mapping) || instance.status !== 'persistent' || isUnknown(state, instance)) return
    const dialect = dialects.get(instance.token)
    if (dialect === undefined) return
    const truth = criteria.truth(rowOf(instance), dialect)
    if (truth === true || truth === undefined) met.push({ instance, dialect, isCertain: truth === true, key: null })
  })
  return met
}

/** Has all of the instance expired? What was set since then, and not flushed, tells nothing of its row. */
const isUnknown = (state: SessionState, instance: Instance.Instance): boolean => {
  if (isExpired(state, instance)) return true
  const pending = instance.committed
  if (!instance.partial || pending === null) return false
  // by its key it is known all the same
  return instance.mapping.attributes.every(
    (attribute) => attribute.isKey || attribute.name in pending || Instance.valueAt(instance, attribute) === undefined,
  )
}

const rowOf = (instance: Instance.Instance): Row => instance.snapshot as unknown as Row

// updates

const updated = (state: SessionState, changes: StateEdit, statement: AnyUpdate, met: ReadonlyArray<Met>): void => {
  const assignments = evaluateChanges(statement)
  const movesRows = changesKey(statement)
  const moved: Array<readonly [Instance.Instance, RawKey]> = []
  for (const one of met) {
    const { instance } = one
    const written = isExpired(state, instance) ? instance : outdated(withAssignments(one, assignments))
    const key = movesRows ? (one.key ?? rawKeyOf(instance.mapping, rowOf(written))) : instance.key
    if (movesRows && (key === null || !one.isCertain)) {
      put(changes, forgetAll(instance))
    } else if (key !== null && key !== instance.key) {
      const keyed = one.key === null ? written : withKey(written, key)
      put(changes, { ...keyed, key })
      moved.push([instance, key])
    } else if (written !== instance) {
      put(changes, written)
    }
  }
  move(changes, moved)
}

/**
 * The instance with what an update has set, as far as that is known: attributes that it did not know stay unknown, and
 * those with changes that no flush has written lose them, since nothing tells what the row has now.
 */
export const withAssignments = (
  { instance, dialect, isCertain }: Met,
  { attributes, valuesOf }: EvaluableChanges,
): Instance.Instance => {
  const row = rowOf(instance)
  const { mapping } = instance
  const pending = instance.committed ?? {}
  const assigned = isCertain ? valuesOf(withoutPending(instance), dialect) : {}
  const values: Record<string, unknown> = { ...row }
  const committed: Record<string, unknown> = { ...pending }
  let { partial } = instance
  let isSame = true
  for (const { name, isDeferred } of attributes) {
    const isPending = name in pending
    const value = isPending ? undefined : assigned[name]
    if (row[name] === undefined || (value !== undefined && Object.is(row[name], value))) continue
    isSame = false
    values[name] = value
    delete committed[name]
    if (value === undefined && !isDeferred) partial = true
  }
  if (isSame) return instance
  return {
    ...instance,
    snapshot: rowClassOf(mapping).make(instance.id, values),
    partial,
    committed: Object.keys(committed).length === 0 ? null : committed,
  }
}

/** The instance without what expressions computed of its row and the version that this no longer has, and without all else where no changes would be lost. */
export const outdated = (instance: Instance.Instance): Instance.Instance => {
  const { committed, id, mapping, snapshot } = instance
  const { serverVersion } = mapping
  if (serverVersion === null) return Instance.uncomputed(instance)
  if (committed === null) return { ...instance, epoch: -1 }
  const values = { ...snapshot, [serverVersion.name]: undefined }
  return Instance.uncomputed({ ...instance, snapshot: rowClassOf(mapping).make(id, values), partial: true })
}

/** What the database's row has, as far as it is known: an update computes from that. */
const withoutPending = (instance: Instance.Instance): Row => {
  if (instance.committed === null) return rowOf(instance)
  const row: Record<string, unknown> = { ...rowOf(instance) }
  for (const name in instance.committed) row[name] = undefined
  return row
}

/** The instance with the attributes of a key, where it knew them. */
const withKey = (instance: Instance.Instance, key: RawKey): Instance.Instance => {
  const { mapping } = instance
  const patch: Record<string, unknown> = {}
  const values = decodedKeyOf(mapping, key)
  for (let i = 0; i < mapping.key.length; i++) {
    const { name } = mapping.key[i] as Mapping['key'][number]
    if (instance.committed === null || !(name in instance.committed)) patch[name] = values[i]
  }
  return { ...instance, snapshot: rowClassOf(mapping).patch(instance.snapshot, instance.id, patch) }
}

/** Gives instances the identities that their rows have now. One may take what another had. */
const move = (changes: StateEdit, moved: ReadonlyArray<readonly [Instance.Instance, RawKey]>): void => {
  for (const [{ mapping, token, key }] of moved) changes.identityMap.delete(mapping, token, key as RawKey)
  for (const [instance, key] of moved) {
    const { id, mapping, token } = instance
    // what stood for a row of that key does so no more: there can be one only
    const other = changes.identityMap.get(mapping, token, key)
    if (other !== undefined) leave(changes, standingAt(changes, other))
    changes.identityMap.set(mapping, token, key, id)
    if (changes.origins.get(id) === undefined) changes.origins.set(id, instance)
  }
}

// deletes

const deleted = (state: SessionState, changes: StateEdit, met: ReadonlyArray<Met>): void => {
  for (const { instance, isCertain } of met) {
    if (isCertain) leave(changes, instance)
    // the flush that deletes a row needs to know what refers to it
    else if (IntSet.has(state.deleted, instance.id)) put(changes, { ...forgetAll(instance), related: instance.related })
    else put(changes, forgetAll(instance))
  }
}

/**
 * The rows of instances are gone: they are deleted.
 *
 * @category transitions
 */
export const bulkDeleted = (state: SessionState, ids: ReadonlyArray<InstanceId>): SessionState => {
  const changes = edit(state)
  for (const id of ids) leave(changes, instanceAt(state, id))
  return done(state, changes)
}

const leave = (changes: StateEdit, instance: Instance.Instance): void => {
  const { id, key, mapping, token } = instance
  changes.instances.set(id, { ...instance, status: 'deleted', committed: null })
  changes.identityMap.delete(mapping, token, key as RawKey)
  changes.changed.delete(id)
  changes.deleted.delete(id)
  changes.gone.add(id)
}
