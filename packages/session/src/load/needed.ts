/**
 * Loads that the session's own work needs: in as few statements as there are relationships and entities. Flushes nothing.
 */
import type { InstanceId, Mapping, RelationshipMapping } from '@unitary/core'
import { all, chain, map, of, type Program } from '../program/program.js'
import type { LoadNeeded } from '../transition/remove.js'
import { reloadExpired } from './reload.js'
import type { TargetsError } from './target-lookup.js'
import { fetchTargets } from './targets.js'

/**
 * Loads rows and relationships, rows first.
 *
 * @category loading
 */
export const loadNeeded = (needs: ReadonlyArray<LoadNeeded>): Program<TargetsError, undefined> => {
  if (needs.length === 0) return of(undefined)
  const { rows, related } = grouped(needs)
  return map(() => undefined)(
    chain(() =>
      all(
        [...related].map(
          ([relationship, owners]): Program<TargetsError, unknown> => fetchTargets(owners, relationship),
        ),
      ),
    )(all([...rows].map(([mapping, ids]) => reloadExpired(mapping, ids)))),
  )
}

interface Grouped {
  readonly rows: ReadonlyMap<Mapping, ReadonlyArray<InstanceId>>
  readonly related: ReadonlyMap<RelationshipMapping, ReadonlyArray<InstanceId>>
}

const grouped = (needs: ReadonlyArray<LoadNeeded>): Grouped => {
  const rows = new Map<Mapping, InstanceId[]>()
  const related = new Map<RelationshipMapping, InstanceId[]>()
  for (const { instance, relationship } of needs) {
    if (relationship === null) gather(rows, instance.mapping, instance.id)
    else gather(related, relationship, instance.id)
  }
  return { rows, related }
}

const gather = <K>(lists: Map<K, InstanceId[]>, key: K, id: InstanceId): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [id])
  else list.push(id)
}
