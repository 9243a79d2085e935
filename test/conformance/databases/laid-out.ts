/**
 * Shards of scenarios on a layout. The tables are those of the model's own DDL, made once and emptied for each scenario.
 */
import { type Engine, storedMappings } from '@unitary/core'
import { type RawBuilder, sql } from 'kysely'
import { answerOf, ask, createOnAll, type LayoutHost, rowsOn } from '../../shard/layout/layouts.js'
import type { Layout, ShardRows } from '../database.js'
import type { ScenarioModel } from '../model.js'
import type { TableRow, Tables } from '../scenario.js'

/** A layout with the shards given, for scenarios of one model. */
export const laidOut = async (
  host: LayoutHost,
  tokens: ReadonlyArray<string>,
  model: ScenarioModel,
): Promise<Layout> => {
  const opened = await host.open(tokens)
  await createOnAll(opened, model.model)
  const mappings = storedMappings(model.model.mappings)

  const fill = async (engine: Engine, rows: Tables): Promise<void> => {
    for (const { table } of mappings.toReversed()) await ask(engine, sql`delete from ${sql.table(table)}`)
    for (const { generatedKey, key, table } of mappings) {
      const own = rows[table] ?? []
      for (const row of own) {
        await answerOf(engine, {
          _tag: 'Insert',
          table,
          columns: Object.keys(row),
          rows: [Object.values(row)],
          key: key.map(({ columnName }) => columnName),
          returning: [],
        })
      }
      // SQLite gives the highest key and one more, and so is every scenario recorded
      if (generatedKey === null) continue
      const next = Math.max(0, ...own.map((row) => Number(row[generatedKey.columnName]))) + 1
      const restart = restarted(engine, table, generatedKey.columnName, next)
      if (restart !== null) await ask(engine, restart)
    }
  }

  return {
    name: host.name,
    openShards: async (shards: ReadonlyArray<ShardRows>) => {
      for (const { rows, token } of shards) await fill(opened.engines[token] as Engine, rows)
      const contentsOf = async (token: string): Promise<Tables> => {
        const found: Record<string, ReadonlyArray<TableRow>> = {}
        for (const { table } of mappings) {
          const rows = await rowsOn(opened, token, table)
          if (rows.length > 0) found[table] = rows.map((row) => model.portable(table, row))
        }
        return found
      }
      return {
        shards: new Map(
          shards.map(({ token }) => [
            token,
            { engine: () => opened.engines[token] as Engine, contents: () => contentsOf(token) },
          ]),
        ),
        close: async () => {},
      }
    },
    close: opened.close,
  }
}

/** Lets a table generate keys from the one given, where the database does not look at its rows for that. */
const restarted = ({ dialect }: Engine, table: string, column: string, next: number): RawBuilder<unknown> | null => {
  switch (dialect.name) {
    case 'sqlite':
      return null
    case 'postgres':
      return sql`alter table ${sql.table(table)} alter column ${sql.id(column)} restart with ${sql.lit(next)}`
    case 'mysql':
      return sql`alter table ${sql.table(table)} auto_increment = ${sql.lit(next)}`
  }
}
