/**
 * One row of a step: what is written of an instance, and how its row is found.
 */
import { type Attribute, encodedKeyOf, type Mapping, type Services } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { absent, type Cells, encodedOf, literal, literalColumns, noCells } from './cells.js'
import type { PlanColumn } from './step.js'

type Instance = Instance.Instance

export const keyOf = (instance: Instance): ReadonlyArray<unknown> =>
  encodedKeyOf(instance.mapping, instance.key as string)

/** The key of a row that is inserted by the same plan: each part as it is given, or as the database will give it. */
export const givenKeyOf = (instance: Instance): ReadonlyArray<unknown> =>
  instance.mapping.key.map((attribute) => encodedOf(instance, attribute) ?? instance.id)

export const givenKeyColumns = (instance: Instance): ReadonlyArray<PlanColumn> =>
  instance.mapping.key.map((attribute) => ({
    attribute: attribute.name,
    column: attribute.columnName,
    source: encodedOf(instance, attribute) === undefined ? { _tag: 'Key', of: attribute.name } : { _tag: 'Literal' },
  }))

/** The attributes that were set. */
export const changedCells = (instance: Instance): Cells => {
  const cells = noCells(instance.mapping)
  for (const name in instance.committed) {
    const attribute = instance.mapping.attributeOf.get(name) as Attribute
    cells.values[attribute.position] = encodedOf(instance, attribute)
    cells.kinds[attribute.position] = literal
  }
  return cells
}

/** All that a new instance has, but for what identifies the row that it takes over. */
export const switchedCells = (instance: Instance): Cells => {
  const cells = noCells(instance.mapping)
  for (const attribute of instance.mapping.attributes) {
    const value = attribute.isKey || attribute === instance.mapping.version ? undefined : encodedOf(instance, attribute)
    if (value === undefined) continue
    cells.values[attribute.position] = value
    cells.kinds[attribute.position] = literal
  }
  return cells
}

/** A row is found by its key, and where it has a version by the one that was read. */
export const whereColumns = ({ key: attributes, version }: Mapping): ReadonlyArray<PlanColumn> =>
  literalColumns(version === null ? attributes : [...attributes, version])

export const whereOf = (instance: Instance): ReadonlyArray<unknown> => {
  const { version } = instance.mapping
  return version === null ? keyOf(instance) : [...keyOf(instance), committedOf(instance, version)]
}

/** The encoded value that the database has, as far as it is known. */
const committedOf = (instance: Instance, attribute: Attribute): unknown => {
  const before = instance.committed?.[attribute.name]
  return before === undefined || before === Instance.unknown ? encodedOf(instance, attribute) : attribute.encode(before)
}

export const countUp = (instance: Instance, { values, kinds }: Cells): void => {
  const { serverVersion, version } = instance.mapping
  if (version === null || version === serverVersion || kinds[version.position] !== absent) return
  values[version.position] = Number(committedOf(instance, version)) + 1
  kinds[version.position] = literal
}

/** An insert stores NULL for what its row leaves out: said outright, so that rows which leave out different things share a step. */
export const nullDefaults = ({ attributes }: Mapping, values: unknown[]): void => {
  for (let i = 0; i < values.length; i++) {
    if (values[i] === undefined && (attributes[i] as Attribute).isNullByDefault) values[i] = null
  }
}

/** What an insert fills by itself, where the program has given nothing, or null. */
export const fillInsertDefaults = (mapping: Mapping, { values, kinds }: Cells, services: Services): void => {
  for (const { position, column, encode } of mapping.insertDefaults) {
    const isGiven = kinds[position] !== absent && values[position] !== null
    if (isGiven || column.insertValue === null) continue
    values[position] = encode(column.insertValue(services))
    kinds[position] = literal
  }
}

/** What an update sets by itself, where the program has set nothing. */
export const fillUpdateDefaults = ({ mapping }: Instance, { values, kinds }: Cells, services: Services): void => {
  for (const { position, column, encode } of mapping.updateDefaults) {
    if (kinds[position] !== absent || column.updateValue === null) continue
    values[position] = encode(column.updateValue(services))
    kinds[position] = literal
  }
}

/** What is set to what the row is known to have is no change. Attributes that were set by themselves are known to differ. */
export const dropUnchanged = (row: Instance, { values, kinds }: Cells): void => {
  for (const attribute of row.mapping.attributes) {
    const { position, name } = attribute
    if (kinds[position] !== literal || (row.committed !== null && name in row.committed)) continue
    if (!Instance.isUnset(row, name) && encodedOf(row, attribute) === values[position]) kinds[position] = absent
  }
}
