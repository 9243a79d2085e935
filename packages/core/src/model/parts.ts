/**
 * What an entity has of its own, and what it shares with others.
 */
import { type Attribute, type Mapping, type TablePart, withDescendants } from './mapping.js'

/** Is the entity read by a subquery rather than by a table of its own? */
export const isDerived = ({ parent }: Mapping): boolean => parent !== null

/** The attributes that an entity has and its parent has not. */
export const ownAttributes = ({ attributes, parent }: Mapping): ReadonlyArray<Attribute> =>
  parent === null ? attributes : attributes.slice(parent.attributes.length)

/** The table that holds an entity's own attributes. */
export const lastPart = ({ parts }: Mapping): TablePart => parts.at(-1) as TablePart

/** Has the entity no table of its own, but rows in its parent's? */
export const isSingle = (mapping: Mapping): boolean => lastPart(mapping).mapping !== mapping

/** Under which name the rows of a query that reads subtypes too have an attribute of one. */
export const subtypeColumn = (subtype: Mapping, { name }: Pick<Attribute, 'name'>): string => `${subtype.name}.${name}`

/** The subtypes whose own attributes stand in the table that brought `holder`. */
export const sharing = (holder: Mapping): ReadonlyArray<Mapping> =>
  withDescendants(holder).filter(
    (subtype) => subtype !== holder && lastPart(subtype).mapping === lastPart(holder).mapping,
  )

/** The first of an entity's line that has an attribute. */
export const introducing = (mapping: Mapping, { position }: Attribute): Mapping => {
  let at = mapping
  while (at.parent !== null && at.parent.attributes.length > position) at = at.parent
  return at
}

const ownPrefix = 'unitary_own '

/** The name in a tree of the table that a joined subtype brought, alone. */
export const ownTable = ({ name }: Mapping): string => `${ownPrefix}${name}`

/** Is it such a name? */
export const isOwnTable = (name: string): boolean => name.startsWith(ownPrefix)
