/**
 * The tables that a query joined, under the names by which its conditions speak of them.
 */
import type { Mapping, RelationshipMapping } from '../model/mapping.js'

/**
 * A table that a query joined.
 *
 * @category model
 */
export interface Alias {
  readonly name: string
  /** The entity whose rows it has. */
  readonly mapping: Mapping
  /** Whether a row may have none of it, so that all of its columns are NULL. */
  readonly isOptional: boolean
  /** The relationship that it was joined by; null where it was joined on a condition. */
  readonly path: AliasPath | null
}

/**
 * How an alias is reached.
 *
 * @category model
 */
export interface AliasPath {
  /** The alias whose relationship it is; null for that of the query's own entity. */
  readonly owner: string | null
  readonly relationship: RelationshipMapping
}

/** The alias at the start of a path, null where it starts at the query's own entity, and the relationship at its end. */
export const partsOf = (path: string): readonly [owner: string | null, relationship: string] => {
  const dot = path.indexOf('.')
  return dot === -1 ? [null, path] : [path.slice(0, dot), path.slice(dot + 1)]
}

/** The path of a relationship of an alias; null for the query's own entity. */
export const pathFrom = (alias: string | null, relationship: string): string =>
  alias === null ? relationship : `${alias}.${relationship}`

/** Where a path leads in a query of a mapping; null where there is nothing. */
export const pathIn = (mapping: Mapping, aliases: ReadonlyArray<Alias>, path: string): AliasPath | null => {
  const [owner, name] = partsOf(path)
  const from = owner === null ? mapping : aliases.find((alias) => alias.name === owner)?.mapping
  const relationship = from?.relationshipOf.get(name)
  return relationship === undefined ? null : { owner, relationship }
}

/** Says so. */
export const noPath = (mapping: Mapping, path: string): string => {
  const [owner, name] = partsOf(path)
  return `${name} is no relationship of ${owner ?? mapping.name}`
}
