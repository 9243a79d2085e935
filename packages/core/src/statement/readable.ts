/**
 * Selections as a dialect's driver can be trusted with them.
 *
 * What a driver makes of some values depends on how the application has set it up, and may lose something: an integer of 64
 * bits becomes a double, a day the midnight of some time zone. Such columns are selected as text, under the same names. An
 * order goes by the column itself all the same. Where rows are told apart by what is selected (DISTINCT, UNION), they are told
 * apart first, and selected as text around it.
 */
import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  type ReturningNode,
  type RootOperationNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
} from 'kysely'
import type { Dialect, Selected } from '../engine/dialect.js'
import { selectedColumn } from '../engine/selected-column.js'
import type { ColumnKind } from '../model/column.js'
import type { Mapping } from '../model/mapping.js'
import { starred } from './find.js'
import { computedKind } from './reading.js'
import { columnOf, tablesOf, withExpressions, within } from './scope.js'
import { catalogOf, namedTable, outermost, type Scope } from './source.js'
import { mapChildren } from './tree.js'

/**
 * The tree of a statement whose rows are read, in the program's language as it was given; the very same tree where nothing
 * changes. O(selections and terms of the order).
 *
 * @category interpreters
 */
export const readable =
  (mappings: ReadonlyArray<Mapping>, dialect: Dialect, kinds: Kinds = noKinds) =>
  <Node extends RootOperationNode>(node: Node): Node => {
    const outside = outermost(catalogOf(mappings))
    const any: RootOperationNode = node
    switch (any.kind) {
      case 'SelectQueryNode': {
        const scope = within(withExpressions(outside, any.with?.expressions ?? []), tablesOf(any))
        return select(scope, any, dialect, kinds) as RootOperationNode as Node
      }
      case 'UpdateQueryNode':
      case 'DeleteQueryNode': {
        if (any.returning === undefined) return node
        const scope = within(withExpressions(outside, any.with?.expressions ?? []), tablesOf(any))
        return withReturning(scope, any, any.returning, dialect) as RootOperationNode as Node
      }
      case 'InsertQueryNode':
        return any.returning === undefined || any.into === undefined
          ? node
          : (withReturning(within(outside, [any.into]), any, any.returning, dialect) as RootOperationNode as Node)
      default:
        return node
    }
  }

/** As which kinds values of the result are read, by their names, where that was said. */
type Kinds = ReadonlyMap<string, ColumnKind>

const noKinds: Kinds = new Map()

/** A selection under its name in the result. */
interface Output {
  readonly node: SelectionNode
  readonly name: string
  readonly expression: OperationNode
  /** How it is selected, if not as it is: where it is a column. */
  readonly as: Selected | null
}

const outputsOf = (
  scope: Scope,
  selections: ReadonlyArray<SelectionNode>,
  dialect: Dialect,
  kinds: Kinds,
): ReadonlyArray<Output | SelectionNode> => {
  const outputs = selections.map((node) => outputOf(scope, node, dialect, kinds) ?? node)
  if (outputs.every((output) => 'as' in output || starred(scope, output.selection) === null)) return outputs
  return outputs.flatMap((output) => ('as' in output ? [output] : speltOut(scope, output, dialect)))
}

const outputOf = (scope: Scope, node: SelectionNode, dialect: Dialect, kinds: Kinds): Output | null => {
  const { selection } = node
  const isNamed = AliasNode.is(selection) && IdentifierNode.is(selection.alias)
  const expression = isNamed ? selection.node : selection
  const isReference = ReferenceNode.is(expression) && ColumnNode.is(expression.column)
  if (!isNamed && !isReference) return null
  const isColumn = isReference && columnOf(scope, expression)?.isComputed !== true
  const name = isNamed ? (selection.alias as IdentifierNode).name : nameOf(expression as ReferenceNode)
  const said = kinds.get(name)
  const kind = said ?? (isReference ? columnKind(scope, expression) : computedKind(scope, expression))
  return {
    node,
    name,
    expression,
    as: kind === null ? null : selectedAs(dialect, kind, isColumn && said === undefined),
  }
}

const columnKind = (scope: Scope, node: OperationNode): ColumnKind | null =>
  columnOf(scope, node)?.attribute.column.kind ?? null

/** SQLite's driver knows of columns alone how large their integers may be. */
const selectedAs = (dialect: Dialect, kind: ColumnKind, isColumn: boolean): Selected | null =>
  kind === 'bigint' && !isColumn && dialect.name === 'sqlite' ? { by: null, type: 'text' } : dialect.selectedAs(kind)

const nameOf = ({ column }: ReferenceNode): string => (ColumnNode.is(column) ? column.column.name : '')

/** The columns that `*` stands for one by one, where one of them is to be selected otherwise. */
const speltOut = (scope: Scope, node: SelectionNode, dialect: Dialect): ReadonlyArray<Output | SelectionNode> => {
  const sources = starred(scope, node.selection)
  if (sources === null || sources.some(({ isOpen }) => isOpen)) return [node]
  const spelt = sources.flatMap((source) =>
    [...source.columns.keys()].flatMap((name) => {
      const reference = ReferenceNode.create(ColumnNode.create(name), namedTable(source.name))
      return outputOf(scope, SelectionNode.create(reference), dialect, noKinds) ?? []
    }),
  )
  return spelt.some(({ as }) => as !== null) ? spelt : [node]
}

const written = (output: Output | SelectionNode): SelectionNode =>
  'as' in output
    ? output.as === null
      ? output.node
      : selectedColumn(output.as, output.expression, output.name)
    : output

const withReturning = <Node extends OperationNode & { readonly returning?: ReturningNode }>(
  scope: Scope,
  node: Node,
  { selections }: ReturningNode,
  dialect: Dialect,
): Node => {
  const outputs = outputsOf(scope, selections, dialect, noKinds)
  return outputs.every((output) => !('as' in output) || output.as === null)
    ? node
    : { ...node, returning: { ...node.returning, selections: outputs.map(written) } }
}

const select = (scope: Scope, node: SelectQueryNode, dialect: Dialect, kinds: Kinds): SelectQueryNode => {
  const outputs = outputsOf(scope, node.selections ?? [], dialect, kinds)
  if (outputs.every((output) => !('as' in output) || output.as === null)) return node
  const isDistinct = node.frontModifiers?.some(({ modifier }) => modifier === 'Distinct') === true
  const isCompound = node.setOperations !== undefined
  const outer = isDistinct || isCompound ? around(node, outputs) : null
  if (outer !== null) return outer
  if (isCompound) return node
  return {
    ...node,
    selections: outputs.map(written),
    ...ordered(node, (item) => {
      const output = outputs.find((one): one is Output => 'as' in one && one.as !== null && isSame(item, one))
      return output === undefined ? item : output.expression
    }),
  }
}

const ordered = (node: SelectQueryNode, change: (item: OperationNode) => OperationNode): Partial<SelectQueryNode> =>
  node.orderBy === undefined
    ? {}
    : {
        orderBy: mapChildren(node.orderBy, (item) =>
          mapChildren(item, (child, property) => (property === 'orderBy' ? change(child) : child)),
        ),
      }

/** Is a term of the order what is selected, by its name in the result or by its own? */
const isSame = (item: OperationNode, output: Output): boolean => {
  if (ParensNode.is(item)) return isSame(item.node, output)
  const { expression, name } = output
  if (!ReferenceNode.is(item) || !ColumnNode.is(item.column)) return false
  if (item.table === undefined && item.column.column.name === name) return true
  if (!ReferenceNode.is(expression) || nameOf(item) !== nameOf(expression)) return false
  const one = item.table?.table.identifier.name
  const other = expression.table?.table.identifier.name
  return one === other || (one === undefined) !== (other === undefined)
}

const alias = 'unitary_distinct'

const outside = (name: string): ReferenceNode => ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias))

/**
 * `select ... from (select distinct ...) as "unitary_distinct" order by ...`; null where its order is not one of what it selects
 * (which MariaDB allows), or it locks rows.
 */
const around = (node: SelectQueryNode, outputs: ReadonlyArray<Output | SelectionNode>): SelectQueryNode | null => {
  const { endModifiers, fetch, limit, offset, orderBy, ...query } = node
  const all = outputs.filter((output): output is Output => 'as' in output)
  const places = (orderBy?.items ?? []).map(({ orderBy: item }) => all.find((output) => isSame(item, output)))
  if (endModifiers !== undefined || all.length < outputs.length || places.includes(undefined)) return null
  const inner: SelectQueryNode = { ...query, selections: all.map((output) => output.node) }
  return {
    ...SelectQueryNode.createFrom([AliasNode.create(inner, IdentifierNode.create(alias))]),
    selections: all.map(({ as, name }) =>
      as === null ? SelectionNode.create(outside(name)) : selectedColumn(as, outside(name), name),
    ),
    ...ordered(node, (item) => outside(all.find((output) => isSame(item, output))?.name ?? '')),
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
    ...(fetch === undefined ? {} : { fetch }),
  }
}
