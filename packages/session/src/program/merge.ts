/**
 * Merging: the state of one graph copied onto the session's own instances.
 *
 * Each node of the graph meets the instance that has its key - in the identity map, or loaded - or becomes a pending one.
 * What the node knows is set there, and relationships with the merge cascade are followed. The graph itself stays as it is.
 *
 * One pitfall is SQLAlchemy's own: a reference that is null in the graph is set to null, and wins over a foreign key that is
 * set beside it. Leave the reference out to keep the key.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/session_state_management.html#merging
 */
import {
  type AnySelect,
  type Attribute,
  type DraftOrInstance,
  decodedKeyOf,
  type InstanceId,
  isKindOf,
  type Mapped,
  type Pending,
  type RelationshipMapping,
  rowClassOf,
  type Services,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, StaleData } from '../error.js'
import { Change } from '../hook/change.js'
import { narrowedGet } from '../hook/execute.js'
import { areOnChanges } from '../hook/hooks.js'
import type { LoadError } from '../load/error.js'
import { lookUp } from '../load/get.js'
import { loadRelated } from '../load/related.js'
import { plainly } from '../load/targets.js'
import * as IdentityMap from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import {
  done,
  edit,
  instanceAt,
  isExpired,
  optionsIn,
  type SessionState,
  type StateEdit,
} from '../state/session-state.js'
import { needsServices, noServices } from '../transition/add.js'
import * as Arrange from '../transition/arrange.js'
import { rowFaultOf } from '../transition/draft.js'
import { collected } from '../transition/members.js'
import { type MergeSource, mergeFault, mergeSource } from '../transition/merge-source.js'
import * as Relate from '../transition/relate.js'
import { type ChangeError, isSame, withValues } from '../transition/set.js'
import { freshen, put, standing, standingAt } from '../transition/standing.js'
import { checkModel } from '../transition/transition.js'
import { autoflush, unlessFailed } from './flush.js'
import { noAutoflush } from './options.js'
import { chain, fail, gets, map, of, type Program, suspend, transition, traverseArray } from './program.js'
import { services } from './work.js'

/** Why a graph cannot be merged. @category errors */
export type MergeError = LoadError | ChangeError | StaleData

/** @category model */
export interface MergeOptions {
  /**
   * `false`: take the graph for what the database has, and ask nothing. Only for stored instances without changes.
   */
  readonly load?: boolean
  /** The state that instances of the graph belong to, where it is another session's. */
  readonly from?: SessionState
}

/**
 * Merges a draft with its key, or an instance (detached, transient, of another session), and gives the session's own: as
 * far as it is known, since it may be new, or have expired. `read` gives all of it.
 *
 * @example
 * Session.merge(model.User, { id: 1, name: 'edward', addresses: [{ id: 7, email: 'ed@example.org' }] })
 *
 * @category work
 */
export const merge = <M, N extends string>(
  entity: Mapped<M, N>,
  value: DraftOrInstance<M, NoInfer<N>>,
  options: MergeOptions = {},
): Program<MergeError, Pending<M, N>> =>
  unlessFailed((state): Program<MergeError, Pending<M, N>> => {
    const checked = checkModel(state, entity)
    if (isLeft(checked)) return fail(checked.left)
    const fault = mergeFault(options.from ?? state, checked.right, value)
    if (fault !== null) return fail(fault)
    const loads = options.load !== false
    return chain(() =>
      chain((given: Services) =>
        suspend((current): Program<MergeError, Pending<M, N>> => {
          const merger = new Merger(given, loads, options.from === undefined)
          const source = mergeSource(options.from ?? current, checked.right, value)
          return chain((id: InstanceId) => gets((after) => instanceAt(after, id).snapshot as unknown as Pending<M, N>))(
            noAutoflush(merger.merge(source)),
          )
        }),
      )(needsServices(entity) || areOnChanges(state.hooks) ? services : of(noServices)),
    )(loads ? autoflush : of(undefined))
  })

/** One merge of one graph. */
class Merger {
  readonly #services: Services
  readonly #loads: boolean
  /** Do instances of the graph belong to the session that merges them? */
  readonly #isOwn: boolean
  /** What each node was merged into, by the node, and by its key. */
  readonly #merged = new Map<unknown, InstanceId>()
  readonly #byKey = new Map<string, InstanceId>()
  /** Instances that are new. */
  readonly #made = new Set<InstanceId>()
  /** Relationships over which a node was reached: their inverses are not followed back. */
  readonly #reached = new Map<unknown, Set<RelationshipMapping>>()

  constructor(services: Services, loads: boolean, isOwn: boolean) {
    this.#services = services
    this.#loads = loads
    this.#isOwn = isOwn
  }

  merge(source: MergeSource): Program<MergeError, InstanceId> {
    const known = this.#merged.get(source.identity)
    if (known !== undefined) return of(known)
    return chain((found: InstanceId | null): Program<MergeError, InstanceId> => {
      if (found !== null && this.#isOwn && found === source.identity) {
        this.#remember(source, found)
        return of(found)
      }
      return chain((id: InstanceId) => this.#fill(source, id))(this.#target(source, found))
    })(this.#find(source))
  }

  #remember(source: MergeSource, id: InstanceId): void {
    this.#merged.set(source.identity, id)
    if (source.key !== null) this.#byKey.set(keyText(source), id)
  }

  /** The instance that has the node's key: in the identity map, met before in this graph, or loaded. */
  #find(source: MergeSource): Program<MergeError, InstanceId | null> {
    return suspend((state): Program<MergeError, InstanceId | null> => {
      const { key, mapping } = source
      if (!this.#loads && !source.isStored) {
        return fail(refusal(source, 'transient', 'merge without loading'))
      }
      if (key === null) return of(null)
      const known = IdentityMap.get(state.identityMap, mapping, source.token, key) ?? this.#byKey.get(keyText(source))
      // a row of that key that is another's is for the database to refuse
      if (known !== undefined) return of(isKindOf(instanceAt(state, known).mapping, mapping) ? known : null)
      if (!this.#loads) return of(null)
      const { populateExisting: _, ...options } = optionsIn(state, {})
      const values = Object.fromEntries(
        decodedKeyOf(mapping, key).map((value, i) => [(mapping.key[i] as Attribute).name, value]),
      )
      return chain(() => gets((after) => IdentityMap.get(after.identityMap, mapping, source.token, key) ?? null))(
        chain((query: AnySelect | null) => lookUp(state, mapping, values, source.token, query, options))(
          narrowedGet(mapping, options),
        ),
      )
    })
  }

  /** The instance to merge into: the one found, or a new one. */
  #target(source: MergeSource, found: InstanceId | null): Program<MergeError, InstanceId> {
    if (found !== null) return of(found)
    return transition((state) => {
      if (!this.#loads && source.hasChanges) return left(refusal(source, 'changed', 'merge without loading'))
      const changes = edit(state)
      const id = changes.nextInstance++
      this.#made.add(id)
      const { mapping, key, token, values } = source
      const rows = rowClassOf(mapping)
      if (this.#loads) {
        const snapshot = rows.draft(id, values, this.#services)
        changes.instances.set(
          id,
          Instance.make(id, mapping, 'pending', null, null, snapshot, state.epoch, null, changes.nextOrder++),
        )
        changes.added.add(id)
      } else if (key !== null) {
        const snapshot = rows.make(id, {})
        const instance = Instance.make(id, mapping, 'persistent', key, token, snapshot, state.epoch, null, 0)
        changes.instances.set(id, { ...instance, partial: true })
        changes.identityMap.set(mapping, token, key, id)
      }
      return right([id, done(state, changes)])
    })
  }

  /** Sets what the node knows, then follows its relationships. */
  #fill(source: MergeSource, id: InstanceId): Program<MergeError, InstanceId> {
    this.#remember(source, id)
    return chain(() =>
      map(() => id)(
        traverseArray((relationship: RelationshipMapping) => this.#relationship(source, id, relationship))(
          source.mapping.relationships,
        ),
      ),
    )(this.#values(source, id))
  }

  #values(source: MergeSource, id: InstanceId): Program<MergeError, undefined> {
    return transition<MergeError, undefined>((state) => {
      const { values } = source
      const before = instanceAt(state, id)
      const stale = staleness(state, source, before)
      if (stale !== null) return left(stale)
      if (this.#isHooked(state)) return this.#hooked(state, (change) => change.setValues(id, values))
      const changes = edit(state)
      const target = freshen(state, before)
      const merged = this.#loads ? withValues(withVersion(target, values), values) : withStored(target, values)
      const wrong = this.#loads ? rowFaultOf(merged) : null
      if (wrong !== null) return left(wrong)
      put(changes, merged)
      return right([undefined, done(state, changes)])
    })
  }

  #relationship(source: MergeSource, id: InstanceId, relationship: RelationshipMapping): Program<MergeError, unknown> {
    if (!relationship.cascade.has('merge')) return of(undefined)
    const { inverse } = relationship
    if (this.#loads && inverse !== null && this.#reached.get(source.identity)?.has(inverse) === true)
      return of(undefined)
    const given = source.related(relationship)
    if (given === undefined) return of(undefined)
    const sources = given === null ? [] : Array.isArray(given) ? given : [given as MergeSource]
    const loaded: Program<MergeError, unknown> =
      this.#loads && relationship.isCollection ? loadRelated([id], relationship, plainly) : of(undefined)
    return chain(() =>
      chain((ids: ReadonlyArray<InstanceId>) =>
        transition<ChangeError, undefined>((state) =>
          this.#isHooked(state)
            ? this.#hooked(state, (change) =>
                relationship.isCollection
                  ? change.replace(id, relationship, ids)
                  : change.refer(id, relationship, ids[0] ?? null),
              )
            : right([undefined, this.#relate(state, id, relationship, ids)]),
        ),
      )(
        traverseArray((one: MergeSource) => {
          this.#reach(one, relationship)
          return this.merge(one)
        })(sources),
      ),
    )(loaded)
  }

  /** What is merged without loading is no change. */
  #isHooked(state: SessionState): boolean {
    return this.#loads && areOnChanges(state.hooks)
  }

  #hooked(
    state: SessionState,
    make: (change: Change) => ChangeError | null,
  ): Either<ChangeError, readonly [undefined, SessionState]> {
    const change = new Change(state, this.#services, this.#made)
    const fault = make(change)
    return fault === null ? right([undefined, change.finish()]) : left(fault)
  }

  #reach(source: MergeSource, relationship: RelationshipMapping): void {
    const over = this.#reached.get(source.identity)
    if (over === undefined) this.#reached.set(source.identity, new Set([relationship]))
    else over.add(relationship)
  }

  #relate(
    state: SessionState,
    id: InstanceId,
    relationship: RelationshipMapping,
    ids: ReadonlyArray<InstanceId>,
  ): SessionState {
    const changes = edit(state)
    if (!this.#loads) keep(changes, id, relationship, ids)
    else if (!relationship.isCollection) Relate.refer(state, changes, id, relationship, ids[0] ?? null)
    else Arrange.replace(state, changes, id, relationship, ids)
    return done(state, changes)
  }
}

/** The instance with values that the database has: what was set in their place is no change any more. */
const withStored = (target: Instance.Instance, values: MergeSource['values']): Instance.Instance => {
  const { id, mapping } = target
  const snapshot = rowClassOf(mapping).patch(target.snapshot, id, values)
  const left = Object.entries(target.committed ?? {}).filter(([name]) => values[name] === undefined)
  return {
    ...target,
    snapshot,
    partial: mapping.attributes.some(({ isDeferred, name }) => !isDeferred && (snapshot as never)[name] === undefined),
    committed: left.length === 0 ? null : Object.fromEntries(left),
    unset: target.unset?.filter((name) => values[name] === undefined) ?? null,
  }
}

/** The version that a graph was read with is what its changes build on, and no change itself: the flush compares it. */
const withVersion = (target: Instance.Instance, values: MergeSource['values']): Instance.Instance => {
  const { version } = target.mapping
  const read = version === null ? undefined : values[version.name]
  return version === null || read === undefined || target.status === 'pending'
    ? target
    : withStored(target, { [version.name]: read })
}

/** What is merged without loading is what the database has. */
const keep = (
  changes: StateEdit,
  id: InstanceId,
  relationship: RelationshipMapping,
  ids: ReadonlyArray<InstanceId>,
): void => {
  const instance = standingAt(changes, id)
  const related = relationship.isCollection
    ? Instance.many(collected(relationship, ids, standing(changes)))
    : Instance.one(ids[0] ?? null)
  changes.instances.set(id, Instance.withRelated(instance, relationship, related))
}

const keyText = ({ mapping, key, token }: MergeSource): string => JSON.stringify([mapping.root.name, token, key])

/** A version that was read before the session's own is no base to merge from. What has expired the flush compares. */
const staleness = (state: SessionState, source: MergeSource, target: Instance.Instance): StaleData | null => {
  const { version } = source.mapping
  if (version === null || target.status === 'pending' || isExpired(state, target)) return null
  const theirs = source.values[version.name]
  const ours = Instance.valueAt(target, version)
  return theirs === undefined || ours === undefined || isSame(version, theirs, ours)
    ? null
    : {
        _tag: 'StaleData',
        entity: source.mapping.name,
        table: source.mapping.table,
        key: target.key,
        matched: 0,
        shard: target.token,
      }
}

const refusal = (source: MergeSource, status: string, operation: string): InvalidState => ({
  _tag: 'InvalidState',
  entity: source.mapping.name,
  key: source.key,
  status,
  operation,
})
