/**
 * A schema with its tables and their constraints under other names.
 */
import type { TableNames } from '../engine/table-names.js'
import type { DatabaseSchema, ForeignKeySchema, KeySchema, TableSchema } from './database-schema.js'
import { fitting } from './naming.js'

/** The schema as `names` calls what is in it. */
export const renamedSchema = (schema: DatabaseSchema, names: TableNames): DatabaseSchema => ({
  ...schema,
  tables: schema.tables.map((table) => renamedTable(table, names)),
  sequences: schema.sequences.map((sequence) => ({ ...sequence, name: names.table(sequence.name) })),
})

const renamedTable = (table: TableSchema, names: TableNames): TableSchema => {
  const name = (own: string): string => fitting(names.constraint(own))
  const key = (own: KeySchema): KeySchema => ({ ...own, name: own.name === null ? null : name(own.name) })
  const foreignKey = (own: ForeignKeySchema): ForeignKeySchema => ({
    ...own,
    name: own.name === null ? null : name(own.name),
    table: names.table(own.table),
  })
  return {
    ...table,
    name: names.table(table.name),
    primaryKey: table.primaryKey === null ? null : key(table.primaryKey),
    unique: table.unique.map(key),
    foreignKeys: table.foreignKeys.map(foreignKey),
    indexes: table.indexes.map((index) => ({ ...index, name: name(index.name) })),
    checks: table.checks.map((check) => ({ ...check, name: check.name === null ? null : name(check.name) })),
  }
}
