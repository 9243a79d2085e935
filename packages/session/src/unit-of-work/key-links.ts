/**
 * Foreign keys that are part of the primary key of the rows that hold them, or of other attributes that foreign keys refer to:
 * where what they refer to changes, theirs does too.
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
import * as Instance from '../state/instance.js'
import type { SessionState } from '../state/session-state.js'
import { referredAt } from '../transition/referred.js'
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

const referredTo = new WeakMap<AnyModel, ReadonlySet<Attribute>>()

/**
 * The attributes beside primary keys that foreign keys refer to.
 *
 * @category combinators
 */
export const referredAttributes = (model: AnyModel): ReadonlySet<Attribute> => {
  const known = referredTo.get(model)
  if (known !== undefined) return known
  const made = new Set(
    model.mappings.flatMap(({ relationships }) =>
      relationships.flatMap(({ isByIdentity, key, viewonly }) => (isByIdentity || viewonly ? [] : key)),
    ),
  )
  referredTo.set(model, made)
  return made
}

/** Is the foreign key part of what other rows refer to the row by that holds it? @category guards */
export const isReferred = (model: AnyModel, relationship: RelationshipMapping): boolean =>
  isInKey(relationship) ||
  (!isPostUpdate(relationship) && relationship.foreignKey.some((attribute) => referredAttributes(model).has(attribute)))

const found = new WeakMap<AnyModel, ReadonlyMap<Mapping, ReadonlyArray<KeyLink>>>()

const none: ReadonlyArray<KeyLink> = []

/**
 * The relationships that parts of an entity's primary key follow from, and of what else refers to it.
 *
 * @category combinators
 */
export const keyLinksOf = (model: AnyModel, mapping: Mapping): ReadonlyArray<KeyLink> => {
  const known = found.get(model)
  if (known !== undefined) return known.get(mapping) ?? none
  const links = new Map<Mapping, KeyLink[]>()
  // what is inherited is the same
  for (const relationship of new Set(model.mappings.flatMap(({ relationships }) => relationships))) {
    if (relationship.viewonly || !isReferred(model, relationship)) continue
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
  return raw === null ? undefined : referredAt(state, relationship, referred, row.token, raw)?.id
}

const encodedCommitted = (row: Instance, attribute: Attribute): unknown => {
  const value = Instance.committedAt(row, attribute)
  return value === undefined || value === null ? value : attribute.encode(value)
}
