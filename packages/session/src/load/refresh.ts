/**
 * Instances that are to be known again, or better: read, refreshed, with attributes that are deferred.
 */
import {
  type AnySelect,
  columnsAs,
  columnsOf,
  type DeferredAttribute,
  decodedKeyOf,
  type Managed,
  type Mapped,
  type Mapping,
  type RelationshipMapping,
  type RowOf,
  type Snapshot,
  selectOwn,
  undefer,
} from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError, InvalidState, ObjectDeleted, RequestError } from '../error.js'
import { narrowedLoad } from '../hook/execute.js'
import { requestRows } from '../hook/loaded.js'
import { type ExpireError, expire, type Name } from '../program/expire.js'
import { autoflush, unlessFailed } from '../program/flush.js'
import {
  chain,
  fail,
  map,
  mapLeft,
  type Outcome,
  of,
  type Program,
  suspend,
  traverseArray,
} from '../program/program.js'
import type { LookupRequest } from '../program/request.js'
import { type Instance, isPartialAs } from '../state/instance.js'
import { instanceAt, isExpired, type SessionState } from '../state/session-state.js'
import { invalidState } from '../transition/expunge.js'
import { resolve } from '../transition/transition.js'
import type { ReadError } from './error.js'
import { type PopulateOptions, populate } from './populate.js'
import { refreshLookup } from './reload.js'
import { fetchWith, plainly } from './targets.js'

/**
 * The current snapshot of an instance, which is loaded again where it has expired. `ObjectDeleted` where its row is gone.
 *
 * @example
 * pipe(ed, Session.read(model.User))
 *
 * @category loading
 */
export const read =
  <M, N extends string>(entity: Mapped<M, N>) =>
  (instance: Snapshot<N>): Program<ReadError, Managed<M, N>> =>
    suspend((state): Program<ReadError, Managed<M, N>> => {
      const found = resolve(state, entity, instance)
      if (isLeft(found)) return fail(found.left)
      const known = found.right
      return isExpired(state, known) || isPartialAs(known, entity.mapping)
        ? reload(known)
        : of(known.snapshot as unknown as Managed<M, N>)
    })

type Deferred<M, N> = DeferredAttribute<M, N> & keyof RowOf<M, N> & string

/**
 * Loads an instance's row again: what is known of it is forgotten first, changes that no flush has written included, and
 * so is all that the refresh-expire cascade reaches. With names, only those attributes and relationships; an attribute that
 * is deferred is loaded where it is named.
 *
 * @example
 * pipe(ed, Session.refresh(model.User, 'addresses'))
 *
 * @category loading
 */
export const refresh =
  <M, N extends string>(entity: Mapped<M, N>, ...names: ReadonlyArray<Name<M, N>>) =>
  (instance: Snapshot<N>): Program<ReadError, Managed<M, N>> => {
    const isDeferred = (name: Name<M, N>): name is Deferred<M, N> =>
      entity.mapping.attributeOf.get(name)?.isDeferred === true
    return chain((current: Managed<M, N>) => map(() => current)(targetsOf(entity, names, current)))(
      chain(() => readWith(entity, names.filter(isDeferred))(instance))(
        mapLeft(
          (error: ExpireError): ExpireError =>
            error._tag === 'InvalidState' ? { ...error, operation: 'refresh' } : error,
        )(expire(entity, ...names)(instance)),
      ),
    )
  }

/** The relationships among the names, loaded. */
const targetsOf = <M, N extends string>(
  entity: Mapped<M, N>,
  names: ReadonlyArray<string>,
  instance: Snapshot<N>,
): Program<ReadError, unknown> =>
  suspend((state): Program<ReadError, unknown> => {
    const found = resolve(state, entity, instance)
    if (isLeft(found)) return fail(found.left)
    const relationships = names.flatMap((name) => entity.mapping.relationshipOf.get(name) ?? [])
    return traverseArray((relationship: RelationshipMapping) =>
      chain((query: AnySelect | null) =>
        fetchWith([found.right.id], relationship, {
          ...plainly,
          query,
          isHooked: query !== null,
          options: found.right.origin?.options ?? {},
        }),
      )(narrowedLoad(relationship, null)),
    )(relationships)
  })

/**
 * Loads the row of a persistent instance, from the shard that it lives on.
 *
 * @category loading
 */
export const reload = <M, N extends string>(instance: Instance): Program<ReadError, Managed<M, N>> => {
  const { key, mapping, status, token } = instance
  if (status !== 'persistent' || key === null) return fail(notToBeLoaded(instance))
  const asked = refreshLookup(mapping, decodedKeyOf(mapping, key), token)
  return unlessFailed((before) => chain(() => readRow<M, N>(before, instance, asked, {}))(autoflush))
}

/** Asks for the row of an instance, and gives its snapshot with what came. */
const readRow = <M, N extends string>(
  before: SessionState,
  instance: Instance,
  asked: LookupRequest,
  options: PopulateOptions,
): Program<RequestError | DecodeError | HookError | ObjectDeleted, Managed<M, N>> =>
  requestRows(
    before,
    asked,
    (answer, state, given): Outcome<RequestError | DecodeError | HookError | ObjectDeleted, Managed<M, N>> => {
      if (isLeft(answer)) return [answer, state]
      const populated = populate(state, instance.mapping, answer.right, options, given)
      if (isLeft(populated)) return [populated, state]
      const [ids, next] = populated.right
      return ids.length === 0
        ? [left(rowGone(instance)), next]
        : [right(instanceAt(next, instance.id).snapshot as unknown as Managed<M, N>), next]
    },
  )

const rowGone = ({ key, mapping, token }: Instance): ObjectDeleted => ({
  _tag: 'ObjectDeleted',
  entity: mapping.name,
  key,
  shard: token,
})

/** Only what is persistent has a row that can be read. */
const notToBeLoaded = (instance: Instance): InvalidState | ObjectDeleted =>
  instance.status === 'deleted' ? rowGone(instance) : invalidState(instance, 'load')

/**
 * Loads attributes that are deferred, and gives the snapshot with them.
 *
 * @example
 * pipe(book, Session.loadAttributes(model.Book, 'fullText'))
 *
 * @category loading
 */
export const loadAttributes =
  <M, N extends string, K extends Deferred<M, N>>(entity: Mapped<M, N>, ...names: readonly [K, ...ReadonlyArray<K>]) =>
  (instance: Snapshot<N>): Program<ReadError, Managed<M, N> & Pick<RowOf<M, N>, K>> =>
    readWith(entity, names)(instance) as Program<ReadError, Managed<M, N> & Pick<RowOf<M, N>, K>>

/** The current snapshot with deferred attributes. */
const readWith =
  <M, N extends string>(entity: Mapped<M, N>, names: ReadonlyArray<Deferred<M, N>>) =>
  (instance: Snapshot<N>): Program<ReadError, Managed<M, N>> =>
    chain(() =>
      suspend((state): Program<ReadError, Managed<M, N>> => {
        const found = resolve(state, entity, instance)
        if (isLeft(found)) return fail(found.left)
        const { key, mapping, snapshot, status, token } = found.right
        const known = snapshot as unknown as Readonly<Record<string, unknown>>
        const missing = names.filter((name) => known[name] === undefined)
        if (missing.length === 0) return of(snapshot as unknown as Managed<M, N>)
        if (status !== 'persistent' || key === null) return fail(notToBeLoaded(found.right))
        const query = undefer(...(missing as unknown as readonly [never]))(selectOwn(entity))
        const asked: LookupRequest = { ...refreshLookup(mapping, decodedKeyOf(mapping, key), token), query }
        const shape = { columns: columnsOf(query), columnsAs: (subtype: Mapping) => columnsAs(query, subtype) }
        return chain(() => readRow<M, N>(state, found.right, asked, shape))(autoflush)
      }),
    )(read(entity)(instance))
