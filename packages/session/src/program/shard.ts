/**
 * Where a new row goes in a session over several shards.
 */
import type { Mapped, Snapshot } from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, ModelMismatch, NotInSession } from '../error.js'
import type { ShardToken } from '../state/identity-map.js'
import { done, edit } from '../state/session-state.js'
import { invalidState } from '../transition/expunge.js'
import { resolve } from '../transition/transition.js'
import { type Program, transition } from './program.js'

/**
 * Names the shard that an instance without a row will be inserted on, whatever the choosers say.
 *
 * @example
 * pipe(report, Session.placeOn(model.Report, 'archive'))
 *
 * @category work
 */
export const placeOn =
  <M, N extends string>(entity: Mapped<M, N>, shard: ShardToken) =>
  (instance: Snapshot<N>): Program<ModelMismatch | NotInSession | InvalidState, undefined> =>
    transition((state) => {
      const found = resolve(state, entity, instance)
      if (isLeft(found)) return found
      const { id, status } = found.right
      if (status !== 'pending' && status !== 'transient') return left(invalidState(found.right, 'placeOn'))
      const changes = edit(state)
      changes.instances.set(id, { ...found.right, token: shard })
      return right([undefined, done(state, changes)])
    })
