/**
 * Changing the tables of SQLite, whose ALTER TABLE adds, drops and renames columns and no more: other changes make the
 * table anew and copy its rows.
 *
 * @see https://www.sqlite.org/lang_altertable.html#otheralter
 */
import { call } from './builder-call.js'
import {
  addingRemarks,
  type Change,
  chain,
  ofKind,
  parentsFirst,
  renameRemarks,
  type Step,
  statement,
} from './change.js'
import { compileText } from './condition-text.js'
import type { ColumnSchema, IndexSchema, TableSchema } from './database-schema.js'
import type { Difference } from './difference.js'
import { uniqueIndex } from './identity.js'
import { schemaIn, unqualified } from './naming.js'
import {
  columnArguments,
  createIndexCalls,
  createIndexNode,
  createTableCalls,
  quotedIndex,
  quotedName,
} from './table-calls.js'

export const sqliteSteps = (change: Change): ReadonlyArray<Step> => {
  const { differences, from, to } = change
  const extra = parentsFirst(ofKind(differences, 'ExtraTable').map(({ database }) => database)).ordered
  const missing = parentsFirst(ofKind(differences, 'MissingTable').map(({ model }) => model)).ordered
  const changed = [...from.values()].filter(({ name }) => to.has(name))
  return [
    ...extra.toReversed().map(({ name }) => chain([call('dropTable', name)], `the rows of ${name} are lost`)),
    ...changed.flatMap((table) => {
      const own = differences.filter((difference) => difference.table === table.name)
      const target = to.get(table.name) as TableSchema
      if (own.length === 0) return []
      return own.every((difference) => isInPlace(difference, table, target))
        ? own.flatMap((difference) => inPlace(difference, own))
        : remake(table, target, own)
    }),
    ...missing.flatMap((table) => [
      chain(createTableCalls(table, table.foreignKeys, 'sqlite')),
      ...table.indexes.map((index) => createIndex(table.name, index)),
    ]),
  ]
}

/** Whether SQLite can do it to a table as it is. */
const isInPlace = (difference: Difference, from: TableSchema, to: TableSchema): boolean => {
  switch (difference._tag) {
    case 'MissingIndex':
    case 'ExtraIndex':
    case 'IndexDefinition':
      return true
    case 'MissingUnique':
      return to.indexes.some((index) => index.name === difference.model.name && uniqueIndex(index) !== null)
    case 'ExtraUnique':
      return from.indexes.some((index) => index.name === difference.database.name && uniqueIndex(index) !== null)
    case 'MissingColumn':
      return isAddable(difference.model)
    default:
      return false
  }
}

/** A column that is added is filled with one value in all rows. */
const isAddable = ({ isNullable, default: given, computed }: ColumnSchema): boolean =>
  computed === null && (given === null ? isNullable : /^(?:[+-]?[\d.]+|'(?:[^']|'')*'|true|false|null)$/i.test(given))

const inPlace = (difference: Difference, own: ReadonlyArray<Difference>): ReadonlyArray<Step> => {
  const { table } = difference
  switch (difference._tag) {
    case 'MissingIndex':
      return [createIndex(table, difference.model)]
    case 'ExtraIndex':
      return [dropIndex(table, difference.database.name)]
    case 'IndexDefinition':
      return [dropIndex(table, difference.database.name), createIndex(table, difference.model)]
    case 'MissingUnique':
      return [
        createIndex(
          table,
          {
            name: difference.model.name ?? '',
            parts: difference.model.columns.map((column) => ({ _tag: 'Column', column, direction: 'asc' })),
            unique: true,
            where: null,
            method: null,
          },
          `rows of ${table} that share ${difference.model.columns.join(', ')} are an error`,
        ),
      ]
    case 'ExtraUnique':
      return [dropIndex(table, difference.database.name ?? '')]
    case 'MissingColumn':
      return [
        chain(
          [
            call('alterTable', table),
            call('addColumn', difference.column, ...columnArguments(difference.model, 'sqlite', false)),
          ],
          ...renameRemarks(own, table, 'sqlite'),
        ),
      ]
    default:
      return []
  }
}

const createIndex = (table: string, index: IndexSchema, ...remarks: ReadonlyArray<string>): Step => {
  const calls = createIndexCalls(table, index, 'sqlite')
  return schemaIn(table) === null
    ? chain(calls, ...remarks)
    : statement(compileText(createIndexNode(calls, table, 'sqlite'), { name: 'sqlite' }), ...remarks)
}

const dropIndex = (table: string, name: string): Step =>
  schemaIn(table) === null
    ? chain([call('dropIndex', name)])
    : statement(`drop index ${quotedIndex(table, name, 'sqlite')}`)

/** A table of the same schema under the name that it has until it takes the place of the other. */
const newName = (table: string): string => `${table.slice(0, -unqualified(table).length)}new_${unqualified(table)}`

const remake = (from: TableSchema, to: TableSchema, own: ReadonlyArray<Difference>): ReadonlyArray<Step> => {
  const known = new Map(from.columns.map((column) => [column.name, column]))
  const copied = to.columns.filter(({ name, computed }) => known.has(name) && computed === null)
  const added = ofKind(own, 'MissingColumn')
  return [
    {
      _tag: 'Remake',
      table: to.name,
      create: createTableCalls(to, to.foreignKeys, 'sqlite', newName(to.name)),
      columns: copied.map(({ name }) => quotedName(name, 'sqlite')),
      values: copied.map((column) => {
        const name = quotedName(column.name, 'sqlite')
        const isFilled = !column.isNullable && known.get(column.name)?.isNullable === true && column.default !== null
        return isFilled ? `coalesce(${name}, ${column.default})` : name
      }),
      remarks: [
        ...renameRemarks(own, to.name, 'sqlite'),
        ...added.flatMap(({ model }) => addingRemarks(to.name, model)),
        ...ofKind(own, 'ExtraColumn').map(({ table, column }) => `what ${table}.${column} holds is lost`),
        ...ofKind(own, 'Nullability')
          .filter(({ model }) => !model)
          .map(({ table, column }) => `rows of ${table} that have no ${column} are an error, unless it has a default`),
        ...(own.some(({ _tag }) => stricter.has(_tag))
          ? [`rows of ${to.name} that the new table does not allow are an error`]
          : []),
      ],
    },
    ...to.indexes.map((index) => createIndex(to.name, index)),
  ]
}

const stricter: ReadonlySet<Difference['_tag']> = new Set([
  'PrimaryKey',
  'MissingUnique',
  'MissingCheck',
  'CheckExpression',
  'MissingForeignKey',
])
