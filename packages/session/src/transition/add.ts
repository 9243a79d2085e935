/**
 * Making instances of drafts, and bringing them into the unit of work.
 */
import {
  isKindOf,
  type Mapped,
  type Mapping,
  type Pending,
  type Services,
  Snapshot,
  withDescendants,
} from '@unitary/core'
import { isLeft, left } from 'fp-ts/lib/Either.js'
import type { HookError, InvalidState, InvalidValue, ModelMismatch, NotInSession, SingleParent } from '../error.js'
import { done, edit, instanceAt } from '../state/session-state.js'
import { cascadeAdd } from './cascade.js'
import { draftMaker } from './draft.js'
import { standingAt } from './standing.js'
import { checkModel, succeed, type Transition } from './transition.js'

/** Why a draft cannot become an instance. */
export type AddError = ModelMismatch | NotInSession | InvalidValue | InvalidState | SingleParent | HookError

type Values = Readonly<Record<string, unknown>>

/**
 * Makes transient instances of a draft and the drafts nested in it: instances that the session knows, and that its unit
 * of work does not, until `add`.
 *
 * @category transitions
 */
export const make =
  <M, N extends string>(entity: Mapped<M, N>, draft: Values, services: Services): Transition<AddError, Pending<M, N>> =>
  (state) => {
    const mapping = checkModel(state, entity)
    if (isLeft(mapping)) return mapping
    const changes = edit(state)
    const made = draftMaker(state, changes, services)(mapping.right, draft, false)
    if (isLeft(made)) return made
    const next = done(state, changes)
    return succeed(instanceAt(next, made.right).snapshot as never, next)
  }

/**
 * Brings drafts, or instances that are transient, into the unit of work, with all that the save-update cascade reaches.
 * The next flush inserts them, in this order. O(instances reached).
 *
 * @category transitions
 */
export const addAll =
  <M, N extends string>(
    entity: Mapped<M, N>,
    drafts: ReadonlyArray<Values | Snapshot<N>>,
    services: Services,
  ): Transition<AddError, ReadonlyArray<Pending<M, N>>> =>
  (state) => {
    const mapping = checkModel(state, entity)
    if (isLeft(mapping)) return mapping
    const changes = edit(state)
    const make = draftMaker(state, changes, services)
    const ids = new Array<number>(drafts.length)
    for (let i = 0; i < drafts.length; i++) {
      const draft = drafts[i] as Values | Snapshot<N>
      const managed = Snapshot.instanceOf(draft)
      if (managed === null) {
        const made = make(mapping.right, draft as Values, true)
        if (isLeft(made)) return made
        ids[i] = made.right
      } else {
        const instance = changes.instances.get(managed)
        if (instance === undefined || !isKindOf(instance.mapping, mapping.right)) {
          return left({ _tag: 'NotInSession', entity: entity.name })
        }
        // an instance marked for deletion and not yet deleted is kept after all
        changes.deleted.delete(managed)
        const refused = cascadeAdd(state, changes, managed)
        if (refused !== null) return left(refused)
        ids[i] = managed
      }
    }
    const snapshots = ids.map((id) => standingAt(changes, id).snapshot)
    return succeed(snapshots as never, done(state, changes))
  }

const needing = new WeakMap<Mapping, boolean>()

/**
 * Does making drafts of the entity need services? Their clock is not read where nobody asks for it.
 *
 * @category guards
 */
export const needsServices = <M, N extends string>(entity: Mapped<M, N>): boolean => {
  const known = needing.get(entity.mapping)
  if (known !== undefined) return known
  // drafts may nest entities of the whole model
  const model = entity.model() as { readonly mappings: ReadonlyArray<{ readonly hasDefaults: boolean }> }
  const found = withDescendants(entity.mapping).every(({ relationships }) => relationships.length === 0)
    ? withDescendants(entity.mapping).some(({ hasDefaults }) => hasDefaults)
    : model.mappings.some((mapping) => mapping.hasDefaults)
  needing.set(entity.mapping, found)
  return found
}

/** Stands in where no service can be asked for. */
export const noServices: Services = {
  now: new Date(0),
  random: () => 0,
  uuid: () => '00000000-0000-0000-0000-000000000000',
  remember: (_, next) => next(null)[0],
}
