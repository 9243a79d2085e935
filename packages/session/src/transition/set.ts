/**
 * Changing attributes and references of an instance.
 */
import {
  type Attribute,
  byOwnNames,
  isOnlyJoined,
  type Mapped,
  type RelationshipMapping,
  rowClassOf,
  type Services,
  type Snapshot,
} from '@unitary/core'
import { isLeft, left } from 'fp-ts/lib/Either.js'
import type { HookError, InvalidState, InvalidValue, ModelMismatch, NotInSession, SingleParent } from '../error.js'
import * as Instance from '../state/instance.js'
import * as IntMap from '../state/int-map.js'
import * as IntSet from '../state/int-set.js'
import { done, edit, instanceAt, revise, type SessionState, type StateEdit } from '../state/session-state.js'
import { cascadeTo } from './cascade.js'
import { faultOf, instanceFor, misfit, rowFaultOf, unwritable } from './draft.js'
import * as Relate from './relate.js'
import { singleParentFault } from './single-parent.js'
import { freshen, put } from './standing.js'
import { resolve, succeed, type Transition } from './transition.js'

type Values = Readonly<Record<string, unknown>>

/** Why a change is refused. */
export type ChangeError = ModelMismatch | NotInSession | InvalidValue | InvalidState | SingleParent | HookError

/**
 * Sets attributes, and references to other instances, of one instance. Only what differs is recorded: an attribute set
 * back to its database value is no change. An attribute set while its value is not known counts as changed.
 *
 * Gives the snapshot given, with the changes: attributes that the session does not know at the moment (since they expired)
 * keep the values that the given snapshot has.
 *
 * @category transitions
 */
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
    const fault = faultOf(found.right.mapping, patch)
    if (fault !== null) return left(fault)
    const { id } = found.right
    const current = freshen(state, found.right)
    const changed = withValues(current, patch)
    const wrong = changed === current ? null : rowFaultOf(changed)
    if (wrong !== null) return left(wrong)
    const related = entity.mapping.relationships.filter((relationship) => patch[relationship.name] !== undefined)
    if (related.length === 0) {
      return succeed(pictureOf(changed, reference), changed === found.right ? state : replace(state, changed))
    }
    const changes = edit(state)
    put(changes, changed)
    for (const relationship of related) {
      const refused = setRelated(state, changes, services, changed, relationship, patch[relationship.name])
      if (refused !== null) return left(refused)
    }
    const next = done(state, changes)
    return succeed(pictureOf(instanceAt(next, id), reference), next)
  }

/** One instance replaced, without the cost of an edit. */
const replace = (state: SessionState, instance: Instance.Instance): SessionState => {
  const { id } = instance
  const instances = IntMap.set(state.instances, id, instance)
  if (instance.status !== 'persistent') return revise(state, { instances })
  const changed = Instance.isChanged(instance) ? IntSet.add(state.changed, id) : IntSet.remove(state.changed, id)
  return revise(state, { instances, changed })
}

/** The current snapshot where all of it is known, else what is known of it over the one given. @category combinators */
export const pictureOf = <S extends Snapshot>(instance: Instance.Instance, reference: S): S =>
  (instance.partial
    ? rowClassOf(instance.mapping).patch(reference, instance.id, instance.snapshot as unknown as Values)
    : instance.snapshot) as S

/**
 * The instance with attributes set. Only what differs is recorded; the same instance where nothing does.
 *
 * @category combinators
 */
export const withValues = (instance: Instance.Instance, patch: Values): Instance.Instance => {
  let committed: Record<string, unknown> | null = instance.committed === null ? null : { ...instance.committed }
  let changed = false
  for (const name in patch) {
    const attribute = instance.mapping.attributeOf.get(name)
    const value = patch[name]
    if (attribute === undefined || value === undefined) continue
    const current = Instance.isUnset(instance, name) ? undefined : Instance.valueAt(instance, attribute)
    if (current !== undefined && isSame(attribute, current, value)) continue
    changed = true
    if (instance.status !== 'persistent') continue
    committed ??= {}
    const before = committed[name]
    if (before === undefined) committed[name] = current === undefined ? Instance.unknown : current
    else if (before !== Instance.unknown && isSame(attribute, before, value)) delete committed[name]
  }
  if (!changed) return instance
  return {
    ...instance,
    snapshot: rowClassOf(instance.mapping).patch(instance.snapshot, instance.id, patch),
    committed: committed === null || isEmpty(committed) ? null : committed,
    unset: instance.unset?.filter((name) => patch[name] === undefined) ?? null,
  }
}

const isEmpty = (values: Values): boolean => {
  for (const _ in values) return false
  return true
}

/** Are two values the same to the database? @category guards */
export const isSame = (attribute: Attribute, a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  const x = attribute.encode(a)
  const y = attribute.encode(b)
  return x instanceof Uint8Array && y instanceof Uint8Array
    ? x.length === y.length && x.every((byte, i) => byte === y[i])
    : Object.is(x, y)
}

const setRelated = (
  state: SessionState,
  changes: StateEdit,
  services: Services,
  owner: Instance.Instance,
  relationship: RelationshipMapping,
  given: unknown,
): ChangeError | null => {
  if (relationship.isCollection) {
    return misfit(relationship, given, 'a collection is changed by append, detach or replace')
  }
  if (isOnlyJoined(relationship)) return unwritable(relationship)
  if (given === null) {
    Relate.refer(state, changes, owner.id, relationship, null)
    return null
  }
  const target = instanceFor(state, changes, services, relationship, given)
  if (isLeft(target)) return target.left
  const held = singleParentFault(state, changes, relationship, owner.id, target.right)
  if (held !== null) return held
  Relate.refer(state, changes, owner.id, relationship, target.right)
  return cascadeTo(state, changes, owner, relationship, target.right)
}
