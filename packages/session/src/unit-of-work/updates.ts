/**
 * The steps that update rows: one for each shape.
 */
import type { Attribute, Mapping, TablePart } from '@unitary/core'
import type { BlanksPrimaryKey } from '../error.js'
import type { Instance } from '../state/instance.js'
import {
  absent,
  type Cells,
  clear,
  compactBefore,
  computedColumns,
  fillReferences,
  isBlank,
  isShape,
  keyFound,
  literal,
  literalColumns,
  noCells,
  type OpenStep,
  openStep,
  referencesOf,
  shapeColumns,
} from './cells.js'
import type { Reference } from './imposed.js'
import { foundBy, type Planning } from './planning.js'
import {
  countUp,
  dropUnchanged,
  fillChanged,
  fillSwitched,
  fillUpdateDefaults,
  touchVersion,
  whereColumns,
} from './rows.js'
import { computing, type PlanColumn, returnedColumn } from './step.js'
import {
  addUpdate,
  inPart,
  isRootPart,
  isWritten,
  isWrittenByTables,
  type TableRows,
  tableHolders,
} from './table-rows.js'

/**
 * Adds the steps that update rows of a hierarchy. `BlanksPrimaryKey` where a row would lose its key. O(rows).
 *
 * @category combinators
 */
export const updateRows = (
  planning: Planning,
  mapping: Mapping,
  instances: ReadonlyArray<Instance>,
): BlanksPrimaryKey | null => {
  if (instances.length === 0) return null
  if (isWrittenByTables(mapping)) return updateTables(planning, mapping, instances)
  const byShape = new Map<string, OpenStep>()
  const cells = noCells(mapping)
  // rows come in runs of one shape
  let open: OpenStep | null = null
  for (const instance of instances) {
    const row = rowOf(planning, instance)
    clear(cells)
    const fault = fillUpdate(planning, instance, row, cells)
    if (fault !== null) return fault
    if (isBlank(cells)) continue
    if (open === null || !isShape(open, cells.kinds)) open = stepOf(byShape, mapping, cells)
    open.instances.push(instance.id)
    open.rows.push(compactBefore(cells, foundBy(planning, row)))
  }
  for (const open of byShape.values()) {
    const computed = computedColumns(mapping, open.kinds, mapping.attributes, 'update')
    const part = mapping.parts[0] as TablePart
    pushUpdate(planning, mapping, part, { ...open, computed }, shapeColumns(open), whereColumns(mapping))
  }
  return null
}

/** The step of a row's shape, opened where it is the first of it. */
const stepOf = (byShape: Map<string, OpenStep>, mapping: Mapping, cells: Cells): OpenStep => {
  const shape = cells.kinds.join()
  const known = byShape.get(shape)
  if (known !== undefined) return known
  const open = openStep(mapping, cells)
  byShape.set(shape, open)
  return open
}

/** The row as the database has it: the instance's own, or the one that it takes over. */
const rowOf = (planning: Planning, instance: Instance): Instance => {
  const { switches } = planning.changes
  return switches.size === 0 ? instance : (switches.get(instance.id) ?? instance)
}

/** What is updated of a row. The cells stay blank where nothing is. */
const fillUpdate = (planning: Planning, instance: Instance, row: Instance, cells: Cells): BlanksPrimaryKey | null => {
  if (row === instance) fillChanged(instance, cells)
  else fillSwitched(instance, cells)
  const references = referencesOf(planning.changes, instance, false)
  // what was set by itself is known to differ
  if (references.length > 0 || row !== instance) {
    fillReferences(planning.state, planning.changes, instance, references, cells, planning.notices)
    dropUnchanged(row, cells, carriedAway(planning, references))
  }
  if (isBlank(cells)) return null
  const blanked = blankedKey(row, cells)
  if (blanked !== null) return blanked
  countUp(row, cells)
  fillUpdateDefaults(instance, cells, planning.services)
  return null
}

/** A relationship that would leave a row without its key. What the program itself set to null the database refuses. */
const blankedKey = (instance: Instance, cells: Cells): BlanksPrimaryKey | null => {
  const { key, mapping } = instance
  for (let i = 0; i < mapping.key.length; i++) {
    if (!isBlanked(instance, cells, mapping.key[i] as Attribute)) continue
    const blanked = mapping.key.filter((attribute) => isBlanked(instance, cells, attribute))
    return { _tag: 'BlanksPrimaryKey', entity: mapping.name, key, attributes: blanked.map(({ name }) => name) }
  }
  return null
}

const isBlanked = (
  { committed }: Instance,
  { kinds, values }: Cells,
  { isNullable, name, position }: Attribute,
): boolean =>
  !isNullable && kinds[position] !== absent && values[position] === null && !(committed !== null && name in committed)

/** Of each row of a hierarchy the tables of which something changes. A version stands in the root's, and counts for all. */
const updateTables = (
  planning: Planning,
  root: Mapping,
  instances: ReadonlyArray<Instance>,
): BlanksPrimaryKey | null => {
  const byShape = new Map<string, TableRows>()
  for (const instance of instances) {
    const row = rowOf(planning, instance)
    const cells = noCells(instance.mapping)
    const fault = fillUpdate(planning, instance, row, cells)
    if (fault !== null) return fault
    if (isBlank(cells)) continue
    touchVersion(instance, cells)
    for (const part of instance.mapping.parts) {
      if (!isWritten(part, cells)) continue
      addUpdate(byShape, instance, part, cells, {
        columns: isRootPart(part)
          ? whereColumns(row.mapping)
          : inPart(literalColumns(row.mapping.key), row.mapping, part),
        values: isRootPart(part) ? foundBy(planning, row) : keyInPart(planning, row, cells),
      })
    }
  }
  for (const holder of tableHolders(root)) {
    for (const open of byShape.values()) {
      const { columns, mapping, part, where } = open
      if (part.mapping === holder) pushUpdate(planning, mapping, part, open, columns, where)
    }
  }
  return null
}

/** By then the root's table has the key that the row is given, and the others follow. */
const keyInPart = (planning: Planning, row: Instance, { kinds, values }: Cells): ReadonlyArray<unknown> => {
  const found = keyFound(planning.state, planning.changes, row)
  return row.mapping.key.map(({ position }, i) => (kinds[position] === literal ? values[position] : found[i]))
}

/**
 * Foreign keys that the database may carry elsewhere before they are written, so that they are written in any case.
 *
 * @category combinators
 */
export const carriedAway = (planning: Planning, references: ReadonlyArray<Reference>): ReadonlyArray<Attribute> => {
  if (planning.renamed.size === 0) return []
  return references.flatMap(({ relationship, target }) => {
    const referred = relationship.kind === 'BelongsTo' ? relationship.target : relationship.owner
    return target !== null && planning.renamed.has(referred.root) ? relationship.foreignKey : []
  })
}

/** Adds the step that updates rows of one shape in one table. @category combinators */
export const pushUpdate = (
  planning: Planning,
  mapping: Mapping,
  part: TablePart,
  { computed, instances, rows }: Pick<TableRows, 'computed' | 'instances' | 'rows'>,
  set: ReadonlyArray<PlanColumn>,
  where: ReadonlyArray<PlanColumn>,
): void => {
  const isRenaming = set.some(({ attribute }) => mapping.attributeOf.get(attribute)?.isKey)
  const { serverVersion } = mapping
  const given = computed.map(({ attribute }) => mapping.attributeOf.get(attribute) as Attribute)
  planning.steps.save(mapping.root, {
    _tag: 'Update',
    id: planning.steps.next,
    entity: part.mapping.name,
    table: part.table,
    token: null,
    set,
    where,
    instances,
    rows,
    ...computing(computed),
    returning: [
      ...(serverVersion === null || !isRootPart(part) ? [] : [serverVersion]),
      ...given.filter(({ isDeferred }) => !isDeferred),
    ].map((attribute) => returnedColumn(mapping, attribute)),
    after: isRenaming ? planning.steps.beforeRename(mapping.root) : planning.steps.beforeSave(mapping.root),
  })
}
