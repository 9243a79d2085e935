/**
 * Changing collections: append, detach, replace, move.
 */
import {
  type InstanceId,
  isOnlyJoined,
  type Mapped,
  membersGiven,
  type RelationshipMapping,
  type Services,
  type Snapshot,
  type WritableCollection,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidValue } from '../error.js'
import type * as Instance from '../state/instance.js'
import { done, edit, type SessionState, type StateEdit } from '../state/session-state.js'
import * as Arrange from './arrange.js'
import { cascadeTo } from './cascade.js'
import { instanceFor, misfit, unwritable } from './draft.js'
import * as Relate from './relate.js'
import type { ChangeError } from './set.js'
import { singleParentFault } from './single-parent.js'
import { resolve, succeed, type Transition } from './transition.js'

/**
 * Adds drafts or instances to a collection, at its end; the other side follows. They join the unit of work with the
 * owner where the relationship cascades save-update. The collection need not be loaded.
 *
 * @category transitions
 */
export const append =
  <M, N extends string, K extends WritableCollection<M, N>, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: K,
    members: ReadonlyArray<unknown>,
    owner: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) =>
    change(state, entity, name, owner, (changes, instance, relationship) => {
      for (const given of members) {
        const member = instanceFor(state, changes, services, relationship, given)
        if (isLeft(member)) return member
        const held = singleParentFault(state, changes, relationship, instance.id, member.right)
        if (held !== null) return left(held)
        if (!Relate.append(state, changes, instance.id, relationship, member.right)) continue
        const refused = cascadeTo(state, changes, instance, relationship, member.right)
        if (refused !== null) return left(refused)
      }
      return right(undefined)
    })

/**
 * Takes an instance out of a collection; the other side follows. With the delete-orphan cascade the next flush deletes
 * it, otherwise its foreign key becomes NULL.
 *
 * @category transitions
 */
export const detach =
  <M, N extends string, K extends WritableCollection<M, N>, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: K,
    member: Snapshot,
    owner: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) =>
    change(state, entity, name, owner, (changes, instance, relationship) => {
      const found = instanceFor(state, changes, services, relationship, member)
      if (isLeft(found)) return found
      if (!Relate.isMember(state, changes, instance.id, relationship, found.right)) {
        return left(misfit(relationship, member, 'it is not in the collection'))
      }
      Relate.detach(state, changes, instance.id, relationship, found.right)
      return right(undefined)
    })

/**
 * Replaces the members of a loaded collection, or of one of a new instance: those that are not among the new ones are
 * detached, the order becomes the one given.
 *
 * @category transitions
 */
export const replace =
  <M, N extends string, K extends WritableCollection<M, N>, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: K,
    given: unknown,
    owner: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) =>
    change(state, entity, name, owner, (changes, instance, relationship) => {
      const members = membersGiven(relationship.collection, given)
      if (typeof members === 'string') return left(misfit(relationship, given, members))
      const ids: InstanceId[] = []
      for (const given of members) {
        const member = instanceFor(state, changes, services, relationship, given)
        if (isLeft(member)) return member
        const held = singleParentFault(state, changes, relationship, instance.id, member.right)
        if (held !== null) return left(held)
        ids.push(member.right)
      }
      for (const id of Arrange.replace(state, changes, instance.id, relationship, ids)) {
        const refused = cascadeTo(state, changes, instance, relationship, id)
        if (refused !== null) return left(refused)
      }
      return right(undefined)
    })

/**
 * Moves what stands at one place of a loaded list to another.
 *
 * @category transitions
 */
export const move =
  <M, N extends string, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: string,
    from: number,
    to: number,
    owner: S,
  ): Transition<ChangeError, S> =>
  (state) =>
    change(state, entity, name, owner, (changes, instance, relationship) => {
      Arrange.move(state, changes, instance.id, relationship, from, to)
      return right(undefined)
    })

const change = <M, N extends string, S extends Snapshot<N>>(
  state: SessionState,
  entity: Mapped<M, N>,
  name: string,
  owner: S,
  f: (
    changes: StateEdit,
    instance: Instance.Instance,
    relationship: RelationshipMapping,
  ) => Either<ChangeError, undefined>,
): Either<ChangeError, readonly [S, SessionState]> => {
  const found = resolve(state, entity, owner)
  if (isLeft(found)) return found
  const relationship = entity.mapping.relationshipOf.get(name)
  if (relationship?.isCollection !== true) return left(noCollection(entity.name, name))
  if (isOnlyJoined(relationship)) return left(unwritable(relationship))
  const changes = edit(state)
  const result = f(changes, found.right, relationship)
  return isLeft(result) ? result : succeed(owner, done(state, changes))
}

/** @category constructors */
export const noCollection = (entity: string, name: string): InvalidValue => ({
  _tag: 'InvalidValue',
  entity,
  attribute: name,
  value: name,
  problem: `${entity} has no collection of that name`,
})
