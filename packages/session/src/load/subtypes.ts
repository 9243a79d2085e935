/**
 * The attributes of subtypes that a query of their base left out, by a statement for each subtype among its results.
 */
import { type InstanceId, isKindOf, type Mapping } from '@unitary/core'
import type { DecodeError, HookError, RequestError } from '../error.js'
import { map, of, type Program, suspend, traverseArray } from '../program/program.js'
import { instanceAt } from '../state/session-state.js'
import { reloadExpired } from './reload.js'

/**
 * Makes instances known as what they are, as far as the subtypes tell (parents first). Costs a statement for each that has an
 * instance of which something is missing.
 *
 * @category loading
 */
export const loadSubtypes = (
  subtypes: ReadonlyArray<Mapping>,
  ids: ReadonlyArray<InstanceId>,
): Program<RequestError | DecodeError | HookError, undefined> => {
  if (subtypes.length === 0 || ids.length === 0) return of(undefined)
  return suspend((state) => {
    const found = new Map<Mapping, InstanceId[]>()
    for (const id of new Set(ids)) {
      const { mapping } = instanceAt(state, id)
      const nearest = subtypes.findLast((subtype) => isKindOf(mapping, subtype))
      if (nearest === undefined) continue
      const known = found.get(nearest)
      if (known === undefined) found.set(nearest, [id])
      else known.push(id)
    }
    return map(() => undefined)(
      traverseArray(([subtype, own]: readonly [Mapping, ReadonlyArray<InstanceId>]) => reloadExpired(subtype, own))([
        ...found,
      ]),
    )
  })
}
