/**
 * Association proxies: what stands at the far side of a relationship, as if the entity itself had it. An order has items
 * through the lines that link them to it, a user keywords through the rows that say how each was given.
 *
 * A proxy is a value beside the model. Queries ask for what it leads to (`any`), `viewThrough` reads it from snapshots, and
 * sessions load and change it.
 *
 * @example
 * const items = through(model.Order, 'lines', 'item', { make: (item) => ({ item, quantity: 1 }) })
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/extensions/associationproxy.html
 */
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import type {
  CollectionName,
  CollectionWith,
  DeferredAttribute,
  Draft,
  DraftOrInstance,
  Managed,
  Related,
  RelationshipName,
  RowOf,
  TargetOf,
  WritableCollection,
} from './infer.js'
import type { Mapping, RelationshipMapping } from './mapping.js'
import type { Mapped } from './model.js'

/**
 * What types know of where a proxy leads: the entity at its end, whether there may be many, what each is shown as, what it may be
 * given as, and what a snapshot has to have loaded to be read.
 *
 * @category model
 */
export interface Reach {
  readonly target: string
  readonly holds: 'one' | 'many'
  readonly member: unknown
  readonly given: unknown
  readonly loaded: unknown
}

declare const reach: unique symbol

/**
 * A proxy of an entity's, over its relationships.
 *
 * @category model
 */
export interface Through<out M, out N extends string, out R extends Reach> {
  readonly _tag: 'Through'
  readonly entity: Mapped<M, N>
  /** The relationships that it leads over, from the entity on. */
  readonly path: ReadonlyArray<string>
  /** What it shows of the last one's targets; null where it shows them. */
  readonly attribute: string | null
  readonly isCollection: boolean
  /** Never there: carries `R`. */
  readonly [reach]?: R
}

declare const given: unique symbol

/**
 * A proxy that can be added to: it knows the link to make.
 *
 * @category model
 */
export interface ThroughLinks<out M, out N extends string, out R extends Reach, in G> extends Through<M, N, R> {
  /** The draft of a link to what is added. */
  readonly make: (far: never) => unknown
  /** Never there: carries `G`. */
  readonly [given]?: (far: G) => void
}

/** A proxy of any entity's. @category model */
export type AnyThrough = Through<unknown, string, Reach>

/** What a proxy shows: a list over a collection, otherwise an option. @category model */
export type ThroughTo<R extends Reach> = R['holds'] extends 'many' ? ReadonlyArray<R['member']> : Option<R['member']>

/** Attributes that a row is loaded with. */
type ShownAttribute<M, N> = Exclude<keyof RowOf<M, N>, DeferredAttribute<M, N>> & string

/** What may stand at the far side of a relationship to `N`: an attribute, a relationship, a proxy of its own. @category model */
export type Far<M, N extends string> = ShownAttribute<M, N> | RelationshipName<M, N> | Through<M, N, Reach>

/** Where the far side of a relationship to `N` leads. */
type FarReach<M, N extends string, F> =
  F extends Through<unknown, string, infer R>
    ? R
    : F extends RelationshipName<M, N>
      ? {
          readonly target: TargetOf<M, N, F>
          readonly holds: F extends CollectionName<M, N> ? 'many' : 'one'
          readonly member: Managed<M, TargetOf<M, N, F>>
          readonly given: DraftOrInstance<M, TargetOf<M, N, F>>
          readonly loaded: { readonly [K in F]: Related<M, N, F> }
        }
      : F extends keyof RowOf<M, N>
        ? {
            readonly target: N
            readonly holds: 'one'
            readonly member: RowOf<M, N>[F]
            readonly given: RowOf<M, N>[F]
            readonly loaded: { readonly [K in F]: RowOf<M, N>[F] }
          }
        : never

/** Where a proxy over the relationship `K` leads. @category model */
export type ReachOver<M, N, K extends string, R extends Reach> = {
  readonly target: R['target']
  readonly holds: K extends CollectionName<M, N> ? 'many' : R['holds']
  readonly member: R['member']
  readonly given: R['given']
  readonly loaded: {
    readonly [P in K]: K extends CollectionName<M, N> ? CollectionWith<M, N, K, R['loaded']> : Option<R['loaded']>
  }
}

/** A link leads to one thing, or it could not be made of it. */
type Single<F> =
  F extends Through<unknown, string, infer R>
    ? R['holds'] extends 'one'
      ? unknown
      : { readonly fault: 'a link that leads to many cannot be made of one of them' }
    : unknown

/**
 * The proxy of an entity over one of its relationships, to what stands at the far side: an attribute of the target, what a
 * relationship of the target leads to, or a proxy of the target's own. With `make`, which gives the link to what is added, the
 * session can add to it.
 *
 * @example
 * through(model.Order, 'lines', 'item', { make: (item) => ({ item, quantity: 1 }) })
 * through(model.User, 'keywords', 'word', { make: (word) => ({ word }) })
 * through(model.User, 'taggings', through(model.Tagging, 'keyword', 'word'))
 *
 * @category constructors
 */
export function through<
  M,
  N extends string,
  const K extends WritableCollection<M, N>,
  const F extends Exclude<Far<M, TargetOf<M, N, K>>, CollectionName<M, TargetOf<M, N, K>>>,
>(
  entity: Mapped<M, N>,
  over: K,
  far: F & Single<F>,
  options: { readonly make: (far: FarReach<M, TargetOf<M, N, K>, F>['given']) => Draft<M, TargetOf<M, N, K>> },
): ThroughLinks<M, N, ReachOver<M, N, K, FarReach<M, TargetOf<M, N, K>, F>>, FarReach<M, TargetOf<M, N, K>, F>['given']>
export function through<
  M,
  N extends string,
  const K extends RelationshipName<M, N>,
  const F extends Far<M, TargetOf<M, N, K>>,
>(entity: Mapped<M, N>, over: K, far: F): Through<M, N, ReachOver<M, N, K, FarReach<M, TargetOf<M, N, K>, F>>>
export function through(
  entity: Mapped<unknown, string>,
  over: string,
  far: string | AnyThrough,
  options: { readonly make?: (far: never) => unknown } = {},
): AnyThrough {
  const { isCollection = false, target } = entity.mapping.relationshipOf.get(over) ?? {}
  const rest =
    typeof far !== 'string'
      ? far
      : target?.attributeOf.has(far) === true
        ? { path: [], attribute: far, isCollection: false }
        : { path: [far], attribute: null, isCollection: target?.relationshipOf.get(far)?.isCollection === true }
  return {
    _tag: 'Through',
    entity,
    path: [over, ...rest.path],
    attribute: rest.attribute,
    isCollection: isCollection || rest.isCollection,
    ...options,
  }
}

/** Is a value a proxy? @category guards */
export const isThrough = (value: unknown): value is AnyThrough =>
  typeof value === 'object' && value !== null && '_tag' in value && value._tag === 'Through'

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
export const viewThrough =
  <M, N extends string, R extends Reach>(proxy: Through<M, N, R>) =>
  (loaded: R['loaded']): ThroughTo<R> => {
    const { attribute, entity, isCollection, path } = proxy
    let at: Mapping | undefined = entity.mapping
    let reached: ReadonlyArray<Values> = [loaded as Values]
    for (const name of path) {
      const relationship: RelationshipMapping | undefined = at?.relationshipOf.get(name)
      reached = relationship === undefined ? [] : reached.flatMap((one) => heldAs(relationship, one[name]))
      at = relationship?.target
    }
    const shown = attribute === null ? reached : reached.map((one) => one[attribute])
    return (isCollection ? shown : shown.length === 0 ? none : some(shown[0])) as ThroughTo<R>
  }

/** The targets of a relationship as snapshots have them: a collection of its kind, or an option. */
const heldAs = ({ collection, isCollection }: RelationshipMapping, related: unknown): ReadonlyArray<Values> =>
  isCollection
    ? (collection.to(related) as ReadonlyArray<Values>)
    : (related as Option<Values>)._tag === 'Some'
      ? [(related as { readonly value: Values }).value]
      : []
