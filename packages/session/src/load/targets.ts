/**
 * The statements that load relationships: from the owners that do not know their targets to what the session keeps.
 *
 * Nothing is flushed here: what asks says when that is to be done.
 */
import type {
  AnySelect,
  Attribute,
  Dialect,
  DriverRow,
  InstanceId,
  Mapped,
  RawKey,
  RelationshipMapping,
} from '@unitary/core'
import { decodedKeyOf, encodedKeyOf, linkedOwner, rawKeyOfValue, select, where } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { requestRows } from '../hook/loaded.js'
import { chain, map, type Outcome, of, type Program, suspend, traverseArray } from '../program/program.js'
import type { QueryAnswer } from '../program/request.js'
import * as Collection from '../state/collection.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, isExpired, type SessionState, type StateEdit } from '../state/session-state.js'
import { foreignKeyOf, freshen, referredTo, targetOf } from '../transition/relate.js'
import { populate } from './populate.js'
import { reloadExpired } from './reload.js'

type Instance = Instance.Instance

/** Why targets cannot be loaded. */
export type TargetsError = RequestError | DecodeError | HookError

/** The targets of each owner, in order. */
export type LoadedTargets = ReadonlyMap<InstanceId, ReadonlyArray<InstanceId>>

/** Is the instance's snapshot all of it, and not out of date? */
export const isKnown = (state: SessionState, instance: Instance): boolean =>
  !isExpired(state, instance) && !instance.partial

/** What the state knows without asking; null where it does not. */
export const knownTargets = (
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
 * The targets of a relationship for persistent owners, asked for whether or not the state knows them: by one statement for
 * each shard and chunk of keys. `isKept` says whether they are what the relationship holds.
 *
 * @category loading
 */
export const fetchTargets = (
  owners: ReadonlyArray<InstanceId>,
  relationship: RelationshipMapping,
  query: AnySelect | null,
  isKept: boolean = isWhole(query),
): Program<TargetsError, LoadedTargets> =>
  suspend((state): Program<TargetsError, LoadedTargets> => {
    const byToken = new Map<ShardToken | null, Instance[]>()
    for (const id of owners) {
      const owner = instanceAt(state, id)
      const list = byToken.get(owner.token)
      if (list === undefined) byToken.set(owner.token, [owner])
      else list.push(owner)
    }
    const asking: Asking = { query: withCondition(state, relationship, query), isWhole: isKept }
    return map((found: ReadonlyArray<LoadedTargets>) => new Map(found.flatMap((some) => [...some])) as LoadedTargets)(
      traverseArray(([token, on]: readonly [ShardToken | null, ReadonlyArray<Instance>]) =>
        relationship.kind !== 'BelongsTo'
          ? loadMany(state, token, on, relationship, asking)
          : loadOne(token, on, relationship, asking),
      )([...byToken]),
    )
  })

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

/** Is all of the entity selected, so that what comes is all there is? @category guards */
export const isWhole = (query: AnySelect | null): boolean =>
  query === null ||
  (query.node.where === undefined &&
    query.node.limit === undefined &&
    query.node.offset === undefined &&
    query.node.joins === undefined &&
    query.node.groupBy === undefined)

const loadMany = (
  before: SessionState,
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  { query, isWhole: isKept }: Asking,
): Program<TargetsError, LoadedTargets> => {
  const ownerOf = new Map<RawKey, InstanceId>()
  const keys: unknown[] = []
  for (const owner of owners) {
    if (owner.key === null) continue
    ownerOf.set(owner.key, owner.id)
    // as the database has it, whatever the key has been set to since
    const key =
      relationship.through === null ? decodedKeyOf(owner.mapping, owner.key) : encodedKeyOf(owner.mapping, owner.key)
    for (const value of key) keys.push(value)
  }
  return requestRows(
    before,
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
    (answer, state, given): Outcome<TargetsError, LoadedTargets> => {
      if (isLeft(answer)) return [answer, state]
      const populated = populate(state, relationship.target, answer.right, query?.options ?? {}, given)
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

/** What a reference held that was set meanwhile is what the database says, not what it is set to. */
const readerOf = (owner: Instance, relationship: RelationshipMapping): typeof Instance.valueAt => {
  const known = Instance.relatedOf(owner, relationship)
  return known?._tag === 'One' && known.changed ? Instance.committedAt : Instance.valueAt
}

/** A reference that was set while nobody knew what it held has replaced what was loaded. */
const loadedOne = (known: Instance.Related | undefined, loaded: InstanceId | null): Instance.One =>
  known?._tag === 'One' && known.changed
    ? { ...known, changed: known.target !== loaded, committed: loaded }
    : Instance.one(loaded)

const loadOne = (
  token: ShardToken | null,
  owners: ReadonlyArray<Instance>,
  relationship: RelationshipMapping,
  { query, isWhole: isKept }: Asking,
): Program<TargetsError, LoadedTargets> => {
  return chain(() =>
    suspend((state): Program<TargetsError, LoadedTargets> => {
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
      if (wanted.size === 0) return of(new Map(owners.map(({ id }) => [id, []])))
      return requestRows(
        state,
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
        (answer, current, given): Outcome<TargetsError, LoadedTargets> => {
          if (isLeft(answer)) return [answer, current]
          const populated = populate(current, relationship.target, answer.right, query?.options ?? {}, given)
          if (isLeft(populated)) return [populated, current]
          const [ids, next] = populated.right
          const found = new Map<RawKey, InstanceId>()
          for (const id of ids) found.set(instanceAt(next, id).key as RawKey, id)
          const targets = new Map<InstanceId, ReadonlyArray<InstanceId>>()
          const changes = edit(next)
          for (const { id } of owners) {
            const owner = instanceAt(next, id)
            const key = foreignKeyOf(owner, relationship, readerOf(owner, relationship))
            const target = key === null || key === undefined ? undefined : found.get(key)
            targets.set(id, target === undefined ? [] : [target])
            // also where no row has that key: it has been looked for
            if (!isKept) continue
            const one = loadedOne(Instance.relatedOf(owner, relationship), target ?? null)
            changes.instances.set(id, Instance.withRelated(owner, relationship, one))
          }
          return [right(targets), done(next, changes)]
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

/**
 * The state in which owners hold the references that were looked up for them, where they held none.
 *
 * @category transitions
 */
export const withReferences = (
  state: SessionState,
  relationship: RelationshipMapping,
  targets: LoadedTargets,
): SessionState => {
  const changes = edit(state)
  for (const [id, [target = null]] of targets) {
    const owner = instanceAt(state, id)
    if (owner.status !== 'persistent' || Instance.relatedOf(owner, relationship) !== undefined) continue
    changes.instances.set(id, Instance.withRelated(owner, relationship, Instance.one(target)))
  }
  return done(state, changes)
}
