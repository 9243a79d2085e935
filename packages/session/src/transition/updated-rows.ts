/**
 * What an update of many rows by their keys means for the instances that the session holds of them.
 */
import type { Attribute, Dialect, Mapping, RawKey, UpdateRun } from '@unitary/core'
import type { ShardToken } from '../state/identity-map.js'
import { done, edit, isExpired, revise, type SessionState } from '../state/session-state.js'
import { type Met, outdated, withAssignments } from './bulk.js'
import { put } from './standing.js'

/** Rows that change the same attributes, and by what they are found: their keys, and their versions. @category model */
export interface KeyedRun extends UpdateRun {
  readonly where: ReadonlyArray<Attribute>
}

/** How many rows each of those met that were sent to one database, by its place among those given. @category model */
export interface UpdatedRows {
  readonly dialect: Dialect
  readonly token: ShardToken | null
  readonly matched: ReadonlyMap<number, number>
}

/**
 * After an update of rows by their keys: the instances of those that it met have the new values. O(rows).
 *
 * @category transitions
 */
export const rowsUpdated = (
  state: SessionState,
  mapping: Mapping,
  runs: ReadonlyArray<KeyedRun>,
  batches: ReadonlyArray<UpdatedRows>,
): SessionState => {
  const changes = edit(state)
  for (const { dialect, matched, token } of batches) {
    for (const { keys, places, set, values } of runs) {
      const { serverVersion, updateExpressions } = mapping
      const computed = updateExpressions.filter((attribute) => !set.includes(attribute))
      const given = computed.length === 0 ? set : [...set, ...computed]
      const attributes = serverVersion === null ? given : [...given, serverVersion]
      for (let i = 0; i < keys.length; i++) {
        if ((matched.get(places[i] as number) ?? 0) === 0) continue
        const id = changes.identityMap.get(mapping, token, keys[i] as RawKey)
        const instance = id === undefined ? undefined : changes.instances.get(id)
        if (instance === undefined || isExpired(state, instance)) continue
        const met: Met = { instance, dialect, isCertain: true, key: null }
        const updated = outdated(
          withAssignments(met, { attributes, valuesOf: () => values[i] as Readonly<Record<string, unknown>> }),
        )
        if (updated !== instance) put(changes, updated)
      }
    }
  }
  const affected = batches.some(({ matched }) => [...matched.values()].some((count) => count > 0))
  const next = done(state, changes)
  return next.isWritten || !affected ? next : revise(next, { isWritten: true })
}
