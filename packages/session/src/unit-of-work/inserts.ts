/**
 * The steps that insert rows: runs of one shape, in the order in which their instances became pending, which is what fixes their
 * generated keys.
 */
import { type InstanceId, type Mapping, rowClassOf, type TablePart } from '@unitary/core'
import type { MissingKey } from '../error.js'
import type { Instance } from '../state/instance.js'
import {
  absent,
  type Cells,
  compact,
  computedColumns,
  fillReferences,
  hasCell,
  isShape,
  literal,
  noCells,
  referencesOf,
  type Shape,
  shapeColumns,
  shapeOf,
} from './cells.js'
import type { Planning } from './planning.js'
import { fillInsertDefaults, nullDefaults } from './rows.js'
import { computing, returnedColumn } from './step.js'
import { addInsert, addRoot, isWrittenByTables, partOf, type TableRows, tableHolders } from './table-rows.js'

/**
 * Adds the steps that insert rows of a hierarchy. `MissingKey` where a row has no key, and the database gives it none.
 * O(rows).
 *
 * @category combinators
 */
export const insertRows = (
  planning: Planning,
  mapping: Mapping,
  instances: ReadonlyArray<Instance>,
): MissingKey | null => {
  if (instances.length === 0) return null
  if (isWrittenByTables(mapping)) return insertTables(planning, mapping, instances)
  const { encode } = rowClassOf(mapping)
  const cells = noCells(mapping)
  const mayRefer = planning.changes.imposed.size > 0 || mapping.relationships.length > 0
  const ids = new Array<InstanceId>(instances.length)
  const rows = new Array<unknown[]>(instances.length)
  let shape: Shape | null = null
  let from = 0
  for (let i = 0; i < instances.length; i++) {
    const instance = instances[i] as Instance
    encode(instance.snapshot, cells.values)
    const fault = fillInsert(planning, instance, cells, mayRefer)
    if (fault !== null) return fault
    if (shape === null || !isShape(shape, cells.kinds)) {
      if (shape !== null) addStep(planning, shape, ids.slice(from, i), rows.slice(from, i))
      shape = shapeOf(mapping, cells)
      from = i
    }
    ids[i] = instance.id
    rows[i] = compact(cells)
  }
  if (shape !== null) addStep(planning, shape, from === 0 ? ids : ids.slice(from), from === 0 ? rows : rows.slice(from))
  return null
}

/** What is inserted of an instance: its values, what it refers to, and what fills itself in. */
const fillInsert = (planning: Planning, instance: Instance, cells: Cells, mayRefer: boolean): MissingKey | null => {
  const { mapping } = instance
  const { kinds, values } = cells
  nullDefaults(mapping, values)
  for (let i = 0; i < values.length; i++) kinds[i] = values[i] === undefined ? absent : literal
  if (mayRefer) {
    fillReferences(
      planning.state,
      planning.changes,
      instance,
      referencesOf(planning.changes, instance, false),
      cells,
      planning.notices,
    )
  }
  fillInsertDefaults(mapping, cells, planning.services)
  for (const { position, isGenerated, isNullable } of mapping.key) {
    if (kinds[position] !== absent && (isNullable || values[position] !== null)) continue
    if (!isGenerated) {
      return { _tag: 'MissingKey', entity: mapping.name, attributes: mapping.key.map(({ name }) => name) }
    }
    kinds[position] = absent
  }
  return null
}

/** Rows of a hierarchy: first those of the root's table, which are given their keys in order, then those of the others. */
const insertTables = (planning: Planning, root: Mapping, instances: ReadonlyArray<Instance>): MissingKey | null => {
  const written: Array<readonly [Instance, Cells]> = []
  for (const instance of instances) {
    const cells = noCells(instance.mapping)
    rowClassOf(instance.mapping).encode(instance.snapshot, cells.values)
    const fault = fillInsert(planning, instance, cells, true)
    if (fault !== null) return fault
    written.push([instance, cells])
  }
  const first: TableRows[] = []
  for (const [instance, cells] of written) addRoot(first, instance, instance.mapping.parts[0] as TablePart, cells)
  for (const rows of first) pushInsert(planning, root, rows)
  for (const holder of tableHolders(root).slice(1)) {
    const byShape = new Map<string, TableRows>()
    for (const [instance, cells] of written) {
      const part = partOf(instance.mapping, holder)
      if (part !== undefined) addInsert(byShape, instance, part, cells)
    }
    for (const rows of byShape.values()) pushInsert(planning, root, rows)
  }
  return null
}

const pushInsert = (
  planning: Planning,
  root: Mapping,
  { columns, computed, instances, mapping, part, rows }: TableRows,
): void => {
  const names = new Set(columns.map(({ attribute }) => attribute))
  const given = mapping.givenOnInsert.filter(
    (attribute) => part.attributes.includes(attribute) && !names.has(attribute.name),
  )
  planning.steps.save(root, {
    _tag: 'Insert',
    id: planning.steps.next,
    entity: part.mapping.name,
    table: part.table,
    token: null,
    columns,
    instances,
    rows,
    ...computing(computed),
    key: part.key,
    returning: given.map((attribute) => returnedColumn(mapping, attribute)),
    after: planning.steps.beforeSave(root),
  })
}

/** Adds the step of a run of rows of one shape. */
const addStep = (
  planning: Planning,
  shape: Shape,
  instances: ReadonlyArray<InstanceId>,
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
): void => {
  const { kinds, mapping } = shape
  const given = mapping.givenOnInsert.filter(({ position }) => !hasCell(kinds[position]))
  planning.steps.save(mapping, {
    _tag: 'Insert',
    id: planning.steps.next,
    entity: mapping.name,
    table: mapping.table,
    token: null,
    columns: shapeColumns(shape),
    instances,
    rows,
    ...computing(computedColumns(mapping, kinds, mapping.attributes, 'insert')),
    key: mapping.key.map(({ columnName }) => columnName),
    returning: given.map((attribute) => returnedColumn(mapping, attribute)),
    after: planning.steps.beforeSave(mapping),
  })
}
