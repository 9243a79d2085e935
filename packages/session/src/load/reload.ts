/**
 * Rows that are to be known again. Flushes nothing: what asks says when that is to be done.
 */
import { decodedKeyOf, type InstanceId, type Mapping } from '@unitary/core'
import { isLeft, right } from 'fp-ts/lib/Either.js'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { requestRows } from '../hook/loaded.js'
import { map, type Outcome, type Program, suspend, traverseArray } from '../program/program.js'
import type { LookupRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
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
  suspend((state) => {
    const byToken = new Map<ShardToken | null, unknown[]>()
    for (const id of new Set(ids)) {
      const { status, key, token, partial, epoch } = instanceAt(state, id)
      if (status !== 'persistent' || key === null || (epoch === state.epoch && !partial)) continue
      const keys = byToken.get(token) ?? []
      keys.push(...decodedKeyOf(mapping, key))
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
