/**
 * What tables a database of SQLite has. Its pragmas tell most of it, the text of its tables the rest.
 */
import { sql } from 'kysely'
import type {
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexPart,
  IndexSchema,
  SchemaNote,
  TableSchema,
  ViewSchema,
} from './database-schema.js'
import { actionNamed, type CatalogueRow, groupedBy, type Reading, rowsOf, said } from './reading.js'
import { columnsKey, parseSqliteIndex, parseSqliteTable, type SqliteTable } from './sqlite-table.js'

/** The tables and views of the database itself, and of attached ones that are named. */
export function* introspectSqlite(schemas: ReadonlyArray<string>): Reading<DatabaseSchema> {
  const tables: TableSchema[] = []
  const views: ViewSchema[] = []
  const notes: SchemaNote[] = []
  for (const schema of new Set(['main', ...schemas])) {
    const prefix = schema === 'main' ? '' : `${schema}.`
    const catalogue = sql`${sql.id(schema)}.sqlite_schema`
    const listed = yield* rowsOf(
      sql`select m.name, l.type, l.wr, l.strict, m.sql from ${catalogue} as m join pragma_table_list as l on l.name = m.name and l.schema = ${schema} where m.type in ('table', 'view') and substr(m.name, 1, 7) <> 'sqlite_' order by m.rowid`,
    )
    const onTable = (row: CatalogueRow): string => said(row, 'on_table')
    const pragma = function* (name: string): Reading<ReadonlyMap<string, ReadonlyArray<CatalogueRow>>> {
      const rows = yield* rowsOf(
        sql`select m.name as on_table, x.* from ${catalogue} as m join ${sql.raw(name)}(m.name, ${schema}) as x where m.type in ('table', 'view') order by m.rowid`,
      )
      return groupedBy(rows, onTable)
    }
    const columns = yield* pragma('pragma_table_xinfo')
    const foreignKeys = yield* pragma('pragma_foreign_key_list')
    const indexes = groupedBy(
      yield* rowsOf(
        sql`select m.name as on_table, i.name as index_name, i."unique" as is_unique, i.origin, x.cid, x.name as column_name, x."desc" as is_desc, s.sql from ${catalogue} as m join pragma_index_list(m.name, ${schema}) as i join pragma_index_xinfo(i.name, ${schema}) as x left join ${catalogue} as s on s.type = 'index' and s.name = i.name where m.type = 'table' and x.key = 1 order by m.rowid, i.seq desc, x.seqno`,
      ),
      onTable,
    )
    for (const row of listed) {
      const own = said(row, 'name')
      const name = `${prefix}${own}`
      const source = parseSqliteTable(said(row, 'sql'))
      const ownColumns = (columns.get(own) ?? []).map((column) => columnOf(column, source))
      switch (row.type) {
        case 'view':
          views.push({ name, columns: ownColumns })
          break
        case 'table': {
          for (const message of untold(row)) notes.push({ _tag: 'Unreadable', table: name, message })
          const key = keyOf(columns.get(own) ?? [])
          tables.push({
            name,
            columns: isCounted(key, ownColumns)
              ? ownColumns.map((column) => (column.name === key[0] ? { ...column, isCounted: true } : column))
              : ownColumns,
            primaryKey: key.length === 0 ? null : { name: source.primaryKeyName, columns: key },
            unique: uniqueOf(indexes.get(own) ?? [], source),
            foreignKeys: foreignKeysOf(foreignKeys.get(own) ?? [], source, prefix),
            indexes: indexesOf(indexes.get(own) ?? []),
            checks: source.checks,
          })
          break
        }
        case 'virtual':
          notes.push({ _tag: 'Unreadable', table: name, message: 'it is a virtual table, whose module keeps its rows' })
          break
        default:
      }
    }
  }
  return {
    dialect: 'sqlite',
    searched: 'main',
    collation: 'binary',
    tables: withTargets(tables),
    views,
    sequences: [],
    notes,
  }
}

/** What a table is besides its columns and constraints. */
const untold = (row: CatalogueRow): ReadonlyArray<string> => [
  ...(row.wr === '1' ? ['it is WITHOUT ROWID'] : []),
  ...(row.strict === '1' ? ['it is STRICT'] : []),
  ...(/\bautoincrement\b/i.test(said(row, 'sql')) ? ['its key is AUTOINCREMENT'] : []),
]

const columnOf = (row: CatalogueRow, source: SqliteTable): ColumnSchema => {
  const name = said(row, 'name')
  return {
    name,
    type: said(row, 'type').replace(/ generated always$/i, ''),
    collation: source.collations.get(name) ?? null,
    // an old slip of SQLite allows NULL in keys; the model does not
    isNullable: row.notnull === '0' && row.pk === '0',
    default: row.dflt_value ?? null,
    isCounted: false,
    computed: source.computed.get(name) ?? null,
  }
}

const keyOf = (rows: ReadonlyArray<CatalogueRow>): ReadonlyArray<string> =>
  rows
    .filter(({ pk }) => pk !== '0')
    .toSorted((a, b) => Number(a.pk) - Number(b.pk))
    .map((row) => said(row, 'name'))

/** Whether the key is the row id. */
const isCounted = (key: ReadonlyArray<string>, columns: ReadonlyArray<ColumnSchema>): boolean =>
  key.length === 1 && columns.some(({ name, type }) => name === key[0] && type.toLowerCase() === 'integer')

const uniqueOf = (rows: ReadonlyArray<CatalogueRow>, { uniqueNames }: SqliteTable): TableSchema['unique'] =>
  byIndex(rows.filter(({ origin }) => origin === 'u')).map((parts) => {
    const columns = parts.map((part) => said(part, 'column_name'))
    return { name: uniqueNames.get(columnsKey(columns)) ?? null, columns }
  })

const indexesOf = (rows: ReadonlyArray<CatalogueRow>): ReadonlyArray<IndexSchema> =>
  byIndex(rows.filter(({ origin }) => origin === 'c')).map((parts) => {
    const [first] = parts
    const source = parseSqliteIndex(said(first, 'sql'))
    return {
      name: said(first, 'index_name'),
      parts: parts.map((part, i): IndexPart => {
        const direction = part.is_desc === '1' ? 'desc' : 'asc'
        return part.cid === '-2'
          ? { _tag: 'Expression', expression: source.parts[i] ?? '', direction }
          : { _tag: 'Column', column: said(part, 'column_name'), direction }
      }),
      unique: first?.is_unique === '1',
      where: source.where,
      method: null,
    }
  })

const byIndex = (rows: ReadonlyArray<CatalogueRow>): ReadonlyArray<ReadonlyArray<CatalogueRow>> => [
  ...groupedBy(rows, (row) => said(row, 'index_name')).values(),
]

/** SQLite counts foreign keys from the last to the first. */
const foreignKeysOf = (
  rows: ReadonlyArray<CatalogueRow>,
  source: SqliteTable,
  prefix: string,
): ReadonlyArray<ForeignKeySchema> =>
  [...groupedBy(rows, ({ id }) => id ?? '').values()]
    .toSorted((a, b) => Number(b[0]?.id) - Number(a[0]?.id))
    .map((parts) => {
      const [first] = parts
      const columns = parts.map((part) => said(part, 'from'))
      const told = source.foreignKeys.get(columnsKey(columns))
      return {
        name: told?.name ?? null,
        columns,
        table: `${prefix}${said(first, 'table')}`,
        // none where it refers to the primary key without saying so
        targetColumns: parts.flatMap(({ to }) => to ?? []),
        onDelete: actionNamed(said(first, 'on_delete')),
        onUpdate: actionNamed(said(first, 'on_update')),
        deferrable: told?.deferrable ?? null,
      }
    })

/** Foreign keys that name no columns refer to the primary key. */
const withTargets = (tables: ReadonlyArray<TableSchema>): ReadonlyArray<TableSchema> => {
  const keys = new Map(tables.map(({ name, primaryKey }) => [name, primaryKey?.columns ?? []]))
  return tables.map((table) => ({
    ...table,
    foreignKeys: table.foreignKeys.map((foreignKey) =>
      foreignKey.targetColumns.length > 0
        ? foreignKey
        : { ...foreignKey, targetColumns: keys.get(foreignKey.table) ?? [] },
    ),
  }))
}
