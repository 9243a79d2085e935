/**
 * The cells of a row that is to be written, and the shapes that rows share.
 *
 * Rows are handled a hundred thousand at a time: cells stand in plain arrays by attribute position, and a shape is an
 * array of small numbers.
 */
import { type Attribute, encodedKeyOf, type InstanceId, type Mapping } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import type { ChangeSet, Reference } from './change-set.js'
import type { Notice, PlanColumn } from './step.js'

type Instance = Instance.Instance

/** What a cell holds: nothing (the column is left out), a value, or an instance whose key it stands for. */
export const absent = 0
export const literal = 1
export const key = 2

/** One row by attribute position. */
export interface Cells {
  readonly values: unknown[]
  readonly kinds: Uint8Array
  /** For cells that hold an instance: the attribute whose value they stand for. */
  readonly of: Array<string | null>
}

/** Rows of one shape that are being gathered into a step. */
export interface OpenStep {
  readonly mapping: Mapping
  readonly kinds: Uint8Array
  readonly of: ReadonlyArray<string | null>
  readonly instances: InstanceId[]
  readonly rows: unknown[][]
}

/** @category constructors */
export const noCells = (mapping: Mapping): Cells => ({
  values: new Array(mapping.attributes.length).fill(undefined),
  kinds: new Uint8Array(mapping.attributes.length),
  of: new Array(mapping.attributes.length).fill(null),
})

/** @category constructors */
export const openStep = (mapping: Mapping, { kinds, of }: Cells): OpenStep => ({
  mapping,
  kinds: kinds.slice(),
  of: of.slice(),
  instances: [],
  rows: [],
})

/** Has the row the step's shape? @category guards */
export const isShape = (open: OpenStep, kinds: Uint8Array): boolean => {
  for (let i = 0; i < kinds.length; i++) if (open.kinds[i] !== kinds[i]) return false
  return true
}

/** The cells that are there, in order. @category combinators */
export const compact = ({ values, kinds }: Cells): unknown[] => {
  let present = 0
  for (let i = 0; i < kinds.length; i++) if (kinds[i] !== absent) present++
  if (present === values.length) return values
  const row = new Array(present)
  for (let i = 0, at = 0; i < kinds.length; i++) if (kinds[i] !== absent) row[at++] = values[i]
  return row
}

/** The columns of a step's shape. @category combinators */
export const shapeColumns = (open: OpenStep): ReadonlyArray<PlanColumn> =>
  open.mapping.attributes.flatMap((attribute): ReadonlyArray<PlanColumn> => {
    const kind = open.kinds[attribute.position]
    if (kind === absent) return []
    const of = open.of[attribute.position]
    const planned = column(attribute, kind === key ? (of ?? null) : null)
    const refersTo = open.mapping.relationships.find(
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

/**
 * The references that a row's foreign keys follow from: its own, then those imposed on it. `isPost` asks for those that
 * an UPDATE of its own writes.
 *
 * @category combinators
 */
export const referencesOf = (changes: ChangeSet, instance: Instance, isPost: boolean): ReadonlyArray<Reference> => {
  const imposed = changes.imposed.get(instance.id)?.filter(({ relationship }) => isPostUpdate(relationship) === isPost)
  if (instance.related === null) return imposed ?? []
  const references: Reference[] = []
  for (const relationship of instance.mapping.relationships) {
    if (relationship.kind !== 'BelongsTo' || relationship.viewonly || isPostUpdate(relationship) !== isPost) continue
    const one = Instance.relatedOf(instance, relationship)
    if (one?._tag === 'One' && (one.changed || (instance.status === 'pending' && one.target !== null))) {
      references.push({ relationship, target: one.target })
    }
  }
  return imposed === undefined ? references : [...references, ...imposed]
}

/** Both sides of a relationship speak of one foreign key: what one says holds for it. @category guards */
export const isPostUpdate = ({ postUpdate, inverse }: Reference['relationship']): boolean =>
  postUpdate || inverse?.postUpdate === true

/**
 * Writes the foreign keys that follow from references into the cells.
 *
 * @category combinators
 */
export const fillReferences = (
  state: SessionState,
  instance: Instance,
  references: ReadonlyArray<Reference>,
  { values, kinds, of }: Cells,
  notices: Notice[],
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
    if (!Instance.isInUnitOfWork(referred)) {
      notices.push(outside(instance, relationship.name, referred))
      continue
    }
    const known = referred.key === null ? undefined : encodedKeyOf(referred.mapping, referred.key)
    for (let i = 0; i < relationship.foreignKey.length; i++) {
      const { position } = relationship.foreignKey[i] as Attribute
      const keyAttribute = relationship.key[i] as Attribute
      const value = encodedOf(referred, keyAttribute) ?? known?.[i]
      if (value === undefined) {
        values[position] = target
        kinds[position] = key
        of[position] = keyAttribute.name
      } else {
        values[position] = value
        kinds[position] = literal
      }
    }
  }
}

/** @category constructors */
export const outside = (instance: Instance, relationship: string, target: Instance): Notice => ({
  _tag: 'NotInUnitOfWork',
  entity: instance.mapping.name,
  relationship,
  target: target.mapping.name,
})
