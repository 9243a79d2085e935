/**
 * Attributes that an SQL expression computes: what stands for one where a query names it.
 *
 * The expression speaks of the table of the entity that has it. Where that is read under another name, by a subquery, or
 * with the rows of a parent, the expression's own names follow.
 */
import {
  CaseNode,
  ColumnNode,
  expressionBuilder,
  FunctionNode,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  SelectQueryNode,
  ValueNode,
} from 'kysely'
import type { AnyColumn, ColumnExpression } from '../model/column.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { introducing, subtypeColumn } from '../model/parts.js'
import { invalidClause } from './error.js'
import { faultNode } from './fault.js'
import { find } from './find.js'
import { replaceNames } from './qualify.js'
import { tablesOf, within } from './scope.js'
import { type Computed, catalogOf, namedTable, outermost, type Scope, type Source, sourceOf } from './source.js'
import { mapChildren } from './tree.js'

/**
 * The expression that a reference leads to, in the scope that it stands in; null where it leads to a column.
 *
 * @category interpreters
 */
export const expressionAt = (scope: Scope, node: ReferenceNode): Computed | null => {
  const found = find(scope, node)
  if (found === null || found.column.isComputed !== true) return null
  const { column, source } = found
  // a query of one entity knows no other, of which the expression may speak
  return { scope: { ...scope, catalog: catalogOf(column.mapping.model) }, node: expressionIn(column, source) }
}

/**
 * The expression of an attribute over its own entity's table, as one operand.
 *
 * @category interpreters
 */
export const expressionOf = ({ build }: ColumnExpression): OperationNode => {
  const known = nodes.get(build)
  if (known !== undefined) return known
  const made = operand(build(expressionBuilder() as never).toOperationNode())
  nodes.set(build, made)
  return made
}

const nodes = new WeakMap<ColumnExpression['build'], OperationNode>()

const expressionIn = (
  { attribute, mapping }: { readonly mapping: Mapping; readonly attribute: Attribute },
  source: Source,
): OperationNode => {
  const expression = attribute.column.expression as NonNullable<AnyColumn['expression']>
  const definer = mapping.model.find(({ table }) => table === expression.table) as Mapping
  const own = sourceOf(definer, definer.table)
  const scope: Scope = { ...outermost(catalogOf(mapping.model)), sources: [own] }
  const node = expressionOf(expression)
  if (namesWithin(scope, node).has(source.name) && source.name !== own.name) {
    return faultNode(
      invalidClause(
        mapping.name,
        'expression',
        attribute.name,
        `it reads a table under the name '${source.name}', which the query has for ${mapping.name}; give one of them another alias`,
      ),
    )
  }
  return replaceNames(scope, node, (found, reference) =>
    found.source === own ? inSource(mapping, source, reference) : null,
  )
}

/** The names that an expression has for what its subqueries read. */
const namesWithin = (scope: Scope, node: OperationNode): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (at: OperationNode): OperationNode => {
    if (SelectQueryNode.is(at)) for (const { name } of within(scope, tablesOf(at)).sources) names.add(name)
    return mapChildren(at, visit)
  }
  visit(node)
  return names
}

/** A column of the expression's entity, by the name that a source has for it. */
const inSource = (mapping: Mapping, source: Source, { column }: ReferenceNode): ReferenceNode => {
  const table = namedTable(source.name)
  const { name } = (column as ColumnNode).column
  const attribute = mapping.attributeOf.get(name)
  const shared = attribute === undefined ? name : subtypeColumn(introducing(mapping, attribute), attribute)
  return ReferenceNode.create(ColumnNode.create(source.columns.has(shared) ? shared : name), table)
}

/** Beside an operator an expression would come apart. */
export const operand = (node: OperationNode): OperationNode =>
  ReferenceNode.is(node) || FunctionNode.is(node) || CaseNode.is(node) || ValueNode.is(node) || ParensNode.is(node)
    ? node
    : ParensNode.create(node)
