/**
 * Which values can a column have in the rows that a statement touches? Routers ask, and never miss a shard: the answer
 * may hold too many values, never too few.
 *
 * Conditions are read from WHERE and from the ON of joins, through aliases. What is not understood restricts nothing.
 *
 * @example
 * const analysis = analyse(pipe(select(model.User), where('continent', 'in', ['asia', 'europe'])))
 * analysis.valuesOf(model.User, 'continent') // oneOf(['asia', 'europe'])
 */
import type { DeleteQueryNode, JoinNode, OperationNode, SelectQueryNode, UpdateQueryNode } from 'kysely'
import type { Mapping } from '../model/mapping.js'
import { restrictionOf } from './condition.js'
import type { Filterable } from './criteria.js'
import type { Domain } from './domain.js'
import * as Domains from './domain.js'
import type { Ranges } from './ranges.js'
import { and, columnKey, everything, only, orNull, type Restriction } from './restriction.js'
import { tablesOf, withExpressions, within } from './scope.js'
import { catalogOf, outermost, type Scope, type Source } from './source.js'
import { mappingsOf } from './statement.js'
import type { ValueSet } from './value-set.js'

/**
 * What was found out about a statement's rows.
 *
 * @category model
 */
export interface Analysis {
  /** Whether the conditions contradict each other, so that no row is touched. */
  readonly isEmpty: boolean
  /**
   * The values that an attribute can have: of an entity, wherever the statement reads its table, or of one table or
   * alias by its name. Decoded, as the program wrote them; before the update, where the statement is one.
   */
  readonly valuesOf: (table: AnalysedTable, attribute: string) => ValueSet
  /**
   * The ranges in which an attribute lies where it is not NULL, of numbers, bigints and timestamps. All of them for any
   * other: how a database orders its texts is the database's.
   */
  readonly rangesOf: (table: AnalysedTable, attribute: string) => Ranges
}

/** An entity, wherever a statement reads its table, or one table or alias of a statement. */
export type AnalysedTable = Mapping | { readonly mapping: Mapping } | string

const analyses = new WeakMap<OperationNode, Analysis>()

/**
 * Analyses a select, update or delete. Pure; O(nodes) the first time, O(1) for the same tree again.
 *
 * @category interpreters
 */
export const analyse = (statement: Filterable): Analysis => {
  const known = analyses.get(statement.node)
  if (known !== undefined) return known
  const analysis = analysisOf(outermost(catalogOf(mappingsOf(statement))), statement.node)
  analyses.set(statement.node, analysis)
  return analysis
}

type Query = SelectQueryNode | UpdateQueryNode | DeleteQueryNode

const analysisOf = (outside: Scope, node: Query): Analysis => {
  const scope = within(withExpressions(outside, node.with?.expressions ?? []), tablesOf(node))
  const isCompound = node.kind === 'SelectQueryNode' && node.setOperations !== undefined
  const restriction = isCompound ? everything : rowsOf(scope, node)
  const domainOf = (table: AnalysedTable, attribute: string): Domain => {
    const sources = scope.sources.filter(refersTo(table))
    return sources.length === 0
      ? Domains.any
      : sources.map((source) => domainIn(restriction, source, attribute)).reduce(Domains.union)
  }
  return {
    isEmpty: restriction._tag === 'Nothing',
    valuesOf: (table, attribute) => Domains.valuesOf(domainOf(table, attribute)),
    rangesOf: (table, attribute) => domainOf(table, attribute).ranges,
  }
}

const refersTo =
  (table: AnalysedTable) =>
  (source: Source): boolean =>
    typeof table === 'string' ? source.name === table : source.mapping === ('mapping' in table ? table.mapping : table)

const domainIn = (restriction: Restriction, source: Source, attribute: string): Domain =>
  restriction._tag === 'Nothing'
    ? Domains.none
    : (restriction.domains.get(columnKey(source.name, attribute)) ?? Domains.any)

const rowsOf = (scope: Scope, node: Query): Restriction => {
  const joins = node.joins ?? []
  // the joined tables are the last of the sources
  const first = scope.sources.length - joins.length
  const joined = joins.reduce(
    (before, join, i) => afterJoin(scope, before, join, scope.sources[first + i]?.name ?? ''),
    everything,
  )
  return node.where === undefined ? joined : and(joined, restrictionOf(scope, node.where.where))
}

const afterJoin = (scope: Scope, before: Restriction, { joinType, on }: JoinNode, source: string): Restriction => {
  const condition = on === undefined ? everything : restrictionOf(scope, on.on)
  switch (joinType) {
    case 'InnerJoin':
    case 'LateralInnerJoin':
    case 'CrossJoin':
    case 'LateralCrossJoin':
    case 'CrossApply':
      return and(before, condition)
    case 'LeftJoin':
    case 'LateralLeftJoin':
    case 'OuterApply':
      return and(before, orNull(only(condition, source)))
    case 'RightJoin':
    case 'FullJoin':
      return orNull(before)
    default:
      return everything
  }
}
