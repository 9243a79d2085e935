/**
 * Values that an instance has not given itself: what the plan filled in, and what the database gave back.
 */
import type { Attribute, InstanceId, Mapping, Snapshot } from '@unitary/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { givenByFlush } from '../transition/given.js'
import { standingAt } from '../transition/standing.js'
import type { InsertStep, PlanColumn, UpdateStep } from '../unit-of-work/step.js'

/** Values by the names of their attributes. @category model */
export type Values = Record<string, unknown>

/**
 * Instances whose rows have another version, which the database has not given back. All of a row is read again with its
 * version: what was known of it might be that of another one by then.
 *
 * @category model
 */
export type Outdated = Set<InstanceId>

/** The program's value of an encoded cell. A value that came from the program encodes and decodes. */
const decoded = (attribute: Attribute, value: unknown): unknown => {
  if (attribute.encode === t.identity) return value
  const decoding = attribute.column.codec.decode(value)
  return isLeft(decoding) ? value : decoding.right
}

/**
 * What the database gave, as the program has it: some drivers give integers as text. What the codec does not take is as
 * good as unknown, so that it fails whoever reads it, as if it had been loaded; but a row is not found without its key.
 *
 * @category combinators
 */
export const accepted = (attribute: Attribute, value: unknown): unknown => {
  const { codec } = attribute.column
  if (attribute.encode === t.identity && codec.is(value)) return value
  const decoding = codec.decode(value)
  return isLeft(decoding) ? (attribute.isKey ? value : undefined) : decoding.right
}

/** A column that a plan filled. @category model */
export interface FilledColumn {
  readonly column: PlanColumn
  /** Of its cell in each row. */
  readonly index: number
  readonly attribute: Attribute
}

/** @category model */
export type Filled = ReadonlyArray<FilledColumn>

/** The columns that the plan filled: their values are not in the snapshot yet. @category combinators */
export const filledColumns = (
  { model }: SessionState,
  mapping: Mapping,
  columns: ReadonlyArray<PlanColumn>,
): Filled => {
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

/**
 * Puts what the plan filled of a row into a patch. Keys are those that the rows they refer to have got by then.
 *
 * @category combinators
 */
export const fill = (changes: StateEdit, filled: Filled, row: ReadonlyArray<unknown>, patch: Values): void => {
  for (const { column, index, attribute } of filled) {
    const cell = row[index]
    patch[attribute.name] =
      column.source._tag === 'Key'
        ? (standingAt(changes, cell as InstanceId).snapshot as unknown as Values)[column.source.of]
        : decoded(attribute, cell)
  }
}

/** The attributes that the database gives back for a step. @category combinators */
export const returnedAttributes = (
  mapping: Mapping,
  { returning }: InsertStep | UpdateStep,
): ReadonlyArray<Attribute> => returning.map(({ attribute }) => mapping.attributeOf.get(attribute) as Attribute)

/** The value that a snapshot has of an attribute. @category combinators */
export const valueIn = (snapshot: Snapshot, { name }: Attribute): unknown => (snapshot as unknown as Values)[name]
