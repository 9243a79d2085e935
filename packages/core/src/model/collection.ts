/**
 * Kinds of collections: as what a relationship to many shows its members.
 *
 * A session keeps the members of every collection as a list. Its kind is the value that a program gets of them and may give for
 * them - an array, a set, a map by an attribute, whatever a program has itself - and what coming and going means: a set holds
 * a member once, and of two members with one key the later takes the place of the other.
 *
 * A kind is described without its members' type, which is another wherever it is used (rows, drafts, rows with what was loaded
 * beside them): by a {@link CollectionShape}, a type-level function.
 *
 * @example
 * User: {
 *   roles: r.User.manyToMany('Role', { through, collection: asSet }),
 *   notes: r.User.hasMany('Note', { foreignKey: 'userId', collection: keyedBy('title') }),
 * }
 */

/** What members can be kept by: values that are equal where they are `===`. @category model */
export type CollectionKey = string | number | bigint | boolean | null

/**
 * From the type of a member to that of the collection: `shown`, and `key` of one that is kept by key, are written in terms
 * of `this['member']` and `this['row']`, the member as it is and the row of its entity.
 *
 * @example
 * interface ChunkShape extends CollectionShape {
 *   readonly shown: Chunk<this['member']>
 * }
 *
 * @category model
 */
export interface CollectionShape {
  readonly member: unknown
  readonly row: unknown
  readonly shown: unknown
  readonly key: unknown
}

/** The collection of a shape with members `A`, rows `Row`. @category model */
export type CollectionOf<F extends CollectionShape, A, Row = unknown> = (F & {
  readonly member: A
  readonly row: Row
})['shown']

/** What members of a collection of a shape are kept by; never where it has no keys. @category model */
export type KeyOfCollection<F extends CollectionShape, Row> = (F & { readonly row: Row })['key']

/** @category model */
export interface ListShape extends CollectionShape {
  readonly shown: ReadonlyArray<this['member']>
  readonly key: never
  readonly form: 'list'
}

/** @category model */
export interface SetShape extends CollectionShape {
  readonly shown: ReadonlySet<this['member']>
  readonly key: never
  readonly form: 'set'
}

type ValueAt<Row, K extends string> = K extends keyof Row ? Row[K] : never

/** @category model */
export interface MapShape<K extends string> extends CollectionShape {
  readonly shown: ReadonlyMap<ValueAt<this['row'], K>, this['member']>
  readonly key: ValueAt<this['row'], K>
  readonly form: 'keyed'
}

/** @category model */
export interface RecordShape<K extends string> extends CollectionShape {
  readonly shown: Readonly<Record<Extract<ValueAt<this['row'], K>, string>, this['member']>>
  readonly key: ValueAt<this['row'], K>
  readonly form: 'keyed'
}

/** @category model */
export interface GroupsShape<K extends string> extends CollectionShape {
  readonly shown: ReadonlyMap<ValueAt<this['row'], K>, ReadonlyArray<this['member']>>
  readonly key: never
  readonly form: 'grouped'
}

/** `position` is the attribute that holds the places. @category model */
export interface PositionedShape<P extends string> extends ListShape {
  readonly position: P
}

/** Things with what they stand under in a collection. @category model */
export type Entries = ReadonlyArray<readonly [key: CollectionKey, thing: unknown]>

/** @category model */
export interface ListForm {
  readonly _tag: 'List'
}

/** @category model */
export interface SetForm {
  readonly _tag: 'Set'
}

/** One thing under a key. @category model */
export interface KeyedForm {
  readonly _tag: 'Keyed'
  readonly from: (entries: Entries) => unknown
  readonly entries: (self: unknown) => Entries
}

/** Several things under a key: the value of an attribute. @category model */
export interface GroupedForm {
  readonly _tag: 'Grouped'
  readonly by: string
  readonly from: (entries: Entries) => unknown
  readonly entries: (self: unknown) => Entries
}

/**
 * As what a collection shows things that stand in the places of its members, as a proxy has them.
 *
 * @category model
 */
export type CollectionForm = ListForm | SetForm | KeyedForm | GroupedForm

/** What may be given for a collection: its own value, or its members in order. */
type Given<F extends CollectionShape, A> = CollectionOf<F, A> | ReadonlyArray<A>

/**
 * A kind of collection, for rows that are at least a `Row`. `collectionKind` makes one that types its functions.
 *
 * @category model
 */
export interface CollectionKind<F extends CollectionShape, in Row = never> {
  readonly _tag: 'CollectionKind'
  readonly name: string
  /** The collection of some members in order, and of the keys that they stand under, where they have any. */
  readonly from: (members: ReadonlyArray<unknown>, keys: ReadonlyArray<CollectionKey>) => CollectionOf<F, unknown>
  /** Its members in order. */
  readonly to: (self: CollectionOf<F, unknown>) => ReadonlyArray<unknown>
  /** Is it a value of this kind? */
  readonly is: (value: unknown) => boolean
  /** With one more, where that is more than one more at the end. */
  readonly add: ((member: unknown) => (self: CollectionOf<F, unknown>) => Given<F, unknown>) | null
  /** Without one, where more follows from that. */
  readonly remove: ((member: unknown) => (self: CollectionOf<F, unknown>) => Given<F, unknown>) | null
  /** What a member is kept by: of two with one key the later takes the place of the other. */
  readonly key: ((row: Row) => CollectionKey | undefined) | null
  /** Why a value of this kind cannot be given, although it is one: null where it can. */
  readonly fault: ((value: unknown) => string | null) | null
  /** Does it hold a member once at most? */
  readonly isUnique: boolean
  /** The attributes of the members that it reads. */
  readonly attributes: ReadonlyArray<string>
  /** Where the members' places are written, and the first of them. */
  readonly position: Position | null
  /** As what a proxy over it shows the far sides: a list, where nothing is said. */
  readonly form: CollectionForm
}

/** @category model */
export interface Position {
  readonly attribute: string
  readonly first: number
}

/** A kind of collection, whichever. @category model */
// biome-ignore lint/suspicious/noExplicitAny: a kind of any shape, whose functions take and give what that says
export type AnyCollectionKind = CollectionKind<any, never>

/**
 * What a collection of one's own has to say of itself. `A` is a member: all that is known of it is that its row is a `Row`.
 *
 * @category model
 */
export interface CollectionFunctions<F extends CollectionShape, Row> {
  /** Stands in messages. */
  readonly name: string
  readonly is: (value: unknown) => boolean
  readonly from: <A extends Row>(
    members: ReadonlyArray<A>,
    keys: ReadonlyArray<KeyOfCollection<F, Row>>,
  ) => CollectionOf<F, A, Row>
  readonly to: <A>(self: CollectionOf<F, A, Row>) => ReadonlyArray<A>
  /**
   * What it becomes when a member joins it: at the end, where nothing is said. What is not in it any more leaves the
   * relationship.
   */
  readonly add?: <A extends Row>(member: A) => (self: CollectionOf<F, A, Row>) => CollectionOf<F, A, Row>
  /** What it becomes when a member leaves it. */
  readonly remove?: <A extends Row>(member: A) => (self: CollectionOf<F, A, Row>) => CollectionOf<F, A, Row>
  /** What members are kept by, if they are: of two with one key the later takes the place of the other. */
  readonly key?: (row: Row) => KeyOfCollection<F, Row> & CollectionKey
  /** Does it hold a member once at most? So does what is kept by key. */
  readonly isUnique?: boolean
}

const plain = {
  _tag: 'CollectionKind',
  add: null,
  remove: null,
  key: null,
  fault: null,
  isUnique: false,
  attributes: [],
  position: null,
  form: { _tag: 'List' },
} as const

/**
 * A kind of a program's own, for an immutable collection of its own. `Row` is what it asks of the rows of its members.
 *
 * `from` and `to` are inverse to each other but for what the collection adds, such as an order; laws hold for the collections that
 * they make, not for others that a program may build.
 *
 * @example
 * const sorted = collectionKind<SortedShape, { readonly name: string }>({
 *   name: 'sorted',
 *   is: isSorted,
 *   from: (members) => sortedBy((one) => one.name)(members),
 *   to: (self) => self.items,
 *   add: (member) => insert(member),
 * })
 *
 * @category constructors
 */
export const collectionKind = <F extends CollectionShape, Row = unknown>(
  functions: CollectionFunctions<F, Row>,
): CollectionKind<F, Row> =>
  ({ ...plain, ...functions, isUnique: functions.isUnique === true || functions.key !== undefined }) as never

const arrayKind = { from: (members: unknown) => members, to: (self: unknown) => self, is: Array.isArray }

/**
 * An array, in the order of loading and appending: what a relationship to many is where nothing else is said.
 *
 * @category constructors
 */
export const asList: CollectionKind<ListShape, unknown> = { ...plain, ...arrayKind, name: 'list' } as never

/**
 * A `ReadonlySet`: a member that is appended again stays where it is.
 *
 * @category constructors
 */
export const asSet: CollectionKind<SetShape, unknown> = {
  ...plain,
  name: 'set',
  from: (members) => new Set(members),
  to: (self) => [...self],
  is: (value) => value instanceof Set,
  isUnique: true,
  form: { _tag: 'Set' },
}

const keptBy = (member: unknown, attribute: string): CollectionKey | undefined =>
  (member as Readonly<Record<string, CollectionKey | undefined>>)[attribute]

/** Of what is given by key: does each stand under its own? A draft may leave to the database what it is kept by. */
const misplaced = (attribute: string, entries: Iterable<readonly [unknown, unknown]>): string | null => {
  for (const [key, member] of entries) {
    const own = typeof member === 'object' && member !== null ? keptBy(member, attribute) : undefined
    if (own !== undefined && own !== key)
      return `what is kept by ${attribute} '${String(own)}' stands under '${String(key)}'`
  }
  return null
}

const mapForm: KeyedForm = {
  _tag: 'Keyed',
  from: (entries) => new Map(entries),
  entries: (self) => [...(self as ReadonlyMap<CollectionKey, unknown>)],
}

const recordForm: KeyedForm = {
  _tag: 'Keyed',
  from: (entries) => Object.fromEntries(entries.map(([key, thing]) => [String(key), thing])),
  entries: (self) => Object.entries(self as Readonly<Record<string, unknown>>),
}

const zipped = (
  keys: ReadonlyArray<CollectionKey>,
  members: ReadonlyArray<unknown>,
): ReadonlyArray<readonly [CollectionKey, unknown]> => keys.map((key, i) => [key, members[i]] as const)

/**
 * A `ReadonlyMap` by an attribute of the members. It keeps the type of the key and the order of the members, where a record has
 * only texts, and puts those first that look like numbers; see `recordBy` for that.
 *
 * A member stands under the value that it had when it came or was loaded: one that is changed since then shows when the
 * collection is loaded again, as with SQLAlchemy's `attribute_keyed_dict`.
 *
 * @example
 * notes: r.User.hasMany('Note', { foreignKey: 'userId', collection: keyedBy('title') })
 *
 * @category constructors
 */
export const keyedBy = <const K extends string>(
  attribute: K,
): CollectionKind<MapShape<K>, { readonly [P in K]: CollectionKey }> =>
  ({
    ...plain,
    name: `keyedBy(${attribute})`,
    from: (members: ReadonlyArray<unknown>, keys: ReadonlyArray<CollectionKey>) => new Map(zipped(keys, members)),
    to: (self: ReadonlyMap<unknown, unknown>) => [...self.values()],
    is: (value: unknown) => value instanceof Map,
    key: (row: unknown) => keptBy(row, attribute),
    fault: (value: ReadonlyMap<unknown, unknown>) => misplaced(attribute, value),
    isUnique: true,
    attributes: [attribute],
    form: mapForm,
  }) as never

/**
 * A readonly record by a text attribute of the members, as `keyedBy` otherwise.
 *
 * @category constructors
 */
export const recordBy = <const K extends string>(
  attribute: K,
): CollectionKind<RecordShape<K>, { readonly [P in K]: string }> =>
  ({
    ...keyedBy(attribute),
    name: `recordBy(${attribute})`,
    from: (members: ReadonlyArray<unknown>, keys: ReadonlyArray<CollectionKey>) =>
      Object.fromEntries(zipped(keys, members)),
    to: (self: Readonly<Record<string, unknown>>) => Object.values(self),
    is: (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
    fault: (value: Readonly<Record<string, unknown>>) => misplaced(attribute, Object.entries(value)),
    form: recordForm,
  }) as never

/**
 * A `ReadonlyMap` from the values of an attribute to the members that have them, each group in the order of the list. Groups are
 * made of the members as they are when they are shown, and hold each once.
 *
 * @category constructors
 */
export const groupedBy = <const K extends string>(
  attribute: K,
): CollectionKind<GroupsShape<K>, { readonly [P in K]: CollectionKey }> =>
  ({
    ...plain,
    name: `groupedBy(${attribute})`,
    isUnique: true,
    from: (members: ReadonlyArray<unknown>) => grouped(members.map((member) => [keptBy(member, attribute), member])),
    to: (self: ReadonlyMap<unknown, ReadonlyArray<unknown>>) => [...self.values()].flat(),
    is: (value: unknown) => value instanceof Map,
    fault: (value: ReadonlyMap<unknown, ReadonlyArray<unknown>>) => misplaced(attribute, groupEntries(value)),
    attributes: [attribute],
    form: { _tag: 'Grouped', by: attribute, from: grouped, entries: groupEntries },
  }) as never

const grouped = (entries: ReadonlyArray<readonly [unknown, unknown]>): ReadonlyMap<unknown, ReadonlyArray<unknown>> => {
  const groups = new Map<unknown, unknown[]>()
  for (const [key, thing] of entries) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [thing])
    else group.push(thing)
  }
  return groups
}

const groupEntries = <K>(groups: ReadonlyMap<K, ReadonlyArray<unknown>>): ReadonlyArray<readonly [K, unknown]> =>
  [...groups].flatMap(([key, group]) => group.map((thing) => [key, thing] as const))

/**
 * An array whose members know their places by an integer attribute of their own: it loads in that order, and a flush numbers it
 * again where it changed, from `first` (0), writing the rows of those whose place is another than before. As SQLAlchemy's
 * `ordering_list`, but that places are given by the flush.
 *
 * @example
 * bullets: r.Slide.hasMany('Bullet', { foreignKey: 'slideId', collection: positioned('position') })
 *
 * @category constructors
 */
export const positioned = <const P extends string>(
  attribute: P,
  options: { readonly first?: number } = {},
): CollectionKind<PositionedShape<P>, { readonly [K in P]: number | null }> =>
  ({
    ...asList,
    name: `positioned(${attribute})`,
    isUnique: true,
    attributes: [attribute],
    position: { attribute, first: options.first ?? 0 },
  }) as never

/**
 * The members that a value given for a collection names: an array of them, or what the kind shows. Gives what is wrong with it
 * otherwise.
 *
 * @category combinators
 */
export const membersGiven = (kind: AnyCollectionKind, value: unknown): ReadonlyArray<unknown> | string => {
  if (Array.isArray(value)) return value
  if (!kind.is(value)) {
    return kind.name === asList.name
      ? 'a collection is given as an array'
      : `a collection that is ${kind.name} is given as that, or as an array`
  }
  return kind.fault?.(value) ?? kind.to(value)
}
