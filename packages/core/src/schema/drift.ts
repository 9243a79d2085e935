/**
 * Drift: what a database has that a model has not, and the other way round, as data.
 *
 * Tables, columns and constraints are compared by what they are rather than by the names of constraints; types and
 * expressions by what they mean, as far as can be told (see `same-type.ts`, `same-expression.ts`).
 */
import type { Dialect } from '../engine/dialect.js'
import type { DatabaseSchema, SequenceSchema } from './database-schema.js'
import type { Difference } from './difference.js'
import { type Comparing, missingColumns, tableDifferences } from './table-differences.js'

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
