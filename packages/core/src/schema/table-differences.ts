/**
 * How a table of a database differs from the model's: in columns, keys, indexes and checks.
 */
import type { Dialect } from '../engine/dialect.js'
import {
  type CheckSchema,
  type ColumnSchema,
  type ForeignKeySchema,
  type IndexSchema,
  type KeySchema,
  plainColumns,
  type TableSchema,
} from './database-schema.js'
import type { Difference, MissingColumn } from './difference.js'
import { checkIdentity, foreignKeyIdentity, indexIdentity, keyIdentity, uniqueIndex } from './identity.js'
import { canonical } from './same-expression.js'
import { canonicalType } from './same-type.js'

/** What both sides have in common. @category model */
export interface Comparing {
  readonly dialect: Dialect['name']
  readonly collation: string | null
}

/** The columns that a table has in the model alone. @category combinators */
export const missingColumns = (
  table: TableSchema,
  columns: ReadonlyArray<ColumnSchema>,
): ReadonlyArray<MissingColumn> => {
  const found = new Set(columns.map(({ name }) => name))
  return table.columns
    .filter(({ name }) => !found.has(name))
    .map((column) => ({ _tag: 'MissingColumn', table: table.name, column: column.name, model: column }))
}

/** All differences between the two sides of a table. @category combinators */
export const tableDifferences = (
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
