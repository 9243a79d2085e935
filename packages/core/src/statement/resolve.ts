/**
 * From the program's language to the table's: attribute names become column names, and values are encoded by the codec
 * of the column that they are compared with, assigned to or listed for.
 *
 * The tree is read with scopes (see `scope.ts`), so that names are right through aliases, joins, CTEs and subqueries. A
 * table that is not of the model is left alone, and so is a value that stands for itself (`select 1`, the pattern of a
 * LIKE, a parameter of raw SQL). What needs no translation is shared with the tree that was given.
 *
 * @example
 * // where('joined', '>', date)  ->  where "users"."joined_at" > '2026-01-31T12:00:00.000Z'
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  type AggregateFunctionNode,
  AliasNode,
  AndNode,
  type BinaryOperationNode,
  type CaseNode,
  ColumnNode,
  type ColumnUpdateNode,
  type DeleteQueryNode,
  type FromNode,
  type FunctionNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  ListNode,
  type MergeQueryNode,
  type OperationNode,
  OperatorNode,
  type OrderByNode,
  ParensNode,
  PrimitiveValueListNode,
  type ReferenceNode,
  type ReturningNode,
  type RootOperationNode,
  SelectAllNode,
  SelectQueryNode,
  TableNode,
  TupleNode,
  type UpdateQueryNode,
  type UsingNode,
  type ValueListNode,
  ValueNode,
  ValuesNode,
  type WithNode,
} from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import type { Mapping } from '../model/mapping.js'
import { isDerived, isOwnTable, lastPart, sharing } from '../model/parts.js'
import { expressionAt } from './attribute-expression.js'
import { invalidClause, type StatementError, severalTables } from './error.js'
import { faultIn } from './fault.js'
import { columnNode, isOutput, outputNames, reference, selections } from './names.js'
import { columnOf, isChoosing, isExpression, tablesOf, withExpressions, within } from './scope.js'
import {
  type Catalog,
  type Column,
  catalogOf,
  namedTable,
  outermost,
  type Scope,
  type Source,
  tableName,
} from './source.js'
import { encode, isCast, isSpelt, type Run, valueNode, valuesOf } from './spell.js'
import { derivedQuery } from './stand-in.js'
import { storedWrite } from './stored-write.js'
import { mapChange, mapChildren, mapList } from './tree.js'

/**
 * Translates a tree for the tables of a model. The very same tree is given back where nothing needs translation.
 *
 * For a dialect, values are spelt as its driver takes them too, and cast where the database could not tell their type.
 *
 * O(nodes). A value that its codec cannot encode is the only failure.
 *
 * @category interpreters
 */
export const resolve =
  (mappings: ReadonlyArray<Mapping>, dialect: Dialect | null = null) =>
  <Node extends RootOperationNode>(node: Node): Either<StatementError, Node> => {
    const catalog = catalogOf(mappings)
    if (!isTranslated(catalog, dialect)) return right(node)
    const run: Run = { dialect, fault: null }
    const resolved = translate(run, outermost(catalog), node, null) as Node
    return run.fault === null ? right(resolved) : left(run.fault)
  }

/** The columns whose values an expression is to give: one, or one for each part of a tuple. */
type Expected = Column | null | ReadonlyArray<Column | null>

const translated = new WeakMap<Catalog, Map<Dialect | null, boolean>>()

/** Whether any attribute of the model is called or written otherwise in its table, or any table has a schema. */
const isTranslated = (catalog: Catalog, dialect: Dialect | null): boolean => {
  let byDialect = translated.get(catalog)
  if (byDialect === undefined) {
    byDialect = new Map()
    translated.set(catalog, byDialect)
  }
  const known = byDialect.get(dialect)
  if (known !== undefined) return known
  const answer = [...catalog.values()].some(
    (mapping) =>
      mapping.table.includes('.') ||
      isDerived(mapping) ||
      sharing(mapping).length > 0 ||
      mapping.expressions.length > 0 ||
      mapping.synonyms.size > 0 ||
      mapping.attributes.some(
        (attribute) =>
          attribute.name !== attribute.columnName || isSpelt(dialect, attribute) || isCast(dialect, attribute),
      ),
  )
  byDialect.set(dialect, answer)
  return answer
}

const translate = (run: Run, scope: Scope, node: OperationNode, expected: Expected): OperationNode => {
  const any = node as AnyNode
  switch (any.kind) {
    case 'ValueNode':
      return valueNode(run, any, oneOf(expected))
    case 'PrimitiveValueListNode':
      return valuesOf(run, any, oneOf(expected))
    case 'ValueListNode':
      return mapChildren(any, (item) => translate(run, scope, item, expected))
    case 'TupleNode':
      return mapChange(any, 'values', (values) =>
        mapList(values, (item, i) => translate(run, scope, item, isMany(expected) ? (expected[i] ?? null) : null)),
      )
    case 'ParensNode':
    case 'AliasNode':
      return mapChildren<ParensNode | AliasNode>(any, (child) => translate(run, scope, child, expected))
    case 'ReferenceNode':
      return named(run, scope, any)
    case 'FromNode':
    case 'UsingNode':
      return mapChildren<FromNode | UsingNode>(any, (child) => tableOf(run, scope, child))
    case 'JoinNode':
      return mapChildren(any, (child, property) =>
        property === 'table' ? tableOf(run, scope, child) : translate(run, scope, child, null),
      )
    case 'BinaryOperationNode':
      return binary(run, scope, any)
    case 'CaseNode':
      return caseOf(run, scope, any, oneOf(expected))
    case 'FunctionNode':
    case 'AggregateFunctionNode':
      return call(run, scope, any, oneOf(expected))
    case 'SelectQueryNode':
      return select(run, scope, any)
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
      return change(run, scope, any)
    case 'InsertQueryNode':
      return insert(run, scope, any)
    case 'MergeQueryNode':
      return merge(run, scope, any)
    default:
      return mapChildren(node, (child) => translate(run, scope, child, null))
  }
}

type AnyNode =
  | ValueNode
  | PrimitiveValueListNode
  | ValueListNode
  | TupleNode
  | ParensNode
  | AliasNode
  | ReferenceNode
  | FromNode
  | UsingNode
  | JoinNode
  | BinaryOperationNode
  | CaseNode
  | FunctionNode
  | AggregateFunctionNode
  | SelectQueryNode
  | UpdateQueryNode
  | DeleteQueryNode
  | InsertQueryNode
  | MergeQueryNode

/** A column by its name, or what computes the attribute. */
const named = (run: Run, scope: Scope, node: ReferenceNode): OperationNode => {
  const computed = expressionAt(scope, node)
  if (computed === null) return reference(scope, node)
  const fault = faultIn(computed.node)
  if (fault !== null) run.fault ??= fault
  return translate(run, computed.scope, computed.node, null)
}

const isMany = (expected: Expected): expected is ReadonlyArray<Column | null> => Array.isArray(expected)

const oneOf = (expected: Expected): Column | null => (isMany(expected) ? null : expected)

// expressions

/** Operators whose two sides are values of one kind. The pattern of a LIKE, the path of a JSON operator are not. */
const comparing: ReadonlySet<string> = new Set([
  '=',
  '==',
  '!=',
  '<>',
  '>',
  '>=',
  '<',
  '<=',
  '!<',
  '!>',
  '<=>',
  'in',
  'not in',
  'is',
  'is not',
  'is distinct from',
  'is not distinct from',
  'between',
  'between symmetric',
])

const binary = (run: Run, scope: Scope, node: BinaryOperationNode): OperationNode => {
  const { leftOperand, operator, rightOperand } = node
  const name = OperatorNode.is(operator) ? operator.operator : ''
  if (!comparing.has(name)) return mapChildren(node, (child) => translate(run, scope, child, null))
  const isRange = AndNode.is(rightOperand)
  const leftColumn = shape(scope, leftOperand)
  const rightColumn = shape(scope, isRange ? rightOperand.left : rightOperand)
  return mapChildren(node, (child, property) => {
    if (property === 'leftOperand') return translate(run, scope, child, rightColumn)
    if (property !== 'rightOperand') return translate(run, scope, child, null)
    if (isRange) return mapChildren(child, (bound) => translate(run, scope, bound, leftColumn))
    return translate(run, scope, isWhole(child, name, leftColumn) ? ValueNode.create(child.values) : child, leftColumn)
  })
}

/** The columns that an expression's values are of. */
const shape = (scope: Scope, node: OperationNode): Expected => {
  if (ParensNode.is(node)) return shape(scope, node.node)
  return TupleNode.is(node) ? node.values.map((item) => columnOf(scope, item)) : columnOf(scope, node)
}

/** An array on the right of `=` is one value of a column that holds arrays; Kysely takes it for a list. */
const isWhole = (node: OperationNode, operator: string, column: Expected): node is PrimitiveValueListNode =>
  operator !== 'in' && operator !== 'not in' && PrimitiveValueListNode.is(node) && column !== null && !isMany(column)

const placed = (column: Column | null, place: NonNullable<Column['place']>): Column | null =>
  column === null || column.place === place ? column : { ...column, place }

const caseOf = (run: Run, scope: Scope, node: CaseNode, expected: Column | null): OperationNode => {
  const result = placed(expected ?? columnOf(scope, node), 'alone')
  const compared = node.value === undefined ? null : columnOf(scope, node.value)
  return mapChildren(node, (child, property) =>
    property === 'when'
      ? mapChildren(child, (part, role) => translate(run, scope, part, role === 'result' ? result : compared))
      : translate(run, scope, child, property === 'else' ? result : null),
  )
}

const call = (
  run: Run,
  scope: Scope,
  node: FunctionNode | AggregateFunctionNode,
  expected: Column | null,
): OperationNode => {
  const column = isChoosing(node) ? placed(expected ?? columnOf(scope, node), 'alone') : null
  return mapChildren<FunctionNode | AggregateFunctionNode>(node, (child, property) =>
    translate(run, scope, child, property === 'arguments' || property === 'aggregated' ? column : null),
  )
}

// queries

/** A table that a query reads: of a subtype, what stands for it. */
const tableOf = (run: Run, scope: Scope, node: OperationNode): OperationNode => {
  if (TableNode.is(node)) return standIn(scope, node, tableName(node)) ?? node
  if (ListNode.is(node)) return mapChildren(node, (child) => tableOf(run, scope, child))
  if (!AliasNode.is(node) || !TableNode.is(node.node) || !IdentifierNode.is(node.alias)) {
    return translate(run, scope, node, null)
  }
  return standIn(scope, node.node, node.alias.name) ?? node
}

/** What is read for the table of a subtype under a name; null for any other. */
const standIn = (scope: Scope, node: TableNode, name: string): OperationNode | null => {
  const table = tableName(node)
  const mapping = isExpression(scope, table) ? undefined : scope.catalog.get(table)
  if (mapping === undefined || !isDerived(mapping)) return null
  if (!isOwnTable(table)) return AliasNode.create(derivedQuery(mapping), IdentifierNode.create(name))
  const stored = namedTable(lastPart(mapping).table)
  return name === table ? stored : AliasNode.create(stored, IdentifierNode.create(name))
}

/** `columns`: those that the results are written to, where they are. */
const select = (
  run: Run,
  parent: Scope,
  node: SelectQueryNode,
  columns: ReadonlyArray<Column | null> = [],
): OperationNode => {
  const outside = withExpressions(parent, node.with?.expressions ?? [])
  const scope = within(outside, tablesOf(node))
  // a star first stands for all that the others are not
  const isAll = node.selections?.[0] !== undefined && SelectAllNode.is(node.selections[0].selection)
  const outputs = isAll ? columns.length - (node.selections?.length ?? 0) : 0
  const list =
    node.selections &&
    selections(scope, node.selections, (child, i) => translate(run, scope, child, columns[i + outputs] ?? null))
  const resolved = mapChildren(node, (child, property) => {
    switch (property) {
      case 'with':
        return expressions(run, parent, child as WithNode)
      case 'selections':
        return child
      case 'from':
        return mapChildren(child, (table) =>
          isAll && AliasNode.is(table) && SelectQueryNode.is(table.node)
            ? mapChange(table, 'node', (query) => select(run, scope, query as SelectQueryNode, columns))
            : tableOf(run, scope, table),
        )
      case 'setOperations':
        return mapChildren(child, (query) =>
          SelectQueryNode.is(query) ? select(run, outside, query, columns) : translate(run, outside, query, null),
        )
      case 'orderBy':
        return order(run, scope, child as OrderByNode, outputNames(node))
      default:
        return translate(run, scope, child, null)
    }
  })
  return list === undefined || list === node.selections ? resolved : Object.freeze({ ...resolved, selections: list })
}

/** Each CTE sees those before it, and all of them where they are recursive. */
const expressions = (run: Run, parent: Scope, node: WithNode): OperationNode =>
  mapChange(node, 'expressions', (nodes) =>
    mapList(nodes, (expression, i) => {
      const scope = withExpressions(parent, node.recursive === true ? nodes : nodes.slice(0, i))
      return mapChange(expression, 'expression', (query) => translate(run, scope, query, null))
    }),
  )

const order = (run: Run, scope: Scope, node: OrderByNode, outputs: ReadonlySet<string>): OperationNode =>
  mapChildren(node, (item) =>
    mapChildren(item, (child, property) =>
      property === 'orderBy' && isOutput(child, outputs) ? child : translate(run, scope, child, null),
    ),
  )

const change = (run: Run, parent: Scope, node: UpdateQueryNode | DeleteQueryNode): OperationNode => {
  const scope = within(withExpressions(parent, node.with?.expressions ?? []), tablesOf(node))
  const written = scope.sources[0]?.mapping ?? null
  if (written !== null && isDerived(written)) {
    const stored = storedWrite(written, node)
    if (isLeft(stored)) {
      run.fault ??= stored.left
      return node
    }
    if (stored.right !== node) return change(run, parent, stored.right)
  }
  return mapChildren<UpdateQueryNode | DeleteQueryNode>(node, (child, property) =>
    clause(run, parent, scope, scope.sources[0] ?? target(parent), child, property),
  )
}

/** A clause of a write to the table `into`. */
const clause = (
  run: Run,
  parent: Scope,
  scope: Scope,
  into: Source | null,
  node: OperationNode,
  property: string,
): OperationNode => {
  switch (property) {
    case 'with':
      return expressions(run, parent, node as WithNode)
    case 'table':
      return tableOf(run, scope, node)
    case 'updates':
      return assignment(run, scope, into, node as ColumnUpdateNode)
    case 'returning':
    case 'output':
      return mapChange(node as ReturningNode, 'selections', (list) =>
        selections(scope, list, (child) => translate(run, scope, child, null)),
      )
    default:
      return translate(run, scope, node, null)
  }
}

const assignment = (run: Run, scope: Scope, into: Source | null, node: ColumnUpdateNode): OperationNode => {
  const column = ColumnNode.is(node.column) ? into?.columns.get(node.column.column.name) : columnOf(scope, node.column)
  if (column?.isComputed === true) run.fault ??= notSet(column)
  return mapChildren(node, (child, property) => {
    if (property === 'value') return translate(run, scope, child, placed(column ?? null, 'assigned'))
    return ColumnNode.is(child) ? columnNode(child, column) : translate(run, scope, child, null)
  })
}

const insert = (run: Run, parent: Scope, node: InsertQueryNode): OperationNode => {
  const outside = withExpressions(parent, node.with?.expressions ?? [])
  const table = within(outside, node.into === undefined ? [] : [node.into])
  const into = table.sources[0] ?? target(parent)
  if (into?.mapping != null && isDerived(into.mapping)) run.fault ??= severalTables(into.mapping, 'insert')
  const scope = { ...table, sources: into === null ? [] : [into] }
  const upsert = { ...scope, sources: scope.sources.flatMap((source) => [source, { ...source, name: 'excluded' }]) }
  const columns = (node.columns ?? []).map(({ column }) => placed(into?.columns.get(column.name) ?? null, 'assigned'))
  return mapChildren(node, (child, property) => {
    switch (property) {
      case 'columns':
        return columnNode(child as ColumnNode, into?.columns.get((child as ColumnNode).column.name))
      case 'values':
        return ValuesNode.is(child)
          ? mapChildren(child, (row) => rowOf(run, scope, row, columns))
          : SelectQueryNode.is(child)
            ? select(run, outside, child, columns)
            : translate(run, outside, child, null)
      case 'onConflict':
      case 'onDuplicateKey':
        return mapChildren(child, (part, role) =>
          role === 'columns'
            ? columnNode(part as ColumnNode, into?.columns.get((part as ColumnNode).column.name))
            : clause(run, parent, upsert, into, part, role),
        )
      default:
        return clause(run, parent, scope, into, child, property)
    }
  })
}

const rowOf = (run: Run, scope: Scope, row: OperationNode, columns: ReadonlyArray<Column | null>): OperationNode =>
  PrimitiveValueListNode.is(row)
    ? mapChange(row, 'values', (values) => mapList(values, (item, i) => encode(run, columns[i] ?? null, item)))
    : mapChange(row as ValueListNode, 'values', (values) =>
        mapList(values, (item, i) => translate(run, scope, item, columns[i] ?? null)),
      )

const merge = (run: Run, parent: Scope, node: MergeQueryNode): OperationNode => {
  const tables = [node.into, ...(node.using === undefined ? [] : [node.using.table])]
  const scope = within(withExpressions(parent, node.with?.expressions ?? []), tables)
  return mapChildren(node, (child, property) => clause(run, parent, scope, scope.sources[0] ?? null, child, property))
}

const notSet = ({ attribute, mapping }: Column): StatementError =>
  invalidClause(mapping.name, 'set', attribute.name, 'the database computes it; set what it is computed of')

/** What an UPDATE or INSERT inside a MERGE writes to, which names no table itself. */
const target = (scope: Scope): Source | null => scope.sources[0] ?? null
