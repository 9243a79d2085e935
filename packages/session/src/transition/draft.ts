/**
 * From plain nested data to instances.
 *
 * A draft is walked once, depth first and parents before children, without recursion. An object that stands in it twice
 * is one instance. Instances made here are pending as far as the save-update cascade carries from the root, and
 * transient beyond.
 */
import {
  type Attribute,
  byOwnNames,
  type InstanceId,
  isOnlyJoined,
  type Mapping,
  membersGiven,
  type RelationshipMapping,
  rowClassOf,
  rowFaults,
  ruleFaults,
  type Services,
  Snapshot,
  takes,
  type ValueFault,
  valueFaults,
  withDescendants,
} from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { InvalidState, InvalidValue, NotInSession, SingleParent } from '../error.js'
import * as Collection from '../state/collection.js'
import * as Instance from '../state/instance.js'
import type { SessionState, StateEdit } from '../state/session-state.js'
import { cascadeAdd, cascadeTo } from './cascade.js'
import * as Relate from './relate.js'
import { singleParentFault } from './single-parent.js'
import { standingAt } from './standing.js'

type Values = Readonly<Record<string, unknown>>

/** Why a draft cannot become an instance. */
export type DraftFault = InvalidValue | NotInSession | InvalidState | SingleParent

/** A draft that has its number, and whose instance is still to be made. */
interface Planned {
  readonly id: InstanceId
  readonly mapping: Mapping
  readonly draft: Values
  readonly isPending: boolean
  /** What it holds from the start: the way back to the instance it was found under. Shared by all found there. */
  related: Instance.Instance['related']
}

/** A link to something that is there already, or that the walk met before: made once all instances are there. */
interface Link {
  readonly owner: InstanceId
  readonly relationship: RelationshipMapping
  readonly target: InstanceId
  readonly cascades: boolean
}

/**
 * An instance of a draft that is made alone: what the draft gives its relationships is left to whoever asked for it.
 *
 * @category model
 */
export interface Made {
  readonly id: InstanceId
  readonly draft: Values
  /** In the order of the relationships; null for a reference to nothing. */
  readonly wishes: ReadonlyArray<Wish>
}

/** @category model */
export interface Wish {
  readonly relationship: RelationshipMapping
  readonly targets: ReadonlyArray<InstanceId> | null
}

interface Walk {
  readonly state: SessionState
  readonly edit: StateEdit
  readonly services: Services
  /** Drafts met so far. */
  readonly seen: Map<object, InstanceId>
  readonly stack: Planned[]
  readonly links: Link[]
  /** Where instances are noted in the order in which they are made, if they are to be made alone. */
  readonly made: Made[] | null
}

/**
 * Makes instances within one edit. Drafts given to one maker share what they share. With `made` they are made alone and
 * transient, and noted there.
 *
 * @category constructors
 */
export const draftMaker = (
  state: SessionState,
  edit: StateEdit,
  services: Services,
  made: Made[] | null = null,
): ((mapping: Mapping, draft: Values, isPending: boolean) => Either<DraftFault, InstanceId>) => {
  const walk: Walk = { state, edit, services, seen: new Map(), stack: [], links: [], made }
  return (mapping, draft, isPending) => {
    const known = walk.seen.get(draft)
    if (known !== undefined) {
      const refused = isPending ? cascadeAdd(state, edit, known) : null
      return refused === null ? right(known) : left(refused)
    }
    const id = numbered(walk, draft)
    const fault = makeOne(walk, id, entityOf(mapping, draft), draft, isPending, null)
    if (fault !== null) return left(fault)
    for (let next = walk.stack.pop(); next !== undefined; next = walk.stack.pop()) {
      const fault = makeOne(walk, next.id, next.mapping, next.draft, next.isPending, next.related)
      if (fault !== null) return left(fault)
    }
    for (let link = walk.links.pop(); link !== undefined; link = walk.links.pop()) {
      const held = singleParentFault(state, edit, link.relationship, link.owner, link.target)
      if (held !== null) return left(held)
      if (link.relationship.isCollection) {
        if (!Relate.append(state, edit, link.owner, link.relationship, link.target)) continue
      } else {
        Relate.refer(state, edit, link.owner, link.relationship, link.target)
      }
      const owner = standingAt(edit, link.owner)
      const refused = link.cascades ? cascadeTo(state, edit, owner, link.relationship, link.target) : null
      if (refused !== null) return left(refused)
    }
    return right(id)
  }
}

/** Gives a draft that was not met before its number. */
const numbered = (walk: Walk, draft: Values): InstanceId => {
  const id = walk.edit.nextInstance++
  walk.seen.set(draft, id)
  return id
}

/**
 * The entity that a draft is of, where one of `mapping` is wanted: a subtype where the draft's discriminator says so.
 *
 * @category combinators
 */
export const entityOf = (mapping: Mapping, draft: Values): Mapping => {
  const { discriminator, subtypes } = mapping
  if (subtypes.length === 0 || discriminator === null) return mapping
  const value = draft[discriminator.name]
  if (value === undefined || value === null) return mapping
  return withDescendants(mapping).find(({ identity }) => identity === value) ?? mapping
}

const makeOne = (
  walk: Walk,
  id: InstanceId,
  mapping: Mapping,
  draft: Values,
  isPending: boolean,
  related: Instance.Instance['related'],
): DraftFault | null => {
  const values = byOwnNames(mapping, draft)
  const { edit } = walk
  const fault = faultOf(mapping, values)
  if (fault !== null) return fault

  let own: Array<Instance.Related | undefined> | null = null
  const wishes: Wish[] | null = walk.made === null ? null : []
  const { relationships } = mapping
  // backwards, since the stack gives them back in reverse
  for (let i = relationships.length - 1; i >= 0; i--) {
    const relationship = relationships[i] as RelationshipMapping
    const given = values[relationship.name]
    if (given === undefined) continue
    const cascades = isPending && relationship.cascade.has('save-update')
    const made = planRelated(walk, id, relationship, given, cascades, wishes)
    if (made !== null && made._tag !== 'Many' && made._tag !== 'One') return made
    if (made === null) continue
    own ??= related === null ? new Array(relationships.length).fill(undefined) : related.slice()
    own[i] = made
  }
  const instance = Instance.make(
    id,
    mapping,
    isPending ? 'pending' : 'transient',
    null,
    null,
    rowClassOf(mapping).draft(id, values, walk.services),
    walk.state.epoch,
    own ?? related,
    isPending ? edit.nextOrder++ : 0,
  )
  const wrong = rowFaultOf(instance)
  if (wrong !== null) return wrong
  edit.instances.set(id, instance)
  if (isPending) edit.added.add(id)
  if (wishes !== null) walk.made?.push({ id, draft: values, wishes: wishes.reverse() })
  return null
}

/** What new instances hold that were found under a relationship of `owner`: its other side. */
const leadingBack = (inverse: RelationshipMapping | null, owner: InstanceId): Instance.Instance['related'] => {
  if (inverse === null) return null
  const related: Array<Instance.Related | undefined> = new Array(inverse.owner.relationships.length).fill(undefined)
  const members = Collection.from([owner])
  related[inverse.position] = inverse.isCollection
    ? { _tag: 'Many', members, added: members, removed: Collection.empty, narrowed: null }
    : Instance.one(owner)
  return related
}

/** What the new instance holds; null where links will fill it. */
const planRelated = (
  walk: Walk,
  owner: InstanceId,
  relationship: RelationshipMapping,
  given: unknown,
  cascades: boolean,
  wishes: Wish[] | null,
): Instance.Related | null | DraftFault => {
  const { target, inverse } = relationship
  if (isOnlyJoined(relationship)) return unwritable(relationship)
  if (!relationship.isCollection) {
    if (given === null && wishes !== null) {
      wishes.push({ relationship, targets: null })
      return null
    }
    // a reference that is given as null wins over a foreign key that is given beside it
    if (given === null) return { _tag: 'One', target: null, changed: true, committed: null }
    const nested = planNested(walk, target, relationship, given, cascades)
    const isThere = typeof nested === 'number'
    if (!isThere && '_tag' in nested) return nested
    const id = isThere ? nested : nested.id
    if (wishes !== null) wishes.push({ relationship, targets: [id] })
    else walk.links.push({ owner, relationship, target: id, cascades: cascades && isThere })
    if (!isThere) walk.stack.push(nested)
    return null
  }
  const all = membersGiven(relationship.collection, given)
  if (typeof all === 'string') return misfit(relationship, given, all)
  // of its final size from the start: an array that grows keeps room for more, and there may be very many of these
  const ids = new Array<InstanceId>(all.length)
  const planned: Array<Planned | null> = new Array(all.length)
  let count = 0
  for (let i = 0; i < all.length; i++) {
    const nested = planNested(walk, target, relationship, all[i], cascades)
    const isThere = typeof nested === 'number'
    if (!isThere && '_tag' in nested) return nested
    ids[i] = isThere ? nested : nested.id
    planned[i] = isThere ? null : nested
    if (!isThere) count++
  }
  if (wishes !== null) wishes.push({ relationship, targets: ids })
  // what is kept by key, or arranged by a program's own collection, is put together once all of it is there
  const allNew =
    wishes === null && count === ids.length && isPlain(relationship) && (inverse === null || isPlain(inverse))
  const back = allNew ? leadingBack(inverse, owner) : null
  for (let i = planned.length - 1; i >= 0; i--) {
    const child = planned[i] ?? null
    if (child === null) continue
    child.related = back
    walk.stack.push(child)
  }
  if (wishes !== null) return null
  if (!allNew) {
    for (let i = ids.length - 1; i >= 0; i--) {
      const isThere = planned[i] === null
      walk.links.push({ owner, relationship, target: ids[i] as InstanceId, cascades: cascades && isThere })
    }
    return null
  }
  const members = Collection.from(ids)
  return { _tag: 'Many', members, added: members, removed: Collection.empty, narrowed: null }
}

const isPlain = ({ collection: { add, key } }: RelationshipMapping): boolean => add === null && key === null

/** The instance that is there already or that the walk met before, or what is to be made. */
const planNested = (
  walk: Walk,
  mapping: Mapping,
  relationship: RelationshipMapping,
  given: unknown,
  cascades: boolean,
): InstanceId | Planned | DraftFault => {
  if (typeof given !== 'object' || given === null) {
    return misfit(relationship, given, `a draft or an instance of ${mapping.name} is needed`)
  }
  const managed = Snapshot.instanceOf(given)
  if (managed !== null) {
    const instance = walk.edit.instances.get(managed)
    return instance === undefined || !takes(relationship, instance.mapping)
      ? { _tag: 'NotInSession', entity: mapping.name }
      : managed
  }
  const draft = given as Values
  return (
    walk.seen.get(draft) ?? {
      id: numbered(walk, draft),
      mapping: entityOf(mapping, draft),
      draft,
      isPending: cascades,
      related: null,
    }
  )
}

/** What is only joined changes with what it is computed from. */
export const unwritable = (relationship: RelationshipMapping): InvalidValue =>
  misfit(relationship, 'changed', 'it is only joined; change what its condition speaks of')

/** A value that a relationship cannot hold. */
export const misfit = (relationship: RelationshipMapping, value: unknown, problem: string): InvalidValue => ({
  _tag: 'InvalidValue',
  entity: relationship.owner.name,
  attribute: relationship.name,
  value,
  problem,
})

/**
 * The instance that a relationship is given: an instance of this session as it is, or one made of a draft (transient).
 *
 * @category combinators
 */
export const instanceFor = (
  state: SessionState,
  edit: StateEdit,
  services: Services,
  relationship: RelationshipMapping,
  given: unknown,
  made: Made[] | null = null,
): Either<DraftFault, InstanceId> => {
  const { target } = relationship
  if (typeof given !== 'object' || given === null) {
    return left(misfit(relationship, given, `a draft or an instance of ${target.name} is needed`))
  }
  const managed = Snapshot.instanceOf(given)
  if (managed === null) return draftMaker(state, edit, services, made)(target, given as Values, false)
  const instance = edit.instances.get(managed)
  return instance !== undefined && takes(relationship, instance.mapping)
    ? right(managed)
    : left({ _tag: 'NotInSession', entity: target.name })
}

/**
 * What is wrong with the attributes of a draft or patch: a name that the entity does not have, a value that the column's
 * codec does not know, or that breaks a rule of the column's.
 *
 * @category guards
 */
export const faultOf = (mapping: Mapping, values: Values): InvalidValue | null => {
  if (typeof values !== 'object' || values === null) {
    return { _tag: 'InvalidValue', entity: mapping.name, attribute: '', value: values, problem: 'it is no object' }
  }
  if (mapping.identity === null && mapping.discriminator !== null)
    return isAbstract(mapping, mapping.discriminator, values)
  if (!rowClassOf(mapping).fits(values)) return firstOf(mapping, valueFaults(mapping, values))
  return mapping.ruled.length === 0 ? null : firstOf(mapping, ruleFaults(mapping, values))
}

/** There are no rows of it that are not a subtype's. */
const isAbstract = (mapping: Mapping, { name: attribute }: Attribute, values: Values): InvalidValue => {
  const problem = `${mapping.name} is abstract, and this is the identity of none of its subtypes`
  return { _tag: 'InvalidValue', entity: mapping.name, attribute, value: values[attribute], problem }
}

/**
 * What the entity has against a row as a whole, as far as it is known.
 *
 * @category guards
 */
export const rowFaultOf = ({ mapping, snapshot }: Instance.Instance): InvalidValue | null =>
  mapping.validators.length === 0 ? null : firstOf(mapping, rowFaults(mapping, snapshot as unknown as Values))

const firstOf = (mapping: Mapping, [first]: ReadonlyArray<ValueFault>): InvalidValue | null =>
  first === undefined ? null : { _tag: 'InvalidValue', entity: mapping.name, ...first }
