/**
 * The calls that make tables, columns, constraints and indexes of a schema.
 */
import { type CreateIndexNode, type RootOperationNode, SchemableIdentifierNode } from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import { type Argument, building, type Call, call, rawSql, statementOf } from './builder-call.js'
import type {
  CheckSchema,
  ColumnSchema,
  ForeignKeySchema,
  IndexSchema,
  KeySchema,
  TableSchema,
} from './database-schema.js'
import { fitting, postgresNaming, schemaIn, unqualified } from './naming.js'

type DialectName = Dialect['name']

/**
 * Makes a table with its key, its constraints and those of its foreign keys that are given.
 */
export const createTableCalls = (
  table: TableSchema,
  foreignKeys: ReadonlyArray<ForeignKeySchema>,
  dialect: DialectName,
  name: string = table.name,
): ReadonlyArray<Call> => {
  const { primaryKey } = table
  const inline = primaryKey?.columns.length === 1 ? primaryKey.columns[0] : undefined
  return [
    call('createTable', name),
    ...table.columns.map((column) =>
      call('addColumn', column.name, ...columnArguments(column, dialect, column.name === inline)),
    ),
    ...(primaryKey === null || inline !== undefined ? [] : [addPrimaryKey(table.name, primaryKey)]),
    ...table.unique.map((key) => addUnique(table.name, key)),
    ...foreignKeys.map((foreignKey) => addForeignKey(table.name, foreignKey, dialect)),
    ...table.checks.map((check) => addCheck(table.name, check)),
  ]
}

/** The type of a column, and the rest of its definition. */
export const columnArguments = (
  column: ColumnSchema,
  dialect: DialectName,
  isOnlyKey: boolean,
): ReadonlyArray<Argument> => {
  const calls = [
    ...(column.default === null || column.computed !== null
      ? []
      : [call('defaultTo', rawSql(inParens(column.default, dialect)))]),
    ...(column.computed === null ? [] : [call('generatedAlwaysAs', rawSql(column.computed)), call('stored')]),
    ...(column.isNullable ? [] : [call('notNull')]),
    ...(isOnlyKey ? [call('primaryKey')] : []),
    ...(column.isCounted ? counting(dialect) : []),
  ]
  return [rawSql(typeText(column, dialect)), ...building('column', calls)]
}

/** An expression that is no literal stands in parentheses on SQLite and MySQL, and may on PostgreSQL. */
const inParens = (text: string, dialect: DialectName): string =>
  dialect === 'postgres' || /^(?:[+-]?[\w.]+|'(?:[^']|'')*'|\(.*\))$/s.test(text) ? text : `(${text})`

const counting = (dialect: DialectName): ReadonlyArray<Call> => {
  switch (dialect) {
    case 'sqlite':
      return []
    case 'mysql':
      return [call('autoIncrement')]
    case 'postgres':
      return [call('generatedByDefaultAsIdentity')]
  }
}

/** A column's type with its collation. */
export const typeText = ({ type, collation }: ColumnSchema, dialect: DialectName): string =>
  collation === null ? type : `${type} collate ${dialect === 'postgres' ? quotedName(collation, dialect) : collation}`

/** `varchar(255) collate utf8mb4_bin` in its two parts; a collation says of which character set it is. */
export const withCollation = (type: string): Pick<ColumnSchema, 'type' | 'collation'> => {
  const [, bare = type, collation = null] = /^(.*?)(?: character set \w+)? collate "?([^"]+)"?$/i.exec(type) ?? []
  return { type: bare, collation }
}

/** A name in SQL. */
export const quotedName = (name: string, dialect: DialectName): string =>
  dialect === 'mysql' ? `\`${name.replaceAll('`', '``')}\`` : `"${name.replaceAll('"', '""')}"`

/** A table's name in SQL, with its schema. */
export const quotedTable = (table: string, dialect: DialectName): string =>
  table
    .split('.')
    .map((part) => quotedName(part, dialect))
    .join('.')

export const addPrimaryKey = (table: string, key: KeySchema): Call =>
  call('addPrimaryKeyConstraint', keyName(table, key), key.columns)

export const addUnique = (table: string, key: KeySchema): Call =>
  call('addUniqueConstraint', key.name ?? nameFor('key', table, key.columns), key.columns)

/** A foreign key of a table that is being made. */
const addForeignKey = (table: string, foreignKey: ForeignKeySchema, dialect: DialectName): Call =>
  call(
    'addForeignKeyConstraint',
    foreignKeyName(table, foreignKey),
    foreignKey.columns,
    // SQLite looks for it where the table itself is, and nowhere else
    dialect === 'sqlite' ? unqualified(foreignKey.table) : foreignKey.table,
    foreignKey.targetColumns,
    ...building('constraint', rules(foreignKey)),
  )

/** Adds a foreign key to a table. */
export const addForeignKeyCalls = (table: string, foreignKey: ForeignKeySchema): ReadonlyArray<Call> => [
  call('alterTable', table),
  call(
    'addForeignKeyConstraint',
    foreignKeyName(table, foreignKey),
    foreignKey.columns,
    foreignKey.table,
    foreignKey.targetColumns,
  ),
  ...rules(foreignKey),
]

const rules = ({ onDelete, onUpdate, deferrable }: ForeignKeySchema): ReadonlyArray<Call> => [
  ...(onDelete === null ? [] : [call('onDelete', onDelete)]),
  ...(onUpdate === null ? [] : [call('onUpdate', onUpdate)]),
  ...(deferrable === null
    ? []
    : [call('deferrable'), call(deferrable === 'initially deferred' ? 'initiallyDeferred' : 'initiallyImmediate')]),
]

export const addCheck = (table: string, check: CheckSchema): Call =>
  call('addCheckConstraint', check.name ?? nameFor('check', table, []), rawSql(check.expression))

/** The name of a primary key. */
export const keyName = (table: string, { name }: KeySchema): string => name ?? nameFor('pkey', table, [])

/** The name of a foreign key. */
export const foreignKeyName = (table: string, { name, columns }: ForeignKeySchema): string =>
  name ?? nameFor('fkey', table, columns)

const nameFor = (kind: 'pkey' | 'key' | 'fkey' | 'check', table: string, columns: ReadonlyArray<string>): string =>
  fitting(postgresNaming({ kind, table: unqualified(table), columns }))

/** Makes an index of a table. */
export const createIndexCalls = (table: string, index: IndexSchema, dialect: DialectName): ReadonlyArray<Call> => [
  call('createIndex', index.name),
  ...(index.unique ? [call('unique')] : []),
  call('on', dialect === 'sqlite' ? unqualified(table) : table),
  ...(index.method === null ? [] : [call('using', index.method)]),
  ...index.parts.map((part) => {
    const order = part.direction === 'desc' ? ' desc' : ''
    if (part._tag === 'Expression') return call('expression', rawSql(`(${part.expression})${order}`))
    // Kysely reads `a.b` as the column of a table, and the last word as a direction
    return /^\w+$/.test(part.column)
      ? call('column', `${part.column}${order}`)
      : call('expression', rawSql(`${quotedName(part.column, dialect)}${order}`))
  }),
  ...(index.where === null ? [] : [call('where', rawSql(index.where, 'boolean'))]),
]

/**
 * The statement of `createIndexCalls`. SQLite has the schema with the name of the index rather than with that of the table, where
 * Kysely's builder takes none.
 */
export const createIndexNode = (calls: ReadonlyArray<Call>, table: string, dialect: DialectName): RootOperationNode => {
  const node = statementOf(calls) as CreateIndexNode
  const schema = dialect === 'sqlite' ? schemaIn(table) : null
  if (schema === null) return node
  return { ...node, name: SchemableIdentifierNode.createWithSchema(schema, node.name.name) as never }
}

/** An index in SQL, which is in the schema of its table. */
export const quotedIndex = (table: string, name: string, dialect: DialectName): string => {
  const schema = schemaIn(table)
  return quotedTable(schema === null ? name : `${schema}.${name}`, dialect)
}
