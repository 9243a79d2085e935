/**
 * The foreign key constraints that a model implies: those that columns name (`references`), and those that
 * relationships stand on.
 */
import type { ForeignKey } from './column.js'
import type { Attribute, Mapping } from './mapping.js'

/**
 * A foreign key constraint: the attributes of the table that holds it, and those that they refer to, in the same order.
 *
 * @category model
 */
export interface ForeignKeyConstraint {
  readonly holder: Mapping
  readonly attributes: ReadonlyArray<Attribute>
  readonly target: Mapping
  readonly targetAttributes: ReadonlyArray<Attribute>
  readonly onDelete: ForeignKey['onDelete']
  readonly onUpdate: ForeignKey['onUpdate']
}

/**
 * The foreign keys of each table (`storedMappings`), in the order of its columns, then of the model's relationships. What is named twice
 * - by a column and a relationship, by a relationship and its inverse - is there once, with the actions that the column
 * names.
 *
 * @example
 * foreignKeysOf(storedMappings(model.mappings)).get(model.Address.mapping) // one, on userId, to User.id
 *
 * @category combinators
 */
export const foreignKeysOf = (
  mappings: ReadonlyArray<Mapping>,
): ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>> => {
  const found = new Map<Mapping, Map<string, ForeignKeyConstraint>>(mappings.map((mapping) => [mapping, new Map()]))
  const add = (constraint: ForeignKeyConstraint): void => {
    const constraints = found.get(constraint.holder)
    const identity = identityOf(constraint)
    if (constraints !== undefined && !constraints.has(identity)) constraints.set(identity, constraint)
  }
  const byTable = new Map(mappings.map((mapping) => [mapping.table, mapping]))
  for (const holder of mappings) {
    if (holder.parent !== null) {
      // what a subtype adds to a row goes with the row, and follows its key
      const { key: targetAttributes } = holder.parent
      const actions = { onDelete: 'cascade', onUpdate: 'cascade' } as const
      add({ holder, attributes: holder.key, target: holder.parent, targetAttributes, ...actions })
    }
    for (const attribute of holder.attributes) {
      const { foreignKey } = attribute.column
      const target = foreignKey === null ? undefined : byTable.get(foreignKey.table)
      const targetAttribute = target?.attributes.find(({ columnName }) => columnName === foreignKey?.column)
      if (foreignKey === null || target === undefined || targetAttribute === undefined) continue
      const { onDelete, onUpdate } = foreignKey
      add({ holder, attributes: [attribute], target, targetAttributes: [targetAttribute], onDelete, onUpdate })
    }
  }
  for (const { relationships } of mappings) {
    for (const { kind, owner, target, foreignKey, key, viewonly } of relationships) {
      // what is only viewed says nothing about what is written
      if (kind === 'ManyToMany' || viewonly) continue
      const [holder, referred] = kind === 'BelongsTo' ? [owner, target] : [target, owner]
      add({ holder, attributes: foreignKey, target: referred, targetAttributes: key, onDelete: null, onUpdate: null })
    }
  }
  return new Map(Array.from(found, ([mapping, constraints]) => [mapping, [...constraints.values()]]))
}

const identityOf = ({ attributes, target, targetAttributes }: ForeignKeyConstraint): string =>
  JSON.stringify([attributes.map(({ name }) => name), target.name, targetAttributes.map(({ name }) => name)])

/**
 * Mappings ordered so that each comes after those that it refers to, and otherwise in the model's order. In a cycle the
 * first in the model's order comes last. O(V + E).
 *
 * @category combinators
 */
export const parentsFirst = (
  mappings: ReadonlyArray<Mapping>,
  foreignKeys: ReadonlyMap<Mapping, ReadonlyArray<ForeignKeyConstraint>>,
): ReadonlyArray<Mapping> => {
  const ordered = new Set<Mapping>()
  const entered = new Set<Mapping>()
  const enter = (mapping: Mapping): void => {
    if (entered.has(mapping)) return
    entered.add(mapping)
    for (const { target } of foreignKeys.get(mapping) ?? []) enter(target)
    ordered.add(mapping)
  }
  for (const mapping of mappings) enter(mapping)
  return [...ordered]
}
