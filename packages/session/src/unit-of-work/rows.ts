/**
 * One row of a step: what is written of an instance, and how its row is found.
 */
import { type Attribute, encodedKeyOf, type Mapping, type Services } from '@unitary/core'
import * as Instance from '../state/instance.js'
import { absent, type Cells, computed, encodedOf, type KeyPart, literal, literalColumns } from './cells.js'
import type { PlanColumn } from './step.js'

type Instance = Instance.Instance

export const keyOf = (instance: Instance): ReadonlyArray<unknown> =>
  encodedKeyOf(instance.mapping, instance.key as string)

/** The columns of the key of a row that is inserted by the same plan: each as it is given, or as the database will give it. */
export const givenKeyColumns = ({ key }: Mapping, parts: ReadonlyArray<KeyPart>): ReadonlyArray<PlanColumn> =>
  key.map(({ name, columnName }, i) => {
    const of = parts[i]?.of ?? null
    return { attribute: name, column: columnName, source: of === null ? { _tag: 'Literal' } : { _tag: 'Key', of } }
  })

/** Writes the attributes that were set into the cells. */
export const fillChanged = (instance: Instance, { values, kinds }: Cells): void => {
  for (const name in instance.committed) {
    const attribute = instance.mapping.attributeOf.get(name) as Attribute
    values[attribute.position] = encodedOf(instance, attribute)
    kinds[attribute.position] = literal
  }
}

/** Writes all that a new instance has, but for what identifies the row that it takes over. */
export const fillSwitched = (instance: Instance, { values, kinds }: Cells): void => {
  for (const attribute of instance.mapping.attributes) {
    const value = attribute.isKey || attribute === instance.mapping.version ? undefined : encodedOf(instance, attribute)
    if (value === undefined) continue
    values[attribute.position] = value
    kinds[attribute.position] = literal
  }
}

/** A row is found by its key, and where it has a version by the one that was read. */
export const whereColumns = ({ key: attributes, version }: Mapping): ReadonlyArray<PlanColumn> =>
  literalColumns(version === null ? attributes : [...attributes, version])

export const whereOf = (instance: Instance, key: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const { version } = instance.mapping
  return version === null ? key : [...key, committedOf(instance, version)]
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

/**
 * A version that the database gives is another with each write of the root's table: a row of which only the others change is
 * written there, too, with the discriminator that it has.
 */
export const touchVersion = ({ mapping }: Instance, { kinds, values }: Cells): void => {
  const { discriminator, identity, parts, serverVersion } = mapping
  if (serverVersion === null || discriminator === null) return
  if (parts[0]?.attributes.some(({ position }) => kinds[position] !== absent)) return
  kinds[discriminator.position] = literal
  values[discriminator.position] = discriminator.encode(identity)
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
  for (const { position } of mapping.insertExpressions) {
    if (kinds[position] === absent || values[position] === null) kinds[position] = computed
  }
}

/** What an update sets by itself, where the program has set nothing. */
export const fillUpdateDefaults = ({ mapping }: Instance, { values, kinds }: Cells, services: Services): void => {
  const { updateDefaults, updateExpressions } = mapping
  if (updateDefaults.length + updateExpressions.length === 0) return
  for (const { position, column, encode } of updateDefaults) {
    if (kinds[position] !== absent || column.updateValue === null) continue
    values[position] = encode(column.updateValue(services))
    kinds[position] = literal
  }
  for (const { position } of updateExpressions) if (kinds[position] === absent) kinds[position] = computed
}

/**
 * What is set to what the row is known to have is no change, but for `kept`. Attributes that were set by themselves are known
 * to differ.
 */
export const dropUnchanged = (row: Instance, { values, kinds }: Cells, kept: ReadonlyArray<Attribute>): void => {
  for (const attribute of row.mapping.attributes) {
    const { position, name } = attribute
    if (kept.includes(attribute)) continue
    if (kinds[position] !== literal || (row.committed !== null && name in row.committed)) continue
    if (!Instance.isUnset(row, name) && encodedOf(row, attribute) === values[position]) kinds[position] = absent
  }
}
