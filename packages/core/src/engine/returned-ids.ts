/**
 * Which returned id belongs to which inserted row.
 *
 * A multi-row INSERT ... RETURNING gives its rows in an order that no database promises. Ids that one statement has
 * drawn without a gap can be told apart all the same: rows get them in the order of VALUES, so the lowest is that of the
 * first row.
 */

/**
 * The ids in the order of the rows; null where they are not consecutive integers, so that nobody can tell. O(n) where
 * they come in order, as they do in practice.
 */
export const consecutiveIds = (ids: ReadonlyArray<unknown>, rows: number): ReadonlyArray<number> | null => {
  if (ids.length !== rows) return null
  if (isConsecutive(ids)) return ids
  if (!ids.every((id) => Number.isSafeInteger(id))) return null
  const sorted = (ids as ReadonlyArray<number>).toSorted((a, b) => a - b)
  return isConsecutive(sorted) ? sorted : null
}

const isConsecutive = (ids: ReadonlyArray<unknown>): ids is ReadonlyArray<number> => {
  const first = ids[0]
  if (typeof first !== 'number') return ids.length === 0
  for (let i = 1; i < ids.length; i++) if (ids[i] !== first + i) return false
  return true
}
