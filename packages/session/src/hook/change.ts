/**
 * Changes that hooks are asked about: of attributes and relationships, one after another within one step.
 *
 * The side that is changed is asked first, and may decide on another value. Then the change is made, and the other sides
 * that followed it are asked whether they agree.
 */
import {
  type Attribute,
  type InstanceId,
  isKindOf,
  type Mapping,
  type RelationshipMapping,
  type Services,
  Snapshot,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { map, none, type Option, some } from 'fp-ts/lib/Option.js'
import * as Instance from '../state/instance.js'
import { done, edit, instanceAt, type Move, type SessionState, type StateEdit } from '../state/session-state.js'
import * as Arrange from '../transition/arrange.js'
import { cascadeAdd, cascadeTo } from '../transition/cascade.js'
import { draftMaker, faultOf, instanceFor, type Made, misfit, rowFaultOf } from '../transition/draft.js'
import * as Relate from '../transition/relate.js'
import { type ChangeError, withValues } from '../transition/set.js'
import { singleParentFault } from '../transition/single-parent.js'
import { freshen, put, standingAt } from '../transition/standing.js'
import { heldBefore } from '../transition/target.js'
import type { HookContext } from './definition.js'
import { type ChangeEvent, changeEvents, type Hook, hooksOnChange } from './hooks.js'
import { consult, type Due, type Origin, perform, refusal } from './react.js'

type Instance = Instance.Instance

type Values = Readonly<Record<string, unknown>>

/**
 * A step of changes, each seen by its hooks: instances are made of drafts first, then `begin`, then the changes one after
 * another, then `finish`. Hooks see the state as it stands when they are asked; what they ask for is done right after the
 * change that they were asked about. The first failure is the step's.
 */
export class Change {
  readonly #services: Services
  readonly #made: Made[] = []
  readonly #make: ReturnType<typeof draftMaker>
  /** Instances that had no values before. */
  readonly #new: Set<InstanceId>
  #state: SessionState
  /** Changes since `#state`, which hooks have not seen yet. */
  #edit: StateEdit
  #hasChanged = false
  #due: Due[] = []
  /** Are the instances of drafts being put together? Then what came from another draft's side stays. */
  #isDrafting = false

  constructor(state: SessionState, services: Services, made: Iterable<InstanceId> = []) {
    this.#state = state
    this.#edit = edit(state)
    this.#services = services
    this.#new = new Set(made)
    this.#make = draftMaker(state, this.#edit, services, this.#made)
  }

  /** Makes a draft, transient. */
  make(mapping: Mapping, draft: Values): Either<ChangeError, InstanceId> {
    return this.#make(mapping, draft, false)
  }

  /** The instance that a relationship is given. */
  instanceFor(relationship: RelationshipMapping, given: unknown): Either<ChangeError, InstanceId> {
    return instanceFor(this.#state, this.#edit, this.#services, relationship, given, this.#made)
  }

  /** Is it an instance of the entity? */
  has(id: InstanceId, mapping: Mapping): boolean {
    const instance = this.#edit.instances.get(id)
    return instance !== undefined && isKindOf(instance.mapping, mapping)
  }

  isMember(id: InstanceId, relationship: RelationshipMapping, member: InstanceId): boolean {
    return Relate.isMember(this.#state, this.#edit, id, relationship, member)
  }

  /** The drafts are made: asks about what they give. */
  begin(): ChangeError | null {
    if (this.#made.length === 0) return null
    this.#settle()
    for (const { id } of this.#made) this.#new.add(id)
    this.#isDrafting = true
    for (const made of nestedFirst(this.#made)) {
      const fault = this.#putTogether(made)
      if (fault !== null) return fault
    }
    this.#isDrafting = false
    return null
  }

  /** Sets attributes. Those of an instance that is new are there already. */
  setValues(id: InstanceId, given: Values): ChangeError | null {
    const { mapping } = this.#at(id)
    let patch: Record<string, unknown> = {}
    for (const attribute of mapping.attributes) {
      const { name } = attribute
      const value = given[name]
      if (value === undefined) continue
      const hooks = hooksOnChange(this.#state.hooks, 'set', mapping, name)
      if (hooks.length === 0) {
        if (!this.#isDrafting) patch[name] = value
        continue
      }
      this.#put(id, patch)
      patch = {}
      const asked = this.#askValue(hooks, id, attribute, value)
      if (isLeft(asked)) return asked.left
      if (!this.#isDrafting || asked.right !== value) this.#put(id, { [name]: asked.right })
      const failed = this.#perform()
      if (failed !== null) return failed
    }
    this.#put(id, patch)
    return rowFaultOf(this.#at(id))
  }

  /** Makes a reference refer to an instance, or to nothing. */
  refer(id: InstanceId, relationship: RelationshipMapping, given: InstanceId | null): ChangeError | null {
    const isWatched = this.#watch(relationship)
    const held = this.#new.has(id) ? undefined : heldBefore(this.#state, this.#edit, this.#at(id), relationship)
    const asked = this.#ask('set', id, relationship, given, () => ({ before: this.#shownOption(held) }))
    if (isLeft(asked)) return asked.left
    const target = asked.right as InstanceId | null
    const other = target === null ? null : singleParentFault(this.#state, this.#edit, relationship, id, target)
    if (other !== null) return other
    return (
      this.#changed('set', id, relationship, isWatched, () =>
        Relate.refer(this.#state, this.#edit, id, relationship, target),
      ) ??
      (target === null ? null : this.#cascadeTo(id, relationship, target)) ??
      this.#perform()
    )
  }

  append(id: InstanceId, relationship: RelationshipMapping, member: InstanceId): ChangeError | null {
    const appended = this.#append(id, relationship, member)
    return isLeft(appended) ? appended.left : null
  }

  /** Takes a member out of a collection, `times` over where a list holds it more often than once. */
  detach(id: InstanceId, relationship: RelationshipMapping, member: InstanceId, times = 1): ChangeError | null {
    const isWatched = this.#watch(relationship)
    const asked = this.#ask('remove', id, relationship, member)
    if (isLeft(asked)) return asked.left
    return (
      this.#changed('remove', id, relationship, isWatched, () => {
        for (let i = 0; i < times; i++) Relate.detach(this.#state, this.#edit, id, relationship, member)
      }) ?? this.#perform()
    )
  }

  /** Makes a collection hold what is given. */
  replace(id: InstanceId, relationship: RelationshipMapping, given: ReadonlyArray<InstanceId>): ChangeError | null {
    this.#watch(relationship)
    const members = this.#membersOf(id, relationship)
    const before = this.#new.has(id) || members === null ? none : some(members)
    const asked = this.#ask('replace', id, relationship, given, () => ({
      before: map((ids: ReadonlyArray<InstanceId>) => this.#shownValue(ids))(before),
    }))
    if (isLeft(asked)) return asked.left
    // what it asks for comes once all of it is in place
    const due = this.#due
    this.#due = []
    const wanted = Arrange.fitted(this.#state, this.#edit, id, relationship, asked.right as ReadonlyArray<InstanceId>)
    const appended = this.#appendAll(id, relationship, wanted)
    if (isLeft(appended)) return appended.left
    const kept = new Set(appended.right)
    const held = new Map<InstanceId, number>()
    for (const member of this.#isDrafting ? [] : (members ?? this.#addedTo(id, relationship))) {
      held.set(member, (held.get(member) ?? 0) + 1)
    }
    for (const [member, times] of held) {
      if (kept.has(member) || !this.isMember(id, relationship, member)) continue
      const fault = this.detach(id, relationship, member, times)
      if (fault !== null) return fault
    }
    this.#order(id, relationship, appended.right)
    for (const member of kept) {
      if (!this.isMember(id, relationship, member)) continue
      const refused = this.#cascadeTo(id, relationship, member)
      if (refused !== null) return refused
    }
    this.#due = due
    return this.#perform()
  }

  /** Brings an instance into the unit of work, also one that was marked for deletion. */
  join(id: InstanceId): ChangeError | null {
    this.#hasChanged = true
    this.#edit.deleted.delete(id)
    return cascadeAdd(this.#state, this.#edit, id)
  }

  /** The state after the changes. */
  finish(): SessionState {
    this.#settle()
    return this.#state
  }

  /** The changes so far become the state that hooks see. */
  #settle(): void {
    this.#become(done(this.#state, this.#edit))
  }

  #become(state: SessionState): void {
    this.#state = state
    this.#edit = edit(state)
    this.#hasChanged = false
  }

  /** Does what hooks have asked for so far. */
  #perform(): ChangeError | null {
    if (this.#due.length === 0) return null
    this.#settle()
    const next = perform(this.#state, this.#due, this.#services)
    if (isLeft(next)) return next.left
    this.#due = []
    this.#become(next.right)
    return null
  }

  #at(id: InstanceId): Instance {
    return standingAt(this.#edit, id)
  }

  #put(id: InstanceId, patch: Values): void {
    const instance = freshen(this.#state, this.#at(id))
    const next = withValues(instance, patch)
    if (next === instance) return
    this.#hasChanged = true
    put(this.#edit, next)
  }

  #putTogether({ id, draft, wishes }: Made): ChangeError | null {
    const fault = this.setValues(id, draft)
    if (fault !== null) return fault
    for (const { relationship, targets } of wishes) {
      const wrong = relationship.isCollection
        ? this.replace(id, relationship, targets ?? [])
        : this.refer(id, relationship, targets?.[0] ?? null)
      if (wrong !== null) return wrong
    }
    return null
  }

  /** What a collection holds; null where it is not loaded. */
  #membersOf(id: InstanceId, relationship: RelationshipMapping): ReadonlyArray<InstanceId> | null {
    const owner = freshen(this.#state, this.#at(id))
    const related = Instance.relatedOf(owner, relationship)
    return related === undefined ? null : Instance.membersOf(related)
  }

  #addedTo(id: InstanceId, relationship: RelationshipMapping): ReadonlyArray<InstanceId> {
    const related = Instance.relatedOf(freshen(this.#state, this.#at(id)), relationship)
    return related === undefined ? [] : Instance.addedTo(related)
  }

  #cascadeTo(id: InstanceId, relationship: RelationshipMapping, member: InstanceId): ChangeError | null {
    this.#hasChanged = true
    return cascadeTo(this.#state, this.#edit, this.#at(id), relationship, member)
  }

  #append(id: InstanceId, relationship: RelationshipMapping, given: InstanceId): Either<ChangeError, InstanceId> {
    const isWatched = this.#watch(relationship)
    const asked = this.#ask('append', id, relationship, given)
    if (isLeft(asked)) return asked
    const member = asked.right as InstanceId
    const held = singleParentFault(this.#state, this.#edit, relationship, id, member)
    if (held !== null) return left(held)
    let isTaken = true
    const fault =
      this.#changed('append', id, relationship, isWatched, () => {
        isTaken = Relate.append(this.#state, this.#edit, id, relationship, member)
      }) ??
      (isTaken ? this.#cascadeTo(id, relationship, member) : null) ??
      this.#perform()
    return fault === null ? right(member) : left(fault)
  }

  /** Appends what is not there yet. Gives what is to be there, as the hooks have it. */
  #appendAll(
    id: InstanceId,
    relationship: RelationshipMapping,
    wanted: ReadonlyArray<InstanceId>,
  ): Either<ChangeError, ReadonlyArray<InstanceId>> {
    const present = new Set(this.#membersOf(id, relationship) ?? this.#addedTo(id, relationship))
    const taken = new Map<InstanceId, InstanceId>()
    for (const member of wanted) {
      if (taken.has(member)) continue
      const appended = present.has(member) ? right(member) : this.#append(id, relationship, member)
      if (isLeft(appended)) return appended
      taken.set(member, appended.right)
    }
    return right(wanted.map((member) => taken.get(member) ?? member))
  }

  /** Puts the members of a loaded collection in order; those that came otherwise stand behind. */
  #order(id: InstanceId, relationship: RelationshipMapping, wanted: ReadonlyArray<InstanceId>): void {
    const members = this.#membersOf(id, relationship)
    if (members === null) {
      // of what is new it is known that it is empty
      if (wanted.length === 0 && !Instance.hasIdentity(this.#at(id))) this.#replaceAll(id, relationship, wanted)
      return
    }
    const [present, kept] = [new Set(members), new Set(wanted)]
    const ordered = [...wanted.filter((one) => present.has(one)), ...members.filter((one) => !kept.has(one))]
    if (ordered.length === members.length && ordered.every((one, i) => one === members[i])) return
    this.#replaceAll(id, relationship, ordered)
  }

  #replaceAll(id: InstanceId, relationship: RelationshipMapping, members: ReadonlyArray<InstanceId>): void {
    this.#hasChanged = true
    Arrange.replace(this.#state, this.#edit, id, relationship, members)
  }

  /** Is a hook asked when a relationship changes? Then the changes so far are what it sees. */
  #watch(relationship: RelationshipMapping): boolean {
    const { inverse } = relationship
    const isWatched = this.#isAsked(relationship) || (inverse !== null && this.#isAsked(inverse))
    if (isWatched && this.#hasChanged) this.#settle()
    return isWatched
  }

  #isAsked({ name, owner }: RelationshipMapping): boolean {
    return changeEvents.some((event) => hooksOnChange(this.#state.hooks, event, owner, name).length > 0)
  }

  #askValue(
    hooks: ReadonlyArray<Hook>,
    id: InstanceId,
    attribute: Attribute,
    value: unknown,
  ): Either<ChangeError, unknown> {
    if (this.#hasChanged) this.#settle()
    const instance = freshen(this.#state, this.#at(id))
    const { mapping } = instance
    const before = this.#new.has(id) ? none : knownValue(instance, attribute)
    const origin = originOf('set', mapping, attribute.name)
    const contexts = this.#contexts(id, attribute.name, false, { before })
    const asked = consult(hooks, origin, value, contexts, this.#due)
    if (isLeft(asked) || Object.is(asked.right, value)) return asked
    const fault = faultOf(mapping, { [attribute.name]: asked.right })
    return fault === null ? asked : left(fault)
  }

  /** Asks the hooks of the side that is changed: gives the instances that they settle on. */
  #ask(
    event: ChangeEvent,
    id: InstanceId,
    relationship: RelationshipMapping,
    value: InstanceId | null | ReadonlyArray<InstanceId>,
    extra: () => Values = () => ({}),
  ): Either<ChangeError, InstanceId | null | ReadonlyArray<InstanceId>> {
    const { name, owner } = relationship
    const hooks = hooksOnChange(this.#state.hooks, event, owner, name)
    if (hooks.length === 0) return right(value)
    const given = this.#shownValue(value)
    const contexts = this.#contexts(id, name, false, extra())
    const answer = consult(hooks, originOf(event, owner, name), given, contexts, this.#due)
    if (isLeft(answer)) return answer
    return answer.right === given ? right(value) : this.#chosen(relationship, answer.right)
  }

  /** The instances that a hook chose in the place of those given. */
  #chosen(
    relationship: RelationshipMapping,
    value: unknown,
  ): Either<ChangeError, InstanceId | null | ReadonlyArray<InstanceId>> {
    if (value === null && !relationship.isCollection) return right(null)
    if (!Array.isArray(value)) return this.#chosenOne(relationship, value)
    const ids: InstanceId[] = []
    for (const one of value) {
      const id = this.#chosenOne(relationship, one)
      if (isLeft(id)) return id
      ids.push(id.right)
    }
    return right(ids)
  }

  #chosenOne(relationship: RelationshipMapping, value: unknown): Either<ChangeError, InstanceId> {
    const id = Snapshot.instanceOf(value)
    return id !== null && this.has(id, relationship.target)
      ? right(id)
      : left(misfit(relationship, value, `a hook accepts an instance of ${relationship.target.name} in this session`))
  }

  /** Makes a change, and asks the hooks of all sides but the one that it began with, which may see others leave. */
  #changed(
    event: ChangeEvent,
    id: InstanceId,
    relationship: RelationshipMapping,
    isWatched: boolean,
    make: () => void,
  ): ChangeError | null {
    this.#hasChanged = true
    if (!isWatched) {
      make()
      return null
    }
    const moves: Move[] = []
    this.#edit.moves = moves
    make()
    this.#edit.moves = null
    for (const move of moves) {
      const isOwn = move.event === event && move.owner === id && move.relationship === relationship
      const fault = isOwn ? null : this.#askFollowing(move)
      if (fault !== null) return fault
    }
    return null
  }

  #askFollowing({ event, owner, relationship, value, before }: Move): ChangeError | null {
    const { name, owner: mapping } = relationship
    const hooks = hooksOnChange(this.#state.hooks, event, mapping, name)
    if (hooks.length === 0) return null
    const origin = originOf(event, mapping, name)
    const contexts = this.#contexts(owner, name, true, event === 'set' ? { before: this.#shownOption(before) } : {})
    const answer = consult(hooks, origin, this.#shownValue(value), contexts, this.#due)
    if (isLeft(answer)) return answer.left
    return Snapshot.instanceOf(answer.right) === value
      ? null
      : refusal(origin, 'it follows the other side, which decides what is related')
  }

  #contexts(
    id: InstanceId,
    attribute: string,
    follows: boolean,
    extra: Values,
  ): (value: unknown) => HookContext & Values {
    const [state, services, instance] = [this.#state, this.#services, this.#shown(id)]
    return (value) => ({ state, services, instance, attribute, follows, ...extra, value })
  }

  /** What is known of an instance. */
  #shown(id: InstanceId): Snapshot {
    return freshen(this.#state, instanceAt(this.#state, id)).snapshot
  }

  #shownValue(value: InstanceId | null | ReadonlyArray<InstanceId>): unknown {
    if (value === null) return null
    return typeof value === 'number' ? this.#shown(value) : value.map((id) => this.#shown(id))
  }

  #shownOption(id: InstanceId | null | undefined): Option<unknown> {
    return id === undefined ? none : some(this.#shownValue(id))
  }
}

const originOf = (hook: ChangeEvent, mapping: Mapping, attribute: string): Origin => ({
  hook,
  entity: mapping.name,
  attribute,
})

const knownValue = (instance: Instance, attribute: Attribute): Option<unknown> => {
  const value = Instance.valueAt(instance, attribute)
  return value === undefined ? none : some(value)
}

/** What is nested in a draft comes before it, as the arguments of a constructor do. */
const nestedFirst = (made: ReadonlyArray<Made>): ReadonlyArray<Made> => {
  const byId = new Map(made.map((one) => [one.id, one]))
  const entered = new Set<Made>()
  const ordered = new Set<Made>()
  for (const root of made) {
    const stack: Made[] = [root]
    for (let one = stack.at(-1); one !== undefined; one = stack.at(-1)) {
      if (entered.has(one)) {
        ordered.add(one)
        stack.pop()
        continue
      }
      entered.add(one)
      for (let i = one.wishes.length - 1; i >= 0; i--) {
        const targets = one.wishes[i]?.targets ?? []
        for (let j = targets.length - 1; j >= 0; j--) {
          const nested = byId.get(targets[j] as InstanceId)
          if (nested !== undefined && !entered.has(nested)) stack.push(nested)
        }
      }
    }
  }
  return [...ordered]
}
