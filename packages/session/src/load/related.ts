/**
 * The targets of a relationship for many owners: what the state knows of them, and what is loaded.
 *
 * What the state knows is not asked for again, and a reference whose target is in the identity map costs no statement.
 * Owners on several shards are loaded shard by shard, each from its own.
 */
import type { AnySelect, InstanceId, Mapping, RelationshipMapping } from '@unitary/core'
import { right } from 'fp-ts/lib/Either.js'
import type { InvalidState, ObjectDeleted } from '../error.js'
import { narrowedLoad } from '../hook/execute.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import { chain, fail, map, of, type Program, suspend, transition } from '../program/program.js'
import type { Instance } from '../state/instance.js'
import { instanceAt, optionsIn } from '../state/session-state.js'
import type { LoadError } from './error.js'
import type { JoinedTargets } from './joined.js'
import { allTargets, isKnown, isLoadedPending, knownTargets, type LoadedTargets, withReferences } from './known.js'
import { reloadExpired } from './reload.js'
import type { Asking, Fetched, TargetsError } from './target-lookup.js'
import { narrowedBy } from './target-query.js'
import { fetchWith } from './targets.js'

const nothingJoined: JoinedTargets = new Map()

/**
 * The targets of a relationship for many owners of one entity: what is not known is loaded, by one statement for each
 * shard and chunk of keys. A refined query always asks, and what it gives is the targets' subset that it selects; the
 * session keeps only what was loaded whole, as far as hooks and criteria show it.
 *
 * @category loading
 */
export const loadRelated = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  asking: Asking,
): Program<LoadError, Fetched> =>
  chain((fetched: Fetched) =>
    asking.query === null
      ? map(() => fetched)(reloadExpired(relationship.target, allTargets(fetched.targets)))
      : of(fetched),
  )(loadUnknown(owners, relationship, asking))

const loadUnknown = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  asking: Asking,
): Program<LoadError, Fetched> =>
  unlessFailed((state): Program<LoadError, Fetched> => {
    const isKept = asking.query === null && optionsIn(state, asking.options).populateExisting !== true
    const flushed = optionsIn(state, asking.options).autoflush === false ? of(undefined) : autoflush
    const targets = new Map<InstanceId, ReadonlyArray<InstanceId>>()
    const narrowed = isKept ? narrowedBy(state, relationship, asking.options) : null
    const unknown: InstanceId[] = []
    for (const id of new Set(owners)) {
      const owner = instanceAt(state, id)
      const known = isKept ? knownTargets(state, owner, relationship, narrowed) : null
      if (known !== null) targets.set(id, known)
      else if (
        owner.status === 'persistent' ||
        (owner.status === 'deleted' && relationship.kind === 'BelongsTo') ||
        isLoadedPending(owner, relationship)
      ) {
        unknown.push(id)
      } else if (owner.status === 'detached') return fail(notToBeLoaded(owner))
      else targets.set(id, [])
    }
    if (unknown.length === 0) return kept(relationship, targets)
    // a load of what is pending is not to write it
    const isPending = unknown.some((id) => instanceAt(state, id).status === 'pending')
    return chain((query: AnySelect | null) =>
      chain(() =>
        map(({ targets: found, joined }: Fetched): Fetched => {
          for (const [id, ids] of found) targets.set(id, ids)
          return { targets, joined }
        })(
          chain(() => fetchWith(unknown, relationship, { ...asking, query, isHooked: query !== asking.query }))(
            knownOwners(relationship, unknown),
          ),
        ),
      )(isPending ? of(undefined) : flushed),
    )(narrowedLoad(relationship, asking.query))
  })

/** Only the session that an instance belongs to can load for it. */
const notToBeLoaded = ({ key, mapping, status }: Instance): InvalidState => ({
  _tag: 'InvalidState',
  entity: mapping.name,
  key,
  status,
  operation: 'load',
})

/** A reference that was looked up stays what it was, whatever its foreign key is set to, until it expires. */
const kept = (relationship: RelationshipMapping, targets: LoadedTargets): Program<never, Fetched> =>
  relationship.kind === 'BelongsTo'
    ? transition((state) => right([{ targets, joined: nothingJoined }, withReferences(state, relationship, targets)]))
    : of({ targets, joined: nothingJoined })

/** An owner that has expired does not know its foreign key. */
const knownOwners = (
  { isByIdentity, kind, owner: mapping }: RelationshipMapping,
  owners: ReadonlyArray<InstanceId>,
): Program<TargetsError | ObjectDeleted, undefined> =>
  kind === 'BelongsTo' || !isByIdentity
    ? chain(() => stillThere(mapping, owners))(reloadExpired(mapping, owners))
    : of(undefined)

const stillThere = (mapping: Mapping, owners: ReadonlyArray<InstanceId>): Program<ObjectDeleted, undefined> =>
  suspend((state): Program<ObjectDeleted, undefined> => {
    const gone = owners.map((id) => instanceAt(state, id)).find((owner) => !isKnown(state, owner, mapping))
    return gone === undefined
      ? of(undefined)
      : fail({ _tag: 'ObjectDeleted', entity: mapping.name, key: gone.key, shard: gone.token })
  })
