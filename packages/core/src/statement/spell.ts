/**
 * Values as a table has them: encoded by the codec of their column, spelt as the database's driver takes them, and cast where
 * the database could not tell their type.
 */
import * as t from 'io-ts'
import { CastNode, type OperationNode, type PrimitiveValueListNode, RawNode, ValueListNode, ValueNode } from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import type { ColumnKind } from '../model/column.js'
import type { Attribute } from '../model/mapping.js'
import { Encoded } from './encoded.js'
import { encodeError, type StatementError } from './error.js'
import { Slot } from './slot.js'
import type { Column } from './source.js'
import { mapChange, mapList } from './tree.js'

/**
 * The database that it is for, and the first value that could not be encoded; seen by one call of `resolve` only.
 *
 * @category model
 */
export interface Run {
  readonly dialect: Dialect | null
  fault: StatementError | null
}

/** Whether the attribute's values are written otherwise than the program has them. @category guards */
export const isSpelt = (dialect: Dialect | null, { column, encode }: Attribute): boolean =>
  encode !== t.identity || (dialect !== null && dialect.written(column.kind) !== null)

/** Whether a value of the attribute that stands alone is cast to its type. @category guards */
export const isCast = (dialect: Dialect | null, { column }: Attribute): boolean =>
  dialect !== null && dialect.parameterType(column, 'alone') !== null

/** The value as the driver takes it. @category combinators */
export const spelt = (dialect: Dialect | null, { column, encode }: Attribute, value: unknown): unknown =>
  written(dialect, column.kind, encode(value))

const written = (dialect: Dialect | null, kind: ColumnKind, encoded: unknown): unknown => {
  const write = dialect?.written(kind) ?? null
  return write === null ? encoded : write(encoded)
}

/**
 * A value as its column has it; as it was given where that cannot be, which is the fault of the run then.
 *
 * @category combinators
 */
export const encode = (run: Run, column: Column | null, given: unknown): unknown => {
  if (column === null || !isSpelt(run.dialect, column.attribute)) return given
  if (given instanceof Slot) return new Slot(given.index, column)
  const { mapping, attribute } = column
  try {
    return spelt(run.dialect, attribute, given)
  } catch (cause) {
    run.fault ??= encodeError(mapping.name, attribute.name, given, cause)
    return given
  }
}

/** A value for a column, cast where it has to be. @category combinators */
export const valueNode = (run: Run, node: ValueNode, column: Column | null): OperationNode => {
  if (node.value instanceof Encoded) return encodedValue(run, node.value)
  // `is null` and `then null` ask for SQL's NULL, whatever the codec makes of null
  if (node.immediate === true && node.value === null) return node
  const encoded = encode(run, column, node.value)
  // text is never spliced into SQL
  const isSpliced = node.immediate === true && isImmediate(encoded)
  const type = isSpliced ? null : castOf(run, column)
  if (type !== null) return cast(ValueNode.create(encoded), type)
  if (encoded === node.value) return node
  return isSpliced ? ValueNode.createImmediate(encoded) : ValueNode.create(encoded)
}

const encodedValue = ({ dialect }: Run, { attribute: { column }, value: given }: Encoded): OperationNode => {
  const node = ValueNode.create(
    given instanceof Slot ? unwritten(dialect, column.kind, given) : written(dialect, column.kind, given),
  )
  const type = dialect?.parameterType(column, 'compared') ?? null
  return type === null ? node : cast(node, type)
}

/** The place of a value that is as it is written. Where the dialect has a form of its own, its tree is compiled each time. */
const unwritten = (dialect: Dialect | null, kind: ColumnKind, slot: Slot): Slot | null =>
  (dialect?.written(kind) ?? null) === null ? slot : null

/** The type that a value of the column has to be cast to where it stands. */
const castOf = ({ dialect }: Run, column: Column | null): string | null =>
  dialect === null || column === null || column.place === 'assigned'
    ? null
    : dialect.parameterType(column.attribute.column, column.place ?? 'compared')

const cast = (node: ValueNode, type: string): OperationNode => CastNode.create(node, RawNode.createWithSql(type))

/** The values of a list, each for the column. @category combinators */
export const valuesOf = (run: Run, node: PrimitiveValueListNode, column: Column | null): OperationNode => {
  if (column === null) return node
  const values = mapList(node.values, (item) => encode(run, column, item))
  const type = castOf(run, column)
  if (type !== null) return ValueListNode.create(values.map((item) => cast(ValueNode.create(item), type)))
  return mapChange(node, 'values', () => values)
}

const isImmediate = (encoded: unknown): boolean =>
  encoded === null || typeof encoded === 'number' || typeof encoded === 'boolean'
