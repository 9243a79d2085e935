/**
 * Versions of rows, by which an update or delete finds out that someone else was there first.
 */
import { type Column, type ColumnFlag, flagged } from './column.js'
import { withInsertDefault } from './column-default.js'

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
