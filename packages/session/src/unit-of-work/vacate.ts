/**
 * Temporary values: what a row holds while another takes the unique value that it gives up.
 *
 * NULL where the column may be NULL. Otherwise a value of the column's kind that follows from the instance, so that plans
 * stay repeatable, and lies where no other row is likely to have its own. A table that asks more of a column than its
 * kind (a CHECK, an enumeration, a short VARCHAR) may refuse it; the flush then fails like any other, and leaves nothing.
 */
import type { Attribute, InstanceId, TablePart } from '@unitary/core'
import type { Instance } from '../state/instance.js'
import { literalColumns } from './cells.js'
import { keyOf, whereColumns, whereOf } from './rows.js'
import type { VacateStep } from './step.js'
import { inPart, isRootPart } from './table-rows.js'

/** Attributes of one row with the encoded values that they hold for the time being. @category model */
export interface Vacated {
  readonly id: InstanceId
  /** The row as the database has it. */
  readonly row: Instance
  /** The table that holds them. */
  readonly part: TablePart
  readonly values: ReadonlyMap<Attribute, unknown>
}

/**
 * An encoded value that the attribute can hold for the time being, undefined where there is none. `isReference`: it is part
 * of a foreign key, and only NULL refers to no row.
 *
 * @category constructors
 */
export const temporaryValue = (attribute: Attribute, row: Instance, isReference: boolean): unknown => {
  if (attribute.isNullable && !attribute.isKey) return null
  return isReference ? undefined : unlikelyValue(attribute, row)
}

const unlikelyValue = ({ column, isGenerated }: Attribute, { id, key }: Instance): unknown => {
  const text = `unitary:${id}:${key}`.slice(0, 60)
  switch (column.kind) {
    case 'text':
      return text
    // many a column is unsigned or checked to be, but a counter of keys would go on from a large one
    case 'integer':
      return isGenerated ? -2_147_483_648 + id : 2_147_483_647 - id
    case 'bigint':
      return isGenerated ? -9_223_372_036_854_775_808n + BigInt(id) : 9_223_372_036_854_775_807n - BigInt(id)
    case 'real':
      // far enough from each other for single precision
      return 1e30 * (id + 1)
    case 'timestamp':
      return new Date(Date.UTC(1000, 0, 1) + id).toISOString()
    case 'date':
      return new Date(Date.UTC(1000, 0, 1 + id)).toISOString().slice(0, 10)
    case 'time':
      return new Date(86_399_999 - id).toISOString().slice(11, 23)
    case 'decimal':
      return column.detail?._tag === 'Decimal'
        ? `-${10n ** BigInt(column.detail.precision - column.detail.scale) - 1n - BigInt(id)}`
        : undefined
    case 'uuid':
      return `ffffffff-ffff-ffff-ffff-${id.toString(16).padStart(12, '0')}`
    case 'json':
      return JSON.stringify(text)
    case 'blob':
      return new TextEncoder().encode(text)
    case 'array':
    case 'boolean':
    case 'enum':
      return undefined
  }
}

/**
 * The steps that write temporary values, numbered from 0; one for each entity and list of attributes.
 *
 * @category constructors
 */
export const vacateSteps = (vacated: Iterable<Vacated>): ReadonlyArray<VacateStep> => {
  const found = new Map<string, Vacated[]>()
  for (const one of vacated) {
    const shape = [one.part.mapping.name, ...[...one.values.keys()].map(({ name }) => name)].join()
    const same = found.get(shape)
    if (same === undefined) found.set(shape, [one])
    else same.push(one)
  }
  return Array.from(found.values(), (rows, id) => {
    const [first] = rows as [Vacated, ...Vacated[]]
    const { part } = first
    const { mapping } = first.row
    const isRoot = isRootPart(part)
    const serverVersion = isRoot ? mapping.serverVersion : null
    const isChecked = serverVersion !== null
    return {
      _tag: 'Vacate',
      id,
      entity: part.mapping.name,
      table: part.table,
      token: null,
      set: literalColumns([...first.values.keys()]),
      where: isChecked ? whereColumns(mapping) : inPart(literalColumns(mapping.key), mapping, part),
      version: serverVersion?.name ?? null,
      instances: rows.map(({ id: instance }) => instance),
      rows: rows.map(({ row, values }) => [...values.values(), ...(isChecked ? whereOf(row, keyOf(row)) : keyOf(row))]),
      after: [],
    }
  })
}
