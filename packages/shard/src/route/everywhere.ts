/**
 * Entities whose rows are on every shard, in routing.
 */
import type { AnyModel, AnySelect, Mapping } from '@unitary/core'
import { type OperationNode, TableNode } from 'kysely'
import type { Choosers } from '../chooser/chooser.js'

/** Are the rows of an entity on every shard? */
export const isEverywhere = (choosers: Choosers, { root }: Mapping): boolean =>
  choosers.basisOf?.(root.name)?.kind === 'everywhere'

/** The entities whose rows are on every shard, by the names of their roots. */
export const everywhereIn = (model: AnyModel, choosers: Choosers): ReadonlyArray<string> =>
  model.mappings
    .filter((mapping) => mapping.root === mapping && isEverywhere(choosers, mapping))
    .map(({ name }) => name)

/** Does a tree name tables whose rows are spread over shards? O(nodes). */
export const readsSpread = (model: AnyModel, choosers: Choosers, node: OperationNode): boolean => {
  const shared = new Set(
    model.mappings
      .filter((mapping) => isEverywhere(choosers, mapping))
      .flatMap(({ parts }) => parts.map(({ table }) => table)),
  )
  const spread = new Set(
    [
      ...model.mappings.flatMap(({ parts }) => parts.map(({ table }) => table)),
      ...model.mappings.flatMap(({ relationships }) =>
        relationships.flatMap(({ through }) => (through === null ? [] : [through.table])),
      ),
    ].filter((table) => !shared.has(table)),
  )
  const names = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null) return false
    if (Array.isArray(value)) return value.some(names)
    if (!('kind' in value)) return false
    if (TableNode.is(value as OperationNode)) {
      const { identifier, schema } = (value as TableNode).table
      return spread.has(schema === undefined ? identifier.name : `${schema.name}.${identifier.name}`)
    }
    return Object.values(value).some(names)
  }
  return names(node)
}

/** Can a query be asked with what is joined to it: is none of that spread, where the query itself is of what is everywhere? */
export const canJoin = (model: AnyModel, choosers: Choosers, { entity, node }: AnySelect): boolean =>
  !isEverywhere(choosers, entity.mapping) || !readsSpread(model, choosers, node)
