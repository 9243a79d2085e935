/**
 * The statements that make the tables of a model, and those that drop them: data, in the order in which they run.
 *
 * Tables are made if they are not there; what is there already is left as it is, whatever it looks like. Changing tables
 * is the business of migrations.
 */
import { type RawNode, type RootOperationNode, sql } from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import type { TableNames } from '../engine/table-names.js'
import type { AnyModel } from '../model/model.js'
import { type Call, call, rawSql, statementOf } from './builder-call.js'
import { compileText } from './condition-text.js'
import type { ForeignKeySchema, IndexSchema, SchemaNote, TableSchema } from './database-schema.js'
import { schemaIn } from './naming.js'
import { renamedSchema } from './renamed-schema.js'
import { type SchemaOptions, schemaOf } from './schema-of.js'
import {
  addForeignKeyCalls,
  createIndexCalls,
  createIndexNode,
  createTableCalls,
  foreignKeyName,
  quotedTable,
} from './table-calls.js'

/**
 * A statement of a model's DDL. With a condition it runs only where the schema, or the table's constraint or index, exists, or
 * does not: not every database can say so in the statement itself, or lets everyone say it.
 *
 * @category model
 */
export interface DdlStatement {
  readonly node: RootOperationNode
  readonly condition: DdlCondition | null
}

/**
 * @category model
 */
export type DdlCondition =
  | { readonly schema: string; readonly exists: boolean }
  | { readonly table: string; readonly constraint: string; readonly exists: boolean }
  | { readonly table: string; readonly index: string; readonly exists: boolean }

/**
 * The statements that create the tables of a model, parents before children, and those that drop them, children before
 * parents; and what of the model they leave out, since the database has no such thing.
 *
 * @category model
 */
export interface Ddl {
  readonly dialect: Dialect['name']
  readonly create: ReadonlyArray<DdlStatement>
  readonly drop: ReadonlyArray<DdlStatement>
  readonly notes: ReadonlyArray<SchemaNote>
}

/**
 * @category model
 */
export interface DdlOptions extends SchemaOptions {
  /** Whether what is there already is passed over, rather than an error. It is where nothing is said. */
  readonly ifNotExists?: boolean
  /** What its tables are called, where that is not what the model calls them. */
  readonly names?: TableNames
}

/**
 * The DDL of a model: tables with their keys, checks, unique constraints and foreign keys, their indexes, and an index on
 * each foreign key that no key covers; the sequences and the tables of counters that its generators draw from; and the schemas
 * that its tables are in, where the database makes such (PostgreSQL, MySQL and MariaDB), which are not dropped. Foreign keys that
 * close a cycle of tables are added after the tables, except on SQLite, where a table may refer to one that is not there yet.
 *
 * @example
 * for (const { node } of ddlOf(model)(engine.dialect).create) console.log(engine.compile(node).sql)
 *
 * @see {@link renderDdl} for its text
 * @category constructors
 */
export const ddlOf =
  (model: AnyModel, options: DdlOptions = {}) =>
  (dialect: Dialect): Ddl => {
    const { ifNotExists = true, names } = options
    const own = schemaOf(model, options)(dialect)
    const { tables, sequences, notes } = names === undefined ? own : renamedSchema(own, names)
    const create: DdlStatement[] = [
      ...createSchemas([...tables, ...sequences], dialect),
      ...sequences.map(({ name }) => sequenceStatement('create', name, ifNotExists, dialect)),
    ]
    const later: Later[] = []
    const made = new Set<string>()
    for (const table of tables) {
      made.add(table.name)
      const within = table.foreignKeys.filter((foreignKey) => dialect.name === 'sqlite' || made.has(foreignKey.table))
      for (const foreignKey of table.foreignKeys) if (!within.includes(foreignKey)) later.push({ table, foreignKey })
      create.push(always(statementOf(conditional(createTableCalls(table, within, dialect.name), ifNotExists))))
      create.push(...table.indexes.map((index) => createIndex(table, index, dialect, ifNotExists)))
    }
    create.push(...later.map((added) => addLater(added, ifNotExists)))
    const drop = [
      ...dropStatements(tables, later, dialect),
      ...sequences.map(({ name }) => sequenceStatement('drop', name, true, dialect)),
    ]
    return { dialect: dialect.name, create, drop, notes }
  }

/** Schemas that are not there. To ask for one that is takes a right that not everyone has who may make tables in it. */
const createSchemas = (
  named: ReadonlyArray<{ readonly name: string }>,
  dialect: Dialect,
): ReadonlyArray<DdlStatement> => {
  if (dialect.name === 'sqlite') return []
  const schemas = new Set(named.flatMap(({ name }) => schemaIn(name) ?? []))
  return Array.from(schemas, (schema) => ({
    node: statementOf([call('createSchema', schema), call('ifNotExists')]),
    condition: { schema, exists: false },
  }))
}

const sequenceStatement = (
  what: 'create' | 'drop',
  name: string,
  isConditional: boolean,
  dialect: Dialect,
): DdlStatement => {
  const condition = isConditional ? (what === 'create' ? 'if not exists ' : 'if exists ') : ''
  return always(sql.raw(`${what} sequence ${condition}${quotedTable(name, dialect.name)}`).toOperationNode() as RawNode)
}

/**
 * The statements that create the tables of a model as a script to read, with what is left out as comments.
 *
 * @example
 * console.log(renderDdl(ddlOf(model)(postgresDialect)))
 *
 * @category interpreters
 */
export const renderDdl = ({ dialect, create, notes }: Ddl): string =>
  [
    ...notes.map(({ table, message }) => `-- ${table}: ${message}`),
    ...create.map(({ node }) => `${lines(compileText(node, { name: dialect }))};`),
  ].join('\n')

/** A line for each column and constraint of a table. */
const lines = (text: string): string => {
  if (!text.startsWith('create table')) return text
  const parts: string[] = []
  let depth = 0
  let quote = ''
  let start = text.indexOf('(') + 1
  for (let i = start; i < text.length; i++) {
    const character = text[i] as string
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === "'" || character === '"' || character === '`') quote = character
    else if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    if (quote === '' && ((character === ',' && depth === 0) || depth === -1)) {
      parts.push(text.slice(start, i).trim())
      start = i + 1
      if (depth === -1) break
    }
  }
  return `${text.slice(0, text.indexOf('(') + 1)}\n  ${parts.join(',\n  ')}\n)${text.slice(start)}`
}

interface Later {
  readonly table: TableSchema
  readonly foreignKey: ForeignKeySchema
}

const always = (node: RootOperationNode): DdlStatement => ({ node, condition: null })

const conditional = ([create, ...calls]: ReadonlyArray<Call>, ifNotExists: boolean): ReadonlyArray<Call> => [
  create as Call,
  ...(ifNotExists ? [call('ifNotExists')] : []),
  ...calls,
]

const createIndex = (
  { name: table }: TableSchema,
  index: IndexSchema,
  dialect: Dialect,
  ifNotExists: boolean,
): DdlStatement => {
  const calls = createIndexCalls(table, index, dialect.name)
  // MySQL itself, unlike MariaDB, has no `if not exists` here
  return dialect.name === 'mysql' && ifNotExists
    ? { node: statementOf(calls), condition: { table, index: index.name, exists: false } }
    : always(createIndexNode(conditional(calls, ifNotExists), table, dialect.name))
}

const addLater = ({ table, foreignKey }: Later, ifNotExists: boolean): DdlStatement => ({
  node: statementOf(addForeignKeyCalls(table.name, foreignKey)),
  condition: ifNotExists
    ? { table: table.name, constraint: foreignKeyName(table.name, foreignKey), exists: false }
    : null,
})

const dropStatements = (
  tables: ReadonlyArray<TableSchema>,
  later: ReadonlyArray<Later>,
  dialect: Dialect,
): ReadonlyArray<DdlStatement> => {
  const position = new Map(tables.map(({ name }, i) => [name, i]))
  const isCyclic = tables.some(({ foreignKeys }, i) => foreignKeys.some(({ table }) => (position.get(table) ?? 0) > i))
  if (dialect.name === 'sqlite' && isCyclic) return dropCycles(tables)
  return [...later.map(dropLater), ...tables.toReversed().map(dropTable)]
}

const dropTable = ({ name }: Pick<TableSchema, 'name'>): DdlStatement =>
  always(statementOf([call('dropTable', name), call('ifExists')]))

/**
 * Dropping a table of SQLite deletes its rows, which rows of the others may still refer to, and looks up all that it and
 * those refer to: what is gone already stands there as an empty table meanwhile.
 */
const dropCycles = (tables: ReadonlyArray<TableSchema>): ReadonlyArray<DdlStatement> => {
  const dropped = tables.toReversed()
  const standIns = dropped.map((table, i) => standIn(table, dropped.slice(i + 1)))
  return [
    always(sql`pragma defer_foreign_keys = on`.toOperationNode() as RawNode),
    ...dropped.flatMap((table, i) => [dropTable(table), ...(standIns[i] ?? [])]),
    ...dropped.filter((_, i) => standIns[i] !== null).map(dropTable),
  ]
}

/** A table with the columns that the others refer to; null where they do not. */
const standIn = ({ name }: TableSchema, others: ReadonlyArray<TableSchema>): ReadonlyArray<DdlStatement> | null => {
  const referred = others.flatMap(({ foreignKeys }) =>
    foreignKeys.filter(({ table }) => table === name).map(({ targetColumns }) => targetColumns),
  )
  if (referred.length === 0) return null
  const columns = [...new Set(referred.flat())]
  const made = statementOf([
    call('createTable', name),
    ...columns.map((column) => call('addColumn', column, rawSql('blob'))),
    ...referred.map((key, i) => call('addUniqueConstraint', `key_${i}`, key)),
  ])
  return [always(made)]
}

const dropLater = ({ table, foreignKey }: Later): DdlStatement => {
  const constraint = foreignKeyName(table.name, foreignKey)
  return {
    node: statementOf([call('alterTable', table.name), call('dropConstraint', constraint)]),
    condition: { table: table.name, constraint, exists: true },
  }
}
