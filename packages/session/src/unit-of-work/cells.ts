/**
 * The cells of a row that is to be written, and the shapes that rows share.
 *
 * Rows are handled a hundred thousand at a time: cells stand in plain arrays by attribute position, and a shape is an
 * array of small numbers.
 */
import {
  type Attribute,
  encodedKeyOf,
  type InstanceId,
  type Mapping,
  type RelationshipMapping,
  type SqlDefault,
  sqlDefaultOf,
} from '@unitary/core'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { givenByFlush } from '../transition/given.js'
import type { ChangeSet } from './change-set.js'
import { isPostUpdate } from './dependencies.js'
import type { Reference } from './imposed.js'
import { keyLinksOf, referredBy } from './key-links.js'
import type { PlanColumn, PlanNotice } from './step.js'

type Instance = Instance.Instance

/**
 * What a cell holds: nothing (the column is left out), a value, or an instance whose key it stands for. What the database
 * computes has no cell in the rows of a step.
 */
export const absent = 0
export const literal = 1
export const key = 2
export const computed = 3

/** One row by attribute position. */
export interface Cells {
  readonly values: unknown[]
  readonly kinds: Uint8Array
  /** For cells that hold an instance: the attribute whose value they stand for. */
  readonly of: Array<string | null>
}

/** What a row has of each attribute: rows of one shape share a step. */
export interface Shape {
  readonly mapping: Mapping
  readonly kinds: Uint8Array
  readonly of: ReadonlyArray<string | null>
}

/** Rows of one shape that are being gathered into a step. */
export interface OpenStep extends Shape {
  readonly instances: InstanceId[]
  readonly rows: unknown[][]
}

/** @category constructors */
export const noCells = (mapping: Mapping): Cells => ({
  values: new Array(mapping.attributes.length).fill(undefined),
  kinds: new Uint8Array(mapping.attributes.length),
  of: new Array(mapping.attributes.length).fill(null),
})

/** Cells of one mapping are used for row after row: an array of small numbers takes long to make. @category combinators */
export const clear = ({ values, kinds, of }: Cells): void => {
  for (let i = 0; i < kinds.length; i++) {
    values[i] = undefined
    kinds[i] = absent
    of[i] = null
  }
}

/** Is nothing written? @category guards */
export const isBlank = ({ kinds }: Cells): boolean => {
  for (let i = 0; i < kinds.length; i++) if (kinds[i] !== absent) return false
  return true
}

/** The shape that cells have for now. @category constructors */
export const shapeOf = (mapping: Mapping, { kinds, of }: Cells): Shape => ({
  mapping,
  kinds: kinds.slice(),
  of: of.slice(),
})

/** @category constructors */
export const openStep = (mapping: Mapping, cells: Cells): OpenStep => ({
  ...shapeOf(mapping, cells),
  instances: [],
  rows: [],
})

/** Has a row the shape? @category guards */
export const isShape = (shape: Pick<Shape, 'kinds'>, kinds: Uint8Array): boolean => {
  for (let i = 0; i < kinds.length; i++) if (shape.kinds[i] !== kinds[i]) return false
  return true
}

/** The cells that are there, in order, in a row of its own. @category combinators */
export const compact = ({ values, kinds }: Cells): unknown[] => {
  let present = 0
  for (let i = 0; i < kinds.length; i++) if (hasCell(kinds[i])) present++
  const row = new Array(present)
  for (let i = 0, at = 0; i < kinds.length; i++) if (hasCell(kinds[i])) row[at++] = values[i]
  return row
}

/** The cells that are there, and then `more`, in a row of its own. @category combinators */
export const compactBefore = ({ values, kinds }: Cells, more: ReadonlyArray<unknown>): unknown[] => {
  let present = 0
  for (let i = 0; i < kinds.length; i++) if (hasCell(kinds[i])) present++
  const row = new Array(present + more.length)
  let at = 0
  for (let i = 0; i < kinds.length; i++) if (hasCell(kinds[i])) row[at++] = values[i]
  for (let i = 0; i < more.length; i++) row[at++] = more[i]
  return row
}

/** Has a column of this kind a cell in each row? @category guards */
export const hasCell = (kind: number | undefined): boolean => kind === literal || kind === key

/** What the database computes of a shape, of those attributes that one table holds. @category combinators */
export const computedColumns = (
  mapping: Mapping,
  kinds: Uint8Array,
  attributes: ReadonlyArray<Attribute>,
  write: 'insert' | 'update',
): ReadonlyArray<SqlDefault> => {
  if (!kinds.includes(computed)) return nothingComputed
  return attributes.flatMap((attribute) =>
    kinds[attribute.position] === computed ? (sqlDefaultOf(mapping, attribute, write) ?? []) : [],
  )
}

const nothingComputed: ReadonlyArray<SqlDefault> = []

interface KnownShape extends Shape {
  readonly columns: ReadonlyArray<PlanColumn>
}

const shapes = new WeakMap<Mapping, ReadonlyArray<KnownShape>>()

/** How many shapes of an entity are remembered. */
const mostShapes = 16

/** The columns of a step's shape. The same array for the same shape, mostly: a plan of a row costs little beside it. @category combinators */
export const shapeColumns = ({ kinds, mapping, of }: Shape): ReadonlyArray<PlanColumn> => {
  const known = shapes.get(mapping) ?? []
  const found = known.find((shape) => isShape(shape, kinds) && shape.of.every((name, i) => name === of[i]))
  if (found !== undefined) return found.columns
  const columns = shapeColumnsIn({ kinds, mapping, of }, mapping.attributes)
  if (known.length < mostShapes) shapes.set(mapping, [...known, { kinds, mapping, of, columns }])
  return columns
}

/** The same of those attributes that one table holds. @category combinators */
export const shapeColumnsIn = (shape: Shape, attributes: ReadonlyArray<Attribute>): ReadonlyArray<PlanColumn> =>
  attributes.flatMap((attribute): ReadonlyArray<PlanColumn> => {
    const kind = shape.kinds[attribute.position]
    if (!hasCell(kind)) return []
    const of = shape.of[attribute.position]
    const planned = column(attribute, kind === key ? (of ?? null) : null)
    const refersTo = shape.mapping.relationships.find(
      ({ foreignKey, kind: side }) => side === 'BelongsTo' && foreignKey.includes(attribute),
    )?.target.name
    return [refersTo === undefined ? planned : { ...planned, refersTo }]
  })

const column = ({ name, columnName }: Attribute, of: string | null): PlanColumn => ({
  attribute: name,
  column: columnName,
  source: of === null ? { _tag: 'Literal' } : { _tag: 'Key', of },
})

/** Columns that hold plain values. @category combinators */
export const literalColumns = (attributes: ReadonlyArray<Attribute>): ReadonlyArray<PlanColumn> =>
  attributes.map((attribute) => column(attribute, null))

/** The encoded value of an attribute, undefined where it is not known. @category combinators */
export const encodedOf = (instance: Instance, attribute: Attribute): unknown => {
  const value = Instance.valueAt(instance, attribute)
  return value === undefined ? undefined : attribute.encode(value)
}

const noReferences: ReadonlyArray<Reference> = []

/**
 * The references that a row's foreign keys follow from: its own, then those imposed on it. `isPost` asks for those that
 * an UPDATE of its own writes.
 *
 * @category combinators
 */
export const referencesOf = (changes: ChangeSet, instance: Instance, isPost: boolean): ReadonlyArray<Reference> => {
  const imposed =
    changes.imposed.size === 0
      ? undefined
      : changes.imposed.get(instance.id)?.filter(({ relationship }) => isPostUpdate(relationship) === isPost)
  if (instance.related === null) return imposed ?? noReferences
  // mostly there is one: an array that grows from nothing has room for 17
  let references: Reference[] | null = null
  for (const relationship of instance.mapping.relationships) {
    if (relationship.kind !== 'BelongsTo' || relationship.viewonly || isPostUpdate(relationship) !== isPost) continue
    const one = Instance.relatedOf(instance, relationship)
    if (one?._tag === 'One' && (one.changed || (instance.status === 'pending' && one.target !== null))) {
      const reference = { relationship, target: one.target }
      if (references === null) references = [reference]
      else references.push(reference)
    }
  }
  if (imposed === undefined) return references ?? noReferences
  return references === null ? imposed : [...references, ...imposed]
}

/** A part of a key: its encoded value, or the instance that the database will give it for. @category model */
export interface KeyPart {
  readonly value: unknown
  /** The attribute of that instance; null where it is a value. */
  readonly of: string | null
}

/**
 * What a key attribute of an instance holds once its row is written. It may be part of a foreign key too, and come from what
 * the instance refers to, or from what that refers to.
 *
 * @category combinators
 */
export const keyPart = (state: SessionState, changes: ChangeSet, instance: Instance, attribute: Attribute): KeyPart => {
  let holder = instance
  let held = attribute
  let visited: Set<InstanceId> | null = null
  for (;;) {
    const { id, key: raw, mapping } = holder
    const isReferring = held !== mapping.generatedKey && givenByFlush(state.model, mapping).has(held)
    const reference = isReferring && visited?.has(id) !== true ? referenceOver(state, changes, holder, held) : undefined
    const carried =
      reference === undefined && visited?.has(id) !== true ? carriedOver(state, changes, holder, held) : null
    if (carried !== null) {
      visited = (visited ?? new Set()).add(id)
      ;[holder, held] = carried
      continue
    }
    if (reference === undefined) {
      const value =
        encodedOf(holder, held) ?? (raw === null ? undefined : encodedKeyOf(mapping, raw)[mapping.key.indexOf(held)])
      if (value !== undefined) return { value, of: null }
      // what is referred to by other attributes brings them along, or has none
      return held.isKey ? { value: id, of: held.name } : { value: null, of: null }
    }
    const { relationship, target } = reference
    if (target === null) return { value: null, of: null }
    visited = (visited ?? new Set()).add(id)
    held = relationship.key[relationship.foreignKey.indexOf(held)] as Attribute
    holder = instanceAt(state, target)
  }
}

/** The key of an instance by the time at which all rows are written that stay. @category combinators */
export const keyAfter = (state: SessionState, changes: ChangeSet, instance: Instance): ReadonlyArray<KeyPart> => {
  const { id, mapping } = instance
  const row = changes.isDeleted(id) ? instance : changes.switches.get(id)
  return row === undefined || row.key === null
    ? mapping.key.map((attribute) => keyPart(state, changes, instance, attribute))
    : encodedKeyOf(mapping, row.key).map((value): KeyPart => ({ value, of: null }))
}

/**
 * The key by which a row is found when its own write has its turn, encoded: by then the database may have carried to it the
 * changed key of what it refers to.
 *
 * @category combinators
 */
export const keyFound = (state: SessionState, changes: ChangeSet, row: Instance): ReadonlyArray<unknown> => {
  const key = encodedKeyOf(row.mapping, row.key as string)
  if (changes.renamed.size === 0) return key
  return row.mapping.key.map((attribute, i) => {
    const carried = carriedOver(state, changes, row, attribute)
    const part = carried === null ? null : keyPart(state, changes, ...carried)
    return part === null || part.of !== null ? key[i] : part.value
  })
}

/** What the database carries to a part of a row's key along with the key that this refers to. */
const carriedOver = (
  state: SessionState,
  changes: ChangeSet,
  row: Instance,
  attribute: Attribute,
): readonly [instance: Instance, attribute: Attribute] | null => {
  if (changes.renamed.size === 0) return null
  for (const link of keyLinksOf(state.model, row.mapping)) {
    const { foreignKey, key: referredKey, passiveUpdates } = link.relationship
    const at = passiveUpdates ? foreignKey.indexOf(attribute) : -1
    const target = at < 0 ? undefined : referredBy(state, row, link)
    if (target === undefined || !changes.renamed.has(target)) continue
    return [instanceAt(state, target), referredKey[at] as Attribute]
  }
  return null
}

/** The reference that a foreign key's attribute follows from, if it follows from one. */
const referenceOver = (
  state: SessionState,
  changes: ChangeSet,
  instance: Instance,
  attribute: Attribute,
): Reference | undefined =>
  referencesOf(changes, instance, false).findLast(
    ({ relationship, target }) =>
      relationship.foreignKey.includes(attribute) &&
      (target === null || Instance.isInUnitOfWork(instanceAt(state, target))),
  )

/**
 * Writes the foreign keys that follow from references into the cells.
 *
 * @category combinators
 */
export const fillReferences = (
  state: SessionState,
  changes: ChangeSet,
  instance: Instance,
  references: ReadonlyArray<Reference>,
  { values, kinds, of }: Cells,
  notices: PlanNotice[],
): void => {
  for (const { relationship, target } of references) {
    if (target === null) {
      for (const { position } of relationship.foreignKey) {
        values[position] = null
        kinds[position] = literal
      }
      continue
    }
    const referred = instanceAt(state, target)
    // a row that is gone, of which nobody knows any more what referred to it
    const isLost = !relationship.isByIdentity && isUnknown(referred, relationship)
    if (isLost || !Instance.isInUnitOfWork(referred)) {
      notices.push(outside(instance, relationship.name, referred))
      continue
    }
    for (let i = 0; i < relationship.foreignKey.length; i++) {
      const { position } = relationship.foreignKey[i] as Attribute
      const part = keyPart(state, changes, referred, relationship.key[i] as Attribute)
      values[position] = part.value
      kinds[position] = part.of === null ? literal : key
      of[position] = part.of
    }
  }
}

const isUnknown = (referred: Instance, { key: attributes }: RelationshipMapping): boolean =>
  referred.status === 'persistent' &&
  attributes.some((attribute) => Instance.valueAt(referred, attribute) === undefined)

/** @category constructors */
export const outside = (instance: Instance, relationship: string, target: Instance): PlanNotice => ({
  _tag: 'NotInUnitOfWork',
  entity: instance.mapping.name,
  relationship,
  target: target.mapping.name,
})
