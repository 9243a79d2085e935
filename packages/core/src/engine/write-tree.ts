/**
 * The operation node trees of insert, update and delete calls, for an engine to compile once per shape.
 *
 * They are built node by node rather than by Kysely's query builders: a call speaks of columns by their exact names,
 * where the builders take `a.b` for a table and its column, and its values are placeholders to be bound row by row.
 */
import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  DeleteQueryNode,
  InsertQueryNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  ReferenceNode,
  ReturningNode,
  SelectAllNode,
  SelectionNode,
  SelectModifierNode,
  SelectQueryNode,
  TableNode,
  UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  WhereNode,
} from 'kysely'
import type { ColumnKind } from '../model/column.js'
import type { ComputedColumn } from './call.js'
import type { Dialect, Selected } from './dialect.js'
import { selectedColumn } from './selected-column.js'

/**
 * How a column of `where` is compared: `=`, for values; `is`, for values and NULL alike where the database has it for
 * both (SQLite); `is null`, which takes no parameter.
 */
export type Comparison = '=' | 'is' | 'is null'

/** A table by its name in the model, which may carry a schema (`app.users`), as Kysely writes it. */
export const tableNode = (table: string): TableNode => {
  const dot = table.indexOf('.')
  return dot === -1 ? TableNode.create(table) : TableNode.createWithSchema(table.slice(0, dot), table.slice(dot + 1))
}

const reference = (column: string): ReferenceNode => ReferenceNode.create(ColumnNode.create(column))

/** Compiles to a placeholder; its value is never bound. */
const placeholder = null

/**
 * Inserts so many rows of the columns, and of those that the database computes. With no columns at all every value is the table's default; MySQL has its own
 * words for that, and the others can do it for one row only.
 *
 * @category constructors
 */
export const insertTree = (
  dialect: Dialect['name'],
  table: string,
  columns: ReadonlyArray<string>,
  rows: number,
  returning: Returning,
  computed: ReadonlyArray<ComputedColumn> = [],
): InsertQueryNode => {
  const into = InsertQueryNode.create(tableNode(table))
  const row =
    computed.length === 0
      ? PrimitiveValueListNode.create(columns.map(() => placeholder))
      : ValueListNode.create([
          ...columns.map(() => ValueNode.create(placeholder)),
          ...computed.map(({ expression }) => expression),
        ])
  return InsertQueryNode.cloneWith(into, {
    ...(columns.length + computed.length === 0 && dialect !== 'mysql'
      ? { defaultValues: true }
      : {
          columns: [...columns, ...computed.map(({ column }) => column)].map((column) => ColumnNode.create(column)),
          values: ValuesNode.create(Array.from({ length: rows }, () => row)),
        }),
    ...returned(returning),
  })
}

const texts = new WeakMap<OperationNode, string>()

const textOf = (expression: OperationNode): string => {
  const known = texts.get(expression)
  if (known !== undefined) return known
  const text = JSON.stringify(expression, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  texts.set(expression, text)
  return text
}

/** What tells computed columns from others, for a cache of statements. */
export const computedText = (computed: ReadonlyArray<ComputedColumn> | undefined): string =>
  computed === undefined ? '' : computed.map(({ column, expression }) => `\n=${column}\n${textOf(expression)}`).join('')

/** Columns that a write returns, some of them selected otherwise than they are. */
export type Returning = ReadonlyArray<string | readonly [column: string, as: Selected]>

/** What a call asks for, as the dialect selects it. */
export const returningOf = (
  columns: ReadonlyArray<string>,
  kinds: ReadonlyMap<string, ColumnKind> | undefined,
  dialect: Dialect,
): Returning =>
  kinds === undefined
    ? columns
    : columns.map((column) => {
        const kind = kinds.get(column)
        const as = kind === undefined ? null : dialect.selectedAs(kind)
        return as === null ? column : ([column, as] as const)
      })

/** The same as text, to know shapes by. */
export const kindsText = (
  columns: ReadonlyArray<string>,
  kinds: ReadonlyMap<string, ColumnKind> | undefined,
): string => (kinds === undefined ? '' : columns.map((column) => kinds.get(column) ?? '').join())

export const returningSelections = (columns: Returning): ReadonlyArray<SelectionNode> =>
  columns.map((column) =>
    typeof column === 'string'
      ? SelectionNode.create(reference(column))
      : selectedColumn(column[1], reference(column[0]), column[0]),
  )

const returned = (columns: Returning): { readonly returning?: ReturningNode } =>
  columns.length === 0 ? {} : { returning: ReturningNode.create(returningSelections(columns)) }

/**
 * Updates the rows that `where` finds. Parameters are the values of `set`, then those of `where` that take one.
 *
 * @category constructors
 */
export const updateTree = (
  table: string,
  set: ReadonlyArray<string>,
  where: ReadonlyArray<string>,
  comparisons: ReadonlyArray<Comparison>,
  returning: Returning,
  computed: ReadonlyArray<ComputedColumn> = [],
): UpdateQueryNode => ({
  ...restricted(
    UpdateQueryNode.cloneWithUpdates(UpdateQueryNode.create([tableNode(table)]), [
      ...set.map((column) => ColumnUpdateNode.create(ColumnNode.create(column), ValueNode.create(placeholder))),
      ...computed.map(({ column, expression }) => ColumnUpdateNode.create(ColumnNode.create(column), expression)),
    ]),
    where,
    comparisons,
  ),
  ...returned(returning),
})

/**
 * Deletes the rows that `where` finds.
 *
 * @category constructors
 */
export const deleteTree = (
  table: string,
  where: ReadonlyArray<string>,
  comparisons: ReadonlyArray<Comparison>,
): DeleteQueryNode => restricted(DeleteQueryNode.create([tableNode(table)]), where, comparisons)

/**
 * Selects the rows that `where` finds as they are now, and locks them.
 *
 * @category constructors
 */
export const lockTree = (
  table: string,
  where: ReadonlyArray<string>,
  comparisons: ReadonlyArray<Comparison>,
): SelectQueryNode =>
  restricted(
    {
      ...SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([tableNode(table)]), [
        SelectionNode.create(SelectAllNode.create()),
      ]),
      endModifiers: [SelectModifierNode.create('ForUpdate')],
    },
    where,
    comparisons,
  )

const comparison = (column: string, operator: Comparison): OperationNode =>
  operator === 'is null'
    ? BinaryOperationNode.create(reference(column), OperatorNode.create('is'), ValueNode.createImmediate(null))
    : BinaryOperationNode.create(reference(column), OperatorNode.create(operator), ValueNode.create(placeholder))

const restricted = <N extends UpdateQueryNode | DeleteQueryNode | SelectQueryNode>(
  node: N,
  where: ReadonlyArray<string>,
  comparisons: ReadonlyArray<Comparison>,
): N => {
  const [first, ...others] = where.map((column, i) => comparison(column, comparisons[i] ?? '='))
  return first === undefined ? node : { ...node, where: WhereNode.create(others.reduce(AndNode.create, first)) }
}
