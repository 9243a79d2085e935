/**
 * What leads from one schema to another, as data: steps in the order in which they run.
 */
import type { Dialect } from '../engine/dialect.js'
import type { Call } from './builder-call.js'
import type { ColumnSchema, DatabaseSchema, ForeignKeySchema, TableSchema } from './database-schema.js'
import type { Difference } from './difference.js'
import { type Drift, driftBetween } from './drift.js'
import { canonicalType } from './same-type.js'

/** One step, and what to think of before it is taken. */
export type Step = Chain | Statement | Remake

/** A statement of Kysely's schema builder. */
export interface Chain {
  readonly _tag: 'Chain'
  readonly calls: ReadonlyArray<Call>
  readonly remarks: ReadonlyArray<string>
}

/** A statement that Kysely's schema builder does not have. */
export interface Statement {
  readonly _tag: 'Statement'
  readonly sql: string
  readonly remarks: ReadonlyArray<string>
}

/** A table of SQLite is made anew, with its rows. */
export interface Remake {
  readonly _tag: 'Remake'
  readonly table: string
  /** Makes the table that takes its place. */
  readonly create: ReadonlyArray<Call>
  /** Columns of the new table, and the expressions over the old one that fill them. */
  readonly columns: ReadonlyArray<string>
  readonly values: ReadonlyArray<string>
  readonly remarks: ReadonlyArray<string>
}

export const chain = (calls: ReadonlyArray<Call>, ...remarks: ReadonlyArray<string>): Chain => ({
  _tag: 'Chain',
  calls,
  remarks,
})

export const statement = (sql: string, ...remarks: ReadonlyArray<string>): Statement => ({
  _tag: 'Statement',
  sql,
  remarks,
})

/** What is to become of a schema: how it differs from the one that it is to be, and both of them by table. */
export interface Change {
  readonly dialect: Dialect['name']
  readonly differences: ReadonlyArray<Difference>
  readonly from: ReadonlyMap<string, TableSchema>
  readonly to: ReadonlyMap<string, TableSchema>
  /** Names under which one of the schemas has a view. */
  readonly views: ReadonlySet<string>
}

/** The change that makes one schema into another. */
export const changeOf = (from: DatabaseSchema, to: DatabaseSchema): Change => {
  const views = new Set([...from.views, ...to.views].map(({ name }) => name))
  const byName = ({ tables }: DatabaseSchema): ReadonlyMap<string, TableSchema> =>
    new Map(tables.map((table) => [table.name, table]))
  const { dialect, differences }: Drift = driftBetween(to, from)
  return {
    dialect,
    differences: differences.filter(({ table }) => !views.has(table)),
    from: byName(from),
    to: byName(to),
    views,
  }
}

/** Differences of one kind. */
export const ofKind = <T extends Difference['_tag']>(
  differences: ReadonlyArray<Difference>,
  tag: T,
): ReadonlyArray<Extract<Difference, { readonly _tag: T }>> =>
  differences.filter((difference): difference is Extract<Difference, { readonly _tag: T }> => difference._tag === tag)

/** Tables so that each comes after those that it refers to, and the foreign keys that close a cycle of them. O(V + E). */
export const parentsFirst = (
  tables: ReadonlyArray<TableSchema>,
): {
  readonly ordered: ReadonlyArray<TableSchema>
  readonly closing: ReadonlyMap<string, ReadonlyArray<ForeignKeySchema>>
} => {
  const byName = new Map(tables.map((table) => [table.name, table]))
  const ordered = new Set<TableSchema>()
  const entered = new Set<TableSchema>()
  const closing = new Map<string, ForeignKeySchema[]>()
  const enter = (table: TableSchema): void => {
    if (entered.has(table)) return
    entered.add(table)
    for (const foreignKey of table.foreignKeys) {
      const target = byName.get(foreignKey.table)
      if (target === undefined || target === table) continue
      enter(target)
      if (ordered.has(target)) continue
      closing.set(table.name, [...(closing.get(table.name) ?? []), foreignKey])
    }
    ordered.add(table)
  }
  for (const table of tables) enter(table)
  return { ordered: [...ordered], closing }
}

/** Columns that come and columns that go, of one table and one type: they may be the same under another name. */
export const renameRemarks = (
  differences: ReadonlyArray<Difference>,
  table: string,
  dialect: Dialect['name'],
): ReadonlyArray<string> => {
  const typeOf = ({ type }: ColumnSchema): string => canonicalType(type, dialect)
  const extra = ofKind(differences, 'ExtraColumn').filter((difference) => difference.table === table)
  return ofKind(differences, 'MissingColumn')
    .filter((difference) => difference.table === table)
    .flatMap(({ column, model }) =>
      extra
        .filter(({ database }) => typeOf(database) === typeOf(model))
        .map(
          (other) =>
            `if ${column} is ${other.column} under another name: db.schema.alterTable('${table}').renameColumn('${other.column}', '${column}')`,
        ),
    )
}

/** What to think of before a column is added. */
export const addingRemarks = (table: string, column: ColumnSchema): ReadonlyArray<string> =>
  column.isNullable || column.default !== null || column.isCounted || column.computed !== null
    ? []
    : [`rows that are in ${table} have no ${column.name}: add it with a default, or as nullable and fill it first`]
