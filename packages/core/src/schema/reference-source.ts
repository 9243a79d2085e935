/**
 * What a model can say of a table's foreign keys: those of other kinds, or to what is not unique, it would refuse.
 */
import { kindFamily } from '../model/check-reference.js'
import type { ForeignKeySchema } from './database-schema.js'
import { uniqueIndex } from './identity.js'
import type { EntityDraft, ModelDraft } from './model-draft.js'

/** The foreign keys of a table that its entity names; `untold` gets a line for each that it cannot, or not as a whole. */
export const saidForeignKeys = (
  entity: EntityDraft,
  { entities }: ModelDraft,
  untold: string[],
): ReadonlyArray<ForeignKeySchema> => {
  const byTable = new Map(entities.map((other) => [other.table.name, other]))
  return entity.table.foreignKeys.flatMap((foreignKey): ReadonlyArray<ForeignKeySchema> => {
    const target = byTable.get(foreignKey.table)
    if (target === undefined) return []
    const tell = (problem: string): void => {
      untold.push(`// ${entity.table.name}: foreign key (${foreignKey.columns.join(', ')}): ${problem}`)
    }
    const problem = problemOf(entity, foreignKey, target)
    if (problem !== null) {
      tell(`${problem}, and a model does not say it`)
      return []
    }
    const required = foreignKey.columns.find((name) => columnOf(entity, name)?.column.isNullable === false)
    if (required === undefined || !(setsNull(foreignKey.onDelete) || setsNull(foreignKey.onUpdate))) return [foreignKey]
    tell(`it sets ${required} to NULL, which may not be NULL: a model does not say so`)
    const kept = (action: ForeignKeySchema['onDelete']) => (setsNull(action) ? null : action)
    return [{ ...foreignKey, onDelete: kept(foreignKey.onDelete), onUpdate: kept(foreignKey.onUpdate) }]
  })
}

const setsNull = (action: ForeignKeySchema['onDelete']): boolean => action === 'set null'

const columnOf = ({ attributes }: EntityDraft, name: string | undefined) =>
  attributes.find(({ column }) => column.name === name)

const problemOf = (entity: EntityDraft, foreignKey: ForeignKeySchema, target: EntityDraft): string | null => {
  const familyOf = (of: EntityDraft, name: string | undefined): string | null => {
    const found = columnOf(of, name)
    return found === undefined ? null : kindFamily(found.source.type.kind)
  }
  const { columns, targetColumns } = foreignKey
  const other = columns.find((name, i) => familyOf(entity, name) !== familyOf(target, targetColumns[i]))
  if (other !== undefined) return `${other} is of another type than what it refers to`
  const { indexes, primaryKey, unique } = target.table
  const keys = [primaryKey, ...unique, ...indexes.map(uniqueIndex)]
  const isUnique = keys.some(
    (key) =>
      key !== null &&
      key.columns.length === targetColumns.length &&
      key.columns.every((column) => targetColumns.includes(column)),
  )
  return isUnique ? null : `what it refers to, ${foreignKey.table} (${targetColumns.join(', ')}), is not unique`
}
