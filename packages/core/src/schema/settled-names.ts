/**
 * The names that a model's constraints and indexes have in a database that has some of them already: what is there keeps
 * its name, and what comes gets one that is free.
 */
import type { DatabaseSchema, TableSchema } from './database-schema.js'
import { checkIdentity, foreignKeyIdentity, indexIdentity, keyIdentity } from './identity.js'
import { fitting } from './naming.js'

/** The model's schema as it is once the database has all of it. */
export const settledIn = (database: DatabaseSchema, model: DatabaseSchema): DatabaseSchema => {
  const found = new Map(database.tables.map((table) => [table.name, table]))
  // indexes, those of unique constraints too, have names that a schema has once
  const indexNames = new Set<string>()
  const kept = new Map(
    model.tables.map((table) => [table, withKeptNames(table, found.get(table.name), database.dialect)]),
  )
  for (const { unique, indexes } of kept.values())
    for (const name of [...unique, ...indexes].flatMap(keptName)) indexNames.add(name)
  return { ...model, tables: [...kept.values()].map((table) => withFreeNames(table, indexNames)) }
}

/** A constraint or index with the name that it has in the database, or the one that it is to have. */
interface Named {
  readonly name: string | null
  readonly isKept: boolean
}

type Settling<A> = A & Named

interface SettlingTable extends TableSchema {
  readonly unique: ReadonlyArray<Settling<TableSchema['unique'][number]>>
  readonly indexes: ReadonlyArray<Settling<TableSchema['indexes'][number]>>
  readonly foreignKeys: ReadonlyArray<Settling<TableSchema['foreignKeys'][number]>>
  readonly checks: ReadonlyArray<Settling<TableSchema['checks'][number]>>
}

const keptName = ({ name, isKept }: Named): ReadonlyArray<string> => (isKept && name !== null ? [name] : [])

const withKeptNames = (
  table: TableSchema,
  found: TableSchema | undefined,
  dialect: DatabaseSchema['dialect'],
): SettlingTable => {
  const { primaryKey } = table
  const foundKey = found?.primaryKey ?? null
  return {
    ...table,
    primaryKey:
      primaryKey !== null && foundKey !== null && keyIdentity(primaryKey) === keyIdentity(foundKey)
        ? { ...primaryKey, name: foundKey.name }
        : primaryKey,
    unique: named(table.unique, found?.unique, keyIdentity),
    indexes: named(table.indexes, found?.indexes, (index) => indexIdentity(index, dialect)),
    foreignKeys: named(table.foreignKeys, found?.foreignKeys, foreignKeyIdentity),
    checks: named(table.checks, found?.checks, (check) => checkIdentity(check, dialect)),
  }
}

const named = <A extends { readonly name: string | null }>(
  items: ReadonlyArray<A>,
  found: ReadonlyArray<A> = [],
  identityOf: (item: A) => string,
): ReadonlyArray<Settling<A>> => {
  const names = new Map<string, Array<string | null>>()
  for (const item of found) {
    const identity = identityOf(item)
    names.set(identity, [...(names.get(identity) ?? []), item.name])
  }
  return items.map((item) => {
    const name = names.get(identityOf(item))?.shift()
    return { ...item, name: name === undefined ? item.name : name, isKept: name !== undefined }
  })
}

const withFreeNames = (table: SettlingTable, indexNames: Set<string>): TableSchema => {
  const own = new Set([...table.foreignKeys, ...table.checks, ...table.unique].flatMap(keptName))
  return {
    ...table,
    unique: table.unique.map((key) => free(key, own, indexNames)),
    indexes: table.indexes.map((index) => free(index, indexNames)),
    foreignKeys: table.foreignKeys.map((foreignKey) => free(foreignKey, own)),
    checks: table.checks.map((check) => free(check, own)),
  }
}

/** Under the first name that is in none of the sets, which it is in afterwards. */
const free = <A extends { readonly name: string | null }>(
  { isKept, ...item }: Settling<A>,
  ...taken: ReadonlyArray<Set<string>>
): A => {
  if (isKept || item.name === null) return item as unknown as A
  let { name } = item
  for (let i = 1; taken.some((names) => names.has(name as string)); i++) name = fitting(`${item.name}${i}`)
  for (const names of taken) names.add(name)
  return { ...item, name } as unknown as A
}
