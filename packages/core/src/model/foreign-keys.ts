/**
 * The foreign key constraints that a model implies: those that columns (`references`) and entities name, and
 * those that relationships stand on.
 */

import type { Attribute, Mapping } from './mapping.js'
import { columnReference, type ForeignKey } from './reference.js'
import { entitiesIn } from './stored.js'

/**
 * A foreign key constraint: the attributes of the table that holds it, and those that they refer to, in the same order.
 *
 * @category model
 */
export interface ForeignKeyConstraint
  extends Pick<ForeignKey, 'onDelete' | 'onUpdate' | 'deferrable' | 'name' | 'index'> {
  readonly holder: Mapping
  readonly attributes: ReadonlyArray<Attribute>
  readonly target: Mapping
  readonly targetAttributes: ReadonlyArray<Attribute>
}

const unsaid = { onDelete: null, onUpdate: null, deferrable: null, name: null, index: true } as const

/**
 * The foreign keys of each table (`storedMappings`), in the order of its columns, then of its entities' options and the
 * model's relationships. What is named twice - by a column and a relationship, by a relationship and its inverse - is
 * there once, with the actions that the column or the entity names.
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
  const attributesOf = (mapping: Mapping | undefined, columns: ReadonlyArray<string>): ReadonlyArray<Attribute> =>
    columns.flatMap((name) => mapping?.attributes.find(({ columnName }) => columnName === name) ?? [])
  for (const holder of mappings) {
    if (holder.parent !== null) {
      // what a subtype adds to a row goes with the row, and follows its key
      const { key: targetAttributes } = holder.parent
      const actions = { onDelete: 'cascade', onUpdate: 'cascade' } as const
      add({ holder, attributes: holder.key, target: holder.parent, targetAttributes, ...unsaid, ...actions })
    }
    for (const attribute of holder.attributes) {
      const { foreignKey } = attribute.column
      if (foreignKey === null) continue
      const { table, column, ...said } = foreignKey
      const target = byTable.get(table)
      const targetAttributes = attributesOf(target, [column])
      if (target === undefined || targetAttributes.length === 0) continue
      add({ holder, attributes: [attribute], target, targetAttributes, ...said })
    }
    for (const { attributeOf, constraints } of entitiesIn(holder)) {
      for (const { attributes: names, references, options } of constraints.foreignKeys) {
        const referred = references.map(columnReference)
        const target = byTable.get(referred[0]?.table ?? '')
        const attributes = names.flatMap((name) => attributeOf.get(name) ?? [])
        const columns = referred.map(({ column }) => column)
        const targetAttributes = attributesOf(target, columns)
        if (target !== undefined) add({ holder, attributes, target, targetAttributes, ...unsaid, ...options })
      }
    }
  }
  for (const { relationships } of mappings) {
    for (const { kind, owner, target, foreignKey, key, viewonly } of relationships) {
      // what is only viewed says nothing about what is written
      if (kind === 'ManyToMany' || viewonly) continue
      const [holder, referred] = kind === 'BelongsTo' ? [owner, target] : [target, owner]
      add({ holder, attributes: foreignKey, target: referred, targetAttributes: key, ...unsaid })
    }
  }
  return new Map(Array.from(found, ([mapping, constraints]) => [mapping, [...constraints.values()]]))
}

const identityOf = ({ attributes, target, targetAttributes }: ForeignKeyConstraint): string =>
  JSON.stringify([
    attributes.map(({ columnName }) => columnName),
    target.name,
    targetAttributes.map(({ columnName }) => columnName),
  ])

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
