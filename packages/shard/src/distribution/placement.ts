/**
 * Where each table of a model is, by the strategies of its choosers.
 */
import type { AnyModel, Mapping, RelationshipMapping } from '@unitary/core'
import type { TableSchema } from '@unitary/core/schema'
import type { Choosers } from '../chooser/chooser.js'

/** Its rows are spread by the values of a column, or it is whole on every node. @category model */
export type Placement = { readonly _tag: 'By'; readonly column: string } | { readonly _tag: 'Everywhere' }

/** Nothing tells where the rows of a table are to be. */
export interface Unplaced {
  readonly _tag: 'Unplaced'
  readonly problem: string
}

export type Placements = ReadonlyMap<string, Placement | Unplaced>

export const placementsOf = (model: AnyModel, choosers: Choosers, tables: ReadonlyArray<TableSchema>): Placements => {
  const placements = new Map<string, Placement | Unplaced>()
  for (const mapping of model.mappings) {
    const placement = placementOf(mapping, choosers)
    for (const { table, key } of mapping.parts) {
      placements.set(table, inPart(placement, mapping, key))
    }
  }
  // what is left are tables of links
  for (const table of tables) if (!placements.has(table.name)) placements.set(table.name, ofLinks(table, placements))
  return placements
}

/** The attribute by which an entity's rows are spread, a copy everywhere, or why it cannot be told. */
export type Told = { readonly _tag: 'By'; readonly attribute: string } | { readonly _tag: 'Everywhere' } | Unplaced

const unplaced = (problem: string): Unplaced => ({ _tag: 'Unplaced', problem })

/** Where the rows of an entity are. */
export const placementOf = (mapping: Mapping, choosers: Choosers, below: ReadonlyArray<Mapping> = []): Told => {
  if (below.includes(mapping)) return unplaced(`${mapping.name} goes with itself; name an attribute instead`)
  const basis = choosers.basisOf?.(mapping.name) ?? null
  if (basis === null) return unplaced(`the strategy of ${mapping.name} names no attribute`)
  switch (basis.kind) {
    case 'attribute':
      return { _tag: 'By', attribute: basis.name }
    case 'everywhere':
      return { _tag: 'Everywhere' }
    case 'relationship': {
      const relationship = mapping.relationshipOf.get(basis.name)
      if (relationship === undefined) return unplaced(`${mapping.name} has no relationship ${basis.name} to go with`)
      const parent = placementOf(relationship.target, choosers, [...below, mapping])
      return parent._tag === 'By' ? holding(relationship, parent.attribute) : parent
    }
  }
}

/** The attribute of the foreign key that holds the parent's. */
const holding = ({ name, owner, target, foreignKey, key }: RelationshipMapping, attribute: string): Told => {
  const holder = foreignKey[key.findIndex((part) => part.name === attribute)]
  return holder === undefined
    ? unplaced(
        `${owner.name} goes with ${name}, and its foreign key does not hold ${target.name}.${attribute}: make that part of the key of ${target.name} and of the foreign key`,
      )
    : { _tag: 'By', attribute: holder.name }
}

/** A joined subtype's table has the key under names of its own. */
const inPart = (told: Told, { name, attributeOf, key }: Mapping, own: ReadonlyArray<string>): Placement | Unplaced => {
  if (told._tag !== 'By') return told
  const attribute = attributeOf.get(told.attribute)
  return attribute === undefined
    ? unplaced(`${name} has no attribute ${told.attribute}`)
    : { _tag: 'By', column: own[key.indexOf(attribute)] ?? attribute.columnName }
}

const ofLinks = ({ name, foreignKeys }: TableSchema, placements: Placements): Placement | Unplaced => {
  for (const { table, columns, targetColumns } of foreignKeys) {
    const end = placements.get(table)
    if (end?._tag !== 'By') continue
    const column = columns[targetColumns.indexOf(end.column)]
    if (column !== undefined) return { _tag: 'By', column }
  }
  return foreignKeys.every(({ table }) => placements.get(table)?._tag === 'Everywhere')
    ? { _tag: 'Everywhere' }
    : unplaced(`no foreign key of ${name} holds a column by which either end is spread`)
}
