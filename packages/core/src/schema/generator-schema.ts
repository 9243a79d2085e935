/**
 * What the generators of a model draw from: tables of counters, and sequences.
 */
import type { Dialect } from '../engine/dialect.js'
import type { Counter, Sequence } from '../model/generator.js'
import type { Mapping } from '../model/mapping.js'
import type { ColumnSchema, SchemaNote, SequenceSchema, TableSchema } from './database-schema.js'
import { fitting, type NamingConvention, unqualified } from './naming.js'
import { withCollation } from './table-calls.js'

/** The tables of counters that no entity maps. */
export const counterTables = (
  mappings: ReadonlyArray<Mapping>,
  mapped: ReadonlyArray<TableSchema>,
  naming: NamingConvention,
  dialect: Dialect,
): ReadonlyArray<TableSchema> => {
  const known = new Set(mapped.map(({ name }) => name))
  const wanted = new Set(generatorsOf(mappings).flatMap(({ generator }) => tableIn(generator)))
  return [...wanted].filter((table) => !known.has(table)).map((table) => counterTable(table, naming, dialect))
}

/** The sequences that it draws from; notes that there are none here. */
export const sequencesOf = (
  mappings: ReadonlyArray<Mapping>,
  dialect: Dialect,
  notes: SchemaNote[],
): ReadonlyArray<SequenceSchema> => {
  const drawn = generatorsOf(mappings).flatMap(({ generator, ...place }) =>
    generator._tag === 'Sequence' ? [{ ...place, name: generator.name }] : [],
  )
  if (dialect.name === 'sqlite') {
    for (const { column, name, table } of drawn) {
      const message = `${column}: there are no sequences here, and none to draw from by the name of ${name}; say counter`
      notes.push({ _tag: 'Unsupported', table, message })
    }
    return []
  }
  return [...new Set(drawn.map(({ name }) => name))].map((name) => ({ name, isUsed: false }))
}

interface Drawing {
  readonly table: string
  readonly column: string
  readonly generator: Sequence | Counter
}

const generatorsOf = (mappings: ReadonlyArray<Mapping>): ReadonlyArray<Drawing> =>
  mappings.flatMap(({ attributes, table }) =>
    attributes.flatMap(({ column: { generator }, columnName }) =>
      generator === null ? [] : [{ table, column: columnName, generator }],
    ),
  )

const tableIn = (generator: Sequence | Counter): ReadonlyArray<string> =>
  generator._tag === 'Counter' ? [generator.table] : []

const counterTable = (name: string, naming: NamingConvention, dialect: Dialect): TableSchema => {
  const column = (columnName: string, kind: 'text' | 'bigint', isKey: boolean): ColumnSchema => ({
    name: columnName,
    ...withCollation(dialect.columnType({ kind, detail: null }, isKey)),
    isNullable: false,
    default: null,
    isCounted: false,
    computed: null,
  })
  return {
    name,
    columns: [column('name', 'text', true), column('next', 'bigint', false)],
    primaryKey: { name: fitting(naming({ kind: 'pkey', table: unqualified(name), columns: [] })), columns: ['name'] },
    unique: [],
    foreignKeys: [],
    indexes: [],
    checks: [],
  }
}
