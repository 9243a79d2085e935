/**
 * A column: what a value is in the program, what it is in the database, and what the table says about it.
 *
 * Columns are values made by pipeable combinators around an io-ts codec. `A` is the program's side, `O` the portable
 * database side (number, string, boolean, bigint, bytes, null); how a driver spells `O` (SQLite keeps booleans as
 * 0 and 1) is the dialect's business and shows nowhere in programs.
 *
 * @example
 * import { pipe } from 'fp-ts/lib/function.js'
 * import { generated, integer, nullable, primaryKey, text } from '@unitary/core'
 *
 * const id = pipe(integer, primaryKey, generated) // Column<number, number, 'primaryKey' | 'generated'>
 * const nickname = pipe(text, nullable) // Column<string | null, string | null, 'nullable'>
 */
import * as t from 'io-ts'
import type { Expression } from 'kysely'
import { bigInt as bigIntCodec, bytes, IntegerType, json, NullableType } from '../codec/codecs.js'
import { type Decimal, DecimalType } from '../codec/decimal.js'
import { listOf } from '../codec/list.js'
import { InstantType, type PlainDate, plainDate as plainDateCodec } from '../codec/time.js'
import { uuid as uuidCodec } from '../codec/uuid.js'
import type { Services } from '../services.js'
import type { Generator } from './generator.js'

/**
 * The portable type of a column, from which each dialect chooses its own. It says too what the codec meets on the database's
 * side, whatever the driver: a number (`integer`, `real`), a number, bigint or decimal text (`bigint`), a boolean, bytes
 * (`blob`), and text otherwise - ISO 8601 in UTC with milliseconds for a `timestamp`, `YYYY-MM-DD` for a `date`, plain digits
 * for a `decimal`, JSON for `json` and `array`.
 *
 * @category model
 */
export type ColumnKind =
  | 'integer'
  | 'bigint'
  | 'real'
  | 'decimal'
  | 'text'
  | 'enum'
  | 'uuid'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | 'json'
  | 'array'
  | 'blob'

/**
 * What the table has to know of a column beside its kind: the digits of a decimal, the values of an enum, what an array holds.
 *
 * @category model
 */
export type ColumnDetail =
  | { readonly _tag: 'Decimal'; readonly precision: number; readonly scale: number }
  | { readonly _tag: 'Enum'; readonly values: ReadonlyArray<string> }
  | { readonly _tag: 'Array'; readonly item: ColumnType }

/** What a dialect chooses the type of a column by. @category model */
export interface ColumnType {
  readonly kind: ColumnKind
  readonly detail: ColumnDetail | null
}

/**
 * What types need to know about a column. `generated` and `default` make it optional in drafts, `nullable` too.
 *
 * @category model
 */
export type ColumnFlag =
  | 'primaryKey'
  | 'generated'
  | 'nullable'
  | 'default'
  | 'version'
  | 'serverVersion'
  | 'deferred'
  | `group ${string}`

/**
 * What happens to a referencing row when the referenced one goes or changes its key.
 *
 * @category model
 */
export type ReferentialAction = 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action'

/**
 * When a deferrable constraint is checked where a transaction says nothing about it. MySQL and MariaDB have none that is.
 *
 * @category model
 */
export type Deferrable = 'initially deferred' | 'initially immediate'

/**
 * What a foreign key says beyond its columns.
 *
 * @category model
 */
export interface ReferenceOptions {
  readonly onDelete?: ReferentialAction
  readonly onUpdate?: ReferentialAction
  /** Whether its check may wait for the end of the transaction, and does so unless told otherwise. */
  readonly deferrable?: Deferrable
  /** The constraint's, where it is not to be made of the table's and the columns'. */
  readonly name?: string
  /** Whether its columns get an index where no key serves as one; they do where nothing is said. */
  readonly index?: boolean
}

/**
 * A foreign key of one column. For a key of several columns the entity's options or the relationship name them.
 *
 * @category model
 */
export interface ForeignKey {
  readonly table: string
  readonly column: string
  readonly onDelete: ReferentialAction | null
  readonly onUpdate: ReferentialAction | null
  readonly deferrable: Deferrable | null
  /** The constraint's, where it is not to be made of the table's and the column's. */
  readonly name: string | null
  /** Whether the column gets an index where no key serves as one. */
  readonly index: boolean
}

/**
 * @category model
 */
export interface Column<A, O = A, Flags extends ColumnFlag = never> extends ColumnType {
  readonly _tag: 'Column'
  readonly codec: t.Type<A, O, unknown>
  readonly flags: ReadonlyArray<Flags>
  /** Its name in the table where that differs from the attribute's. */
  readonly columnName: string | null
  /** Gives the value of a row that names none; runs when the row is made. */
  readonly defaultValue: ((services: Services) => A) | null
  /** Gives the value of an inserted row that has none; runs when the insert is planned. */
  readonly insertValue: ((services: Services) => A) | null
  /** Gives the value of an updated row that sets none. */
  readonly updateValue: ((services: Services) => A) | null
  /** What the database computes for an inserted row that has no value. */
  readonly insertExpression: Expression<unknown> | null
  /** What the database computes for an updated row that sets none. */
  readonly updateExpression: Expression<unknown> | null
  /** What the table puts in where an insert leaves the column out. */
  readonly serverDefault: Expression<unknown> | null
  /** What a flush draws the value of an inserted row from that has none. */
  readonly generator: Generator | null
  readonly foreignKey: ForeignKey | null
  readonly unique: boolean
  /** Its type in the table, where the dialect is not to choose: one for all databases, or for some of them. */
  readonly sqlType: string | SqlTypes | null
  /** What a program's value has to be besides, in the order in which it was said. */
  readonly rules: ReadonlyArray<Rule<A>>
}

/**
 * What a value has to be beyond its type, and what such a value is called.
 *
 * @category model
 */
export interface Rule<in A> {
  readonly name: string
  readonly holds: (value: A) => boolean
}

/** @category model */
export type SqlTypes = { readonly [Dialect in 'sqlite' | 'postgres' | 'mysql']?: string }

// biome-ignore lint/suspicious/noExplicitAny: a column of any type, whose codec is invariant
export type AnyColumn = Column<any, any, any>

/**
 * A column of a codec of your own. The codec's output must be a portable database value.
 *
 * @example
 * const joined = column(isoDate, 'text') // Column<Date, string>
 *
 * @category constructors
 */
export const column = <A, O>(codec: t.Type<A, O, unknown>, kind: ColumnKind): Column<A, O> => ({
  _tag: 'Column',
  codec,
  kind,
  detail: null,
  flags: [],
  columnName: null,
  defaultValue: null,
  insertValue: null,
  updateValue: null,
  insertExpression: null,
  updateExpression: null,
  serverDefault: null,
  generator: null,
  foreignKey: null,
  unique: false,
  sqlType: null,
  rules: [],
})

/** A whole number that a double holds exactly. For larger ones see `bigint`. @category constructors */
export const integer: Column<number> = column(new IntegerType(), 'integer')

/** A 64-bit integer as `bigint`. @category constructors */
export const bigint: Column<bigint> = column(bigIntCodec, 'bigint')

/** A floating-point number. @category constructors */
export const real: Column<number> = column(t.number, 'real')

/** @category constructors */
export const text: Column<string> = column(t.string, 'text')

/** Kept as 0 and 1 where the database has no booleans. @category constructors */
export const boolean: Column<boolean> = column(t.boolean, 'boolean')

/** Bytes. @category constructors */
export const blob: Column<Uint8Array> = column(bytes, 'blob')

/**
 * An instant as a `Date`, to the millisecond, in the years 1 to 9999: `timestamptz(3)` on PostgreSQL, `datetime(3)` in UTC on
 * MySQL, ISO text in UTC on SQLite. Whatever the time zone of server, driver and process is, it is the same instant.
 *
 * @category constructors
 */
export const instant: Column<Date, string> = column(new InstantType(), 'timestamp')

/**
 * A day of the calendar without a time zone, as `YYYY-MM-DD` (see `parsePlainDate`): `date`, and text on SQLite.
 *
 * @category constructors
 */
export const plainDate: Column<PlainDate> = column(plainDateCodec, 'date')

/**
 * A UUID in its canonical form of lower case: `uuid` on PostgreSQL, `char(36)` on MySQL, text on SQLite.
 *
 * @example
 * const id = pipe(uuid, primaryKey, withDefault((services) => services.uuid()))
 *
 * @category constructors
 */
export const uuid: Column<string> = column(uuidCodec, 'uuid')

/**
 * An exact decimal number of at most `precision` digits, `scale` of them after the point, as canonical text (see
 * `parseDecimal`): `numeric` on PostgreSQL and `decimal` on MySQL (65 digits, 38 after the point, at most). SQLite has no exact
 * numbers with a fraction: there it is text that sorts and compares as the numbers do, and that SQL cannot calculate with.
 *
 * @example
 * const price = decimal(12, 2)
 *
 * @category constructors
 */
export const decimal = (precision: number, scale: number): Column<Decimal> => ({
  ...column(new DecimalType(precision, scale), 'decimal'),
  detail: { _tag: 'Decimal', precision, scale },
})

/**
 * One of some texts, which the table checks: by a CHECK constraint on every database, since it can be changed in a migration
 * like any other, and takes part in transactions.
 *
 * @example
 * const status = enumOf('open', 'paid', 'sent') // Column<'open' | 'paid' | 'sent'>
 *
 * @category constructors
 */
export const enumOf = <const V extends readonly [string, ...string[]]>(...values: V): Column<V[number]> => {
  const [first, second, ...others] = values.map((value): t.Mixed => t.literal(value)) as [t.Mixed, ...t.Mixed[]]
  const codec: t.Mixed = second === undefined ? first : t.union([first, second, ...others])
  return { ...column(codec as t.Type<V[number], V[number], unknown>, 'enum'), detail: { _tag: 'Enum', values } }
}

/**
 * A value kept as JSON, checked by its own codec: `jsonb` on PostgreSQL, `json` on MySQL, text on SQLite. Two values are equal
 * where their JSON is, whatever the order of its properties.
 *
 * `null` of the codec is JSON's null. `pipe(jsonOf(codec), nullable)` has SQL's NULL for `null`.
 *
 * @example
 * const options = jsonOf(t.type({ colour: t.string, sizes: t.array(t.number) }))
 *
 * @category constructors
 */
export const jsonOf = <A, O>(codec: t.Type<A, O, unknown>): Column<A, string> => column(json(codec), 'json')

/**
 * A list of another column's values: an array of PostgreSQL, JSON elsewhere. It is one value, compared as a whole: in a
 * condition too.
 *
 * @example
 * const tags = arrayOf(text) // Column<ReadonlyArray<string>, string>
 * // where('tags', '=', ['new', 'red'])
 *
 * @category constructors
 */
export const arrayOf = <A, O, F extends ColumnFlag>(item: Column<A, O, F>): Column<ReadonlyArray<A>, string> => ({
  ...column(listOf(item.codec, item.kind === 'bigint' || item.kind === 'decimal'), 'array'),
  rules: item.rules.map(({ holds, name }) => ({ name: `list of ${name}`, holds: (values) => values.every(holds) })),
  detail: { _tag: 'Array', item: { kind: item.kind, detail: item.detail } },
})

const flagged = <A, O, F extends ColumnFlag, G extends ColumnFlag>(
  self: Column<A, O, F>,
  flag: G,
): Column<A, O, F | G> => ({ ...self, flags: [...self.flags, flag] })

/**
 * Part of the primary key. The key's order is the order of the entity's columns.
 *
 * @category combinators
 */
export const primaryKey = <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F | 'primaryKey'> =>
  flagged(self, 'primaryKey')

/**
 * The database gives the value (an identity or auto-increment key); drafts may leave it out.
 *
 * @category combinators
 */
export const generated = <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F | 'generated'> =>
  flagged(self, 'generated')

/**
 * The column may hold NULL, which is `null` in the program.
 *
 * @category combinators
 */
export const nullable = <A, O, F extends ColumnFlag>(
  self: Column<A, O, F>,
): Column<A | null, O | null, F | 'nullable'> => ({
  ...self,
  flags: [...self.flags, 'nullable'],
  codec: new NullableType(self.codec),
  rules: self.rules.map(({ holds, name }) => ({ name, holds: (value) => value === null || holds(value) })),
})

/**
 * What the values that a program gives have to be besides: checked in drafts, and wherever an instance is changed, which fails
 * with an `InvalidValue` that says which rule. Rows that are read, and statements of their own, are not held to it: for that
 * let the codec be a refinement, or the table have a constraint.
 *
 * The rule is a name for such values, and a predicate; or a codec, such as a refinement or brand of io-ts.
 *
 * @example
 * const price = pipe(integer, validate('positive number', (n) => n > 0))
 * const email = pipe(text, validate(Email), nullable)
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/mapped_attributes.html#simple-validators
 * @category combinators
 */
export const validate: {
  <A>(name: string, holds: (value: A) => boolean): <O, F extends ColumnFlag>(self: Column<A, O, F>) => Column<A, O, F>
  (codec: t.Mixed): <A, O, F extends ColumnFlag>(self: Column<A, O, F>) => Column<A, O, F>
} =
  (rule: string | t.Mixed, holds?: (value: never) => boolean) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F> => ({
    ...self,
    rules: [
      ...self.rules,
      typeof rule === 'string' ? { name: rule, holds: holds as never } : { name: rule.name, holds: rule.is },
    ],
  })

/**
 * The column's name in the table, where it differs from the attribute's.
 *
 * @example
 * const userId = pipe(integer, named('user_id'))
 *
 * @category combinators
 */
export const named =
  (columnName: string) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F> => ({ ...self, columnName })

/** A column may have a default of a narrower type than its own: one that is never null, of a nullable column. */
type Takes<A, V> = [V] extends [A]
  ? unknown
  : unknown extends V
    ? unknown
    : { readonly fault: 'the default is no value of the column' }

/**
 * A client-side default: what a draft gets that leaves the attribute out. It is visible on the instance from then on,
 * and the same value is inserted.
 *
 * @example
 * const joined = pipe(column(isoDate, 'text'), withDefault((services) => services.now))
 *
 * @category combinators
 */
export const withDefault =
  <const V>(defaultValue: (services: Services) => V) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F> & Takes<A, V>): Column<A, O, F | 'default'> => ({
    ...flagged<A, O, F, 'default'>(self, 'default'),
    defaultValue: defaultValue as never,
  })

/**
 * What an insert gives a row that has no value for the attribute, or null. Until the flush the instance has none: unlike
 * `withDefault` it costs nothing where the attribute is set later, and merging a draft leaves what is stored alone.
 *
 * An expression of SQL is computed by the database, as part of the INSERT, and comes back as `withServerDefault` says. It
 * names no attributes, and its parameters are constants, which are written into the statement. No primary key
 * can have one.
 *
 * @example
 * const status = pipe(text, withInsertDefault(() => 'new'))
 * const created = pipe(instant, withInsertDefault(sql`now()`)) // PostgreSQL
 *
 * @see https://docs.sqlalchemy.org/en/21/core/defaults.html#python-executed-functions
 * @category combinators
 */
export const withInsertDefault =
  <const V>(given: ((services: Services) => V) | Expression<V>) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F> & Takes<A, V>): Column<A, O, F | 'default'> => ({
    ...flagged<A, O, F, 'default'>(self, 'default'),
    ...(typeof given === 'function'
      ? { insertValue: given as never, insertExpression: null }
      : { insertValue: null, insertExpression: given }),
  })

/**
 * What an update sets that leaves the attribute alone, such as the instant of the change. It is written whenever
 * something else of the row is.
 *
 * An expression of SQL is computed by the database, as part of the UPDATE, and may name the entity's attributes. Where the database returns what an update has
 * written (SQLite, PostgreSQL) the value comes back with it; elsewhere it is read when the instance is read.
 *
 * @example
 * const changed = pipe(column(isoDate, 'text'), withUpdateDefault((services) => services.now), nullable)
 * const saves = pipe(integer, withInsertDefault(sql`0`), withUpdateDefault(sql`${sql.ref('saves')} + 1`))
 *
 * @category combinators
 */
export const withUpdateDefault =
  <const V>(given: ((services: Services) => V) | Expression<V>) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F> & Takes<A, V>): Column<A, O, F> => ({
    ...(self as Column<A, O, F>),
    ...(typeof given === 'function'
      ? { updateValue: given as never, updateExpression: null }
      : { updateValue: null, updateExpression: given }),
  })

/**
 * What the table puts in where a draft leaves the attribute out: part of the DDL. The INSERT gives it back where the
 * database has RETURNING (SQLite, PostgreSQL, MariaDB), as the row was before any AFTER trigger changed it; elsewhere it
 * is read when the instance is read after its flush.
 *
 * `sql.val` says a value of the program, which each database gets in its own words.
 *
 * @example
 * const visits = pipe(integer, withServerDefault(sql`0`))
 * const since = pipe(instant, withServerDefault(sql.val(new Date(0))))
 *
 * @category combinators
 */
export const withServerDefault =
  (serverDefault: Expression<unknown>) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F | 'default'> => ({
    ...flagged(self, 'default'),
    serverDefault,
  })

/**
 * The flush that inserts a row draws the value from a generator, where the program has given none. Until then the instance
 * has none.
 *
 * @example
 * const id = pipe(integer, primaryKey, generatedBy(sequence('user_ids')))
 *
 * @category combinators
 */
export const generatedBy =
  (generator: Generator) =>
  <A extends number | bigint, F extends ColumnFlag>(self: Column<A, A, F>): Column<A, A, F | 'default'> => ({
    ...flagged(self, 'default'),
    generator,
  })

/**
 * Not loaded with the row: a large text, say. `Session.loadAttributes` loads it when it is wanted.
 *
 * @category combinators
 */
export const deferred = <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F | 'deferred'> =>
  flagged(self, 'deferred')

/**
 * The same for attributes that are loaded together, by `undeferGroup`.
 *
 * @example
 * const Book = entity('Book', 'books', { id: integer, summary: pipe(text, deferredIn('texts')) })
 *
 * @category combinators
 */
export const deferredIn =
  <const G extends string>(group: G) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F | 'deferred' | `group ${G}`> =>
    flagged(flagged(self, 'deferred'), `group ${group}`)

/**
 * A foreign key constraint to `'table.column'`. A relationship over the same attribute implies the constraint too;
 * name it here for its actions, or where no relationship exists. Its column gets an index where no key serves as one;
 * `index: false` leaves that out.
 *
 * @example
 * const userId = pipe(integer, references('users.id', { onDelete: 'cascade', deferrable: 'initially deferred' }))
 *
 * @category combinators
 */
export const references =
  (target: `${string}.${string}`, options: ReferenceOptions = {}) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F> => ({
    ...self,
    foreignKey: {
      ...columnReference(target),
      onDelete: options.onDelete ?? null,
      onUpdate: options.onUpdate ?? null,
      deferrable: options.deferrable ?? null,
      name: options.name ?? null,
      index: options.index ?? true,
    },
  })

/** The two parts of `'table.column'`, of which the table's may have a schema. */
export const columnReference = (target: string): { readonly table: string; readonly column: string } => {
  const dot = target.lastIndexOf('.')
  return { table: target.slice(0, dot), column: target.slice(dot + 1) }
}

/**
 * Counts the updates of a row: 1 when it is inserted, one more with every update. An update or delete checks that the
 * count is the one that was read, and is `StaleData` where someone else has changed the row.
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/versioning.html
 * @category combinators
 */
export const version = <F extends ColumnFlag>(
  self: Column<number, number, F>,
): Column<number, number, F | 'version' | 'default'> => flagged(withInsertDefault(() => 1)(self), 'version')

/**
 * A version that the database gives with every insert and update: by a trigger, or PostgreSQL's `xmin`. An update or delete
 * checks that it is the one that was read, and is `StaleData` where someone else has changed the row.
 *
 * The new version comes back with the INSERT or UPDATE where the database can return what a BEFORE trigger gives
 * (PostgreSQL, MariaDB for inserts). Elsewhere the row is read again when it is next needed: SQLite's triggers change a row
 * only once it is written.
 *
 * Its value has to come back to the database as it came: a `timestamp` that the database keeps to the microsecond does not.
 *
 * @example
 * const version = pipe(integer, withServerDefault(sql`1`), serverVersion) // and a trigger that counts it up
 * const transaction = pipe(text, named('xmin'), serverVersion) // PostgreSQL only, where every table has it
 *
 * @see https://docs.sqlalchemy.org/en/21/orm/versioning.html#server-side-version-counters
 * @category combinators
 */
export const serverVersion = <A, O, F extends ColumnFlag>(
  self: Column<A, O, F>,
): Column<A, O, F | 'serverVersion' | 'default'> => flagged(flagged(self, 'default'), 'serverVersion')

/**
 * No two rows hold the same value. A flush has a row give its value up before another takes it. Rows may swap values: for
 * the time being one of them then holds NULL, or a value of the column's kind that no row is likely to have.
 *
 * @example
 * const email = pipe(text, unique)
 *
 * @see {@link EntityOptions} for several columns
 * @category combinators
 */
export const unique = <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F> => ({
  ...self,
  unique: true,
})

/**
 * The column's type in the table, where it is to be another than the dialect's own for its kind: for all databases, or
 * for those that are named. Values come and go as those of the column's kind.
 *
 * @example
 * const code = pipe(text, ofType('varchar(40)'))
 * const address = pipe(text, ofType({ postgres: 'inet' }))
 *
 * @category combinators
 */
export const ofType =
  (sqlType: string | SqlTypes) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F>): Column<A, O, F> => ({ ...self, sqlType })

/** @category guards */
export const hasFlag = (self: AnyColumn, flag: ColumnFlag): boolean => self.flags.includes(flag)
