/**
 * Where a query finds the targets of a relationship, when it joins them or asks whether there are any.
 */
import { type OperationNode, type SelectQueryNode, TableNode } from 'kysely'
import type { RelationshipMapping } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import { alsoSelecting } from './attributes.js'
import { where } from './criteria.js'
import { containsText, renamed } from './qualify.js'
import { operand } from './relation.js'
import { type AnySelect, selectOwn } from './select.js'
import { mappingsOf, tableNode } from './statement.js'

/** Narrows or extends a query of targets. */
export type Refine = (targets: AnySelect) => AnySelect

/** A table or subquery, and the condition on its rows under the alias that it gets. */
export interface TargetTable {
  readonly table: OperationNode
  readonly condition: OperationNode | null
}

/**
 * The query of a relationship's targets, with the condition that the relationship itself has.
 */
export const targetsOf = (
  owner: Mapped<unknown, string>,
  relationship: RelationshipMapping,
  refine: Refine | null,
): AnySelect => {
  const { where: condition } = relationship
  const targets: AnySelect = selectOwn(relatedEntity(owner, relationship))
  const refined = refine === null ? targets : refine(targets)
  return condition === null ? refined : where<AnySelect>(condition as never)(refined)
}

/** The entity of a relationship's targets, in the model of its owner. */
export const relatedEntity = (
  { model }: Mapped<unknown, string>,
  { target }: RelationshipMapping,
): Mapped<unknown, string> =>
  (model() as Readonly<Record<string, Mapped<unknown, string>>>)[target.name] as Mapped<unknown, string>

/**
 * What a query of targets is where it stands under an alias: its table, if all that it says is a condition whose names can be
 * told, or else a subquery.
 */
export const targetTable = (query: AnySelect, alias: string): TargetTable => {
  const { mapping } = query.entity
  const { node } = query
  const condition = node.where?.where ?? null
  if (!isCondition(node) || (condition !== null && containsText(condition))) {
    // what joins and conditions speak of is there too, whatever is selected of it
    return { table: alsoSelecting(query, mapping.attributes).node, condition: null }
  }
  return {
    table: tableNode(mapping),
    condition: condition === null ? null : operand(renamed(mappingsOf(query), mapping, condition, alias)),
  }
}

/** An order says nothing of rows that another query reads. */
const conditional: ReadonlySet<string> = new Set(['kind', 'from', 'selections', 'where', 'orderBy'])

/** Does a query say no more than a condition, and what it selects? */
export const isCondition = (node: SelectQueryNode): boolean =>
  (node.from?.froms ?? []).every(TableNode.is) &&
  Object.entries(node).every(([property, value]) => value === undefined || conditional.has(property))
