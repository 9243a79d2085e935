/**
 * Updates of many rows, each found by its own primary key, as plain arrays: checked, encoded, and sent by the batch.
 */

import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { ExtensionAttribute } from '../model/extension.js'
import type { EntityOf, KeyAttribute, RowOf } from '../model/infer.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { isDerived } from '../model/parts.js'
import { type RawKey, rawKeyOf } from '../model/raw-key.js'
import { encodeError, missingValue, type StatementError, severalTables, unknownAttribute } from './error.js'

/**
 * A row's key, and what is to change of it.
 *
 * @category model
 */
export type KeyedChanges<M, N extends string> =
  RowOf<M, N> extends infer Row
    ? { readonly [K in KeyAttribute<M, N> & keyof Row]: Row[K] } & {
        readonly [K in Exclude<keyof Row, KeyAttribute<M, N> | ExtensionAttribute<EntityOf<M, N>>>]?: Row[K]
      }
    : never

type Values = Readonly<Record<string, unknown>>

/**
 * Rows beside each other that change the same attributes.
 *
 * @category model
 */
export interface UpdateRun {
  /** What is set, in the order of the entity's attributes. */
  readonly set: ReadonlyArray<Attribute>
  /** The encoded values of `set`, then those of the key. */
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** The program's values of `set`, by attribute. */
  readonly values: ReadonlyArray<Values>
  readonly keys: ReadonlyArray<RawKey>
  /** Which of the rows given they are. */
  readonly places: ReadonlyArray<number>
}

/**
 * The rows as they are sent, in runs of one shape each, in their order. What updates set by themselves (`defaults`) is set of
 * rows that leave it alone; rows that change nothing are left out. All that is wrong with them is found here: what is no
 * attribute, a key that is missing, a value that its codec does not know. O(cells).
 *
 * @category interpreters
 */
export const updateRowsOf = (
  mapping: Mapping,
  given: ReadonlyArray<Values>,
  defaults: Values,
): Either<StatementError, ReadonlyArray<UpdateRun>> => {
  if (isDerived(mapping)) return left(severalTables(mapping, 'update'))
  const runs: OpenRun[] = []
  for (let place = 0; place < given.length; place++) {
    const row = given[place] as Values
    const fault = faultOf(mapping, row, place)
    if (fault !== null) return left(fault)
    const changed = mapping.attributes.filter(({ isKey, name }) => !isKey && row[name] !== undefined)
    if (changed.length === 0) continue
    const set = mapping.updateDefaults.length === 0 ? changed : withDefaults(mapping, row, changed)
    const cells = encodedCells(mapping, [...set, ...mapping.key], { ...defaults, ...row }, place)
    if (cells._tag === 'Left') return cells
    const values: Record<string, unknown> = {}
    for (const { name } of set) values[name] = row[name] === undefined ? defaults[name] : row[name]
    let run = runs.at(-1)
    if (run === undefined || !isSame(run.set, set)) {
      run = { set, rows: [], values: [], keys: [], places: [] }
      runs.push(run)
    }
    run.rows.push(cells.right)
    run.values.push(values)
    run.keys.push(rawKeyOf(mapping, row) as RawKey)
    run.places.push(place)
  }
  return right(runs)
}

interface OpenRun extends UpdateRun {
  readonly rows: Array<ReadonlyArray<unknown>>
  readonly values: Values[]
  readonly keys: RawKey[]
  readonly places: number[]
}

const isSame = (a: ReadonlyArray<Attribute>, b: ReadonlyArray<Attribute>): boolean =>
  a.length === b.length && a.every((attribute, i) => attribute === b[i])

const withDefaults = (
  { attributes, updateDefaults }: Mapping,
  row: Values,
  changed: ReadonlyArray<Attribute>,
): ReadonlyArray<Attribute> => {
  const filled = updateDefaults.filter(({ isKey, name }) => !isKey && row[name] === undefined)
  return filled.length === 0 ? changed : attributes.filter((one) => changed.includes(one) || filled.includes(one))
}

const faultOf = (mapping: Mapping, row: Values, place: number): StatementError | null => {
  const strange = Object.keys(row).find(
    (name) => row[name] !== undefined && mapping.attributeOf.get(name)?.isStored !== true,
  )
  if (strange !== undefined) return unknownAttribute(mapping.name, strange, place)
  const missing = mapping.key.find(({ name }) => row[name] === undefined || row[name] === null)
  return missing === undefined ? null : missingValue(mapping.name, missing.name, place)
}

const encodedCells = (
  mapping: Mapping,
  attributes: ReadonlyArray<Attribute>,
  row: Values,
  place: number,
): Either<StatementError, ReadonlyArray<unknown>> => {
  const cells: unknown[] = []
  for (const { column, encode, name } of attributes) {
    const value = row[name]
    if (!column.codec.is(value)) {
      if (value === null) return left(missingValue(mapping.name, name, place))
      return left(encodeError(mapping.name, name, value, `it is no ${column.codec.name}`, place))
    }
    try {
      cells.push(encode(value))
    } catch (cause) {
      return left(encodeError(mapping.name, name, value, cause, place))
    }
  }
  return right(cells)
}
