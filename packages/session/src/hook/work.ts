/**
 * The changes that programs make, where hooks are to be asked about them: the same as without, as long as every hook keeps
 * what it is given.
 */
import type { InstanceId, Mapped, Pending, RelationshipMapping, Services, WritableCollection } from '@unitary/core'
import { byOwnNames, isOnlyJoined, membersGiven, Snapshot } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Instance } from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import type { AddError } from '../transition/add.js'
import { noCollection } from '../transition/collect.js'
import { faultOf, misfit, unwritable } from '../transition/draft.js'
import { type ChangeError, pictureOf } from '../transition/set.js'
import { checkModel, resolve, succeed, type Transition } from '../transition/transition.js'
import { Change } from './change.js'

type Values = Readonly<Record<string, unknown>>

/** @category transitions */
export const make =
  <M, N extends string>(entity: Mapped<M, N>, draft: Values, services: Services): Transition<AddError, Pending<M, N>> =>
  (state) => {
    const mapping = checkModel(state, entity)
    if (isLeft(mapping)) return mapping
    const change = new Change(state, services)
    const made = change.make(mapping.right, draft)
    if (isLeft(made)) return made
    const fault = change.begin()
    if (fault !== null) return left(fault)
    return finished(change, (next) => instanceAt(next, made.right).snapshot as never)
  }

/** @category transitions */
export const addAll =
  <M, N extends string>(
    entity: Mapped<M, N>,
    drafts: ReadonlyArray<Values | Snapshot<N>>,
    services: Services,
  ): Transition<AddError, ReadonlyArray<Pending<M, N>>> =>
  (state) => {
    const mapping = checkModel(state, entity)
    if (isLeft(mapping)) return mapping
    const change = new Change(state, services)
    const ids: InstanceId[] = []
    for (const draft of drafts) {
      const managed = Snapshot.instanceOf(draft)
      if (managed === null) {
        const made = change.make(mapping.right, draft as Values)
        if (isLeft(made)) return made
        ids.push(made.right)
      } else if (change.has(managed, mapping.right)) {
        ids.push(managed)
      } else {
        return left({ _tag: 'NotInSession', entity: entity.name })
      }
    }
    const fault = change.begin()
    if (fault !== null) return left(fault)
    for (const id of ids) {
      const refused = change.join(id)
      if (refused !== null) return left(refused)
    }
    return finished(change, (next) => ids.map((id) => instanceAt(next, id).snapshot) as never)
  }

/** @category transitions */
export const set =
  <M, N extends string, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    given: Values,
    reference: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) => {
    const found = resolve(state, entity, reference)
    if (isLeft(found)) return found
    const patch = byOwnNames(found.right.mapping, given)
    const wrong = faultOf(entity.mapping, patch)
    if (wrong !== null) return left(wrong)
    const { id } = found.right
    const change = new Change(state, services)
    const targets: Array<readonly [RelationshipMapping, InstanceId | null]> = []
    for (const relationship of entity.mapping.relationships) {
      const given = patch[relationship.name]
      if (given === undefined) continue
      if (relationship.isCollection) {
        return left(misfit(relationship, given, 'a collection is changed by append, detach or replace'))
      }
      if (isOnlyJoined(relationship)) return left(unwritable(relationship))
      const target = given === null ? right(null) : change.instanceFor(relationship, given)
      if (isLeft(target)) return target
      targets.push([relationship, target.right])
    }
    const fault = change.begin() ?? change.setValues(id, patch)
    if (fault !== null) return left(fault)
    for (const [relationship, target] of targets) {
      const refused = change.refer(id, relationship, target)
      if (refused !== null) return left(refused)
    }
    return finished(change, (next) => pictureOf(instanceAt(next, id), reference))
  }

/** @category transitions */
export const append =
  <M, N extends string, K extends WritableCollection<M, N>, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: K,
    members: ReadonlyArray<unknown>,
    owner: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) =>
    changeMembers(state, services, entity, name, members, owner, (change, { id }, relationship, ids) => {
      for (const member of ids) {
        const fault = change.append(id, relationship, member)
        if (fault !== null) return fault
      }
      return null
    })

/** @category transitions */
export const detach =
  <M, N extends string, K extends WritableCollection<M, N>, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: K,
    member: Snapshot,
    owner: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) =>
    changeMembers(state, services, entity, name, [member], owner, (change, { id }, relationship, [found]) =>
      change.isMember(id, relationship, found as InstanceId)
        ? change.detach(id, relationship, found as InstanceId)
        : misfit(relationship, member, 'it is not in the collection'),
    )

/** @category transitions */
export const replace =
  <M, N extends string, K extends WritableCollection<M, N>, S extends Snapshot<N>>(
    entity: Mapped<M, N>,
    name: K,
    given: unknown,
    owner: S,
    services: Services,
  ): Transition<ChangeError, S> =>
  (state) => {
    const collection = entity.mapping.relationshipOf.get(name)
    const members = collection?.isCollection === true ? membersGiven(collection.collection, given) : []
    if (collection !== undefined && typeof members === 'string') return left(misfit(collection, given, members))
    return changeMembers(
      state,
      services,
      entity,
      name,
      members as ReadonlyArray<unknown>,
      owner,
      (change, { id }, relationship, ids) => change.replace(id, relationship, ids),
    )
  }

const changeMembers = <M, N extends string, S extends Snapshot<N>>(
  state: SessionState,
  services: Services,
  entity: Mapped<M, N>,
  name: string,
  members: ReadonlyArray<unknown>,
  owner: S,
  f: (
    change: Change,
    instance: Instance,
    relationship: RelationshipMapping,
    members: ReadonlyArray<InstanceId>,
  ) => ChangeError | null,
): Either<ChangeError, readonly [S, SessionState]> => {
  const found = resolve(state, entity, owner)
  if (isLeft(found)) return found
  const relationship = entity.mapping.relationshipOf.get(name)
  if (relationship?.isCollection !== true) return left(noCollection(entity.name, name))
  if (isOnlyJoined(relationship)) return left(unwritable(relationship))
  const change = new Change(state, services)
  const ids: InstanceId[] = []
  for (const given of members) {
    const member = change.instanceFor(relationship, given)
    if (isLeft(member)) return member
    ids.push(member.right)
  }
  const fault = change.begin() ?? f(change, found.right, relationship, ids)
  return fault === null ? finished(change, () => owner) : left(fault)
}

const finished = <A>(change: Change, show: (state: SessionState) => A): Either<never, readonly [A, SessionState]> => {
  const state = change.finish()
  return succeed(show(state), state)
}
