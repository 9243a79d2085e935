/**
 * Trees that mean the same: what is selected, grouped by and ordered by is told by it.
 */
import { type AnyQuery, mapChildren, readingIn } from '@unitary/core'
import { ColumnNode, type OperationNode, ParensNode, ReferenceNode } from 'kysely'

/** Do two expressions of a query mean the same, as far as their text tells? O(nodes). */
export const isSameTree = (statement: AnyQuery, a: OperationNode, b: OperationNode): boolean => {
  if (a === b) return true
  if (ParensNode.is(a)) return isSameTree(statement, a.node, b)
  if (ParensNode.is(b)) return isSameTree(statement, a, b.node)
  if (a.kind !== b.kind) return false
  return ReferenceNode.is(a) && ReferenceNode.is(b) ? isSameColumn(statement, a, b) : isSame(statement, a, b)
}

/** References of the query itself, not those of its subqueries. */
export const referencesIn = (node: OperationNode): ReadonlyArray<ReferenceNode> => {
  if (ReferenceNode.is(node)) return [node]
  const found: ReferenceNode[] = []
  mapChildren(node, (child) => {
    for (const reference of referencesIn(child)) found.push(reference)
    return child
  })
  return found
}

const isSameColumn = (statement: AnyQuery, a: ReferenceNode, b: ReferenceNode): boolean => {
  if (!ColumnNode.is(a.column) || !ColumnNode.is(b.column) || a.column.column.name !== b.column.column.name)
    return false
  if ((a.table === undefined) === (b.table === undefined)) return isSame(statement, a.table, b.table)
  // one names its table and the other does not
  const [x, y] = [readingIn(statement, a).source, readingIn(statement, b).source]
  return x !== null && x.attribute === y?.attribute
}

const isSame = (statement: AnyQuery, a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime()
  }
  if (ArrayBuffer.isView(a)) return false
  const [x, y] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const names = Object.keys(x)
  return (
    names.length === Object.keys(y).length &&
    names.every((name) => name in y && isSameValue(statement, x[name], y[name]))
  )
}

const isSameValue = (statement: AnyQuery, a: unknown, b: unknown): boolean =>
  isOperation(a) && isOperation(b) ? isSameTree(statement, a, b) : isSame(statement, a, b)

const isOperation = (value: unknown): value is OperationNode =>
  typeof value === 'object' && value !== null && typeof (value as { kind?: unknown }).kind === 'string'
