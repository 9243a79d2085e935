/**
 * What Citus is told of a distribution.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Distribution } from './distribution.js'

/**
 * The statements that distribute the tables of a model over the nodes of Citus, once `createAll` has made them: tables that
 * are everywhere become reference tables, the others are spread by their columns, all in one group, so that rows with one
 * value are on one node and can be joined there.
 *
 * @example
 * for (const statement of citusStatements(distribution)) await statement.execute(db)
 *
 * @see https://docs.citusdata.com/en/stable/develop/api_udf.html
 * @category interpreters
 */
export const citusStatements = ({ tables }: Distribution): ReadonlyArray<RawBuilder<unknown>> => {
  const spread = tables.flatMap(({ table, placement }) => (placement._tag === 'By' ? [table.name] : []))
  const [first] = spread
  return tables.map(({ table, placement }) => {
    const name = sql.lit(table.name)
    if (placement._tag === 'Everywhere') return sql`select create_reference_table(${name})`
    const beside = table.name === first ? sql`` : sql`, colocate_with => ${sql.lit(first)}`
    return sql`select create_distributed_table(${name}, ${sql.lit(placement.column)}${beside})`
  })
}
