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
