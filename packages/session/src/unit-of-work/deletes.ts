/**
 * The steps that delete rows.
 */
import type { Mapping, TablePart } from '@unitary/core'
import type { Instance } from '../state/instance.js'
import { keyFound, literalColumns } from './cells.js'
import { foundBy, type Planning } from './planning.js'
import { whereColumns } from './rows.js'
import type { PlanColumn } from './step.js'
import { inPart, partOf, tableHolders } from './table-rows.js'

/** Adds the steps that delete rows of a hierarchy: from its further tables first. @category combinators */
export const deleteRows = (planning: Planning, mapping: Mapping, instances: ReadonlyArray<Instance>): void => {
  for (const holder of tableHolders(mapping).slice(1).reverse()) deleteFrom(planning, holder, instances)
  const isChecked = ({ id }: Instance): boolean => planning.checked.has(id)
  const [checked, others] = [instances.filter(isChecked), instances.filter((instance) => !isChecked(instance))]
  pushDelete(planning, mapping, others, whereColumns(mapping), (instance) => foundBy(planning, instance))
  pushDelete(planning, mapping, checked, literalColumns(mapping.key), (instance) =>
    keyFound(planning.state, planning.changes, instance),
  )
}

/** What the table of a joined subtype has of instances goes before the rest. */
const deleteFrom = (planning: Planning, holder: Mapping, instances: ReadonlyArray<Instance>): void => {
  const part = holder.parts.at(-1) as TablePart
  pushDelete(
    planning,
    holder,
    instances.filter(({ mapping }) => partOf(mapping, holder) !== undefined),
    inPart(literalColumns(holder.key), holder, part),
    (instance) => keyFound(planning.state, planning.changes, instance),
  )
}

const pushDelete = (
  planning: Planning,
  mapping: Mapping,
  instances: ReadonlyArray<Instance>,
  where: ReadonlyArray<PlanColumn>,
  rowOf: (instance: Instance) => ReadonlyArray<unknown>,
): void => {
  if (instances.length === 0) return
  const { root } = mapping
  planning.steps.delete(root, {
    _tag: 'Delete',
    id: planning.steps.next,
    entity: mapping.name,
    table: mapping.table,
    token: null,
    where,
    instances: instances.map((instance) => instance.id),
    rows: instances.map(rowOf),
    after: planning.steps.beforeDelete(root),
  })
}
