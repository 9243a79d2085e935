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
  ExecutionOptions,
  InstanceId,
  JoinedLoad,
  RawKey,
  RelationshipMapping,
  Services,
} from '@unitary/core'
import {
  alsoSelecting,
  columnsAs,
  columnsOf,
  decodedKeyOf,
  linkedOwner,
  optionsOver,
  rawKeyOfValue,
  selectOwn,
  targetsOfOwners,
  withoutPartialKeys,
} from '@unitary/core'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { requestRows } from '../hook/loaded.js'
import { chain, map, type Outcome, of, type Program, suspend, traverseArray } from '../program/program.js'
import type { LookupRequest, QueryAnswer, QueryRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, optionsIn, type SessionState } from '../state/session-state.js'
import { rawOf } from '../transition/referred.js'
import { foreignKeyOf } from '../transition/target.js'
import { type Joined, type JoinedTargets, joinInPlace, repeats, takeJoined } from './joined.js'
import { keepMembers, type LoadedTargets, loadedOne } from './known.js'
import { type PopulateOptions, populate } from './populate.js'
import { reloadExpired } from './reload.js'
import { filtered, ordered, targetOf, targetQuery, whole } from './target-query.js'

type Instance = Instance.Instance

/** Why targets cannot be loaded. */
export type TargetsError = RequestError | DecodeError | HookError

/**
 * What is asked of the targets of a relationship, beside which owners they are of.
 *
 * @category model
 */
export interface Asking {
  /** The query of the targets, where it is not all of them. */
  readonly query: AnySelect | null
  /** Have hooks narrowed it? */
  readonly isHooked: boolean
  /** Do the session's criteria hold? Not where the session itself has to know what there is. */
  readonly isFiltered: boolean
  /** Is it all that the relationship has, for the session to keep? */
  readonly isWhole: boolean
  /** What is joined to it. */
  readonly joinings: ReadonlyArray<JoinedLoad>
  /** The query that gave the owners, where it is to stand in place of their keys. */
  readonly owners: AnySelect | null
  readonly options: ExecutionOptions
}

/** @category model */
export interface Fetched {
  readonly targets: LoadedTargets
  readonly joined: JoinedTargets
}

/** All targets that the application may see, by their owners' keys. */
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
      const list = byToken.get(owner.token)
      if (list === undefined) byToken.set(owner.token, [owner])
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

/** The one way in which the targets of all owners are asked for. */
interface Lookup {
  readonly query: AnySelect | null
  readonly joined: Joined | null
  /** Is it all that the relationship has, for the session to keep? */
  readonly isWhole: boolean
  /** What keeps it from being so, for whom it is to be. */
  readonly narrowed: string | null
  readonly owners: AnySelect | null
  readonly options: ExecutionOptions
}

const lookupOf = (state: SessionState, relationship: RelationshipMapping, asking: Asking): Lookup => {
  const given = targetQuery(state.model, relationship, asking.query)
  const options = optionsIn(state, given === null ? asking.options : optionsOver(asking.options)(given.options))
  const { narrowed, query: filteredQuery } = asking.isFiltered
    ? filtered(state, relationship, given, options)
    : whole(given)
  const shown = withEntireKeys(state, relationship, filteredQuery, options)
  const { foreignKey, key, kind } = relationship
  // a condition may speak of any table of the model, which the query tells
  const asked = shown ?? (relationship.on === null ? null : selectOwn(targetOf(state.model, relationship)))
  const query = asked === null ? null : alsoSelecting(asked, kind === 'BelongsTo' ? key : foreignKey)
  // what is joined is ordered after the targets themselves
  const targets = ordered(relationship, query ?? selectOwn(targetOf(state.model, relationship)))
  const joined = joinInPlace(state, targets, asking.joinings)
  return {
    query,
    joined,
    isWhole: asking.isWhole && shown === filteredQuery,
    narrowed: narrowed ?? (asking.isHooked ? Instance.byHooks : null),
    owners: asking.owners,
    options,
  }
}

/** Without targets whose key is NULL in part, where the options leave them out. */
const withEntireKeys = (
  state: SessionState,
  relationship: RelationshipMapping,
  query: AnySelect | null,
  options: ExecutionOptions,
): AnySelect | null =>
  options.allowPartialKeys !== false || relationship.target.key.every(({ isNullable }) => !isNullable)
    ? query
    : withoutPartialKeys({ ...(query ?? selectOwn(targetOf(state.model, relationship))), options })

/** Asks for the targets of owners by their keys, or by the query of them. */
const targetsRequest = (
  state: SessionState,
  token: ShardToken | null,
  relationship: RelationshipMapping,
  { joined, options, owners, query }: Lookup,
  by: Pick<LookupRequest, 'attributes' | 'keys' | 'orderBy' | 'through'>,
): LookupRequest | QueryRequest => {
  const asked = joined?.statement ?? query
  if (owners === null) {
    return {
      _tag: 'Lookup',
      purpose: 'load',
      mapping: relationship.target,
      ...by,
      orderBy: joined === null ? by.orderBy : [],
      query: asked,
      token,
      options,
    }
  }
  const targets = asked ?? selectOwn(targetOf(state.model, relationship))
  const statement = targetsOfOwners(targets, relationship, owners)
  return {
    _tag: 'Query',
    statement: { ...statement, options: token === null ? options : { ...options, shard: token } },
    joined: null,
  }
}

/** Takes the targets into the state, and what was joined to them. */
const takeTargets = (
  state: SessionState,
  { target }: RelationshipMapping,
  { joined, options: given, query }: Lookup,
  answer: QueryAnswer,
  services: Services,
): Either<DecodeError | HookError, readonly [ReadonlyArray<InstanceId>, JoinedTargets, SessionState]> => {
  const options: PopulateOptions =
    query === null ? given : { ...given, columns: columnsOf(query), columnsAs: (subtype) => columnsAs(query, subtype) }
  const populated = populate(state, target, answer, options, services)
  if (isLeft(populated)) return populated
  const [ids, next] = populated.right
  if (joined === null) return right([ids, new Map(), next])
  const taken = takeJoined(next, joined.parts, answer, ids, options, services)
  return isLeft(taken) ? taken : right([ids, taken.right[0], taken.right[1]])
}

/** What owners are known by, where that is no primary key, may have expired. */
const loadMany = (
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

/** Are targets told by more than their own columns, so that they are asked for by their owners' primary keys? */
const isByOwner = ({ on, through }: RelationshipMapping): boolean => on !== null || through !== null

/**
 * By what the targets of an owner are asked for: what their foreign keys hold of it, or its primary key. As the database has it,
 * whatever it has been set to since. Null where it is not known, or NULL.
 */
export const keyHeld = (
  owner: Instance,
  relationship: RelationshipMapping,
): { readonly key: RawKey; readonly values: ReadonlyArray<unknown> } | null => {
  const { key, mapping } = owner
  const { isByIdentity, key: attributes } = relationship
  if (isByOwner(relationship)) return key === null ? null : { key, values: decodedKeyOf(mapping, key) }
  if (key !== null && isByIdentity) return { key, values: decodedKeyOf(mapping, key) }
  const read = key === null ? Instance.valueAt : Instance.committedAt
  const raw = rawOf(owner, attributes, read)
  return raw === null || raw === undefined
    ? null
    : { key: raw, values: attributes.map((attribute) => read(owner, attribute)) }
}

/** Reads the raw key that attributes of a row make, as the database has it, whatever has been set since. */
const keyReader = (
  attributes: ReadonlyArray<Attribute>,
  nameOf: (attribute: Attribute, i: number) => string,
  dialect: Dialect,
): ((row: DriverRow) => RawKey | null) => {
  const parts = attributes.map((attribute, i) => keyPartReader(attribute, nameOf(attribute, i), dialect))
  const [only, another] = parts
  if (only !== undefined && another === undefined) {
    return (row) => {
      const value = only(row)
      return value === null ? null : rawKeyOfValue(value)
    }
  }
  return (row) => {
    const values = parts.map((part) => part(row))
    return values.includes(null) ? null : JSON.stringify(values)
  }
}

/** Reads a part of a key, encoded; null where the row has none. */
const keyPartReader = (attribute: Attribute, name: string, dialect: Dialect): ((row: DriverRow) => unknown) => {
  const convert = dialect.fromDriver(attribute.column.kind)
  const isPlain = attribute.encode === t.identity
  return (row) => {
    const given = row[name]
    if (given === null || given === undefined) return null
    const value = convert === null ? given : convert(given)
    const encoded = isPlain ? value : normalised(attribute, value)
    return typeof encoded === 'bigint' ? String(encoded) : encoded
  }
}

/** A codec may read several forms of a value, and writes one. */
const normalised = (attribute: Attribute, value: unknown): unknown => {
  const decoded = attribute.column.codec.decode(value)
  return decoded._tag === 'Right' ? attribute.encode(decoded.right) : value
}

/** What a reference held that was set meanwhile is what the database says, not what it is set to. */
const readerOf = (owner: Instance, relationship: RelationshipMapping): typeof Instance.valueAt => {
  const known = Instance.relatedOf(owner, relationship)
  return known?._tag === 'One' && known.changed ? Instance.committedAt : Instance.valueAt
}

const loadOne = (
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
