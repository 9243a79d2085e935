/**
 * Foreign keys that are part of the primary key of the rows that hold them: where the key that they refer to changes,
 * theirs does too.
 */
import {
  type AnyModel,
  type Attribute,
  encodedKeyOf,
  type InstanceId,
  type Mapping,
  type RelationshipMapping,
  rawKeyOfValue,
  withDescendants,
} from '@unitary/core'
import * as IdentityMap from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import type { SessionState } from '../state/session-state.js'
import { isPostUpdate } from './dependencies.js'

type Instance = Instance.Instance

/** A relationship over such a foreign key, from either side. @category model */
export interface KeyLink {
  readonly relationship: RelationshipMapping
  /** What the foreign key refers to. */
  readonly referred: Mapping
}

/** Is the foreign key part of the primary key of the row that holds it? @category guards */
export const isInKey = (relationship: RelationshipMapping): boolean =>
  !isPostUpdate(relationship) && relationship.foreignKey.some(({ isKey }) => isKey)

const found = new WeakMap<AnyModel, ReadonlyMap<Mapping, ReadonlyArray<KeyLink>>>()

const none: ReadonlyArray<KeyLink> = []

/**
 * The relationships that parts of an entity's primary key follow from.
 *
 * @category combinators
 */
export const keyLinksOf = (model: AnyModel, mapping: Mapping): ReadonlyArray<KeyLink> => {
  const known = found.get(model)
  if (known !== undefined) return known.get(mapping) ?? none
  const links = new Map<Mapping, KeyLink[]>()
  // what is inherited is the same
  for (const relationship of new Set(model.mappings.flatMap(({ relationships }) => relationships))) {
    if (relationship.viewonly || !isInKey(relationship)) continue
    const { kind, owner, target } = relationship
    const [holder, referred] = kind === 'BelongsTo' ? [owner, target] : [target, owner]
    for (const one of withDescendants(holder)) {
      const list = links.get(one)
      if (list === undefined) links.set(one, [{ relationship, referred }])
      else list.push({ relationship, referred })
    }
  }
  found.set(model, links)
  return links.get(mapping) ?? none
}

/**
 * The instance that a row refers to in the database, as far as the session knows it.
 *
 * @category combinators
 */
export const referredBy = (
  state: SessionState,
  row: Instance,
  { relationship, referred }: KeyLink,
): InstanceId | undefined => {
  if (row.key === null) return undefined
  const key = encodedKeyOf(row.mapping, row.key)
  const parts: unknown[] = []
  for (const attribute of relationship.foreignKey) {
    const value = attribute.isKey ? key[row.mapping.key.indexOf(attribute)] : encodedCommitted(row, attribute)
    if (value === undefined || value === null) return undefined
    parts.push(typeof value === 'bigint' ? String(value) : value)
  }
  const raw = parts.length === 1 ? rawKeyOfValue(parts[0]) : JSON.stringify(parts)
  return raw === null ? undefined : IdentityMap.get(state.identityMap, referred, row.token, raw)
}

const encodedCommitted = (row: Instance, attribute: Attribute): unknown => {
  const value = Instance.committedAt(row, attribute)
  return value === undefined || value === null ? value : attribute.encode(value)
}
