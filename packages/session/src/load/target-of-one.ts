/**
 * The targets of belongs-to relationships, told by the foreign keys of their owners.
 */
import type { InstanceId, RawKey, RelationshipMapping } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import { requestRows } from '../hook/loaded.js'
import { chain, type Outcome, of, type Program, suspend } from '../program/program.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt } from '../state/session-state.js'
import { foreignKeyOf } from '../transition/target.js'
import { loadedOne } from './known.js'
import { reloadExpired } from './reload.js'
import { keyReader } from './target-key.js'
import { type Fetched, type Lookup, type TargetsError, takeTargets, targetsRequest } from './target-lookup.js'

type Instance = Instance.Instance

/** What a reference held that was set meanwhile is what the database says, not what it is set to. */
const readerOf = (owner: Instance, relationship: RelationshipMapping): typeof Instance.valueAt => {
  const known = Instance.relatedOf(owner, relationship)
  return known?._tag === 'One' && known.changed ? Instance.committedAt : Instance.valueAt
}

/** Loads what owners of one shard refer to. @category loading */
export const loadOne = (
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  lookup: Lookup,
): Program<TargetsError, Fetched> => {
  return chain(() =>
    suspend((state): Program<TargetsError, Fetched> => {
      const wanted = new Map<RawKey, ReadonlyArray<unknown>>()
      for (const { id } of owners) {
        const owner = instanceAt(state, id)
        const read = readerOf(owner, relationship)
        const key = foreignKeyOf(owner, relationship, read)
        if (key === null || key === undefined || wanted.has(key)) continue
        wanted.set(
          key,
          relationship.foreignKey.map((attribute) => read(owner, attribute)),
        )
      }
      if (wanted.size === 0) return of({ targets: new Map(owners.map(({ id }) => [id, []])), joined: new Map() })
      const by = { attributes: relationship.key, through: null, keys: [...wanted.values()].flat(), orderBy: [] }
      return requestRows(
        state,
        targetsRequest(state, token, relationship, lookup, by),
        (answer, current, given): Outcome<TargetsError, Fetched> => {
          if (isLeft(answer)) return [answer, current]
          const taken = takeTargets(current, relationship, lookup, answer.right, given)
          if (isLeft(taken)) return [taken, current]
          const [ids, joined, next] = taken.right
          const found = new Map<RawKey, InstanceId>()
          if (relationship.isByIdentity) for (const id of ids) found.set(instanceAt(next, id).key as RawKey, id)
          else {
            let at = 0
            for (const { dialect, rows } of answer.right.batches) {
              const keyIn = keyReader(relationship.key, ({ name }) => name, dialect)
              for (const row of rows) {
                const target = ids[at++] as InstanceId
                const key = keyIn(row)
                if (key !== null) found.set(key, target)
              }
            }
          }
          const targets = new Map<InstanceId, ReadonlyArray<InstanceId>>()
          const changes = edit(next)
          for (const { id } of owners) {
            const owner = instanceAt(next, id)
            const key = foreignKeyOf(owner, relationship, readerOf(owner, relationship))
            const target = key === null || key === undefined ? undefined : found.get(key)
            targets.set(id, target === undefined ? [] : [target])
            // what is pending writes what it holds, and this is only what its foreign key says
            if (owner.status === 'pending') continue
            // also where no row has that key: it has been looked for
            if (!lookup.isWhole || (target === undefined && lookup.narrowed !== null)) continue
            const one = loadedOne(Instance.relatedOf(owner, relationship), target ?? null)
            changes.instances.set(id, Instance.withRelated(owner, relationship, one))
          }
          return [right({ targets, joined }), done(next, changes)]
        },
      )
    }),
  )(
    // an owner that has expired does not know its foreign key
    reloadExpired(
      relationship.owner,
      owners.map(({ id }) => id),
    ),
  )
}
