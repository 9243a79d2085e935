/**
 * Which returned row belongs to which inserted row.
 *
 * A multi-row INSERT ... RETURNING gives its rows in an order that no database promises. They can be told apart all the
 * same: by keys that the rows bring along, or by keys that one statement has counted up without a gap. Rows get those in
 * the order of VALUES, so the lowest is that of the first row.
 */
import type { InsertCall } from './call.js'

/**
 * How the returned rows of an insert are told apart. `Given`: by the key's values, which stand at these places of the rows
 * given. `Counted`: by the key that the database counts up.
 */
export type Matching =
  | { readonly _tag: 'Given'; readonly key: ReadonlyArray<string>; readonly places: ReadonlyArray<number> }
  | { readonly _tag: 'Counted'; readonly key: readonly [string] }

/** How the rows of a call are told apart; null where nothing tells, so that each needs a statement of its own. */
export const matchingOf = ({ columns, key, returning }: InsertCall): Matching | null => {
  const [only, another] = key
  if (only === undefined) return null
  const places = key.map((column) => columns.indexOf(column))
  if (!places.includes(-1)) return { _tag: 'Given', key, places }
  return another === undefined && returning.includes(only) ? { _tag: 'Counted', key: [only] } : null
}

/** What RETURNING has to name: what is asked for, and by what it is told apart. */
export const selectedBy = ({ returning }: InsertCall, matching: Matching | null): ReadonlyArray<string> =>
  matching === null || returning.length === 0
    ? returning
    : [...returning, ...matching.key.filter((column) => !returning.includes(column))]

/**
 * The returned rows in the order of the rows given, of which they are all or a part from `from` on; undefined in place of
 * one whose key nobody has given. Null where counted keys leave gaps, so that nobody can tell.
 *
 * `keyOf` reads the key's columns of a returned row, one by one. O(n) where the rows come in order, as they do in practice.
 */
export const inOrder = <R>(
  matching: Matching,
  returned: ReadonlyArray<R>,
  keyOf: ReadonlyArray<(row: R) => unknown>,
  given: ReadonlyArray<ReadonlyArray<unknown>>,
  from: number,
  size: number,
): ReadonlyArray<R | undefined> | null =>
  matching._tag === 'Given'
    ? byGivenKey(returned, keyOf, given, matching.places, from, size)
    : byCountedKey(returned, keyOf[0] as (row: R) => unknown, size)

const byCountedKey = <R>(
  returned: ReadonlyArray<R>,
  idOf: (row: R) => unknown,
  size: number,
): ReadonlyArray<R> | null => {
  const ids = returned.map(idOf)
  const ordered = consecutiveIds(ids, size)
  if (ordered === null || ordered === ids) return ordered === null ? null : returned
  const first = ordered[0] as number
  const rows = new Array<R>(size)
  for (let i = 0; i < size; i++) rows[(ids[i] as number) - first] = returned[i] as R
  return rows
}

const byGivenKey = <R>(
  returned: ReadonlyArray<R>,
  keyOf: ReadonlyArray<(row: R) => unknown>,
  given: ReadonlyArray<ReadonlyArray<unknown>>,
  places: ReadonlyArray<number>,
  from: number,
  size: number,
): ReadonlyArray<R | undefined> => {
  const textOf = (row: R): string => keyText(keyOf.map((read) => read(row)))
  const givenText = (i: number): string => keyText(places.map((place) => given[from + i]?.[place]))
  const isOrdered = returned.length === size && returned.every((row, i) => textOf(row) === givenText(i))
  if (isOrdered) return returned
  const byKey = new Map(returned.map((row) => [textOf(row), row]))
  return Array.from({ length: size }, (_, i) => byKey.get(givenText(i)))
}

/** A key as text: the same for the same value, as it was given and as a driver gives it back. */
const keyText = (values: ReadonlyArray<unknown>): string =>
  values.length === 1 ? valueText(values[0]) : JSON.stringify(values.map(valueText))

const valueText = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
      return String(value)
    case 'boolean':
      return value ? '1' : '0'
    default:
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
      // what is no instant is JSON
      return value instanceof Date && !Number.isNaN(value.getTime())
        ? value.toISOString()
        : JSON.stringify(value ?? null)
  }
}

/**
 * The ids in the order of the rows, the same array where they come so; null where they are not consecutive integers, so
 * that nobody can tell.
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
