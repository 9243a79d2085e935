/**
 * The steps that write foreign keys of `postUpdate` relationships, by updates of their own.
 */
import type { Instance } from '../state/instance.js'
import { edit } from '../state/session-state.js'
import { fillReferences, isBlank, keyAfter, noCells, referencesOf } from './cells.js'
import { hasPostUpdates, isPostUpdate, rootsOf } from './dependencies.js'
import { committedTarget, foundBy, type Planning } from './planning.js'
import { dropUnchanged, givenKeyColumns, whereColumns } from './rows.js'
import { addUpdate, inPart, isRootPart, isWritten, type TableRows } from './table-rows.js'
import { carriedAway, pushUpdate } from './updates.js'

/**
 * Adds the updates of foreign keys that are written once all rows are there, and emptied before any goes.
 *
 * @category combinators
 */
export const postUpdates = (planning: Planning): void => {
  if (!hasPostUpdates(planning.state.model)) return
  const { inserts, updates, deletes } = planning.changes
  for (const mapping of rootsOf(planning.state.model)) {
    const saved = [...(updates[mapping.index] ?? []), ...(inserts[mapping.index] ?? [])]
    const rows = saved.flatMap((instance) => {
      const references = referencesOf(planning.changes, instance, true)
      return references.length === 0 ? [] : [[instance, references] as const]
    })
    const identityMap = edit(planning.state)
    for (const instance of deletes[mapping.index] ?? []) {
      const references = instance.mapping.relationships.flatMap((relationship) =>
        relationship.kind === 'BelongsTo' &&
        isPostUpdate(relationship) &&
        committedTarget(planning, identityMap, instance, relationship) !== null
          ? [{ relationship, target: null }]
          : [],
      )
      if (references.length > 0) rows.push([instance, references])
    }
    postUpdate(planning, rows)
  }
}

const postUpdate = (
  planning: Planning,
  rows: ReadonlyArray<readonly [Instance, ReturnType<typeof referencesOf>]>,
): void => {
  const byShape = new Map<string, TableRows>()
  for (const [instance, references] of rows) {
    const { mapping } = instance
    const cells = noCells(mapping)
    fillReferences(planning.state, planning.changes, instance, references, cells, planning.notices)
    if (instance.status !== 'pending') dropUnchanged(instance, cells, carriedAway(planning, references))
    if (isBlank(cells)) continue
    for (const part of mapping.parts) {
      if (!isWritten(part, cells)) continue
      const isChecked = isRootPart(part) && isVersioned(planning, instance)
      if (isChecked) planning.checked.add(instance.id)
      const key = keyAfter(planning.state, planning.changes, instance)
      const columns = isChecked ? whereColumns(mapping) : inPart(givenKeyColumns(mapping, key), mapping, part)
      const values = isChecked ? foundBy(planning, instance) : key.map(({ value }) => value)
      addUpdate(byShape, instance, part, cells, { columns, values })
    }
  }
  for (const open of byShape.values()) pushUpdate(planning, open.mapping, open.part, open, open.columns, open.where)
}

/** A row whose update gives it another version is checked by that rather than by its delete. */
const isVersioned = (planning: Planning, { id, key, mapping }: Instance): boolean =>
  key !== null && mapping.serverVersion !== null && planning.changes.isDeleted(id)
