/**
 * What CockroachDB is told of a distribution.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Distribution } from './distribution.js'

/** @category model */
export interface CockroachOptions {
  /** Whether the database has regions. Then tables that are everywhere are read in each without waiting for another. */
  readonly regions?: boolean
}

/**
 * The statements that fit the tables of a model to CockroachDB, once `createAll` has made them. It keeps rows in the order of
 * their keys: where a key begins with the column that spreads the table, what belongs together is together already. A key
 * that does not is made to, and one that the database counts up is spread by its hash, since all inserts would go to one
 * place otherwise.
 *
 * @see https://www.cockroachlabs.com/docs/stable/hash-sharded-indexes
 * @see https://www.cockroachlabs.com/docs/stable/alter-table#set-locality
 * @category interpreters
 */
export const cockroachStatements = (
  { tables }: Distribution,
  { regions = false }: CockroachOptions = {},
): ReadonlyArray<RawBuilder<unknown>> =>
  tables.flatMap(({ table, placement }) => {
    const name = sql.table(table.name)
    if (placement._tag === 'Everywhere') return regions ? [sql`alter table ${name} set locality global`] : []
    const { column } = placement
    const key = table.primaryKey?.columns ?? []
    const isCounted = table.columns.some((one) => one.name === column && one.isCounted)
    const ordered = [column, ...key.filter((one) => one !== column)]
    if (key[0] === column && !isCounted) return []
    const hash = isCounted ? sql` using hash` : sql``
    return [
      sql`alter table ${name} alter primary key using columns (${sql.join(ordered.map((one) => sql.ref(one)))})${hash}`,
    ]
  })
