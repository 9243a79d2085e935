/**
 * Instances expired: what is known of them is forgotten.
 */
import type { Mapped, OwnName, RelationshipName, Snapshot } from '@unitary/core'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, ModelMismatch, NotInSession } from '../error.js'
import { expireAll as expireEverything, expire as expireInstance } from '../transition/expire.js'
import { resolve } from '../transition/transition.js'
import { type Program, transition } from './program.js'

/** Why an instance cannot be expired. @category errors */
export type ExpireError = ModelMismatch | NotInSession | InvalidState

/** The name of something that can be known of an instance: an attribute or a relationship. @category model */
export type Name<M, N> = OwnName<M, N> | RelationshipName<M, N>

/**
 * Forgets what is known of an instance - all of it, or the attributes and relationships named - and the changes to it that
 * no flush has written. The next read loads it.
 *
 * @category loading
 */
export const expire =
  <M, N extends string>(entity: Mapped<M, N>, ...names: ReadonlyArray<Name<M, N>>) =>
  (instance: Snapshot<N>): Program<ExpireError, undefined> =>
    transition((state) => {
      const found = resolve(state, entity, instance)
      if (isLeft(found)) return found
      const expired = expireInstance(state, found.right, names.length === 0 ? null : names)
      return expired._tag === 'SessionState' ? right([undefined, expired]) : left(expired)
    })

/**
 * Forgets what is known of every persistent instance.
 *
 * @category loading
 */
export const expireAll: Program<never, undefined> = transition((state) => right([undefined, expireEverything(state)]))
