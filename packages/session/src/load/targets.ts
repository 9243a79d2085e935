/**
 * The statements that load relationships: from the owners that do not know their targets to what the session keeps.
 *
 * Nothing is flushed here: what asks says when that is to be done.
 */
import type { InstanceId, RelationshipMapping } from '@unitary/core'
import { map, type Program, suspend, traverseArray } from '../program/program.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Instance } from '../state/instance.js'
import { instanceAt, shardFor } from '../state/session-state.js'
import type { LoadedTargets } from './known.js'
import { type Asking, type Fetched, lookupOf, type TargetsError } from './target-lookup.js'
import { loadOne } from './target-of-one.js'
import { loadMany } from './targets-of-many.js'

/** All targets that the application may see, by their owners' keys. @category constructors */
export const plainly: Asking = {
  query: null,
  isHooked: false,
  isFiltered: true,
  isWhole: true,
  joinings: [],
  owners: null,
  options: {},
}

const all: Asking = { ...plainly, isFiltered: false }

/**
 * All targets of a relationship for persistent owners, whatever criteria hide, and asked for whether or not the state knows
 * them: by one statement for each shard and chunk of keys.
 *
 * @category loading
 */
export const fetchTargets = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
): Program<TargetsError, LoadedTargets> => map(({ targets }: Fetched) => targets)(fetchWith(owners, relationship, all))

/**
 * The same, with what is asked beside it.
 *
 * @category loading
 */
export const fetchWith = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  asking: Asking,
): Program<TargetsError, Fetched> =>
  suspend((state): Program<TargetsError, Fetched> => {
    const byToken = new Map<ShardToken | null, Instance[]>()
    for (const id of owners) {
      const owner = instanceAt(state, id)
      const token = shardFor(state, owner, relationship.target)
      const list = byToken.get(token)
      if (list === undefined) byToken.set(token, [owner])
      else list.push(owner)
    }
    const lookup = lookupOf(state, relationship, asking)
    return map((found: ReadonlyArray<Fetched>) => found.reduce(together, nothingFetched))(
      traverseArray(([token, on]: readonly [ShardToken | null, ReadonlyArray<Instance>]) =>
        relationship.kind !== 'BelongsTo'
          ? loadMany(token, on, relationship, lookup)
          : loadOne(token, on, relationship, lookup),
      )([...byToken]),
    )
  })

const nothingFetched: Fetched = { targets: new Map(), joined: new Map() }

const together = (some: Fetched, more: Fetched): Fetched =>
  some.targets.size === 0
    ? more
    : {
        targets: new Map([...some.targets, ...more.targets]),
        joined: new Map(
          [...some.joined].map(([joining, targets]) => [
            joining,
            new Map([...targets, ...(more.joined.get(joining) ?? [])]),
          ]),
        ),
      }
