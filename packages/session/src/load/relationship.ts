/**
 * Loading relationships: for one instance, or for many in one statement.
 *
 * What the state knows is not asked for again, and a reference whose target is in the identity map costs no statement.
 * Owners on several shards are loaded shard by shard, each from its own.
 */
import type {
  AnySelect,
  Attribute,
  Dialect,
  DriverRow,
  InstanceId,
  Mapped,
  RawKey,
  Related,
  RelationshipMapping,
  RelationshipName,
  Snapshot,
} from '@unitary/core'
import { decodedKeyOf, encodedKeyOf, linkedOwner, rawKeyOfValue, select, where } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { none, some } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { InvalidValue, ModelMismatch, NotInSession, NotLoaded } from '../error.js'
import {
  chain,
  fail,
  gets,
  map,
  type Outcome,
  of,
  type Program,
  request,
  suspend,
  traverseArray,
} from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import { autoflush, unlessFailed } from '../program/transaction.js'
import * as Collection from '../state/collection.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { foreignKeyOf, freshen, referredTo, targetOf } from '../transition/relate.js'
import { resolve } from '../transition/transition.js'
import { type ReadError, reload, reloadExpired } from './get.js'
import { populate } from './populate.js'

type Instance = Instance.Instance

/** Why a relationship cannot be loaded. @category errors */
export type LoadError = ReadError | InvalidValue

/** The targets of each owner, in order. */
export type LoadedTargets = ReadonlyMap<InstanceId, ReadonlyArray<InstanceId>>

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

/** Is the instance's snapshot all of it, and not out of date? */
const isKnown = (state: SessionState, instance: Instance): boolean => !isExpired(state, instance) && !instance.partial

/** What the state knows without asking; null where it does not. */
const knownTargets = (
  state: SessionState,
  owner: Instance,
  relationship: RelationshipMapping,
): ReadonlyArray<InstanceId> | null => {
  const isNew = owner.status === 'transient' || owner.status === 'pending'
  if (relationship.kind !== 'BelongsTo') {
    const known = isExpired(state, owner) ? undefined : Instance.relatedOf(owner, relationship)
    return (known === undefined ? null : Instance.membersOf(known)) ?? (isNew ? [] : null)
  }
  if (isNew) {
    const referred = referredTo(state, owner, relationship)
    return referred === null ? [] : [referred.id]
  }
  const target = targetOf(state, edit(state), owner, relationship)
  if (target === undefined) return null
  return target === null ? [] : [target]
}

/**
 * The targets of a relationship for many owners of one entity: what is not known is loaded, by one statement for each
 * shard and chunk of keys. A refined query always asks, and what it gives is the targets' subset that it selects; the
 * session keeps only what was loaded whole.
 *
 * @category loading
 */
export const loadRelated = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  query: AnySelect | null,
): Program<LoadError, LoadedTargets> =>
  chain((targets: LoadedTargets) =>
    map(() => targets)(reloadExpired(relationship.target, [...targets.values()].flat())),
  )(loadUnknown(owners, relationship, query))

const loadUnknown = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  query: AnySelect | null,
): Program<LoadError, LoadedTargets> =>
  unlessFailed((state): Program<LoadError, LoadedTargets> => {
    const targets = new Map<InstanceId, ReadonlyArray<InstanceId>>()
    const asked = new Map<ShardToken | null, Instance[]>()
    for (const id of new Set(owners)) {
      const owner = instanceAt(state, id)
      const known = query === null ? knownTargets(state, owner, relationship) : null
      if (known !== null) targets.set(id, known)
      else if (owner.status === 'persistent') append(asked, owner.token, owner)
      else targets.set(id, [])
    }
    if (asked.size === 0) return of(targets)
    const asking: Asking = { query: withCondition(state, relationship, query), isWhole: isWhole(query) }
    return chain(() =>
      map((found: ReadonlyArray<LoadedTargets>) => {
        for (const some of found) for (const [id, ids] of some) targets.set(id, ids)
        return targets as LoadedTargets
      })(
        traverseArray(([token, on]: readonly [ShardToken | null, ReadonlyArray<Instance>]) =>
          relationship.kind !== 'BelongsTo'
            ? loadMany(token, on, relationship, asking)
            : loadOne(token, on, relationship, asking),
        )([...asked]),
      ),
    )(autoflush)
  })

const append = <K, V>(lists: Map<K, V[]>, key: K, value: V): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** The query of the targets, and whether it gives all that the relationship has, for the session to keep. */
interface Asking {
  readonly query: AnySelect | null
  readonly isWhole: boolean
}

const conditions = new WeakMap<RelationshipMapping, AnySelect>()

/** The query of a relationship's targets, with the condition that the relationship itself has. */
const withCondition = (
  state: SessionState,
  relationship: RelationshipMapping,
  query: AnySelect | null,
): AnySelect | null => {
  const { target, where: condition } = relationship
  if (condition === null) return query
  if (query !== null) return where<AnySelect>(condition as never)(query)
  const known = conditions.get(relationship)
  if (known !== undefined) return known
  const entity = (state.model as unknown as Readonly<Record<string, unknown>>)[target.name] as Mapped<unknown, string>
  const made = where<AnySelect>(condition as never)(select(entity))
  conditions.set(relationship, made)
  return made
}

/** Is all of the entity selected, so that what comes is all there is? */
const isWhole = (query: AnySelect | null): boolean =>
  query === null ||
  (query.node.where === undefined &&
    query.node.limit === undefined &&
    query.node.offset === undefined &&
    query.node.joins === undefined &&
    query.node.groupBy === undefined)

const loadMany = (
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  { query, isWhole: isKept }: Asking,
): Program<LoadError, LoadedTargets> => {
  const ownerOf = new Map<RawKey, InstanceId>()
  const keys: unknown[] = []
  for (const owner of owners) {
    if (owner.key === null) continue
    ownerOf.set(owner.key, owner.id)
    for (const value of relationship.through === null ? keyValues(owner) : encodedKeyOf(owner.mapping, owner.key)) {
      keys.push(value)
    }
  }
  return request(
    {
      _tag: 'Lookup',
      purpose: 'load',
      mapping: relationship.target,
      attributes: relationship.foreignKey,
      link: relationship.through,
      keys,
      orderBy: relationship.orderBy,
      query,
      token,
      options: query?.options ?? {},
    },
    (answer, state): Outcome<LoadError, LoadedTargets> => {
      if (isLeft(answer)) return [answer, state]
      const populated = populate(state, relationship.target, answer.right, query?.options ?? {})
      if (isLeft(populated)) return [populated, state]
      const [ids, next] = populated.right
      const members = new Map<InstanceId, InstanceId[]>(owners.map((owner) => [owner.id, []]))
      forEachRow(answer.right, (row, dialect, i) => {
        const key =
          relationship.through === null
            ? foreignKeyIn(row, relationship.foreignKey, dialect)
            : ownerIn(row, relationship.key, dialect)
        const owner = key === null ? undefined : ownerOf.get(key)
        if (owner !== undefined) members.get(owner)?.push(ids[i] as InstanceId)
      })
      if (!isKept) return [right(members), next]
      const changes = edit(next)
      for (const [id, loaded] of members) members.set(id, keepMembers(next, changes, id, relationship, loaded))
      return [right(members), done(next, changes)]
    },
  )
}

/** The key's values as the program has them: from the snapshot, or from the identity where it has expired. */
const keyValues = (owner: Instance): ReadonlyArray<unknown> => {
  const values = owner.mapping.key.map((attribute) => Instance.valueAt(owner, attribute))
  return values.includes(undefined) && owner.key !== null ? decodedKeyOf(owner.mapping, owner.key) : values
}

/** Rows in the order of the answer. */
const forEachRow = (answer: QueryAnswer, f: (row: DriverRow, dialect: Dialect, index: number) => void): void => {
  let index = 0
  for (const { dialect, rows } of answer.batches) for (const row of rows) f(row, dialect, index++)
}

/** The raw key that a row's foreign key holds, as the database has it, whatever the instance has been changed to. */
const foreignKeyIn = (row: DriverRow, attributes: ReadonlyArray<Attribute>, dialect: Dialect): RawKey | null =>
  keyIn(row, attributes, ({ name }) => name, dialect)

/** The raw key of the owner that a row was found for, over a table of links. */
const ownerIn = (row: DriverRow, attributes: ReadonlyArray<Attribute>, dialect: Dialect): RawKey | null =>
  keyIn(row, attributes, (_, i) => linkedOwner(i), dialect)

const keyIn = (
  row: DriverRow,
  attributes: ReadonlyArray<Attribute>,
  nameOf: (attribute: Attribute, i: number) => string,
  dialect: Dialect,
): RawKey | null => {
  const parts: unknown[] = []
  for (let i = 0; i < attributes.length; i++) {
    const attribute = attributes[i] as Attribute
    const given = row[nameOf(attribute, i)]
    if (given === null || given === undefined) return null
    const convert = dialect.fromDriver(attribute.column.kind)
    const value = convert === null ? given : convert(given)
    const encoded = attribute.encode === t.identity ? value : normalised(attribute, value)
    parts.push(typeof encoded === 'bigint' ? String(encoded) : encoded)
  }
  return parts.length === 1 ? rawKeyOfValue(parts[0]) : JSON.stringify(parts)
}

/** A codec may read several forms of a value, and writes one. */
const normalised = (attribute: Attribute, value: unknown): unknown => {
  const decoded = attribute.column.codec.decode(value)
  return decoded._tag === 'Right' ? attribute.encode(decoded.right) : value
}

/** What was loaded, with the changes that no flush has written, becomes what the collection or has-one holds. */
const keepMembers = (
  state: SessionState,
  changes: StateEdit,
  id: InstanceId,
  relationship: RelationshipMapping,
  loaded: ReadonlyArray<InstanceId>,
): InstanceId[] => {
  const owner = freshen(state, changes.instances.get(id) as Instance)
  const known = Instance.relatedOf(owner, relationship)
  if (!relationship.isCollection) {
    const one = loadedOne(known, loaded[0] ?? null)
    changes.instances.set(id, Instance.withRelated(owner, relationship, one))
    return one.target === null ? [] : [one.target]
  }
  let many = Instance.many(Collection.from(loaded))
  if (known?._tag === 'Many') {
    const present = new Set(loaded)
    const { added, removed } = known
    const members = loaded.filter((member) => !Collection.has(removed, member))
    for (const member of Collection.toArray(added)) if (!present.has(member)) members.push(member)
    many = { _tag: 'Many', members: Collection.from(members), added, removed }
  }
  changes.instances.set(id, Instance.withRelated(owner, relationship, many))
  return [...Collection.toArray(many.members ?? Collection.empty)]
}

/** A has-one that was set while nobody knew what it held has replaced what was loaded. */
const loadedOne = (known: Instance.Related | undefined, loaded: InstanceId | null): Instance.One =>
  known?._tag === 'One' && known.changed
    ? { ...known, changed: known.target !== loaded, committed: loaded }
    : Instance.one(loaded)

const loadOne = (
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  { query, isWhole: isKept }: Asking,
): Program<LoadError, LoadedTargets> => {
  return chain(() =>
    suspend((state): Program<LoadError, LoadedTargets> => {
      const wanted = new Map<RawKey, ReadonlyArray<unknown>>()
      for (const { id } of owners) {
        const owner = instanceAt(state, id)
        const key = foreignKeyOf(owner, relationship)
        if (key === null || key === undefined || wanted.has(key)) continue
        wanted.set(
          key,
          relationship.foreignKey.map((attribute) => Instance.valueAt(owner, attribute)),
        )
      }
      if (wanted.size === 0) return of(new Map(owners.map(({ id }) => [id, []])))
      return request(
        {
          _tag: 'Lookup',
          purpose: 'load',
          mapping: relationship.target,
          attributes: relationship.key,
          link: null,
          keys: [...wanted.values()].flat(),
          orderBy: [],
          query,
          token,
          options: query?.options ?? {},
        },
        (answer, current): Outcome<LoadError, LoadedTargets> => {
          if (isLeft(answer)) return [answer, current]
          const populated = populate(current, relationship.target, answer.right, query?.options ?? {})
          if (isLeft(populated)) return [populated, current]
          const [ids, next] = populated.right
          const found = new Map<RawKey, InstanceId>()
          for (const id of ids) found.set(instanceAt(next, id).key as RawKey, id)
          const targets = new Map<InstanceId, ReadonlyArray<InstanceId>>()
          const changes = edit(next)
          for (const { id } of owners) {
            const owner = instanceAt(next, id)
            const key = foreignKeyOf(owner, relationship)
            const target = key === null || key === undefined ? undefined : found.get(key)
            targets.set(id, target === undefined ? [] : [target])
            // also where no row has that key: it has been looked for
            if (isKept) {
              changes.instances.set(id, Instance.withRelated(owner, relationship, Instance.one(target ?? null)))
            }
          }
          return [right(targets), done(next, changes)]
        },
      )
    }),
  )(
    // an owner that has expired does not know its foreign key
    suspend((state) =>
      traverseArray((owner: Instance) => reload(owner))(
        owners.map(({ id }) => instanceAt(state, id)).filter((owner) => !isKnown(state, owner)),
      ),
    ),
  )
}
