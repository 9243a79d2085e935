/**
 * What an insert does where a row is there already: `ON CONFLICT`, as Kysely's tree has it.
 */
import { ColumnNode, ColumnUpdateNode, InsertQueryNode, type OnConflictNode, ReferenceNode } from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import type { Services } from '../services.js'
import { type NoUniqueKey, noUniqueKey } from './error.js'
import { updateDefaultOf } from './update-default.js'

/** The attributes by which rows conflict; null where it is whatever is unique. */
export const conflictTarget = (mapping: Mapping, { onConflict }: InsertQueryNode): ReadonlyArray<Attribute> | null => {
  const target = onConflict?.columns?.flatMap(({ column }) => mapping.attributeOf.get(column.name) ?? [])
  return target === undefined || target.length === 0 ? null : target
}

/** The attributes that an upsert sets of a row that is there. */
export const conflictAssignments = (mapping: Mapping, { updates }: OnConflictNode): ReadonlySet<Attribute> =>
  new Set(
    (updates ?? []).flatMap(({ column }) => {
      const named = ReferenceNode.is(column) ? column.column : column
      return (ColumnNode.is(named) ? mapping.attributeOf.get(named.column.name) : undefined) ?? []
    }),
  )

/** Every list of attributes whose values no two rows share. */
export const uniqueKeysOf = ({ key, uniqueKeys }: Mapping): ReadonlyArray<ReadonlyArray<Attribute>> => [
  key,
  ...uniqueKeys,
]

/**
 * What is wrong with the attributes that an upsert names; null where nothing is. An index that the model does not know is
 * named by Kysely's own builder (`modify`), with its condition or by its name.
 */
export const conflictFault = (mapping: Mapping, { onConflict }: InsertQueryNode): NoUniqueKey | null => {
  if (onConflict?.columns === undefined || onConflict.indexWhere !== undefined) return null
  const names = onConflict.columns.map(({ column }) => column.name)
  const isUnique = uniqueKeysOf(mapping).some(
    (key) => key.length === names.length && key.every(({ name }) => names.includes(name)),
  )
  return isUnique ? null : noUniqueKey(mapping.name, names)
}

/** The insert that sets what updates set by themselves, where it updates. The very same tree where there is nothing to set. */
export const withConflictDefaults = (mapping: Mapping, node: InsertQueryNode, services: Services): InsertQueryNode => {
  const { onConflict } = node
  if (onConflict?.updates === undefined || mapping.updateDefaults.length + mapping.updateExpressions.length === 0)
    return node
  const set = conflictAssignments(mapping, onConflict)
  const missing = [...mapping.updateDefaults, ...mapping.updateExpressions].filter((attribute) => !set.has(attribute))
  if (missing.length === 0) return node
  const updates = missing.map(({ column, name }) =>
    ColumnUpdateNode.create(ColumnNode.create(name), updateDefaultOf(column, services)),
  )
  return InsertQueryNode.cloneWith(node, {
    onConflict: { ...onConflict, updates: [...onConflict.updates, ...updates] },
  })
}
