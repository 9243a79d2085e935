/**
 * The tables of links of a model: each once, whichever side declares it.
 */
import type { Mapping } from './mapping.js'
import type { Link } from './relationship.js'

/**
 * @category model
 */
export interface LinkTable {
  readonly link: Link
  readonly owner: Mapping
  readonly target: Mapping
  /** Does the database carry a changed key of the owner, and of the target, to the links? */
  readonly carries: { readonly owner: boolean; readonly target: boolean }
}

/**
 * The tables of links that relationships go through, in the order in which the model names them.
 *
 * @category combinators
 */
export const linkTablesOf = (mappings: ReadonlyArray<Mapping>): ReadonlyArray<LinkTable> => {
  const tables = new Map<string, LinkTable>()
  const mapped = new Set(mappings.map(({ table }) => table))
  for (const { relationships } of mappings) {
    for (const { through, owner, target, inverse, passiveUpdates } of relationships) {
      // a table that an entity maps is that entity's to make
      if (through === null || mapped.has(through.table) || tables.has(through.table)) continue
      const carries = { owner: passiveUpdates, target: inverse?.passiveUpdates ?? passiveUpdates }
      tables.set(through.table, { link: through, owner, target, carries })
    }
  }
  return [...tables.values()]
}
