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
import type * as t from 'io-ts'
import type { Expression } from 'kysely'
import { NullableType } from '../codec/codecs.js'
import type { Services } from '../services.js'
import type { Generator } from './generator.js'
import { columnReference, type ForeignKey, type ReferenceOptions } from './reference.js'

/**
 * The portable type of a column, from which each dialect chooses its own. It says too what the codec meets on the database's
 * side, whatever the driver: a number (`integer`, `real`), a number, bigint or decimal text (`bigint`), a boolean, bytes
 * (`blob`), and text otherwise - ISO 8601 in UTC with milliseconds for a `timestamp`, `YYYY-MM-DD` for a `date`, `HH:MM:SS` for a
 * `time`, plain digits for a `decimal`, JSON for `json` and `array`.
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
  | 'time'
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
  | 'expression'
  | 'synonym'
  | `group ${string}`

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
  /** What the database computes it by, where no table holds it. */
  readonly expression: ColumnExpression | null
}

/**
 * What an attribute is computed by that no table holds, and the table of the entity whose columns it speaks of.
 *
 * @category model
 */
export interface ColumnExpression {
  readonly build: (eb: never) => Expression<unknown>
  readonly table: string
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

/** A column of whichever type. @category model */
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
  expression: null,
})

/** The column with one more flag. */
export const flagged = <A, O, F extends ColumnFlag, G extends ColumnFlag>(
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
