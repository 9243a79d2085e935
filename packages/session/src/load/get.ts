/**
 * Instances by primary key.
 */
import {
  type AnySelect,
  type Attribute,
  type ExecutionOptions,
  type InstanceId,
  isKindOf,
  type KeyOf,
  type Managed,
  type Mapped,
  type Mapping,
  optionsOver,
  type RawKey,
  rawKeyOf,
  rowClassOf,
  Snapshot,
  selectOwn,
} from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { isNone, none, type Option, some } from 'fp-ts/lib/Option.js'
import type { DecodeError, HookError, InvalidValue, MultipleResults, RequestError } from '../error.js'
import { narrowedGet } from '../hook/execute.js'
import { requestRows } from '../hook/loaded.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import { chain, fail, map, type Outcome, of, type Program, suspend } from '../program/program.js'
import type { LookupRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import * as IdentityMap from '../state/identity-map.js'
import { type Instance, isPartialAs } from '../state/instance.js'
import { done, edit, instanceAt, isExpired, optionsIn, type SessionState } from '../state/session-state.js'
import { bulkDeleted } from '../transition/bulk.js'
import { checkModel } from '../transition/transition.js'
import { joiningsFor, loadPlanned } from './eager.js'
import type { GetError } from './error.js'
import { type Joined, joinInPlace, takeJoined } from './joined.js'
import { plannedLoads } from './planned-load.js'
import { populate } from './populate.js'

/** @category model */
export interface GetOptions extends ExecutionOptions {
  /** The one shard to look on; all that could have the key where it is absent. */
  readonly shard?: ShardToken
  /** Ask the database even where the identity map answers, and overwrite what is known. */
  readonly populateExisting?: boolean
}

/**
 * The instance with a primary key, or none. The identity map answers where it can; an instance that it has expired is
 * refreshed, and gone from the session if its row is. Hooks and criteria narrow what the database is asked for, not what the
 * identity map has.
 *
 * In a sharded session a key without shard is looked for on every shard that could have it, and `MultipleResults` where
 * several do.
 *
 * @example
 * Session.get(model.User, 1)
 *
 * @category loading
 */
export const get = <M, N extends string>(
  entity: Mapped<M, N>,
  key: KeyOf<M, N>,
  given: GetOptions = {},
): Program<GetError, Option<Managed<M, N>>> =>
  unlessFailed((state): Program<GetError, Option<Managed<M, N>>> => {
    const options = optionsIn(state, given)
    const checked = checkModel(state, entity)
    if (isLeft(checked)) return fail(checked.left)
    const mapping = checked.right
    const values = keyValues(mapping, key)
    const raw = isKey(mapping, values) ? rawKeyOf(mapping, values) : null
    if (raw === null) return fail(invalidKey(mapping, key))
    const known = inIdentityMap(state, mapping, raw, options.shard ?? null)
    if (known !== null && options.populateExisting !== true && !isExpired(state, known)) {
      // the row of that key is another's
      if (!isKindOf(known.mapping, mapping)) return of(none)
      if (!isPartialAs(known, mapping)) return of(some(known.snapshot as unknown as Managed<M, N>))
    }
    const token = options.shard ?? known?.token ?? null
    const asked = (query: AnySelect | null): Program<GetError, Option<Managed<M, N>>> =>
      chain(() => lookUpWithLoads(entity, values, token, query, options))(
        options.autoflush === false ? of(undefined) : autoflush,
      )
    return state.hooks === null && state.criteria === null ? asked(null) : chain(asked)(narrowedGet(mapping, options))
  })

const keyValues = (mapping: Mapping, key: unknown): Readonly<Record<string, unknown>> =>
  mapping.key.length === 1
    ? { [(mapping.key[0] as Attribute).name]: key }
    : typeof key === 'object' && key !== null
      ? (key as Readonly<Record<string, unknown>>)
      : {}

const isKey = (mapping: Mapping, values: Readonly<Record<string, unknown>>): boolean =>
  mapping.key.every(({ name, column }) => column.codec.is(values[name]))

const invalidKey = (mapping: Mapping, key: unknown): InvalidValue => ({
  _tag: 'InvalidValue',
  entity: mapping.name,
  attribute: mapping.key.map(({ name }) => name).join(', '),
  value: key,
  problem: 'a primary key has a value for each of its columns, as its codec has it',
})

/** The instance that the identity map has for a key: on the shard named, or on the first that has one. */
const inIdentityMap = (
  state: SessionState,
  mapping: Mapping,
  key: RawKey,
  token: ShardToken | null,
): Instance | null => {
  const local = IdentityMap.get(state.identityMap, mapping, token, key)
  if (local !== undefined) return instanceAt(state, local)
  if (token !== null || !IdentityMap.isSharded(state.identityMap, mapping)) return null
  const [only, ...others] = IdentityMap.anywhere(state.identityMap, mapping, key)
  if (only === undefined) return null
  const { tokens } = state.options
  const placeOf = ([at]: readonly [ShardToken | null, InstanceId]): number => (at === null ? -1 : tokens.indexOf(at))
  const [, id] = others.reduce((first, other) => (placeOf(other) < placeOf(first) ? other : first), only)
  return instanceAt(state, id)
}

/** The same with what the model loads beside every instance. */
const lookUpWithLoads = <M, N extends string>(
  entity: Mapped<M, N>,
  values: Readonly<Record<string, unknown>>,
  token: ShardToken | null,
  query: AnySelect | null,
  options: GetOptions,
): Program<GetError, Option<Managed<M, N>>> =>
  suspend((state): Program<GetError, Option<Managed<M, N>>> => {
    const { mapping } = entity
    const planned = plannedLoads(state, mapping, [], options)
    if (isLeft(planned)) return fail(planned.left)
    const loads = planned.right
    if (loads.length === 0) return lookUp<M, N>(state, mapping, values, token, query, options)
    const joined = joinInPlace(state, query ?? selectOwn(entity), joiningsFor(loads))
    return chain((found: Option<Managed<M, N>>): Program<GetError, Option<Managed<M, N>>> => {
      const id = isNone(found) ? null : Snapshot.instanceOf(found.value)
      return id === null
        ? of(found)
        : map(() => found)(loadPlanned(loads, [id], { query: null, joined: new Map(), options: ofLoads(options) }))
    })(lookUp<M, N>(state, mapping, values, token, query, options, joined))
  })

/** A get says of its own row alone that it is to overwrite what is known. */
const ofLoads = ({ populateExisting: _, ...options }: GetOptions): ExecutionOptions => options

/**
 * Asks the database for the instance with a key, among those of the query where it is narrowed, and gives it or none.
 *
 * @category loading
 */
export const lookUp = <M, N extends string>(
  before: SessionState,
  mapping: Mapping,
  values: Readonly<Record<string, unknown>>,
  token: ShardToken | null,
  query: AnySelect | null,
  options: GetOptions,
  joined: Joined | null = null,
): Program<RequestError | DecodeError | HookError | MultipleResults, Option<Managed<M, N>>> => {
  const asked: LookupRequest = {
    _tag: 'Lookup',
    purpose: 'get',
    mapping,
    attributes: mapping.key,
    through: null,
    keys: mapping.key.map(({ name }) => values[name]),
    orderBy: [],
    query: joined?.statement ?? query,
    token,
    options: query?.options ?? options,
  }
  return requestRows(
    before,
    asked,
    (
      answer,
      state,
      given,
    ): Outcome<RequestError | DecodeError | HookError | MultipleResults, Option<Managed<M, N>>> => {
      if (isLeft(answer)) return [answer, state]
      const populating = query === null ? options : optionsOver(query.options)(options)
      const populated = populate(state, mapping, answer.right, populating, given)
      if (isLeft(populated)) return [populated, state]
      const [rows, current] = populated.right
      const taken = joined === null ? null : takeJoined(current, joined.parts, answer.right, rows, populating, given)
      if (taken !== null && isLeft(taken)) return [taken, state]
      const next = taken === null ? current : taken.right[1]
      const ids = joined === null ? rows : [...new Set(rows)]
      if (ids.length > 1) return [left(multiple(mapping, ids, next)), next]
      const id = ids[0]
      // what a narrowed query does not find may be there all the same
      if (id === undefined) return [right(none), query === null ? withoutGone(next, mapping, values, token) : next]
      return [right(some(instanceAt(next, id).snapshot as unknown as Managed<M, N>)), next]
    },
  )
}

/** The key turned out to have no row: the instance that stood for it is deleted. */
const withoutGone = (
  state: SessionState,
  mapping: Mapping,
  values: Readonly<Record<string, unknown>>,
  token: ShardToken | null,
): SessionState => {
  const key = rawKeyOf(mapping, values)
  const id = key === null ? undefined : IdentityMap.get(state.identityMap, mapping, token, key)
  return id === undefined || !isKindOf(instanceAt(state, id).mapping, mapping)
    ? state
    : withoutRow(bulkDeleted(state, [id]), id)
}

/** Of a row that turned out to be gone nothing is known. */
const withoutRow = (state: SessionState, id: InstanceId): SessionState => {
  const instance = instanceAt(state, id)
  const changes = edit(state)
  changes.instances.set(id, {
    ...instance,
    snapshot: rowClassOf(instance.mapping).make(id, {}),
    partial: true,
    related: null,
  })
  return done(state, changes)
}

const multiple = (mapping: Mapping, ids: ReadonlyArray<InstanceId>, state: SessionState): MultipleResults => ({
  _tag: 'MultipleResults',
  entity: mapping.name,
  count: ids.length,
  shards: ids.map((id) => instanceAt(state, id).token),
})
