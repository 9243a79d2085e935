/**
 * Rows that are to be known again. Flushes nothing: what asks says when that is to be done.
 */
import { decodedKeyOf, type InstanceId, type Mapping, type RawKey } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { requestRows } from '../hook/loaded.js'
import { map, type Outcome, of, type Program, suspend, traverseArray } from '../program/program.js'
import type { LookupRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import * as Instance from '../state/instance.js'
import { instanceAt } from '../state/session-state.js'
import { populate } from './populate.js'

/**
 * Makes the expired ones among instances of one entity known again, by one statement for each shard and chunk of keys.
 *
 * @category loading
 */
export const reloadExpired = (
  mapping: Mapping,
  ids: ReadonlyArray<InstanceId>,
): Program<RequestError | DecodeError | HookError, undefined> =>
  suspend((state): Program<RequestError | DecodeError | HookError, undefined> => {
    const expired = new Map<InstanceId, Instance.Instance>()
    for (const id of ids) {
      const instance = instanceAt(state, id)
      if (instance.mapping.root !== mapping.root) return reloadEach(ids)
      const { status, key, epoch } = instance
      if (status !== 'persistent' || key === null) continue
      if (epoch !== state.epoch || Instance.isPartialAs(instance, mapping)) expired.set(id, instance)
    }
    if (expired.size === 0) return of(undefined)
    const byToken = new Map<ShardToken | null, unknown[]>()
    for (const { key, token } of expired.values()) {
      const keys = byToken.get(token) ?? []
      keys.push(...decodedKeyOf(mapping, key as RawKey))
      byToken.set(token, keys)
    }
    return map(() => undefined)(
      traverseArray(([token, keys]: readonly [ShardToken | null, ReadonlyArray<unknown>]) =>
        requestRows(
          state,
          refreshLookup(mapping, keys, token),
          (answer, current, given): Outcome<RequestError | DecodeError | HookError, undefined> => {
            if (isLeft(answer)) return [answer, current]
            const populated = populate(current, mapping, answer.right, {}, given)
            return isLeft(populated) ? [populated, current] : [right(undefined), populated.right[1]]
          },
        ),
      )([...byToken]),
    )
  })

/** Rows of concrete subtypes have keys of their own. */
const reloadEach = (ids: ReadonlyArray<InstanceId>): Program<RequestError | DecodeError | HookError, undefined> =>
  suspend((state) => {
    const byMapping = new Map<Mapping, InstanceId[]>()
    for (const id of ids) {
      const { mapping } = instanceAt(state, id)
      const known = byMapping.get(mapping)
      if (known === undefined) byMapping.set(mapping, [id])
      else known.push(id)
    }
    return map(() => undefined)(
      traverseArray(([mapping, own]: readonly [Mapping, ReadonlyArray<InstanceId>]) => reloadExpired(mapping, own))([
        ...byMapping,
      ]),
    )
  })

/** The request for rows that are to be known again. @category constructors */
export const refreshLookup = (
  mapping: Mapping,
  keys: ReadonlyArray<unknown>,
  token: ShardToken | null,
): LookupRequest => ({
  _tag: 'Lookup',
  purpose: 'refresh',
  mapping,
  attributes: mapping.key,
  through: null,
  keys,
  orderBy: [],
  query: null,
  token,
  options: {},
})
