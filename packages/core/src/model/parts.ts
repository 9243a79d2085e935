/**
 * What an entity has of its own, and what it shares with others.
 */
import { type Attribute, type Mapping, type TablePart, withDescendants } from './mapping.js'

/** Are there entities that have rows of it in tables of their own? */
export const hasConcretes = (mapping: Mapping): boolean =>
  mapping.subtypes.some(({ concreteOf }) => concreteOf === mapping)

/** Are there rows of the entity itself, in whatever table? What is abstract above concrete tables has none. */
export const hasTable = (mapping: Mapping): boolean => mapping.identity !== null || !hasConcretes(mapping)

/** Is the entity read by a subquery rather than by a table of its own? */
export const isDerived = (mapping: Mapping): boolean =>
  mapping.parent !== null || mapping.concreteOf !== null || hasConcretes(mapping)

/** The entity that it is a subtype of, however it is mapped. */
const above = ({ concreteOf, parent }: Mapping): Mapping | null => parent ?? concreteOf

/** The attributes that an entity has and its parent has not. */
export const ownAttributes = (mapping: Mapping): ReadonlyArray<Attribute> =>
  mapping.attributes.slice(above(mapping)?.attributes.length ?? 0)

/** The table that holds an entity's own attributes. */
export const lastPart = ({ parts }: Mapping): TablePart => parts.at(-1) as TablePart

/** Has the entity no table of its own, but rows in its parent's? */
export const isSingle = (mapping: Mapping): boolean => lastPart(mapping).mapping !== mapping

/** Under which name the rows of a query that reads subtypes too have an attribute of one. */
export const subtypeColumn = (subtype: Mapping, { name }: Pick<Attribute, 'name'>): string => `${subtype.name}.${name}`

/** The subtypes whose own attributes are read with the rows of `holder`: they stand in its table, or in its union. */
export const sharing = (holder: Mapping): ReadonlyArray<Mapping> =>
  withDescendants(holder).filter(
    (subtype) =>
      subtype !== holder && (lastPart(subtype).mapping === lastPart(holder).mapping || subtype.concreteOf !== null),
  )

/** The first of an entity's line that has an attribute. */
export const introducing = (mapping: Mapping, { position }: Attribute): Mapping => {
  let at = mapping
  for (let next = above(at); next !== null && next.attributes.length > position; next = above(at)) at = next
  return at
}

const ownPrefix = 'unitary_own '

/** The name in a tree of the table that a joined subtype brought, alone. */
export const ownTable = ({ name }: Mapping): string => `${ownPrefix}${name}`

/** Is it such a name? */
export const isOwnTable = (name: string): boolean => name.startsWith(ownPrefix)
