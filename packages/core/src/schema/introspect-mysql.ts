/**
 * What tables a database of MySQL or MariaDB has, from its information schema.
 *
 * - A unique index is a unique constraint to both, and is read as one where it is of plain columns.
 * - JSON is LONGTEXT with a check to MariaDB, and is read as JSON.
 * - MySQL gives a default that is text without its quotes, MariaDB with them.
 */
import { sql } from 'kysely'
import type {
  CheckSchema,
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexPart,
  IndexSchema,
  SchemaNote,
  SequenceSchema,
  TableSchema,
  ViewSchema,
} from './database-schema.js'
import { plainColumns } from './database-schema.js'
import { actionNamed, type CatalogueRow, groupedBy, listed, type Reading, rowsOf, said } from './reading.js'

/** The tables, views and sequences of the database, under plain names, and of others that are named. */
export function* introspectMysql(schemas: ReadonlyArray<string>): Reading<DatabaseSchema> {
  const [here] = yield* rowsOf(sql`select database() as name, version() as version, @@collation_database as collation`)
  const own = said(here, 'name')
  const isMariadb = /mariadb/i.test(said(here, 'version'))
  const within = sql`in (${listed([own, ...schemas])})`
  const nameOf = (schema: string, table: string): string => (schema === own ? table : `${schema}.${table}`)
  const onTable = (row: CatalogueRow): string => nameOf(said(row, 'table_schema'), said(row, 'table_name'))
  const relations = yield* rowsOf(
    sql`select table_schema, table_name, table_type from information_schema.tables where table_schema ${within} order by table_schema, table_name`,
  )
  const columns = groupedBy(
    yield* rowsOf(
      sql`select * from information_schema.columns where table_schema ${within} order by table_name, ordinal_position`,
    ),
    onTable,
  )
  const indexes = groupedBy(
    yield* rowsOf(
      sql`select * from information_schema.statistics where table_schema ${within} order by table_name, index_name, seq_in_index`,
    ),
    onTable,
  )
  const foreignKeys = groupedBy(
    yield* rowsOf(
      sql`select u.table_schema, u.table_name, u.constraint_name, u.column_name, u.referenced_table_schema, u.referenced_table_name, u.referenced_column_name, r.delete_rule, r.update_rule from information_schema.key_column_usage as u join information_schema.referential_constraints as r on r.constraint_schema = u.constraint_schema and r.constraint_name = u.constraint_name and r.table_name = u.table_name where u.table_schema ${within} and u.referenced_table_name is not null order by u.table_name, u.constraint_name, u.ordinal_position`,
    ),
    onTable,
  )
  // MariaDB tells the table of a check, MySQL keeps the names of checks apart
  const checks = groupedBy(
    yield* rowsOf(
      isMariadb
        ? sql`select constraint_schema as table_schema, table_name, constraint_name, check_clause, level from information_schema.check_constraints where constraint_schema ${within}`
        : sql`select t.table_schema, t.table_name, c.constraint_name, c.check_clause from information_schema.check_constraints as c join information_schema.table_constraints as t on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name and t.constraint_type = 'CHECK' where c.constraint_schema ${within}`,
    ),
    onTable,
  )
  const tables: TableSchema[] = []
  const views: ViewSchema[] = []
  const sequences: SequenceSchema[] = []
  const defaults = [...columns.values()].flat().flatMap(({ column_default: given }) => given ?? [])
  const notes: SchemaNote[] = []
  for (const row of relations) {
    const name = onTable(row)
    const json = new Set((checks.get(name) ?? []).flatMap((check) => jsonColumn(check) ?? []))
    const ownColumns = (columns.get(name) ?? []).map((column) => columnOf(column, json, isMariadb))
    if (!/base table/i.test(said(row, 'table_type'))) {
      if (/view/i.test(said(row, 'table_type'))) views.push({ name, columns: ownColumns })
      if (/sequence/i.test(said(row, 'table_type'))) {
        const quoted = `\`${said(row, 'table_name')}\``
        sequences.push({ name, isUsed: defaults.some((given) => given.includes(quoted) && /nextval/i.test(given)) })
      }
      continue
    }
    const read = byName(indexes.get(name) ?? [], 'index_name').map((parts) => indexOf(parts, name, notes))
    const isUnique = (index: IndexSchema): boolean =>
      index.unique && plainColumns(index) !== null && index.name !== 'PRIMARY'
    const primary = read.find((index) => index.name === 'PRIMARY')
    tables.push({
      name,
      columns: ownColumns,
      primaryKey: primary === undefined ? null : { name: null, columns: plainColumns(primary) ?? [] },
      unique: read.filter(isUnique).map((index) => ({ name: index.name, columns: plainColumns(index) ?? [] })),
      foreignKeys: byName(foreignKeys.get(name) ?? [], 'constraint_name').map((parts) => foreignKeyOf(parts, nameOf)),
      indexes: read.filter((index) => index !== primary && !isUnique(index)),
      checks: (checks.get(name) ?? [])
        .filter((check) => jsonColumn(check) === null)
        .map(
          (check): CheckSchema => ({ name: said(check, 'constraint_name'), expression: clauseOf(check, isMariadb) }),
        ),
    })
  }
  return { dialect: 'mysql', searched: own, collation: here?.collation ?? null, tables, views, sequences, notes }
}

const byName = (rows: ReadonlyArray<CatalogueRow>, column: string): ReadonlyArray<ReadonlyArray<CatalogueRow>> => [
  ...groupedBy(rows, (row) => said(row, column)).values(),
]

/** MySQL itself escapes the whole text once more. */
const clauseOf = (check: CatalogueRow, isMariadb: boolean): string => {
  const text = said(check, 'check_clause')
  return isMariadb ? text : text.replaceAll("\\'", "'")
}

/** The column that a check of MariaDB's own makes one of JSON. */
const jsonColumn = (check: CatalogueRow): string | null => {
  const [, column = null] = /^json_valid\(`([^`]+)`\)$/.exec(said(check, 'check_clause')) ?? []
  return column !== null && check.level === 'Column' && check.constraint_name === column ? column : null
}

const columnOf = (row: CatalogueRow, json: ReadonlySet<string>, isMariadb: boolean): ColumnSchema => {
  const name = said(row, 'column_name')
  const isJson = json.has(name)
  const extra = said(row, 'extra').toLowerCase()
  const computed = row.generation_expression ?? ''
  return {
    name,
    type: isJson ? 'json' : said(row, 'column_type'),
    collation: isJson ? null : (row.collation_name ?? null),
    isNullable: said(row, 'is_nullable') === 'YES',
    default: computed === '' ? defaultOf(row, isMariadb) : null,
    isCounted: extra.includes('auto_increment'),
    computed: computed === '' ? null : computed,
  }
}

const defaultOf = (row: CatalogueRow, isMariadb: boolean): string | null => {
  const text = row.column_default ?? null
  if (text === null || (isMariadb && text.toUpperCase() === 'NULL')) return null
  const isExpression = /default_generated/i.test(said(row, 'extra')) || /^current_timestamp/i.test(text)
  const isNumber = /^(?:\w*int|decimal|double|float|bit)/i.test(said(row, 'column_type'))
  return isMariadb || isExpression || isNumber ? text : `'${text.replaceAll("'", "''")}'`
}

const indexOf = (rows: ReadonlyArray<CatalogueRow>, table: string, notes: SchemaNote[]): IndexSchema => {
  const [first] = rows
  const name = said(first, 'index_name')
  const method = said(first, 'index_type')
  if (rows.some((row) => (row.sub_part ?? null) !== null)) {
    notes.push({ _tag: 'Unreadable', table, message: `index '${name}' is of the first characters of a column only` })
  }
  return {
    name,
    parts: rows.map((row): IndexPart => {
      const direction = row.collation === 'D' ? 'desc' : 'asc'
      const column = row.column_name ?? null
      return column === null
        ? { _tag: 'Expression', expression: said(row, 'expression'), direction }
        : { _tag: 'Column', column, direction }
    }),
    unique: first?.non_unique === '0',
    where: null,
    method: method === 'BTREE' ? null : method.toLowerCase(),
  }
}

const foreignKeyOf = (
  rows: ReadonlyArray<CatalogueRow>,
  nameOf: (schema: string, table: string) => string,
): ForeignKeySchema => {
  const [first] = rows
  return {
    name: said(first, 'constraint_name'),
    columns: rows.map((row) => said(row, 'column_name')),
    table: nameOf(said(first, 'referenced_table_schema'), said(first, 'referenced_table_name')),
    targetColumns: rows.map((row) => said(row, 'referenced_column_name')),
    onDelete: withoutRestrict(said(first, 'delete_rule')),
    onUpdate: withoutRestrict(said(first, 'update_rule')),
    deferrable: null,
  }
}

/** InnoDB's RESTRICT and NO ACTION are one. */
const withoutRestrict = (rule: string): ForeignKeySchema['onDelete'] => {
  const action = actionNamed(rule)
  return action === 'restrict' ? null : action
}
