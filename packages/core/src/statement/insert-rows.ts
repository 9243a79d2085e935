/**
 * The rows of an insert as plain arrays, checked and encoded: what is sent to a database by the batch.
 */

import { type Either, left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  ColumnNode,
  InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import type { Attribute, Mapping } from '../model/mapping.js'
import { isDerived } from '../model/parts.js'
import { conflictFault } from './conflict.js'
import { encodeError, missingValue, type StatementError, severalTables, unknownAttribute } from './error.js'
import type { AnyInsert } from './insert.js'

/** In place of a value: what the database computes. @category model */
export class Computed {
  readonly node: OperationNode
  constructor(node: OperationNode) {
    this.node = node
  }
}

/**
 * Rows by attribute. A cell is undefined where its row leaves the attribute to the database.
 *
 * @category model
 */
export interface InsertRows {
  readonly attributes: ReadonlyArray<Attribute>
  /** As the program has the values. */
  readonly given: ReadonlyArray<ReadonlyArray<unknown>>
  /** As the database has them; a `Computed` is as it was. */
  readonly encoded: ReadonlyArray<ReadonlyArray<unknown>>
  /** Is no cell `Computed`? */
  readonly isLiteral: boolean
}

/**
 * The rows of an insert; null where a query gives them. All that is wrong with them is found here, before any database is
 * asked: what is no attribute, a value that is missing or that its codec does not know, and attributes of an upsert that are
 * not unique. O(cells). To be asked once defaults are filled in.
 *
 * @example
 * insertRowsOf(pipe(insertInto(model.User), values([{ name: 'ed' }]))) // right({ attributes: [name], encoded: [['ed']], ... })
 *
 * @category interpreters
 */
export const insertRowsOf = ({ entity, node }: AnyInsert): Either<StatementError, InsertRows | null> => {
  const { mapping } = entity
  if (isDerived(mapping)) return left(severalTables(mapping, 'insert'))
  const fault = conflictFault(mapping, node)
  if (fault !== null) return left(fault)
  const { columns = [], values } = node
  const isUnknown = (name: string): boolean => mapping.attributeOf.get(name)?.isStored !== true
  const isOfRows = values === undefined ? node.defaultValues !== true : ValuesNode.is(values)
  const list = values !== undefined && ValuesNode.is(values) ? values.values : []
  const given = list.map(cellsOf)
  const strange = columns.findIndex(({ column }) => isUnknown(column.name))
  if (strange >= 0) {
    const row = given.findIndex((cells) => cells[strange] !== undefined)
    return left(unknownAttribute(mapping.name, columns[strange]?.column.name ?? '', Math.max(0, row)))
  }
  if (!isOfRows) {
    const undrawn = drawnBy(mapping, columns)
    return undrawn === null ? right(null) : left(missingValue(mapping.name, undrawn.name, null))
  }
  const attributes = columns.map(({ column }) => mapping.attributeOf.get(column.name) as Attribute)
  const missing = given.length === 0 ? null : missingIn(mapping, attributes)
  if (missing !== null) return left(missingValue(mapping.name, missing.name, 0))
  return encodedRows(mapping, attributes, given)
}

/** An attribute that a query leaves out, and whose values are drawn for rows that are known only. */
const drawnBy = ({ drawn }: Mapping, columns: ReadonlyArray<ColumnNode>): Attribute | null =>
  drawn.find(({ isNullable, name }) => !isNullable && !columns.some(({ column }) => column.name === name)) ?? null

const cellsOf = (row: ValuesNode['values'][number]): ReadonlyArray<unknown> =>
  PrimitiveValueListNode.is(row) ? row.values : row.values.map(cellOf)

const cellOf = (node: OperationNode): unknown =>
  ValueNode.is(node) ? node.value : node.kind === 'DefaultInsertValueNode' ? undefined : new Computed(node)

/** An attribute that no row has, and that nothing else gives. */
const missingIn = ({ attributes }: Mapping, named: ReadonlyArray<Attribute>): Attribute | null => {
  const present = new Set(named)
  return attributes.find((attribute) => isRequired(attribute) && !present.has(attribute)) ?? null
}

const isRequired = ({ column, isGenerated, isNullable, isStored }: Attribute): boolean =>
  isStored && !isNullable && !isGenerated && column.serverDefault === null && !column.flags.includes('serverVersion')

const encodedRows = (
  mapping: Mapping,
  attributes: ReadonlyArray<Attribute>,
  given: ReadonlyArray<ReadonlyArray<unknown>>,
): Either<StatementError, InsertRows> => {
  const isCopied = attributes.some(({ encode }) => encode !== t.identity)
  const encoded = isCopied ? given.map((cells) => cells.slice()) : given
  let isLiteral = true
  for (let j = 0; j < attributes.length; j++) {
    const attribute = attributes[j] as Attribute
    const { column, encode, name } = attribute
    const { codec } = column
    const required = isRequired(attribute)
    for (let i = 0; i < given.length; i++) {
      const value = given[i]?.[j]
      if (value === undefined) {
        if (required) return left(missingValue(mapping.name, name, i))
      } else if (value instanceof Computed) {
        isLiteral = false
      } else if (value === null && !codec.is(value)) {
        return left(missingValue(mapping.name, name, i))
      } else if (!codec.is(value)) {
        return left(encodeError(mapping.name, name, value, `it is no ${codec.name}`, i))
      } else if (encode !== t.identity) {
        try {
          ;(encoded[i] as unknown[])[j] = encode(value)
        } catch (cause) {
          return left(encodeError(mapping.name, name, value, cause, i))
        }
      }
    }
  }
  return right({ attributes, given, encoded, isLiteral })
}

/**
 * Some rows of an insert, from one place to another, that all have or lack the same attributes.
 *
 * @category model
 */
export interface RowRun {
  readonly from: number
  readonly to: number
  /** The places of the attributes that these rows have. */
  readonly places: ReadonlyArray<number>
}

/**
 * The rows in runs of one shape each, in their order. An attribute that some rows leave out, and that is NULL then, is taken
 * for given.
 *
 * @category combinators
 */
export const rowRuns = ({ attributes, encoded }: InsertRows): ReadonlyArray<RowRun> => {
  // which cells can be left out in a way that matters
  const optional = attributes.flatMap((attribute, place) =>
    !attribute.isNullByDefault && encoded.some((cells) => cells[place] === undefined) ? [place] : [],
  )
  const all = attributes.map((_, place) => place)
  if (optional.length === 0) return encoded.length === 0 ? [] : [{ from: 0, to: encoded.length, places: all }]
  const runs: RowRun[] = []
  const isPresent = (row: number, place: number): boolean => encoded[row]?.[place] !== undefined
  for (let from = 0, to = 1; from < encoded.length; from = to++) {
    while (to < encoded.length && optional.every((place) => isPresent(from, place) === isPresent(to, place))) to++
    runs.push({ from, to, places: all.filter((place) => !optional.includes(place) || isPresent(from, place)) })
  }
  return runs
}

/** The encoded cells of a run. The very same rows where all of them are all there. @category combinators */
export const runCells = (
  { attributes, encoded }: InsertRows,
  { from, to, places }: RowRun,
): ReadonlyArray<ReadonlyArray<unknown>> => {
  const rows = from === 0 && to === encoded.length ? encoded : encoded.slice(from, to)
  const isWhole =
    places.length === attributes.length &&
    (!attributes.some(({ isNullByDefault }) => isNullByDefault) || !rows.some((cells) => cells.includes(undefined)))
  return isWhole ? rows : rows.map((cells) => places.map((place) => (cells[place] === undefined ? null : cells[place])))
}

/** The insert of some rows of a run, as a tree in the program's language. @category combinators */
export const insertOfRows = (
  { node }: AnyInsert,
  { attributes, given }: InsertRows,
  { places }: RowRun,
  from: number,
  to: number,
): InsertQueryNode => {
  const isNamed = places.length > 0
  const rows: Array<PrimitiveValueListNode | ValueListNode> = []
  for (let i = from; i < to; i++) {
    const cells = places.map((place) => given[i]?.[place] ?? null)
    rows.push(
      cells.some((cell) => cell instanceof Computed)
        ? ValueListNode.create(cells.map((cell) => (cell instanceof Computed ? cell.node : ValueNode.create(cell))))
        : PrimitiveValueListNode.create(cells),
    )
  }
  const { columns: _columns, values: _values, ...rest } = node
  return isNamed
    ? {
        ...rest,
        columns: places.map((place) => ColumnNode.create((attributes[place] as Attribute).name)),
        values: ValuesNode.create(rows),
      }
    : InsertQueryNode.cloneWith(rest, { defaultValues: true })
}
