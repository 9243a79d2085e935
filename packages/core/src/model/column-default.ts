/**
 * Who gives a column its value where the program gives none: the draft, the insert, the update, the table, or a generator.
 */
import { type Expression, isOperationNodeSource } from 'kysely'
import type { Services } from '../services.js'
import { type Column, type ColumnFlag, flagged } from './column.js'
import type { Generator } from './generator.js'

/** A column may have a default of a narrower type than its own: one that is never null, of a nullable column. */
type Takes<A, V> = [V] extends [A]
  ? unknown
  : unknown extends V
    ? unknown
    : { readonly fault: 'the default is no value of the column' }

/** What the program gives is no expression, not even where a column takes anything. */
type Plain<V> =
  V extends Expression<unknown>
    ? { readonly fault: 'the database computes expressions: say withInsertDefault, or withServerDefault' }
    : unknown

/** A value, or how services give it. No column has values that are functions. */
type Given<V> = V | ((services: Services) => V)

const given = (value: unknown): ((services: Services) => never) =>
  (typeof value === 'function' ? value : () => value) as (services: Services) => never

/**
 * A client-side default: what a draft gets that leaves the attribute out. It is visible on the instance from then on,
 * and the same value is inserted.
 *
 * @example
 * const state = pipe(text, withDefault('draft'))
 * const joined = pipe(column(isoDate, 'text'), withDefault((services) => services.now))
 *
 * @category combinators
 */
export const withDefault =
  <const V>(value: Given<V>) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F> & Takes<A, V> & Plain<V>): Column<A, O, F | 'default'> => ({
    ...flagged<A, O, F, 'default'>(self, 'default'),
    defaultValue: given(value),
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
 * const status = pipe(text, withInsertDefault('new'))
 * const created = pipe(instant, withInsertDefault(sql`now()`)) // PostgreSQL
 *
 * @see https://docs.sqlalchemy.org/en/21/core/defaults.html#python-executed-functions
 * @category combinators
 */
export const withInsertDefault =
  <const V>(value: Given<V> | Expression<V>) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F> & Takes<A, V>): Column<A, O, F | 'default'> => ({
    ...flagged<A, O, F, 'default'>(self, 'default'),
    ...(isOperationNodeSource(value)
      ? { insertValue: null, insertExpression: value as Expression<V> }
      : { insertValue: given(value), insertExpression: null }),
  })

/**
 * What an update sets that leaves the attribute alone, such as the instant of the change. It is written whenever
 * something else of the row is.
 *
 * An expression of SQL is computed by the database, as part of the UPDATE, and may name the entity's attributes. Where the
 * database returns what an update has written (SQLite, PostgreSQL) the value comes back with it; elsewhere it is read when
 * the instance is read.
 *
 * @example
 * const changed = pipe(column(isoDate, 'text'), withUpdateDefault((services) => services.now), nullable)
 * const saves = pipe(integer, withInsertDefault(sql`0`), withUpdateDefault(sql`${sql.ref('saves')} + 1`))
 *
 * @category combinators
 */
export const withUpdateDefault =
  <const V>(value: Given<V> | Expression<V>) =>
  <A, O, F extends ColumnFlag>(self: Column<A, O, F> & Takes<A, V>): Column<A, O, F> => ({
    ...(self as Column<A, O, F>),
    ...(isOperationNodeSource(value)
      ? { updateValue: null, updateExpression: value as Expression<V> }
      : { updateValue: given(value), updateExpression: null }),
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
