/**
 * What tables a database of PostgreSQL has, from its own catalogue.
 */
import { type RawBuilder, sql } from 'kysely'
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
import { type CatalogueRow, groupedBy, listed, type Reading, rowsOf, said } from './reading.js'

/** The tables, views and sequences of the schema that is searched first, under plain names, and of those that are named. */
export function* introspectPostgres(schemas: ReadonlyArray<string>): Reading<DatabaseSchema> {
  const name = sql`case when n.nspname = current_schema() then c.relname else n.nspname || '.' || c.relname end as on_table`
  const within =
    schemas.length === 0
      ? sql`n.nspname = current_schema()`
      : sql`(n.nspname = current_schema() or n.nspname in (${listed(schemas)}))`
  const [here] = yield* rowsOf(sql`select current_schema() as name`)
  const searched = here?.name ?? null
  const relations = yield* rowsOf(
    sql`select ${name}, c.relkind as kind from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where ${within} and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition order by c.oid`,
  )
  const onTable = (row: CatalogueRow): string => said(row, 'on_table')
  const columns = groupedBy(
    yield* rowsOf(
      sql`select ${name}, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as is_filled, a.attidentity as identity, a.attgenerated as generated, pg_get_expr(d.adbin, d.adrelid) as given, l.collname as collation, case when d.oid is null then null else pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname) end as sequence from pg_attribute as a join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace join pg_type as t on t.oid = a.atttypid left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum left join pg_collation as l on l.oid = a.attcollation and a.attcollation <> t.typcollation where ${within} and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped order by c.oid, a.attnum`,
    ),
    onTable,
  )
  const constraints = groupedBy(
    yield* rowsOf(
      sql`select ${name}, k.conname as name, k.contype as kind, ${columnList(sql`k.conrelid`, sql`k.conkey`)} as columns, case when fn.nspname = current_schema() then f.relname else fn.nspname || '.' || f.relname end as target, ${columnList(sql`k.confrelid`, sql`k.confkey`)} as target_columns, k.confdeltype as on_delete, k.confupdtype as on_update, k.condeferrable as is_deferrable, k.condeferred as is_deferred, pg_get_expr(k.conbin, k.conrelid) as expression from pg_constraint as k join pg_class as c on c.oid = k.conrelid join pg_namespace as n on n.oid = c.relnamespace left join pg_class as f on f.oid = k.confrelid left join pg_namespace as fn on fn.oid = f.relnamespace where ${within} and k.contype in ('p', 'u', 'f', 'c', 'x') order by c.oid, k.oid`,
    ),
    onTable,
  )
  const indexes = groupedBy(
    yield* rowsOf(
      sql`select ${name}, i.relname as name, x.indisunique as is_unique, pg_get_expr(x.indpred, x.indrelid) as condition, m.amname as method, (select json_agg(json_build_object('column', a.attname, 'expression', pg_get_indexdef(x.indexrelid, p.i, false), 'descending', (x.indoption[p.i - 1] & 1) = 1) order by p.i)::text from generate_series(1, x.indnkeyatts) as p (i) left join pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[p.i - 1] and x.indkey[p.i - 1] <> 0) as parts from pg_index as x join pg_class as i on i.oid = x.indexrelid join pg_am as m on m.oid = i.relam join pg_class as c on c.oid = x.indrelid join pg_namespace as n on n.oid = c.relnamespace where ${within} and c.relkind in ('r', 'p') and not c.relispartition and not exists (select 1 from pg_constraint as k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')) order by i.oid`,
    ),
    onTable,
  )
  const tables: TableSchema[] = []
  const views: ViewSchema[] = []
  const notes: SchemaNote[] = []
  for (const row of relations) {
    const table = onTable(row)
    const own = (columns.get(table) ?? []).map(columnOf)
    if (row.kind === 'f') {
      notes.push({ _tag: 'Unreadable', table, message: 'it is a foreign table, whose rows are elsewhere' })
    } else if (row.kind === 'v' || row.kind === 'm') {
      views.push({ name: table, columns: own })
    } else {
      const ownConstraints = constraints.get(table) ?? []
      const ofKind = (kind: string): ReadonlyArray<CatalogueRow> => ownConstraints.filter((k) => k.kind === kind)
      tables.push({
        name: table,
        columns: own,
        primaryKey: ofKind('p').map(keyOf)[0] ?? null,
        unique: ofKind('u').map(keyOf),
        foreignKeys: ofKind('f').map(foreignKeyOf),
        indexes: (indexes.get(table) ?? []).map(indexOf),
        checks: ofKind('c').map((k) => ({ name: said(k, 'name'), expression: said(k, 'expression') })),
      })
      for (const k of ofKind('x')) {
        notes.push({ _tag: 'Unreadable', table, message: `'${said(k, 'name')}' is an exclusion constraint` })
      }
    }
  }
  // a column that counts by itself has a sequence of its own, and a default may name any
  const sequences = yield* rowsOf(
    sql`select ${name}, exists (select 1 from pg_depend as d where (d.objid = c.oid and d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')) or (d.refobjid = c.oid and d.refclassid = 'pg_class'::regclass and d.classid = 'pg_attrdef'::regclass)) as is_used from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where ${within} and c.relkind = 'S' order by c.oid`,
  )
  return {
    dialect: 'postgres',
    searched,
    collation: null,
    tables,
    views,
    sequences: sequences.map((row) => ({ name: onTable(row), isUsed: isTrue(row.is_used) })),
    notes,
  }
}

/** The names of columns that an array of a catalogue numbers, as JSON. */
const columnList = (relation: RawBuilder<unknown>, numbers: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select json_agg(a.attname order by u.i)::text from unnest(${numbers}) with ordinality as u (n, i) join pg_attribute as a on a.attrelid = ${relation} and a.attnum = u.n)`

const isTrue = (value: string | null | undefined): boolean => value === 'true' || value === 't'

const columnOf = (row: CatalogueRow): ColumnSchema => {
  // a sequence of its own, as of `serial`
  const isSerial = row.sequence !== null && (row.given ?? '').startsWith('nextval(')
  return {
    name: said(row, 'name'),
    type: said(row, 'type'),
    collation: row.collation ?? null,
    isNullable: !isTrue(row.is_filled),
    default: isSerial || row.generated !== '' ? null : (row.given ?? null),
    isCounted: isSerial || row.identity !== '',
    computed: row.generated === '' ? null : (row.given ?? null),
  }
}

const namesOf = (json: string | null | undefined): ReadonlyArray<string> =>
  json === null || json === undefined ? [] : (JSON.parse(json) as ReadonlyArray<string>)

const keyOf = (row: CatalogueRow): { readonly name: string; readonly columns: ReadonlyArray<string> } => ({
  name: said(row, 'name'),
  columns: namesOf(row.columns),
})

const actions: Readonly<Record<string, ForeignKeySchema['onDelete']>> = {
  a: null,
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
}

const foreignKeyOf = (row: CatalogueRow): ForeignKeySchema => ({
  ...keyOf(row),
  table: said(row, 'target'),
  targetColumns: namesOf(row.target_columns),
  onDelete: actions[said(row, 'on_delete')] ?? null,
  onUpdate: actions[said(row, 'on_update')] ?? null,
  deferrable: !isTrue(row.is_deferrable)
    ? null
    : isTrue(row.is_deferred)
      ? 'initially deferred'
      : 'initially immediate',
})

interface Part {
  readonly column: string | null
  readonly expression: string
  readonly descending: boolean
}

const indexOf = (row: CatalogueRow): IndexSchema => ({
  name: said(row, 'name'),
  parts: (JSON.parse(said(row, 'parts')) as ReadonlyArray<Part>).map(
    ({ column, expression, descending }): IndexPart => {
      const direction = descending ? 'desc' : 'asc'
      return column === null ? { _tag: 'Expression', expression, direction } : { _tag: 'Column', column, direction }
    },
  ),
  unique: isTrue(row.is_unique),
  where: row.condition ?? null,
  method: row.method === 'btree' ? null : (row.method ?? null),
})
