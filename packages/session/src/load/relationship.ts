/**
 * Loading relationships: for one instance, or for many in one statement.
 *
 * What the state knows is not asked for again, and a reference whose target is in the identity map costs no statement.
 * Owners on several shards are loaded shard by shard, each from its own.
 */
import type {
  AnySelect,
  InstanceId,
  Mapped,
  Mapping,
  Related,
  RelationshipMapping,
  RelationshipName,
  Snapshot,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { none, some } from 'fp-ts/lib/Option.js'
import type {
  HookError,
  InvalidState,
  InvalidValue,
  ModelMismatch,
  NotInSession,
  NotLoaded,
  ObjectDeleted,
} from '../error.js'
import { narrowedLoad } from '../hook/execute.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import { chain, fail, gets, map, of, type Program, suspend, transition } from '../program/program.js'
import type { Instance } from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { resolve } from '../transition/transition.js'
import type { ReadError } from './get.js'
import { reloadExpired } from './reload.js'
import {
  fetchTargets,
  isKnown,
  isWhole,
  knownTargets,
  type LoadedTargets,
  type TargetsError,
  withReferences,
} from './targets.js'

/** Why a relationship cannot be loaded. @category errors */
export type LoadError = ReadError | InvalidValue

/**
 * What a relationship of an instance holds, loaded where it is not: a collection as an array, a reference as an option.
 *
 * @example
 * pipe(ed, Session.load(model.User, 'addresses'))
 *
 * @category loading
 */
export const load =
  <M, N extends string, K extends RelationshipName<M, N>>(entity: Mapped<M, N>, name: K) =>
  (instance: Snapshot<N>): Program<LoadError, Related<M, N, K>> =>
    suspend((state): Program<LoadError, Related<M, N, K>> => {
      const found = find(state, entity, name, instance)
      if (isLeft(found)) return fail(found.left)
      const [owner, relationship] = found.right
      return chain((targets: LoadedTargets) => show<M, N, K>(relationship, targets.get(owner.id) ?? []))(
        loadRelated([owner.id], relationship, null),
      )
    })

/**
 * What a relationship of an instance holds, as the session knows it: `NotLoaded` where it does not. Never asks a database.
 *
 * @category loading
 */
export const related =
  <M, N extends string, K extends RelationshipName<M, N>>(entity: Mapped<M, N>, name: K) =>
  (instance: Snapshot<N>): Program<ModelMismatch | NotInSession | InvalidValue | NotLoaded, Related<M, N, K>> =>
    suspend((state): Program<ModelMismatch | NotInSession | InvalidValue | NotLoaded, Related<M, N, K>> => {
      const found = find(state, entity, name, instance)
      if (isLeft(found)) return fail(found.left)
      const [owner, relationship] = found.right
      const known = knownTargets(state, owner, relationship)
      return known === null || known.some((id) => !isKnown(state, instanceAt(state, id)))
        ? fail({ _tag: 'NotLoaded', entity: entity.name, key: owner.key, attribute: name })
        : show(relationship, known)
    })

const find = <M, N extends string>(
  state: SessionState,
  entity: Mapped<M, N>,
  name: string,
  instance: Snapshot<N>,
): Either<ModelMismatch | NotInSession | InvalidValue, readonly [Instance, RelationshipMapping]> => {
  const found = resolve(state, entity, instance)
  if (isLeft(found)) return found
  const relationship = entity.mapping.relationshipOf.get(name)
  return relationship === undefined
    ? left({
        _tag: 'InvalidValue',
        entity: entity.name,
        attribute: name,
        value: name,
        problem: `${entity.name} has no relationship of that name`,
      })
    : right([found.right, relationship])
}

/** Targets as the program sees them. */
const show = <M, N extends string, K>(
  relationship: RelationshipMapping,
  targets: ReadonlyArray<InstanceId>,
): Program<never, Related<M, N, K>> =>
  gets((state) => {
    const snapshots = targets.map((id) => instanceAt(state, id).snapshot)
    const only = snapshots[0]
    return (relationship.isCollection ? snapshots : only === undefined ? none : some(only)) as unknown as Related<
      M,
      N,
      K
    >
  })

/**
 * The targets of a relationship for many owners of one entity: what is not known is loaded, by one statement for each
 * shard and chunk of keys. A refined query always asks, and what it gives is the targets' subset that it selects; the
 * session keeps only what was loaded whole; what hooks narrow is whole for it.
 *
 * @category loading
 */
export const loadRelated = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  query: AnySelect | null,
): Program<LoadError, LoadedTargets> => loadBy(owners, relationship, query, narrowedLoad(relationship, query))

/**
 * The same for all targets that there are, past the hooks: for work that has to know every one of them.
 *
 * @category loading
 */
export const loadEvery = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
): Program<LoadError, LoadedTargets> => loadBy(owners, relationship, null, of(null))

const loadBy = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  query: AnySelect | null,
  asked: Program<HookError, AnySelect | null>,
): Program<LoadError, LoadedTargets> =>
  chain((targets: LoadedTargets) =>
    map(() => targets)(reloadExpired(relationship.target, [...targets.values()].flat())),
  )(loadUnknown(owners, relationship, query, asked))

const loadUnknown = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  query: AnySelect | null,
  asked: Program<HookError, AnySelect | null>,
): Program<LoadError, LoadedTargets> =>
  unlessFailed((state): Program<LoadError, LoadedTargets> => {
    const targets = new Map<InstanceId, ReadonlyArray<InstanceId>>()
    const unknown: InstanceId[] = []
    for (const id of new Set(owners)) {
      const owner = instanceAt(state, id)
      const known = query === null ? knownTargets(state, owner, relationship) : null
      if (known !== null) targets.set(id, known)
      else if (owner.status === 'persistent' || (owner.status === 'deleted' && relationship.kind === 'BelongsTo')) {
        unknown.push(id)
      } else if (owner.status === 'detached') return fail(notToBeLoaded(owner))
      else targets.set(id, [])
    }
    if (unknown.length === 0) return kept(relationship, targets)
    return chain((rewritten: AnySelect | null) =>
      chain(() =>
        map((found: LoadedTargets): LoadedTargets => {
          for (const [id, ids] of found) targets.set(id, ids)
          return targets
        })(
          chain(() => fetchTargets(unknown, relationship, rewritten, isWhole(query)))(
            knownOwners(relationship, unknown),
          ),
        ),
      )(autoflush),
    )(asked)
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
const kept = (relationship: RelationshipMapping, targets: LoadedTargets): Program<never, LoadedTargets> =>
  relationship.kind === 'BelongsTo'
    ? transition((state) => right([targets, withReferences(state, relationship, targets)]))
    : of(targets)

/** An owner that has expired does not know its foreign key. */
const knownOwners = (
  { kind, owner: mapping }: RelationshipMapping,
  owners: ReadonlyArray<InstanceId>,
): Program<TargetsError | ObjectDeleted, undefined> =>
  kind === 'BelongsTo' ? chain(() => stillThere(mapping, owners))(reloadExpired(mapping, owners)) : of(undefined)

const stillThere = (mapping: Mapping, owners: ReadonlyArray<InstanceId>): Program<ObjectDeleted, undefined> =>
  suspend((state): Program<ObjectDeleted, undefined> => {
    const gone = owners.map((id) => instanceAt(state, id)).find((owner) => !isKnown(state, owner))
    return gone === undefined
      ? of(undefined)
      : fail({ _tag: 'ObjectDeleted', entity: mapping.name, key: gone.key, shard: gone.token })
  })
