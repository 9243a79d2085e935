/**
 * Rows of plain values, all with the same attributes, as nodes: Kysely's own parser looks for expressions in each row as if no
 * other was like it, which takes longer than to insert them.
 */
import { ColumnNode, type PrimitiveValueListNode, ValuesNode } from 'kysely'

type Row = Readonly<Record<string, unknown>>

/**
 * Columns and values of the rows; null where one has an expression, or lacks an attribute of another. O(cells).
 *
 * @category constructors
 */
export const plainRows = (
  rows: ReadonlyArray<Row>,
): { readonly columns: ReadonlyArray<ColumnNode>; readonly values: ValuesNode } | null => {
  const [first] = rows
  if (first === undefined) return null
  const names = Object.keys(first)
  if (names.length === 0) return null
  const lists = new Array<PrimitiveValueListNode>(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const values = plainCells(rows[i] as Row, names)
    if (values === null) return null
    lists[i] = { kind: 'PrimitiveValueListNode', values }
  }
  return { columns: names.map((name) => ColumnNode.create(name)), values: ValuesNode.create(lists) }
}

const plainCells = (row: Row, names: ReadonlyArray<string>): unknown[] | null => {
  const cells = new Array<unknown>(names.length)
  for (let i = 0; i < names.length; i++) {
    const value = row[names[i] as string]
    if (value === undefined || isExpression(value)) return null
    cells[i] = value
  }
  let others = -names.length
  for (const name in row) if (Object.hasOwn(row, name)) others++
  return others === 0 ? cells : null
}

/** What stands for SQL: an expression, or a function that makes one. */
const isExpression = (value: unknown): boolean =>
  typeof value === 'function' || (typeof value === 'object' && value !== null && 'toOperationNode' in value)
