/**
 * What of a query's rows is on one shard each, whatever shard that is: rows with the same key, and rows of which whatever
 * decides the shard is the same.
 */
import type { AnyQuery, Attribute, Mapping } from '@unitary/core'
import type { OperationNode } from 'kysely'
import type { Choosers } from '../chooser/chooser.js'
import { attributeIn } from './order-term.js'

export interface Decided {
  /** Are rows on one shard of which some expressions are the same? */
  readonly areWhole: (expressions: ReadonlyArray<OperationNode>) => boolean
  /** Has no group rows on several shards? */
  readonly areGroupsWhole: boolean
}

/**
 * @category constructors
 */
export const decidedIn = ({ entity, node }: AnyQuery, choosers: Choosers): Decided => {
  const { mapping } = entity
  const deciding = decidingAttributes(mapping, choosers)
  const areWhole: Decided['areWhole'] = (expressions) => {
    const same = expressions.map((expression) => attributeIn(mapping, expression))
    const includesAll = (attributes: ReadonlyArray<Attribute>): boolean =>
      attributes.length > 0 && attributes.every((attribute) => same.includes(attribute))
    return includesAll(mapping.key) || includesAll(deciding)
  }
  return { areWhole, areGroupsWhole: areWhole((node.groupBy?.items ?? []).map(({ groupBy }) => groupBy)) }
}

/**
 * The attributes that decide the shard of a row; none where nobody knows. One that may be NULL tells nothing: a row that has
 * lost its parent stays where it is.
 */
const decidingAttributes = (mapping: Mapping, choosers: Choosers): ReadonlyArray<Attribute> => {
  const basis = choosers.basisOf?.(mapping.name) ?? null
  if (basis === null) return []
  const attributes =
    basis.kind === 'relationship'
      ? (mapping.relationshipOf.get(basis.name)?.foreignKey ?? [])
      : mapping.attributes.filter(({ name }) => name === basis.name)
  return attributes.some(({ isNullable }) => isNullable) ? [] : attributes
}
