/**
 * What an insert past the unit of work means for the instances that the session holds.
 *
 * Rows that an upsert has written may stand for instances: those are out of date, but for changes that no flush has written.
 * Which they are, the rows say that were given: by their keys, or by what is unique of them. Where that cannot be told in
 * memory, it is all of the entity.
 */
import {
  type AnyInsert,
  type Attribute,
  Computed,
  conflictKeys,
  type Dialect,
  type DriverRow,
  type InsertRows,
  type InstanceId,
  type Mapping,
  rawKeyOf,
  rawKeyOfValue,
  rowClassOf,
} from '@unitary/core'
import type { ShardToken } from '../state/identity-map.js'
import * as IdentityMap from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import { done, edit, instanceAt, isExpired, revise, type SessionState } from '../state/session-state.js'
import { put } from './standing.js'

/**
 * What an insert wrote on one database.
 *
 * @category model
 */
export interface Inserted {
  readonly dialect: Dialect
  readonly token: ShardToken | null
  readonly affected: number
  /** The rows that it wrote, by attribute names; null where they were not asked for. */
  readonly rows: ReadonlyArray<DriverRow> | null
  /** Which of the rows given those are; null where a query gave them. */
  readonly places: ReadonlyArray<number> | null
}

/**
 * After an insert: instances that stand for rows that it may have written are out of date. O(rows), and O(instances of the
 * entity) for an upsert by another key than the primary one.
 *
 * @category transitions
 */
export const inserted = (
  state: SessionState,
  statement: AnyInsert,
  rows: InsertRows | null,
  batches: ReadonlyArray<Inserted>,
): SessionState => {
  const isWritten = state.isWritten || batches.some(({ affected }) => affected > 0)
  const { mapping } = statement.entity
  const changes = edit(state)
  for (const batch of batches) {
    for (const id of concerned(state, mapping, statement, rows, batch)) put(changes, outdated(instanceAt(state, id)))
  }
  const next = done(state, changes)
  return next.isWritten === isWritten ? next : revise(next, { isWritten })
}

function* concerned(
  state: SessionState,
  mapping: Mapping,
  statement: AnyInsert,
  rows: InsertRows | null,
  { dialect, token }: Inserted,
): Generator<InstanceId> {
  if (rows !== null) yield* byPrimaryKey(state, mapping, rows, token)
  const keys = conflictKeys(statement, dialect)
  if (keys.length === 0) return
  const tests = rows === null ? [everything] : keys.map((key) => matcher(key, rows, dialect))
  const found: InstanceId[] = []
  IntMap.forEach(state.instances, (instance) => {
    if (instance.mapping !== mapping || instance.status !== 'persistent' || instance.token !== token) return
    if (!isExpired(state, instance) && tests.some((isMet) => isMet(instance))) found.push(instance.id)
  })
  yield* found
}

function* byPrimaryKey(
  state: SessionState,
  mapping: Mapping,
  { attributes, given }: InsertRows,
  token: ShardToken | null,
): Generator<InstanceId> {
  const places = mapping.key.map((attribute) => attributes.indexOf(attribute))
  if (places.includes(-1)) return
  const values: Record<string, unknown> = {}
  for (const cells of given) {
    if (places.some((place) => cells[place] instanceof Computed)) continue
    mapping.key.forEach(({ name }, i) => {
      values[name] = cells[places[i] as number]
    })
    const key = rawKeyOf(mapping, values)
    const id = key === null ? undefined : IdentityMap.get(state.identityMap, mapping, token, key)
    if (id !== undefined) yield id
  }
}

type Matcher = (instance: Instance.Instance) => boolean

const everything: Matcher = () => true

/** May one of the rows have met the row of an instance by a key? */
const matcher = (key: ReadonlyArray<Attribute>, { attributes, encoded }: InsertRows, dialect: Dialect): Matcher => {
  const places = key.map((attribute) => attributes.indexOf(attribute))
  if (places.includes(-1)) return () => false
  // other texts may be equal by the column's collation
  if (dialect.textComparison === 'collation' && key.some(({ column }) => column.kind === 'text')) return everything
  const texts = new Set<string>()
  for (const cells of encoded) {
    const parts = places.map((place) => cells[place])
    if (parts.some((part) => part instanceof Computed)) return everything
    if (!parts.some((part) => part === null || part === undefined)) texts.add(textOf(parts))
  }
  return (instance) => {
    const parts: unknown[] = []
    for (const attribute of key) {
      const value = Instance.committedAt(instance, attribute)
      if (value === undefined) return true
      if (value === null) return false
      parts.push(attribute.encode(value))
    }
    return texts.has(textOf(parts))
  }
}

const textOf = (parts: ReadonlyArray<unknown>): string => JSON.stringify(parts.map(rawKeyOfValue))

/** The instance without what its row no longer has for sure: all but its key, and changes that no flush has written. */
const outdated = (instance: Instance.Instance): Instance.Instance => {
  const { committed, id, mapping, related } = instance
  if (committed === null) return { ...instance, epoch: -1 }
  const values: Record<string, unknown> = {}
  for (const attribute of mapping.attributes) {
    if (attribute.isKey || attribute.name in committed) values[attribute.name] = Instance.valueAt(instance, attribute)
  }
  return {
    ...instance,
    snapshot: rowClassOf(mapping).make(id, values),
    partial: true,
    related: related?.map((one) => (one !== undefined && Instance.hasChanges(one) ? one : undefined)) ?? null,
  }
}
