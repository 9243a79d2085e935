/**
 * A transition: a pure step from one state to the next.
 *
 * The same state gives the same result, and the state given is never changed. A transition that fails leaves the
 * state as it was.
 */
import type { InstanceId, Mapped, Mapping } from '@unitary/core'
import { isKindOf, Snapshot } from '@unitary/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import type { ModelMismatch, NotInSession } from '../error.js'
import type { Instance } from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import type { SessionState } from '../state/session-state.js'

/**
 * @category model
 */
export type Transition<E, A> = (state: SessionState) => Either<E, readonly [A, SessionState]>

/** @category constructors */
export const succeed = <A>(value: A, state: SessionState): Either<never, readonly [A, SessionState]> =>
  right([value, state])

/**
 * Does the entity belong to the state's model?
 *
 * @category guards
 */
export const checkModel = <M, N extends string>(
  state: SessionState,
  entity: Mapped<M, N>,
): Either<ModelMismatch, Mapping> =>
  state.model.mappingOf.get(entity.name) === entity.mapping
    ? right(entity.mapping)
    : left({ _tag: 'ModelMismatch', entity: entity.name })

/**
 * The instance that a snapshot pictures.
 *
 * @category combinators
 */
export const resolve = <M, N extends string>(
  state: SessionState,
  entity: Mapped<M, N>,
  reference: Snapshot<N>,
): Either<ModelMismatch | NotInSession, Instance> => {
  if (state.model.mappingOf.get(entity.name) !== entity.mapping) {
    return left({ _tag: 'ModelMismatch', entity: entity.name })
  }
  const instance = instanceOf(state, reference)
  return instance === undefined || !isKindOf(instance.mapping, entity.mapping)
    ? left({ _tag: 'NotInSession', entity: entity.name })
    : right(instance)
}

/** The instance that a value pictures, if the state has it. @category combinators */
export const instanceOf = (state: SessionState, reference: unknown): Instance | undefined => {
  const id: InstanceId | null = Snapshot.instanceOf(reference)
  return id === null ? undefined : IntMap.get(state.instances, id)
}
