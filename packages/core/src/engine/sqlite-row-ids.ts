/**
 * Whether the keys that SQLite gives the rows of an INSERT follow from the last one's. It tells that one without RETURNING,
 * which takes a quarter of the time of inserting many rows.
 *
 * A row id is one more than the largest of the table, and what a constraint replaces has a smaller one. So keys that are row
 * ids follow one another, unless a trigger writes to the table in between.
 *
 * @see https://www.sqlite.org/autoinc.html
 */
import type { Statement } from 'better-sqlite3'
import { type RawBuilder, type RawNode, sql } from 'kysely'
import { compileForSqlite } from './sqlite-compile.js'

/** Are the keys of a table its row ids, and is no trigger on it? Asked within a transaction, in which that stays so. */
export type RowIds = () => boolean

/** Gives a row where it is so. An index of the primary key says that the key is no row id, whatever its type. */
const countedTable = (schema: string, table: string, key: string): RawBuilder<unknown> => sql`
  select 1 from ${sql.id(schema)}.sqlite_schema
  where type = 'table' and rootpage > 0 and name = ${table} collate nocase
    and (select group_concat(name, ' ') from pragma_table_xinfo(${table}, ${schema}) where pk > 0) = ${key} collate nocase
    and exists (select 1 from pragma_table_xinfo(${table}, ${schema}) where pk > 0 and type = 'INTEGER' collate nocase)
    and not exists (select 1 from pragma_index_list(${table}, ${schema}) where origin = 'pk')
    and not exists (
      select 1 from ${sql.id(schema)}.sqlite_schema where type = 'trigger' and tbl_name = ${table} collate nocase
    )
    and not exists (
      select 1 from temp.sqlite_schema where type = 'trigger' or name = ${table} collate nocase
    )`

/**
 * The question about a table, by its name in a call, and its key. The answer is kept until the schema changes.
 *
 * @category constructors
 */
export const rowIds = (prepare: (text: string) => Statement, name: string, key: string): RowIds => {
  const dot = name.indexOf('.')
  const schema = dot === -1 ? 'main' : name.slice(0, dot)
  const asking = (query: RawBuilder<unknown>): (() => unknown) => {
    const { parameters, sql: text } = compileForSqlite(query.toOperationNode() as RawNode)
    const statement = prepare(text).pluck()
    return () => statement.get(parameters)
  }
  let versions: ReadonlyArray<() => unknown> | null = null
  let known: string | null = null
  let answer = false
  return () => {
    versions ??= ['temp', schema].map((one) => asking(sql`pragma ${sql.id(one)}.schema_version`))
    const version = versions.map((ask) => ask()).join()
    if (version !== known) answer = asking(countedTable(schema, name.slice(dot + 1), key))() !== undefined
    known = version
    return answer
  }
}
