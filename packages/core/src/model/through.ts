/**
 * Association proxies: what stands at the far side of a relationship, as if the entity itself had it. An order has items
 * through the lines that link them to it, a user keywords through the rows that say how each was given.
 *
 * A proxy is a value beside the model, an optic: it leads from an instance to what it shows. Queries ask for what it leads to
 * (`any`, `has`, `valueThrough`), `viewThrough` reads it from snapshots, and sessions load and change it.
 *
 * What it shows has the form of the collection that it leads over: a list, a set, a map or record by key, groups. Lists and sets at the
 * far side of a list or a set run together; by key each stands for itself, so that a dictionary may hold sets.
 *
 * @example
 * const items = through(model.Order, 'lines', 'item', { make: (item) => ({ item, quantity: 1 }) })
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/extensions/associationproxy.html
 */
import type { Option } from 'fp-ts/lib/Option.js'
import type { CollectionForm, CollectionOf, CollectionShape, KeyOfCollection } from './collection.js'
import type {
  CollectionName,
  CollectionWith,
  DeferredAttribute,
  Draft,
  GivenTo,
  Managed,
  OwnName,
  ReferenceName,
  Related,
  RelationshipName,
  RowOf,
  ShapeOf,
  TargetOf,
  WritableCollection,
  WritableReference,
} from './infer.js'
import type { RelationshipMapping } from './mapping.js'
import type { Mapped } from './model.js'

/** As what a proxy shows what it leads to: groups are keyed too. @category model */
export type ThroughForm = 'one' | 'list' | 'set' | 'keyed'

/**
 * What types know of where a proxy leads.
 *
 * @category model
 */
export interface Reach {
  /** The entity at its end. */
  readonly target: string
  readonly form: ThroughForm
  /** Does its first relationship lead to one link, or to a collection of them? */
  readonly links: 'one' | 'many'
  /** One of what it shows, and as what that may be given. */
  readonly member: unknown
  readonly given: unknown
  /** All that it shows, and as what that may be given. */
  readonly shown: unknown
  readonly whole: unknown
  /** What it shows things by; never where it has no keys. */
  readonly key: unknown
  /** What a snapshot has to have loaded to be read. */
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
  /** What stands at the far side of the first: its target's attribute or relationship, or a proxy of its target's. */
  readonly far: string | AnyThrough
  /** Never there: carries `R`. */
  readonly [reach]?: R
}

/**
 * A proxy that knows the link to make to what it is given.
 *
 * @category model
 */
export interface ThroughLinks<out M, out N extends string, out R extends Reach> extends Through<M, N, R> {
  /** The draft of a link, to what it is to lead to and under a key, if the links are kept by one. */
  readonly make: (far: never, key: never) => unknown
}

/** A proxy of any entity's. @category model */
export type AnyThrough = Through<unknown, string, Reach>

/** What a proxy shows: an option over references, otherwise a collection. @category model */
export type ThroughTo<R extends Reach> = R['shown']

/** Attributes that a row is loaded with. */
type ShownAttribute<M, N> = Exclude<OwnName<M, N>, DeferredAttribute<M, N>>

/** What may stand at the far side of a relationship to `N`: an attribute, a relationship, a proxy of its own. @category model */
export type Far<M, N extends string> = ShownAttribute<M, N> | RelationshipName<M, N> | Through<M, N, Reach>

/** What leads to one thing of an entity. */
interface One<Target extends string, Member, Given, Loaded> {
  readonly target: Target
  readonly form: 'one'
  readonly links: 'one'
  readonly member: Member
  readonly given: Given
  readonly shown: Option<Member>
  readonly whole: Given
  readonly key: never
  readonly loaded: Loaded
}

/** The far side of a relationship, of which there may be many. */
type FarReach<M, N extends string, F> =
  F extends Through<unknown, string, infer R>
    ? R
    : F extends CollectionName<M, N>
      ? Collected<
          ShapeOf<M, N, F>,
          RowOf<M, TargetOf<M, N, F>>,
          One<
            TargetOf<M, N, F>,
            Managed<M, TargetOf<M, N, F>>,
            GivenTo<M, N, F>,
            { readonly [K in F]: Related<M, N, F> }
          >,
          { readonly [K in F]: Related<M, N, F> }
        >
      : F extends ReferenceName<M, N>
        ? One<
            TargetOf<M, N, F>,
            Managed<M, TargetOf<M, N, F>>,
            GivenTo<M, N, F>,
            { readonly [K in F]: Related<M, N, F> }
          >
        : F extends keyof RowOf<M, N>
          ? One<N, RowOf<M, N>[F], RowOf<M, N>[F], { readonly [K in F]: RowOf<M, N>[F] }>
          : never

type FormOf<F extends CollectionShape> = F extends { readonly form: infer Form } ? Form : 'list'

/** One of many: what runs together is as its parts, of what does not each is one. */
type MemberOver<R extends Reach> = R['form'] extends 'keyed' ? R['shown'] : R['member']
type GivenOver<R extends Reach> = R['form'] extends 'keyed' ? R['whole'] : R['given']

type GivenMany<A> = ReadonlyArray<A> | ReadonlySet<A>

/** What a collection of a shape shows of far sides. */
type Collected<F extends CollectionShape, Row, R extends Reach, Loaded> = {
  readonly list: {
    readonly target: R['target']
    readonly form: 'list'
    readonly links: 'many'
    readonly member: MemberOver<R>
    readonly given: GivenOver<R>
    readonly shown: ReadonlyArray<MemberOver<R>>
    readonly whole: GivenMany<GivenOver<R>>
    readonly key: never
    readonly loaded: Loaded
  }
  readonly set: {
    readonly target: R['target']
    readonly form: 'set'
    readonly links: 'many'
    readonly member: MemberOver<R>
    readonly given: GivenOver<R>
    readonly shown: ReadonlySet<MemberOver<R>>
    readonly whole: GivenMany<GivenOver<R>>
    readonly key: never
    readonly loaded: Loaded
  }
  readonly keyed: {
    readonly target: R['target']
    readonly form: 'keyed'
    readonly links: 'many'
    readonly member: R['form'] extends 'one' ? R['member'] : R['shown']
    readonly given: R['whole']
    readonly shown: CollectionOf<F, R['form'] extends 'one' ? R['member'] : R['shown'], Row>
    readonly whole: CollectionOf<F, R['whole'], Row>
    readonly key: KeyOfCollection<F, Row>
    readonly loaded: Loaded
  }
  readonly grouped: {
    readonly target: R['target']
    readonly form: 'keyed'
    readonly links: 'many'
    readonly member: MemberOver<R>
    readonly given: GivenOver<R>
    readonly shown: CollectionOf<F, MemberOver<R>, Row>
    readonly whole: CollectionOf<F, GivenOver<R>, Row>
    readonly key: never
    readonly loaded: Loaded
  }
}[FormOf<F> & ('list' | 'set' | 'keyed' | 'grouped')]

/** Over a reference there is what its target has, if there is one. */
type Referred<K extends string, R extends Reach> = {
  readonly target: R['target']
  readonly form: R['form']
  readonly links: 'one'
  readonly member: R['member']
  readonly given: R['given']
  readonly shown: R['shown']
  readonly whole: R['whole']
  readonly key: R['key']
  readonly loaded: { readonly [P in K]: Option<R['loaded']> }
}

/** Where a proxy over the relationship `K` leads. @category model */
export type ReachOver<M, N, K extends string, R extends Reach> =
  K extends CollectionName<M, N>
    ? Collected<
        ShapeOf<M, N, K>,
        RowOf<M, TargetOf<M, N, K>>,
        R,
        { readonly [P in K]: CollectionWith<M, N, K, R['loaded']> }
      >
    : Referred<K, R>

/** One of many is added by a link to it, which could not be made of it if it led to many. */
type Single<M, N, K, R extends Reach> =
  FormOf<ShapeOf<M, N, K>> extends 'keyed'
    ? unknown
    : K extends ReferenceName<M, N>
      ? unknown
      : R['form'] extends 'one'
        ? unknown
        : { readonly fault: 'a link that leads to many cannot be made of one of them' }

/** What links are kept by, groups too. */
type LinkKey<M, N, K> =
  FormOf<ShapeOf<M, N, K>> extends 'grouped'
    ? GroupKey<CollectionWith<M, N, K, unknown>>
    : KeyOfCollection<ShapeOf<M, N, K>, RowOf<M, TargetOf<M, N, K>>>

type GroupKey<G> = G extends ReadonlyMap<infer K, unknown> ? K : never

/**
 * The proxy of an entity over one of its relationships, to what stands at the far side: an attribute of the target, what a
 * relationship of the target leads to, or a proxy of the target's own. With `make`, which gives the link to what is added, and by
 * key or in groups gets that too, the session can add to it.
 *
 * @example
 * through(model.Order, 'lines', 'item', { make: (item) => ({ item, quantity: 1 }) })
 * through(model.User, 'keywords', 'word', { make: (word) => ({ word }) })
 * through(model.User, 'taggings', through(model.Tagging, 'keyword', 'word'))
 * through(model.User, 'settings', 'value', { make: (value, name) => ({ name, value }) }) // settings are kept by name
 * through(model.User, 'profile', 'bio', { make: (bio) => ({ bio }) })
 *
 * @category constructors
 */
export function through<
  M,
  N extends string,
  const K extends WritableCollection<M, N> | WritableReference<M, N>,
  const F extends Far<M, TargetOf<M, N, K>>,
>(
  entity: Mapped<M, N>,
  over: K,
  far: F & Single<M, N, K, FarReach<M, TargetOf<M, N, K>, F>>,
  options: {
    readonly make: (
      far: FarReach<M, TargetOf<M, N, K>, F>['whole'],
      key: LinkKey<M, N, K>,
    ) => Draft<M, TargetOf<M, N, K>>
  },
): ThroughLinks<M, N, ReachOver<M, N, K, FarReach<M, TargetOf<M, N, K>, F>>>
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
  options: { readonly make?: (far: never, key: never) => unknown } = {},
): AnyThrough {
  const target = entity.mapping.relationshipOf.get(over)?.target
  const rest =
    typeof far !== 'string'
      ? far
      : target?.attributeOf.has(far) === true
        ? { path: [], attribute: far }
        : { path: [far], attribute: null }
  return { _tag: 'Through', entity, path: [over, ...rest.path], attribute: rest.attribute, far, ...options }
}

/** Is a value a proxy? @category guards */
export const isThrough = (value: unknown): value is AnyThrough =>
  typeof value === 'object' && value !== null && '_tag' in value && value._tag === 'Through'

/**
 * The relationships that a proxy leads over; null in the place of one that is not there.
 *
 * @category combinators
 */
export const relationshipsThrough = ({ entity, path }: AnyThrough): ReadonlyArray<RelationshipMapping | null> => {
  let at = entity.mapping as RelationshipMapping['target'] | undefined
  return path.map((name) => {
    const relationship = at?.relationshipOf.get(name)
    at = relationship?.target
    return relationship ?? null
  })
}

/** The form of a relationship's far sides; null of a reference. @category combinators */
export const formOver = ({ collection, isCollection }: RelationshipMapping): CollectionForm | null =>
  isCollection ? collection.form : null
