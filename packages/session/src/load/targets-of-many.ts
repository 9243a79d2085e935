/**
 * The targets of relationships that any number of them belong to, told by their owners' keys: has-many, has-one, links, conditions.
 */
import { type InstanceId, linkedOwner, type RawKey, type RelationshipMapping } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { requestRows } from '../hook/loaded.js'
import { chain, type Outcome, type Program, suspend } from '../program/program.js'
import type { ShardToken } from '../state/identity-map.js'
import type { Instance } from '../state/instance.js'
import { done, edit, instanceAt } from '../state/session-state.js'
import { repeats } from './joined.js'
import { keepMembers } from './known.js'
import { reloadExpired } from './reload.js'
import { isByOwner, keyHeld, keyReader } from './target-key.js'
import { type Fetched, type Lookup, type TargetsError, takeTargets, targetsRequest } from './target-lookup.js'

/**
 * Loads the targets of owners of one shard. What owners are known by, where that is no primary key, may have expired.
 *
 * @category loading
 */
export const loadMany = (
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  lookup: Lookup,
): Program<TargetsError, Fetched> =>
  relationship.isByIdentity
    ? loadOfOwners(token, owners, relationship, lookup)
    : chain(() => loadOfOwners(token, owners, relationship, lookup))(
        reloadExpired(
          relationship.owner,
          owners.map(({ id }) => id),
        ),
      )

const loadOfOwners = (
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  lookup: Lookup,
): Program<TargetsError, Fetched> =>
  suspend((asked): Program<TargetsError, Fetched> => {
    const ownerOf = new Map<RawKey, InstanceId>()
    const keys: unknown[] = []
    for (const { id } of owners) {
      const held = keyHeld(instanceAt(asked, id), relationship)
      if (held === null) continue
      ownerOf.set(held.key, id)
      for (const value of held.values) keys.push(value)
    }
    const by = {
      attributes: relationship.foreignKey,
      through: isByOwner(relationship) ? relationship : null,
      keys,
      orderBy: relationship.orderBy,
    }
    return requestRows(
      asked,
      targetsRequest(asked, token, relationship, lookup, by),
      (answer, state, given): Outcome<TargetsError, Fetched> => {
        if (isLeft(answer)) return [answer, state]
        const taken = takeTargets(state, relationship, lookup, answer.right, given)
        if (isLeft(taken)) return [taken, state]
        const [ids, joined, next] = taken.right
        const members = new Map<InstanceId, InstanceId[]>()
        for (const owner of owners) members.set(owner.id, [])
        const isRepeated =
          relationship.between.length > 0 ||
          lookup.query?.node.joins !== undefined ||
          (lookup.joined !== null && repeats(lookup.joined.parts))
        let at = 0
        for (const { dialect, rows } of answer.right.batches) {
          const keyIn = isByOwner(relationship)
            ? keyReader(relationship.owner.key, (_, i) => linkedOwner(i), dialect)
            : keyReader(relationship.foreignKey, ({ name }) => name, dialect)
          for (const row of rows) {
            const target = ids[at++] as InstanceId
            const key = keyIn(row)
            const owner = key === null ? undefined : ownerOf.get(key)
            if (owner !== undefined) members.get(owner)?.push(target)
          }
        }
        if (isRepeated) for (const [id, some] of members) members.set(id, [...new Set(some)])
        if (!lookup.isWhole) return [right({ targets: members, joined }), next]
        const changes = edit(next)
        const kept = new Map<InstanceId, ReadonlyArray<InstanceId>>()
        for (const [id, loaded] of members) {
          kept.set(id, keepMembers(next, changes, id, relationship, loaded, lookup.narrowed))
        }
        return [right({ targets: kept, joined }), done(next, changes)]
      },
    )
  })
