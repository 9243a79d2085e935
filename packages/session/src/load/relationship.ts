/**
 * Loading relationships: for one instance, or for many in one statement.
 *
 * What the state knows is not asked for again, and a reference whose target is in the identity map costs no statement.
 * Owners on several shards are loaded shard by shard, each from its own.
 */
import {
  type ExecutionOptions,
  type InstanceId,
  type Load,
  type Mapped,
  optionsOver,
  type Related,
  type RelationshipMapping,
  type RelationshipName,
  type Snapshot,
  selectOwn,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { none, some } from 'fp-ts/lib/Option.js'
import type { InvalidValue, ModelMismatch, NotInSession, NotLoaded } from '../error.js'
import { chain, fail, gets, map, of, type Program, suspend, traverseArray } from '../program/program.js'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { resolve } from '../transition/transition.js'
import { joiningsFor, loadPlanned, withOrigin } from './eager.js'
import type { LoadError } from './error.js'
import { isKnown, knownTargets, type LoadedTargets } from './known.js'
import { plannedLoads } from './planned-load.js'
import { loadRelated } from './related.js'
import { shownMembers } from './shown.js'
import type { Fetched } from './target-lookup.js'
import { isWhole, narrowedBy, targetOf, withKeys } from './target-query.js'
import { plainly } from './targets.js'

type Instance = Instance.Instance

/**
 * What a relationship of an instance holds, loaded where it is not: a collection as its kind shows it (an array, where the model says nothing
 * else), a reference as an option.
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
      return chain((targets: LoadedTargets) => show<M, N, K>(owner.id, relationship, targets.get(owner.id) ?? []))(
        loadLater(state, [owner], relationship),
      )
    })

/**
 * The targets of a relationship for many owners, by the statements of one load for all that came from the same query.
 *
 * @category loading
 */
export const loadTargets = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
): Program<LoadError, LoadedTargets> =>
  suspend((state) => {
    const groups = new Map<Instance['origin'], Instance[]>()
    for (const id of new Set(owners)) {
      const owner = instanceAt(state, id)
      const group = groups.get(owner.origin)
      if (group === undefined) groups.set(owner.origin, [owner])
      else group.push(owner)
    }
    return map((loaded: ReadonlyArray<LoadedTargets>) => new Map(loaded.flatMap((targets) => [...targets])))(
      traverseArray((group: ReadonlyArray<Instance>) => suspend((now) => loadLater(now, group, relationship)))([
        ...groups.values(),
      ]),
    )
  })

/** A load that comes after the query of its owners, which may have said something of it. */
const loadLater = (
  state: SessionState,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
): Program<LoadError, LoadedTargets> => {
  const [owner] = owners
  if (owner === undefined) return of(new Map())
  const load = laterLoad(owner, relationship)
  const strategy = load?.strategy ?? relationship.load
  if (strategy === 'raise' || strategy === 'writeOnly') {
    const unloaded = owners.find((one) => !isLoaded(state, one, relationship))
    if (unloaded !== undefined) {
      const { key, mapping } = unloaded
      return fail({ _tag: 'RaisedLoad', entity: mapping.name, key, relationship: relationship.name, strategy })
    }
  }
  const refine = load?.refine == null ? null : withKeys(relationship, load.refine)
  const options = laterOptions(owner, load)
  const planned = plannedLoads(state, relationship.target, refine?.loads ?? [], options)
  if (isLeft(planned)) return fail(planned.left)
  const loads = planned.right
  // a refinement that only loads more needs no statement of its own
  const query = refine === null || refine.node === selectOwn(targetOf(state.model, relationship)).node ? null : refine
  return chain(({ targets, joined }: Fetched) => {
    const found = [...targets.values()].flat()
    return chain(() => map(() => targets)(loadPlanned(loads, found, { query: null, joined, options })))(
      withOrigin({ loads: refine?.loads ?? [], options }, found),
    )
  })(
    loadRelated(
      owners.map(({ id }) => id),
      relationship,
      {
        ...plainly,
        query,
        isWhole: isWhole(refine),
        joinings: joiningsFor(loads),
        options,
      },
    ),
  )
}

/** What the query that gave an instance says of the load of a relationship. */
const laterLoad = ({ origin }: Instance, { name }: RelationshipMapping): Load | null =>
  origin?.loads.find((load) => load.relationship === name) ??
  origin?.loads.find((load) => load.relationship === '*') ??
  null

/** With which it is made, under the session's own. */
const laterOptions = ({ origin }: Instance, load: Load | null): ExecutionOptions =>
  optionsOver(origin?.options ?? {})(load?.refine?.options ?? {})

/** What the state knows of what the load of a relationship would give now. */
const knownNow = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
): ReadonlyArray<InstanceId> | null =>
  knownTargets(
    state,
    owner,
    relationship,
    narrowedBy(state, relationship, laterOptions(owner, laterLoad(owner, relationship))),
  )

/** Is there nothing to load, for lack of a row or since it was loaded? What the identity map could answer is not enough. */
const isLoaded = (state: SessionState, owner: Instance, relationship: RelationshipMapping): boolean => {
  if (owner.status === 'transient' || owner.status === 'pending') return true
  const known = Instance.relatedOf(owner, relationship)
  return known !== undefined && knownNow(state, owner, relationship) !== null
}

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
      const known = knownNow(state, owner, relationship)
      return known === null || known.some((id) => !isKnown(state, instanceAt(state, id), relationship.target))
        ? fail({ _tag: 'NotLoaded', entity: entity.name, key: owner.key, attribute: name })
        : show(owner.id, relationship, known)
    })

export const find = <M, N extends string>(
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
  owner: InstanceId,
  relationship: RelationshipMapping,
  targets: ReadonlyArray<InstanceId>,
): Program<never, Related<M, N, K>> =>
  gets((state) => {
    const snapshots = targets.map((id) => instanceAt(state, id).snapshot)
    if (relationship.isCollection)
      return shownMembers(state, owner, relationship, targets, snapshots) as Related<M, N, K>
    const only = snapshots[0]
    return (only === undefined ? none : some(only)) as unknown as Related<M, N, K>
  })
