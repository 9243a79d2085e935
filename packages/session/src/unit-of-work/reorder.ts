/**
 * A plan with some of its writes moved to the front.
 */
import type { Attribute, InstanceId } from '@unitary/core'
import type { Write } from './planned-rows.js'
import { keyOf } from './rows.js'
import type { Step } from './step.js'
import { type Vacated, vacateSteps } from './vacate.js'

/** What is to stand before everything else. @category model */
export interface Front {
  /** Writes with their levels, from 1 on: each waits for those of the levels before. */
  readonly moved: ReadonlyMap<Write, number>
  /** Rows that hold temporary values, from before the first level on. */
  readonly vacated: ReadonlyMap<InstanceId, Vacated>
}

type Row = ReadonlyArray<unknown>

/**
 * The steps of a plan in their new order, numbered anew. A step keeps the rows that have not moved, and what waited for
 * one that has waits for the front as well. O(rows).
 *
 * @category combinators
 */
export const reorder = (steps: ReadonlyArray<Step>, { moved, vacated }: Front): ReadonlyArray<Step> => {
  // links go before all else, by the keys that rows have until then
  const unlinks = steps.filter(({ _tag }) => _tag === 'Unlink')
  const ordered: Step[] = [
    ...unlinks,
    ...vacateSteps(vacated.values()).map((step) => ({ ...step, id: unlinks.length + step.id })),
  ]
  let front = ordered.map(({ id }) => id)
  const put = (step: Step, rows: ReadonlyArray<number>, after: ReadonlyArray<number>): ReadonlyArray<number> => {
    const isWhole = rows.length === step.rows.length && vacated.size === 0
    if (isWhole) return [ordered.push({ ...step, id: ordered.length, after }) - 1]
    const isChecked = (row: number): boolean => hasNewVersion(step, row, vacated)
    const [checked, others] = [rows.filter(isChecked), rows.filter((row) => !isChecked(row))]
    return [others, checked].flatMap((own) => {
      if (own.length === 0) return []
      const part = {
        ...step,
        id: ordered.length,
        instances: own.map((row) => step.instances[row] as InstanceId),
        rows: own.map((row) => found(step, row, vacated)),
        after,
      }
      return [ordered.push(own === checked ? withoutVersion(part, vacated) : part) - 1]
    })
  }
  const leaving = new Map<Step, Set<number>>()
  for (const level of levelsOf(moved)) {
    const ids: number[] = []
    for (const [step, rows] of level) {
      const left = leaving.get(step) ?? new Set()
      for (const row of rows) left.add(row)
      leaving.set(step, left)
      ids.push(...put(step, rows, front))
    }
    front = ids
  }
  const tables = new Set(ordered.map(({ table }) => table))
  /** For each old step those that are to be waited for in its place. */
  const standIns: Array<ReadonlyArray<number>> = []
  for (const step of steps) {
    if (step._tag === 'Unlink') {
      standIns.push([step.id])
      continue
    }
    const left = leaving.get(step)
    const waits = step.after.flatMap((id) => standIns[id] ?? [])
    const after = tables.has(step.table) ? [...waits, ...front] : waits
    const rows = step.rows.flatMap((_, row) => (left?.has(row) === true ? [] : [row]))
    const own = rows.length === 0 ? after : put(step, rows, ascending(after))
    standIns.push(left === undefined ? own : [...own, ...front])
  }
  return ordered
}

const ascending = (ids: ReadonlyArray<number>): ReadonlyArray<number> => [...new Set(ids)].sort((a, b) => a - b)

/** Rows by step, in the plan's order, for each level. */
const levelsOf = (moved: ReadonlyMap<Write, number>): ReadonlyArray<ReadonlyMap<Step, ReadonlyArray<number>>> => {
  const writes = [...moved].sort(([a], [b]) => a.step.id - b.step.id || a.row - b.row)
  const levels: Array<Map<Step, number[]>> = []
  for (const [{ step, row }, at] of writes) {
    while (levels.length < at) levels.push(new Map())
    const level = levels[at - 1] as Map<Step, number[]>
    const rows = level.get(step)
    if (rows === undefined) level.set(step, [row])
    else rows.push(row)
  }
  return levels
}

/** A row whose own key is a temporary one is found by that. */
const found = (step: Step, row: number, vacated: Front['vacated']): Row => {
  const cells = step.rows[row] as Row
  const held = vacated.get(step.instances[row] as InstanceId)
  if (held === undefined || (step._tag !== 'Update' && step._tag !== 'Delete')) return cells
  const { key } = held.row.mapping
  const before = keyOf(held.row)
  const from = step._tag === 'Update' ? step.set.length : 0
  return cells.map((cell, i) => {
    const at = i < from ? -1 : key.findIndex(({ name }) => name === step.where[i - from]?.attribute)
    const value = at < 0 || cell !== before[at] ? undefined : heldAt(held, key[at] as Attribute)
    return value === undefined ? cell : value
  })
}

/** The temporary value of an attribute; undefined where it has none. Tables have attributes of their own. */
const heldAt = ({ values }: Vacated, { name }: Attribute): unknown => {
  for (const [attribute, value] of values) if (attribute.name === name) return value
  return undefined
}

const versionOf = (id: InstanceId | undefined, vacated: Front['vacated']): Attribute | null =>
  vacated.get(id as InstanceId)?.row.mapping.serverVersion ?? null

/** Would a row be looked for by a version that the database has changed since, when the row was vacated? */
const hasNewVersion = (step: Step, row: number, vacated: Front['vacated']): boolean => {
  const version = versionOf(step.instances[row], vacated)
  return version !== null && 'where' in step && step.where.some(({ attribute }) => attribute === version.name)
}

const withoutVersion = (step: Step, vacated: Front['vacated']): Step => {
  const version = versionOf(step.instances[0], vacated)
  if (step._tag !== 'Update' && step._tag !== 'Delete') return step
  const at = step.where.findIndex(({ attribute }) => attribute === version?.name)
  const place = at + (step._tag === 'Update' ? step.set.length : 0)
  return { ...step, where: step.where.toSpliced(at, 1), rows: step.rows.map((row) => row.toSpliced(place, 1)) }
}
