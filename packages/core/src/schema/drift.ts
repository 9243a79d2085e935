/**
 * Drift: what a database has that a model has not, and the other way round, as data.
 *
 * Tables, columns and constraints are compared by what they are rather than by the names of constraints; types and
 * expressions by what they mean, as far as can be told (see `same-type.ts`, `same-expression.ts`).
 */
import type { Dialect } from '../engine/dialect.js'
import type {
  CheckSchema,
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexSchema,
  KeySchema,
  SequenceSchema,
  TableSchema,
} from './database-schema.js'
import { plainColumns } from './database-schema.js'
import { checkIdentity, foreignKeyIdentity, indexIdentity, keyIdentity, uniqueIndex } from './identity.js'
import { canonical } from './same-expression.js'
import { canonicalType } from './same-type.js'

/** The model has the table, the database has not. @category model */
export interface MissingTable {
  readonly _tag: 'MissingTable'
  readonly table: string
  readonly model: TableSchema
}

/** The database has the table, the model has not. @category model */
export interface ExtraTable {
  readonly _tag: 'ExtraTable'
  readonly table: string
  readonly database: TableSchema
}

/** @category model */
export interface MissingColumn {
  readonly _tag: 'MissingColumn'
  readonly table: string
  readonly column: string
  readonly model: ColumnSchema
}

/** @category model */
export interface ExtraColumn {
  readonly _tag: 'ExtraColumn'
  readonly table: string
  readonly column: string
  readonly database: ColumnSchema
}

/** Types with their collations, as each side spells them. @category model */
export interface ColumnType {
  readonly _tag: 'ColumnType'
  readonly table: string
  readonly column: string
  readonly model: string
  readonly database: string
}

/** Whether the column may hold NULL. @category model */
export interface Nullability {
  readonly _tag: 'Nullability'
  readonly table: string
  readonly column: string
  readonly model: boolean
  readonly database: boolean
}

/** Whether the database counts the column up. @category model */
export interface Counting {
  readonly _tag: 'Counting'
  readonly table: string
  readonly column: string
  readonly model: boolean
  readonly database: boolean
}

/** @category model */
export interface Default {
  readonly _tag: 'Default'
  readonly table: string
  readonly column: string
  readonly model: string | null
  readonly database: string | null
}

/** @category model */
export interface PrimaryKey {
  readonly _tag: 'PrimaryKey'
  readonly table: string
  readonly model: KeySchema | null
  readonly database: KeySchema | null
}

/** A unique constraint, or a unique index of columns, which is as good. @category model */
export interface MissingUnique {
  readonly _tag: 'MissingUnique'
  readonly table: string
  readonly model: KeySchema
}

/** @category model */
export interface ExtraUnique {
  readonly _tag: 'ExtraUnique'
  readonly table: string
  readonly database: KeySchema
}

/** @category model */
export interface MissingForeignKey {
  readonly _tag: 'MissingForeignKey'
  readonly table: string
  readonly model: ForeignKeySchema
}

/** @category model */
export interface ExtraForeignKey {
  readonly _tag: 'ExtraForeignKey'
  readonly table: string
  readonly database: ForeignKeySchema
}

/** Both have it, with other actions or checked at another time. @category model */
export interface ForeignKeyRules {
  readonly _tag: 'ForeignKeyRules'
  readonly table: string
  readonly model: ForeignKeySchema
  readonly database: ForeignKeySchema
}

/** @category model */
export interface MissingIndex {
  readonly _tag: 'MissingIndex'
  readonly table: string
  readonly model: IndexSchema
}

/** @category model */
export interface ExtraIndex {
  readonly _tag: 'ExtraIndex'
  readonly table: string
  readonly database: IndexSchema
}

/** Both have an index of the name, on other columns or of another kind. @category model */
export interface IndexDefinition {
  readonly _tag: 'IndexDefinition'
  readonly table: string
  readonly model: IndexSchema
  readonly database: IndexSchema
}

/** @category model */
export interface MissingCheck {
  readonly _tag: 'MissingCheck'
  readonly table: string
  readonly model: CheckSchema
}

/** @category model */
export interface ExtraCheck {
  readonly _tag: 'ExtraCheck'
  readonly table: string
  readonly database: CheckSchema
}

/** Both have a check of the name, which reads otherwise. @category model */
export interface CheckExpression {
  readonly _tag: 'CheckExpression'
  readonly table: string
  readonly model: CheckSchema
  readonly database: CheckSchema
}

/** A sequence, which is named among tables. @category model */
export interface MissingSequence {
  readonly _tag: 'MissingSequence'
  readonly table: string
  readonly model: SequenceSchema
}

/** A sequence that no column uses, and the model does not draw from. @category model */
export interface ExtraSequence {
  readonly _tag: 'ExtraSequence'
  readonly table: string
  readonly database: SequenceSchema
}

/**
 * One way in which a database is not as its model says.
 *
 * @category model
 */
export type Difference =
  | MissingTable
  | ExtraTable
  | MissingColumn
  | ExtraColumn
  | ColumnType
  | Nullability
  | Counting
  | Default
  | PrimaryKey
  | MissingUnique
  | ExtraUnique
  | MissingForeignKey
  | ExtraForeignKey
  | ForeignKeyRules
  | MissingIndex
  | ExtraIndex
  | IndexDefinition
  | MissingCheck
  | ExtraCheck
  | CheckExpression
  | MissingSequence
  | ExtraSequence

/**
 * The differences between a model and a database, in the order of the model's tables, then of the database's; and the two
 * schemas that were compared.
 *
 * @category model
 */
export interface Drift {
  readonly _tag: 'Drift'
  readonly dialect: Dialect['name']
  readonly differences: ReadonlyArray<Difference>
  readonly model: DatabaseSchema
  readonly database: DatabaseSchema
}

/**
 * @category model
 */
export interface DriftOptions {
  /** Tables and sequences of the database that are no business of the model, besides those of Kysely's migrator. */
  readonly ignore?: (table: string) => boolean
}

/**
 * Compares what a model says with what a database has. Pure; O(tables + columns + constraints).
 *
 * A view that stands where the model has a table is held to have its columns, and no more.
 *
 * @example
 * driftBetween(schemaOf(model)(engine.dialect), found).differences.map(({ _tag }) => _tag)
 *
 * @category combinators
 */
export const driftBetween = (
  given: DatabaseSchema,
  found: DatabaseSchema,
  { ignore = () => false }: DriftOptions = {},
): Drift => {
  // the rest is then the same from either side
  const model = { ...localTo(given, found.searched), searched: found.searched, collation: found.collation }
  const known = new Set(model.tables.map(({ name }) => name))
  const drawn = new Set(model.sequences.map(({ name }) => name))
  const database = {
    ...found,
    tables: found.tables.filter(({ name }) => known.has(name) || !(migratorTables.has(name) || ignore(name))),
    sequences: found.sequences.filter(({ name }) => drawn.has(name) || !ignore(name)),
  }
  const { dialect } = found
  const tables = new Map(database.tables.map((table) => [table.name, table]))
  const views = new Map(database.views.map((view) => [view.name, view]))
  const comparing: Comparing = { dialect, collation: found.collation }
  const differences = model.tables.flatMap((table): ReadonlyArray<Difference> => {
    const other = tables.get(table.name)
    if (other !== undefined) return tableDifferences(table, other, comparing)
    const view = views.get(table.name)
    return view === undefined
      ? [{ _tag: 'MissingTable', table: table.name, model: table }]
      : missingColumns(table, view.columns)
  })
  const extra = database.tables
    .filter(({ name }) => !known.has(name))
    .map((table): Difference => ({ _tag: 'ExtraTable', table: table.name, database: table }))
  const all = [...differences, ...extra, ...sequenceDifferences(model, database)]
  return { _tag: 'Drift', dialect, differences: all, model, database }
}

/** Sequences that columns use are as their columns are. */
const sequenceDifferences = (model: DatabaseSchema, database: DatabaseSchema): ReadonlyArray<Difference> => {
  const without = (sequences: ReadonlyArray<SequenceSchema>, others: ReadonlyArray<SequenceSchema>) => {
    const names = new Set(others.map(({ name }) => name))
    return sequences.filter(({ isUsed, name }) => !isUsed && !names.has(name))
  }
  return [
    ...without(model.sequences, database.sequences).map(
      (sequence): Difference => ({ _tag: 'MissingSequence', table: sequence.name, model: sequence }),
    ),
    ...without(database.sequences, model.sequences).map(
      (sequence): Difference => ({ _tag: 'ExtraSequence', table: sequence.name, database: sequence }),
    ),
  ]
}

/** What Kysely's migrator keeps of itself. */
export const migratorTables: ReadonlySet<string> = new Set(['kysely_migration', 'kysely_migration_lock'])

interface Comparing {
  readonly dialect: Dialect['name']
  readonly collation: string | null
}

/** Without the name of the schema that is searched first. */
const localTo = (schema: DatabaseSchema, searched: string | null): DatabaseSchema => {
  const prefix = `${searched ?? ''}.`
  const local = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name)
  const { sequences, tables } = schema
  if (searched === null || ![...tables, ...sequences].some(({ name }) => name.startsWith(prefix))) return schema
  return {
    ...schema,
    sequences: sequences.map((sequence) => ({ ...sequence, name: local(sequence.name) })),
    tables: tables.map((table) => ({
      ...table,
      name: local(table.name),
      foreignKeys: table.foreignKeys.map((foreignKey) => ({ ...foreignKey, table: local(foreignKey.table) })),
    })),
  }
}

const missingColumns = (table: TableSchema, columns: ReadonlyArray<ColumnSchema>): ReadonlyArray<MissingColumn> => {
  const found = new Set(columns.map(({ name }) => name))
  return table.columns
    .filter(({ name }) => !found.has(name))
    .map((column) => ({ _tag: 'MissingColumn', table: table.name, column: column.name, model: column }))
}

const tableDifferences = (
  model: TableSchema,
  database: TableSchema,
  comparing: Comparing,
): ReadonlyArray<Difference> => {
  const table = model.name
  const columns = new Map(database.columns.map((column) => [column.name, column]))
  const own = new Set(model.columns.map(({ name }) => name))
  return [
    ...model.columns.flatMap((column): ReadonlyArray<Difference> => {
      const other = columns.get(column.name)
      return other === undefined
        ? [{ _tag: 'MissingColumn', table, column: column.name, model: column }]
        : columnDifferences(table, column, other, comparing)
    }),
    ...database.columns
      .filter(({ name }) => !own.has(name))
      .map((column): Difference => ({ _tag: 'ExtraColumn', table, column: column.name, database: column })),
    ...(keyText(model.primaryKey) === keyText(database.primaryKey)
      ? []
      : [{ _tag: 'PrimaryKey' as const, table, model: model.primaryKey, database: database.primaryKey }]),
    ...uniqueDifferences(model, database),
    ...foreignKeyDifferences(model, database),
    ...indexDifferences(model, database, comparing),
    ...checkDifferences(model, database, comparing),
  ]
}

const keyText = (key: KeySchema | null): string => JSON.stringify(key?.columns ?? null)

const columnDifferences = (
  table: string,
  model: ColumnSchema,
  database: ColumnSchema,
  { dialect, collation }: Comparing,
): ReadonlyArray<Difference> => {
  const column = model.name
  const found: Difference[] = []
  const typed = ({ type, collation: own }: ColumnSchema): string => {
    // MySQL gives a collation only to what is text
    const isText = dialect !== 'mysql' || model.collation !== null || database.collation !== null
    return `${canonicalType(type, dialect)} ${isText ? (own ?? collation ?? '').toLowerCase() : ''}`
  }
  if (typed(model) !== typed(database)) {
    const isOfType = canonicalType(model.type, dialect) !== canonicalType(database.type, dialect)
    const spelt = ({ type, collation: own }: ColumnSchema): string =>
      own === null || (isOfType && own === collation) ? type : `${type} collate ${own}`
    found.push({ _tag: 'ColumnType', table, column, model: spelt(model), database: spelt(database) })
  }
  if (model.isNullable !== database.isNullable) {
    found.push({ _tag: 'Nullability', table, column, model: model.isNullable, database: database.isNullable })
  }
  // what is computed is no default, and the model cannot say more of it than that it is given
  const sameDefault =
    database.computed !== null || defaultText(model.default, dialect) === defaultText(database.default, dialect)
  if (!sameDefault) found.push({ _tag: 'Default', table, column, model: model.default, database: database.default })
  // a row id of SQLite counts whether it is told to or not
  if (model.isCounted !== database.isCounted && dialect !== 'sqlite') {
    found.push({ _tag: 'Counting', table, column, model: model.isCounted, database: database.isCounted })
  }
  return found
}

/** A default of NULL is none. */
const defaultText = (text: string | null, dialect: Dialect['name']): string | null => {
  const read = text === null ? null : canonical(text, dialect)
  return read === '"null"' ? null : read
}

/** Unique constraints and unique indexes of columns, whose order says nothing about what is unique. */
const uniqueKeys = ({ unique, indexes }: TableSchema): ReadonlyMap<string, KeySchema> =>
  new Map([...unique, ...indexes.flatMap((index) => uniqueIndex(index) ?? [])].map((key) => [keyIdentity(key), key]))

const uniqueDifferences = (model: TableSchema, database: TableSchema): ReadonlyArray<Difference> => {
  const table = model.name
  const own = uniqueKeys(model)
  const other = uniqueKeys(database)
  return [
    ...[...own].flatMap(
      ([text, key]): ReadonlyArray<Difference> =>
        other.has(text) ? [] : [{ _tag: 'MissingUnique', table, model: key }],
    ),
    ...[...other].flatMap(
      ([text, key]): ReadonlyArray<Difference> =>
        own.has(text) ? [] : [{ _tag: 'ExtraUnique', table, database: key }],
    ),
  ]
}

const foreignKeyDifferences = (model: TableSchema, database: TableSchema): ReadonlyArray<Difference> => {
  const table = model.name
  const other = new Map(database.foreignKeys.map((foreignKey) => [foreignKeyIdentity(foreignKey), foreignKey]))
  const own = new Set(model.foreignKeys.map(foreignKeyIdentity))
  return [
    ...model.foreignKeys.flatMap((foreignKey): ReadonlyArray<Difference> => {
      const found = other.get(foreignKeyIdentity(foreignKey))
      if (found === undefined) return [{ _tag: 'MissingForeignKey', table, model: foreignKey }]
      return rulesText(foreignKey) === rulesText(found)
        ? []
        : [{ _tag: 'ForeignKeyRules', table, model: foreignKey, database: found }]
    }),
    ...database.foreignKeys.flatMap(
      (foreignKey): ReadonlyArray<Difference> =>
        own.has(foreignKeyIdentity(foreignKey)) ? [] : [{ _tag: 'ExtraForeignKey', table, database: foreignKey }],
    ),
  ]
}

const rulesText = ({ onDelete, onUpdate, deferrable }: ForeignKeySchema): string =>
  JSON.stringify([onDelete, onUpdate, deferrable])

const indexDifferences = (
  model: TableSchema,
  database: TableSchema,
  { dialect }: Comparing,
): ReadonlyArray<Difference> => {
  const table = model.name
  // InnoDB makes and drops these as it needs them
  const implied = new Set(
    dialect === 'mysql'
      ? [...model.foreignKeys, ...database.foreignKeys].map(({ columns }) => JSON.stringify(columns))
      : [],
  )
  const compared = ({ indexes }: TableSchema): ReadonlyArray<IndexSchema> =>
    indexes.filter(
      (index) => uniqueIndex(index) === null && (index.unique || !implied.has(JSON.stringify(plainColumns(index)))),
    )
  return paired(compared(model), compared(database), (index) => indexIdentity(index, dialect)).map(
    ([own, other]): Difference =>
      own === null
        ? { _tag: 'ExtraIndex', table, database: other as IndexSchema }
        : other === null
          ? { _tag: 'MissingIndex', table, model: own }
          : { _tag: 'IndexDefinition', table, model: own, database: other },
  )
}

const checkDifferences = (
  model: TableSchema,
  database: TableSchema,
  { dialect }: Comparing,
): ReadonlyArray<Difference> =>
  paired(model.checks, database.checks, (check) => checkIdentity(check, dialect)).map(
    ([own, other]): Difference =>
      own === null
        ? { _tag: 'ExtraCheck', table: model.name, database: other as CheckSchema }
        : other === null
          ? { _tag: 'MissingCheck', table: model.name, model: own }
          : { _tag: 'CheckExpression', table: model.name, model: own, database: other },
  )

/** What is on one side only, and pairs of one name that are not the same. */
const paired = <A extends { readonly name: string | null }>(
  model: ReadonlyArray<A>,
  database: ReadonlyArray<A>,
  textOf: (item: A) => string,
): ReadonlyArray<readonly [A | null, A | null]> => {
  const left = new Map<string, A[]>()
  for (const item of database) {
    const text = textOf(item)
    const same = left.get(text)
    if (same === undefined) left.set(text, [item])
    else same.push(item)
  }
  const missing = model.filter((item) => left.get(textOf(item))?.shift() === undefined)
  const unmatched = [...left.values()].flat()
  const byName = new Map(unmatched.map((item) => [item.name, item]))
  const renewed = missing.map((item): readonly [A, A | null] => [
    item,
    item.name === null ? null : (byName.get(item.name) ?? null),
  ])
  const taken = new Set(renewed.map(([, other]) => other))
  return [...renewed, ...unmatched.filter((item) => !taken.has(item)).map((item): readonly [null, A] => [null, item])]
}
