/**
 * An instance: one object of the program, its standing towards the database, and what is known of its row.
 */
import {
  type Attribute,
  type ExecutionOptions,
  type InstanceId,
  type Load,
  type Mapping,
  type RawKey,
  type RelationshipMapping,
  rowClassOf,
  type Snapshot,
} from '@unitary/core'
import * as Collection from './collection.js'
import type { ShardToken } from './identity-map.js'

/**
 * SQLAlchemy's object states. `transient`: made, and no business of the unit of work. `pending`: to be inserted by the
 * next flush. `persistent`: has a row. `deleted`: its row was deleted in this transaction. `detached`: belongs to no
 * session any more.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/session_state_management.html
 * @category model
 */
export type Status = 'transient' | 'pending' | 'persistent' | 'deleted' | 'detached'

/** In place of a database value that is not known, since the attribute was set while it was not loaded. */
export const unknown: unique symbol = Symbol('unknown')

/**
 * What a collection holds. `members` are null while they are not loaded; `added` and `removed` are the changes
 * that no flush has written, whether loaded or not, and `members` shows them already.
 *
 * `narrowed` tells what kept the load of the members from giving all of them - the key of the criteria that held, or
 * `byHooks` - and null where they are all that there are.
 *
 * @category model
 */
export interface Many {
  readonly _tag: 'Many'
  readonly members: Collection.Collection | null
  readonly added: Collection.Collection
  readonly removed: Collection.Collection
  readonly narrowed: string | null
  /** Is the order another than the one that the database has? Of collections that keep places. */
  readonly isMoved?: true
}

/** In place of the key of criteria. No such key is like it. */
export const byHooks = '*'

/**
 * What a reference holds: a belongs-to or a has-one. `committed` is what it held when it was last in step with the
 * database, where that differs from `target`.
 *
 * @category model
 */
export interface One {
  readonly _tag: 'One'
  readonly target: InstanceId | null
  readonly changed: boolean
  readonly committed: InstanceId | null | typeof unknown
  /** Did it let go of one that it is known to have held, though what the database has may not be known? */
  readonly hasLeft?: true
}

/** @category model */
export type Related = Many | One

/**
 * What a query says of the loads of its results' relationships that come after it. All results of a query share it.
 *
 * @category model
 */
export interface Origin {
  readonly loads: ReadonlyArray<Load>
  readonly options: ExecutionOptions
}

/**
 * @category model
 */
export interface Instance {
  readonly id: InstanceId
  readonly mapping: Mapping
  readonly status: Status
  /** The identity key, from the first flush or load on. */
  readonly key: RawKey | null
  /** The shard that holds its row. */
  readonly token: ShardToken | null
  /** What is known of the row, changes included; undefined where an attribute is not known. */
  readonly snapshot: Snapshot
  /** The state's epoch in which it was last known to be in step; of an earlier epoch than the state's, it is expired. */
  readonly epoch: number
  /** Is some attribute not known? Reading such an instance loads what is missing. */
  readonly partial: boolean
  /** Database values of changed attributes, or `unknown`; null where none is changed. */
  readonly committed: Readonly<Record<string, unknown>> | null
  /** By the relationship's position; null or undefined where nothing is known. */
  readonly related: ReadonlyArray<Related | undefined> | null
  /** When it became pending, for the order of inserts; 0 before that. */
  readonly order: number
  /** Was its row deleted by a transaction that is committed? Such an instance cannot come back. */
  readonly wasDeleted: boolean
  /**
   * Attributes that its insert left out, and nobody has set since: null, as the table has filled them in. Setting one is a
   * change, whatever it is set to. Null where there are none.
   */
  readonly unset: ReadonlyArray<string> | null
  /** What the query that gave it says of later loads; null where it says nothing. */
  readonly origin: Origin | null
  /** Of a pending one: who took it last over a relationship that it does not know, and is an orphan without. */
  readonly takenBy?: ReadonlyMap<RelationshipMapping, InstanceId>
}

/**
 * @category constructors
 */
export const make = (
  id: InstanceId,
  mapping: Mapping,
  status: Status,
  key: RawKey | null,
  token: ShardToken | null,
  snapshot: Snapshot,
  epoch: number,
  related: ReadonlyArray<Related | undefined> | null,
  order: number,
): Instance => ({
  id,
  mapping,
  status,
  key,
  token,
  snapshot,
  epoch,
  partial: false,
  committed: null,
  related,
  order,
  wasDeleted: false,
  unset: null,
  origin: null,
})

/** Has the instance a row, as far as the session knows? @category guards */
export const hasIdentity = (self: Instance): boolean => self.status === 'persistent' || self.status === 'deleted'

/**
 * The instance without what expressions compute of its row, which has been written: it is known when the row is read again.
 * The same instance where its entity has no such attributes.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/mapping_api.html#sqlalchemy.orm.column_property.params.expire_on_flush
 * @category combinators
 */
export const uncomputed = (self: Instance): Instance => {
  const { id, mapping, snapshot } = self
  if (mapping.expressions.length === 0) return self
  const values: Record<string, unknown> = { ...snapshot }
  for (const { name } of mapping.expressions) values[name] = undefined
  return {
    ...self,
    snapshot: rowClassOf(mapping).make(id, values),
    partial: self.partial || mapping.expressions.some(({ isDeferred }) => !isDeferred),
  }
}

/** Is it the session's business: pending, or in the identity map? @category guards */
export const isInUnitOfWork = (self: Instance): boolean => self.status === 'pending' || self.status === 'persistent'

/**
 * The value of an attribute, undefined where it is not known.
 *
 * @category combinators
 */
export const valueAt = (self: Instance, attribute: Attribute): unknown =>
  (self.snapshot as unknown as Readonly<Record<string, unknown>>)[attribute.name]

/** Was it left out of the insert, and not set since? @category guards */
export const isUnset = ({ unset }: Instance, name: string): boolean => unset?.includes(name) === true

/**
 * Is some attribute of the entity not known? The instance may be of a subtype, of which more is missing.
 *
 * @category guards
 */
export const isPartialAs = (self: Instance, mapping: Mapping): boolean =>
  self.partial &&
  (self.mapping === mapping ||
    mapping.attributes.some((attribute) => !attribute.isDeferred && valueAt(self, attribute) === undefined))

/** The value that the database has, undefined where it is not known. @category combinators */
export const committedAt = (self: Instance, attribute: Attribute): unknown => {
  const before = self.committed?.[attribute.name]
  if (before === undefined) return isUnset(self, attribute.name) ? undefined : valueAt(self, attribute)
  return before === unknown ? undefined : before
}

/** What is known of a relationship, if anything. @category combinators */
export const relatedOf = (self: Instance, relationship: RelationshipMapping): Related | undefined =>
  self.related?.[relationship.position]

const noneRelated: Many = {
  _tag: 'Many',
  members: null,
  added: Collection.empty,
  removed: Collection.empty,
  narrowed: null,
}

/** A collection of which nothing is known, or one of an instance that cannot have any rows yet. @category constructors */
export const unloaded: Many = noneRelated

/** @category constructors */
export const many = (members: Collection.Collection | null, narrowed: string | null = null): Many => ({
  ...noneRelated,
  members,
  narrowed,
})

/** @category constructors */
export const one = (target: InstanceId | null): One => ({ _tag: 'One', target, changed: false, committed: null })

const nobody: ReadonlyArray<InstanceId> = Object.freeze([])

/** What a relationship holds, in order; null where it is not loaded. @category combinators */
export const membersOf = (related: Related): ReadonlyArray<InstanceId> | null => {
  if (related._tag === 'One') return related.target === null ? nobody : [related.target]
  return related.members === null ? null : Collection.toArray(related.members)
}

/** Is all that a relationship holds known, hidden or not: enough for a delete to go by? @category guards */
export const isWhole = (related: Related | undefined): boolean =>
  related !== undefined && (related._tag === 'One' || (related.members !== null && related.narrowed === null))

/** What came into a relationship since the last flush. @category combinators */
export const addedTo = (related: Related): ReadonlyArray<InstanceId> => {
  if (related._tag === 'Many') return Collection.toArray(related.added)
  return related.changed && related.target !== null ? [related.target] : nobody
}

/** What left a relationship since the last flush, as far as that is known. @category combinators */
export const removedFrom = (related: Related): ReadonlyArray<InstanceId> => {
  if (related._tag === 'Many') return Collection.toArray(related.removed)
  const { changed, committed, target } = related
  return changed && typeof committed === 'number' && committed !== target ? [committed] : nobody
}

/**
 * The same instance with one relationship replaced. O(number of relationships).
 *
 * @category combinators
 */
export const withRelated = (
  self: Instance,
  relationship: RelationshipMapping,
  related: Related | undefined,
): Instance => ({ ...self, related: replaceRelated(self, relationship, related) })

export const replaceRelated = (
  self: Instance,
  relationship: RelationshipMapping,
  related: Related | undefined,
): ReadonlyArray<Related | undefined> => {
  const all: Array<Related | undefined> =
    self.related === null ? new Array(self.mapping.relationships.length).fill(undefined) : self.related.slice()
  all[relationship.position] = related
  return all
}

/** Has the instance changes that a flush would look at? @category guards */
export const isChanged = (self: Instance): boolean => self.committed !== null || self.related?.some(hasChanges) === true

/** Has a relationship changes that no flush has written? @category guards */
export const hasChanges = (related: Related | undefined): boolean =>
  related !== undefined &&
  (related._tag === 'One'
    ? related.changed
    : Collection.size(related.added) > 0 || Collection.size(related.removed) > 0 || related.isMoved === true)
