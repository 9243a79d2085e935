/**
 * Reading what a proxy shows, from snapshots or from wherever else the links between things are known.
 */
import { isNone, none, type Option, some } from 'fp-ts/lib/Option.js'
import type { CollectionKey } from './collection.js'
import type { RelationshipMapping } from './mapping.js'
import {
  type AnyThrough,
  formOver,
  type Reach,
  relationshipsThrough,
  type Through,
  type ThroughForm,
  type ThroughTo,
} from './through.js'

/**
 * What a relationship leads to, and what that stands under in a collection that is kept by key or in groups.
 *
 * @category model
 */
export interface Linked<T> {
  readonly key: CollectionKey | null
  readonly to: T
}

/**
 * How a proxy's way goes on from a thing, and what it shows of one at its end.
 *
 * @category model
 */
export interface Walk<T> {
  readonly linked: (from: T, relationship: RelationshipMapping, level: number) => ReadonlyArray<Linked<T>>
  readonly shown: (end: T) => unknown
}

/** What a relationship shows of what has a form. */
const formBefore = (relationship: RelationshipMapping | null, after: ThroughForm): ThroughForm => {
  const form = relationship === null ? null : formOver(relationship)
  switch (form?._tag) {
    case undefined:
      return after
    case 'List':
      return 'list'
    case 'Set':
      return 'set'
    case 'Keyed':
    case 'Grouped':
      return 'keyed'
  }
}

/** The forms of what follows from each relationship on; of the end itself one. */
const formsOf = (relationships: ReadonlyArray<RelationshipMapping | null>): ReadonlyArray<ThroughForm> => {
  const forms: ThroughForm[] = ['one']
  for (const relationship of relationships.toReversed()) forms.push(formBefore(relationship, forms.at(-1) ?? 'one'))
  return forms.reverse()
}

/** As what a proxy shows what it leads to. @category combinators */
export const formThrough = (proxy: AnyThrough): ThroughForm => formsOf(relationshipsThrough(proxy))[0] ?? 'one'

/** What some things are shown as together; what is keyed is one thing already. */
const together = (form: ThroughForm, things: ReadonlyArray<unknown>): unknown => {
  switch (form) {
    case 'one':
      return things.length === 0 ? none : some(things[0])
    case 'list':
      return things
    case 'set':
      return new Set(things)
    case 'keyed':
      return things[0]
  }
}

/**
 * What a proxy shows of a thing, along the links that a walk knows. What leads nowhere shows nothing. O(links).
 *
 * @category combinators
 */
export const walkThrough = <T>(proxy: AnyThrough, { linked, shown }: Walk<T>): ((start: T) => unknown) => {
  const relationships = relationshipsThrough(proxy)
  const forms = formsOf(relationships)
  const formAt = (level: number): ThroughForm => forms[level] ?? 'one'
  const thingsFrom = (from: T | null, level: number): ReadonlyArray<unknown> => {
    if (level === relationships.length) return from === null ? [] : [shown(from)]
    const relationship = relationships[level] ?? null
    if (relationship === null) return []
    const links = from === null ? [] : linked(from, relationship, level)
    const form = formOver(relationship)
    switch (form?._tag) {
      case undefined:
        return thingsFrom(links[0]?.to ?? null, level + 1)
      case 'List':
      case 'Set':
        return links.flatMap(({ to }) => thingsFrom(to, level + 1))
      case 'Grouped':
        return [form.from(links.flatMap(({ key, to }) => thingsFrom(to, level + 1).map((thing) => [key, thing])))]
      case 'Keyed': {
        const after = formAt(level + 1)
        return [
          form.from(
            links.flatMap(({ key, to }) => {
              const things = thingsFrom(to, level + 1)
              return (after === 'one' ? things : [together(after, things)]).map((thing) => [key, thing] as const)
            }),
          ),
        ]
      }
    }
  }
  return (start) => together(formAt(0), thingsFrom(start, 0))
}

type Values = Readonly<Record<string, unknown>>

/**
 * What a proxy shows of a snapshot whose relationships along its way were loaded with it. Links that lead nowhere show nothing.
 *
 * @example
 * const orders = yield* pipe(select(model.Order), selectin('lines', joined('item')), Session.query)
 * orders.map(viewThrough(items)) // the items of each
 *
 * @category combinators
 */
export const viewThrough = <M, N extends string, R extends Reach>(
  proxy: Through<M, N, R>,
): ((loaded: R['loaded']) => ThroughTo<R>) =>
  walkThrough<Values>(proxy, {
    linked: (from, relationship) => heldAs(relationship, from[relationship.name]),
    shown: (end) => (proxy.attribute === null ? end : end[proxy.attribute]),
  }) as (loaded: unknown) => ThroughTo<R>

/** The targets of a relationship as snapshots have them: a collection of its kind, or an option. */
const heldAs = (relationship: RelationshipMapping, related: unknown): ReadonlyArray<Linked<Values>> => {
  const form = formOver(relationship)
  switch (form?._tag) {
    case undefined: {
      const target = related as Option<Values>
      return isNone(target) ? [] : [{ key: null, to: target.value }]
    }
    case 'List':
    case 'Set':
      return relationship.collection.to(related).map((to) => ({ key: null, to: to as Values }))
    case 'Keyed':
    case 'Grouped':
      return form.entries(related).map(([key, to]) => ({ key, to: to as Values }))
  }
}
