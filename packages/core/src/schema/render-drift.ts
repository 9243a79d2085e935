/**
 * Drift for people: a line for each difference.
 */
import type { ColumnSchema, ForeignKeySchema, IndexSchema, TableSchema } from './database-schema.js'
import type { Difference } from './difference.js'
import type { Drift } from './drift.js'

/**
 * A line for each difference, and for each thing that could not be compared; says so where there is none.
 *
 * @example
 * renderDrift(drift) // users.email: its type is text in the model, character varying(40) in the database
 *
 * @category interpreters
 */
export const renderDrift = ({ differences, model, database }: Drift): string => {
  const notes = [...model.notes, ...database.notes].map(({ table, message }) => `${table}: ${message}`)
  return [
    ...(differences.length === 0 ? ['the database is as the model says'] : differences.map(lineOf)),
    ...notes,
  ].join('\n')
}

const lineOf = (difference: Difference): string => `${placeOf(difference)}: ${whatOf(difference)}`

const placeOf = (difference: Difference): string =>
  'column' in difference ? `${difference.table}.${difference.column}` : difference.table

const whatOf = (difference: Difference): string => {
  switch (difference._tag) {
    case 'MissingTable':
      return missing('the table', tableText(difference.model))
    case 'ExtraTable':
      return extra('the table', tableText(difference.database))
    case 'MissingColumn':
      return missing('the column', columnText(difference.model))
    case 'ExtraColumn':
      return extra('the column', columnText(difference.database))
    case 'ColumnType':
      return other('its type is', difference.model, difference.database)
    case 'Nullability':
      return difference.model
        ? 'it may be NULL in the model, and not in the database'
        : 'it may be NULL in the database, and not in the model'
    case 'Counting':
      return difference.model
        ? 'the database is to count it up, and does not'
        : 'the database counts it up, and is not to'
    case 'Default':
      return other('its default is', difference.model ?? 'none', difference.database ?? 'none')
    case 'PrimaryKey':
      return other('its primary key is', columnsText(difference.model), columnsText(difference.database))
    case 'MissingUnique':
      return missing('the unique constraint', columnsText(difference.model))
    case 'ExtraUnique':
      return extra('the unique constraint', columnsText(difference.database))
    case 'MissingForeignKey':
      return missing('the foreign key', foreignKeyText(difference.model))
    case 'ExtraForeignKey':
      return extra('the foreign key', foreignKeyText(difference.database))
    case 'ForeignKeyRules':
      return other(
        `the foreign key ${columnsText(difference.model)} is`,
        rulesText(difference.model),
        rulesText(difference.database),
      )
    case 'MissingIndex':
      return missing('the index', indexText(difference.model))
    case 'ExtraIndex':
      return extra('the index', indexText(difference.database))
    case 'IndexDefinition':
      return other(`the index ${difference.model.name} is`, partsText(difference.model), partsText(difference.database))
    case 'MissingCheck':
      return missing('the check', difference.model.expression)
    case 'ExtraCheck':
      return extra('the check', difference.database.expression)
    case 'CheckExpression':
      return other(
        `the check ${difference.model.name ?? ''} is`,
        difference.model.expression,
        difference.database.expression,
      )
    case 'MissingSequence':
      return 'the sequence is in the model, and not in the database'
    case 'ExtraSequence':
      return 'the sequence is in the database, and not in the model'
  }
}

const missing = (thing: string, what: string): string => `${thing} ${what} is in the model, and not in the database`
const extra = (thing: string, what: string): string => `${thing} ${what} is in the database, and not in the model`
const other = (thing: string, model: string, database: string): string =>
  `${thing} ${model} in the model, ${database} in the database`

const columnsText = (key: { readonly columns: ReadonlyArray<string> } | null): string =>
  key === null ? 'none' : `(${key.columns.join(', ')})`

const tableText = ({ columns }: TableSchema): string => `(${columns.map(({ name }) => name).join(', ')})`

const columnText = ({ type, isNullable }: ColumnSchema): string => `${type}${isNullable ? '' : ' not null'}`

const foreignKeyText = (foreignKey: ForeignKeySchema): string =>
  `${columnsText(foreignKey)} to ${foreignKey.table} (${foreignKey.targetColumns.join(', ')})`

const rulesText = ({ onDelete, onUpdate, deferrable }: ForeignKeySchema): string =>
  [
    `on delete ${onDelete ?? 'no action'}`,
    `on update ${onUpdate ?? 'no action'}`,
    deferrable === null ? 'not deferrable' : deferrable,
  ].join(' ')

const indexText = (index: IndexSchema): string => `${index.name} ${partsText(index)}`

const partsText = ({ parts, unique, where, method }: IndexSchema): string =>
  [
    ...(unique ? ['unique'] : []),
    ...(method === null ? [] : [method]),
    `(${parts
      .map((part) => {
        const text = part._tag === 'Column' ? part.column : part.expression
        return part.direction === 'desc' ? `${text} desc` : text
      })
      .join(', ')})`,
    ...(where === null ? [] : [`where ${where}`]),
  ].join(' ')
