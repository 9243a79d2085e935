/**
 * Which links of a proxy stay for what it is to lead to, and which are made: a function of what the session knows along its way.
 */
import {
  type AnyThrough,
  type Attribute,
  type CollectionKey,
  type Entries,
  formThrough,
  type InstanceId,
  type Linked,
  type Mapping,
  type Reach,
  type RelationshipMapping,
  rawKeyOfValue,
  relationshipsThrough,
  Snapshot,
  type ThroughLinks,
} from '@unitary/core'
import { type Either, isLeft, left, right, sequenceArray } from 'fp-ts/lib/Either.js'
import type { InvalidValue } from '../error.js'
import { linkedFrom, type Trail } from '../load/through.js'
import * as Instance from '../state/instance.js'
import { instanceAt, type SessionState } from '../state/session-state.js'
import { misfit } from '../transition/draft.js'

/** What is to stand at the far side of a link that stays. @category model */
export interface Put {
  readonly link: InstanceId
  readonly far: unknown
}

/**
 * What links are to be.
 *
 * @category model
 */
export interface Relinked {
  /** Those that stay, by their snapshots, and drafts of others, in order. */
  readonly members: ReadonlyArray<object>
  readonly changed: ReadonlyArray<Put>
}

/** The same, those that stay by their ids. */
interface Chosen {
  readonly members: ReadonlyArray<Made<InstanceId>>
  readonly changed: ReadonlyArray<Put>
}

/** The draft of a link, or why there is none. */
type Made<A = never> = Either<InvalidValue, A | object>

/**
 * What the links of an owner are to be for a proxy to show what is given. O(links).
 *
 * @category combinators
 */
export const relinked = (
  state: SessionState,
  proxy: AnyThrough,
  trail: Trail,
  whole: unknown,
): Either<InvalidValue, Relinked> => {
  const links = linksOf(proxy)
  const entries = entriesGiven(links, whole)
  if (typeof entries === 'string') return left(misfit(links, whole, entries))
  const ways = waysOf(state, proxy, trail)
  const { changed, members } =
    links.collection.form._tag === 'Keyed' ? byKey(proxy, ways, entries) : byFar(proxy, ways, entries)
  const chosen = sequenceArray(members)
  if (isLeft(chosen)) return chosen
  return right({
    members: chosen.right.map((one) => (typeof one === 'number' ? instanceAt(state, one).snapshot : one)),
    changed,
  })
}

/** A link under a key stays. */
const byKey = (proxy: AnyThrough, ways: ReadonlyArray<Way>, entries: Entries): Chosen => {
  const wayAt = new Map(ways.map((way) => [way.key, way]))
  const given = new Set(entries.map(([key]) => key))
  const changed: Put[] = []
  const members = entries.map(([key, far]): Made<InstanceId> => {
    const way = wayAt.get(key)
    if (way === undefined) return draftUnder(proxy, key, far)
    changed.push({ link: way.link, far })
    return right(way.link)
  })
  // an empty collection is something
  const astray = isMany(proxy.far, linksOf(proxy))
    ? []
    : ways.filter(({ far, key }) => far === nowhere && !given.has(key as CollectionKey))
  return { members: [...members, ...astray.map(({ link }) => right(link))], changed }
}

/** A link to what is given stays, in a group that of the same key. */
const byFar = (proxy: AnyThrough, ways: ReadonlyArray<Way>, entries: Entries): Chosen => {
  const isSet = linksOf(proxy).collection.form._tag === 'Set'
  const linked = new Map<CollectionKey | null, Map<unknown, InstanceId[]>>()
  for (const { far, key, link } of ways) {
    const group = linked.get(key) ?? new Map<unknown, InstanceId[]>()
    linked.set(key, group)
    const there = group.get(far)
    if (there === undefined) group.set(far, [link])
    else there.push(link)
  }
  const wanted = isSet ? new Map(entries.map((entry) => [farKeyOf(proxy, entry[1]), entry])).values() : entries
  const members = [...wanted].flatMap(([key, far]): ReadonlyArray<Made<InstanceId>> => {
    const there = linked.get(key)?.get(farKeyOf(proxy, far)) ?? []
    // the first of those that are left, or of a set all
    const staying = there.splice(0, isSet ? there.length : 1)
    return staying.length > 0 ? staying.map(right) : [draftUnder(proxy, key, far)]
  })
  const astray = ways.filter(({ far }) => far === nowhere)
  return { members: [...members, ...astray.map(({ link }) => right(link))], changed: [] }
}

/** What is given for a proxy over links, each with its key; otherwise what is wrong with it. */
const entriesGiven = ({ collection }: RelationshipMapping, whole: unknown): Entries | string => {
  switch (collection.form._tag) {
    case 'List':
    case 'Set':
      return Array.isArray(whole) || whole instanceof Set
        ? [...(whole as Iterable<unknown>)].map((far) => [null, far])
        : 'what a proxy over it leads to is given as an array or a set'
    case 'Keyed':
    case 'Grouped':
      return collection.is(whole)
        ? collection.form.entries(whole)
        : `what a proxy over it leads to is given as ${collection.name} shows it`
  }
}

/**
 * The draft of a link, by the proxy's `make`. What it is kept by has to be the key that it is made for.
 *
 * @category constructors
 */
export const draftUnder = (proxy: AnyThrough, key: CollectionKey | null, far: unknown): Made => {
  const links = linksOf(proxy)
  if (!('make' in proxy)) return left(misfit(links, far, 'there is no link to set it on, and the proxy has no make'))
  const draft = (proxy as ThroughLinks<unknown, string, Reach>).make(far as never, key as never) as Values
  const { form } = links.collection
  const own = (form._tag === 'Grouped' ? draft[form.by] : links.collection.key?.(draft as never)) as
    | CollectionKey
    | undefined
  return key === null || own === undefined || own === key
    ? right(draft)
    : left(misfit(links, far, `make gives a link under '${String(own)}' for '${String(key)}'`))
}

type Values = Readonly<Record<string, unknown>>

/** Is what stands at the far side of links a collection? @category guards */
export const isMany = (far: string | AnyThrough, { target }: RelationshipMapping): boolean =>
  typeof far === 'string' ? target.relationshipOf.get(far)?.isCollection === true : formThrough(far) !== 'one'

/** A link, and what tells apart what it leads to. @category model */
export interface Way {
  readonly link: InstanceId
  readonly key: CollectionKey | null
  readonly far: unknown
}

/** In place of what a link leads to that leads nowhere. */
const nowhere = Symbol('nowhere')

/** The relationship to the links. @category combinators */
export const linksOf = (proxy: AnyThrough): RelationshipMapping => relationshipsThrough(proxy)[0] as RelationshipMapping

/** The entity at the end, whose attribute or rows are shown. */
const endOf = (proxy: AnyThrough): Mapping => (relationshipsThrough(proxy).at(-1) as RelationshipMapping).target

/** The links of an owner. @category combinators */
export const linksAlong = (
  state: SessionState,
  proxy: AnyThrough,
  { from, levels }: Trail,
): ReadonlyArray<Linked<InstanceId>> => linkedFrom(state, linksOf(proxy), levels[0], from)

/** The links of an owner, each with the first end that it leads to. @category combinators */
export const waysOf = (state: SessionState, proxy: AnyThrough, trail: Trail): ReadonlyArray<Way> =>
  linksAlong(state, proxy, trail).map(({ key, to: link }) => {
    const end = trail.levels
      .slice(1)
      .reduce<InstanceId | undefined>((at, targets) => (at === undefined ? at : targets.get(at)?.[0]), link)
    return { link, key, far: end === undefined ? nowhere : keyAt(proxy, instanceAt(state, end)) }
  })

/** What tells one far side from another: which instance it is, or the value as the database has it. */
const keyAt = (proxy: AnyThrough, end: Instance.Instance): unknown => {
  const attribute = proxy.attribute === null ? undefined : end.mapping.attributeOf.get(proxy.attribute)
  return attribute === undefined ? end.id : valueKey(attribute, Instance.valueAt(end, attribute))
}

/** The same of what is given. What pictures no instance yet is like nothing that is there. @category combinators */
export const farKeyOf = (proxy: AnyThrough, far: unknown): unknown => {
  const attribute = proxy.attribute === null ? undefined : endOf(proxy).attributeOf.get(proxy.attribute)
  return attribute === undefined ? (Snapshot.instanceOf(far) ?? far) : valueKey(attribute, far)
}

const valueKey = (attribute: Attribute, value: unknown): unknown =>
  value === undefined ? undefined : rawKeyOfValue(attribute.column.codec.is(value) ? attribute.encode(value) : value)
