/**
 * What is refused of a statement before anything is asked of a database: comparing by order with a value that has none.
 *
 * NULL is neither below nor above anything, so that such a condition lets no row through, and of truth values databases
 * think differently. SQLAlchemy refuses both, and so does this.
 */
import { BinaryOperationNode, ColumnNode, type OperationNode, OperatorNode, ReferenceNode, ValueNode } from 'kysely'
import { type StatementError, unorderedValue } from './error.js'
import type { AnyStatement } from './statement.js'
import { mapChildren } from './tree.js'

const ordering: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '!<', '!>'])

const checked = new WeakMap<OperationNode, StatementError | null>()

/**
 * What is wrong with a statement, whatever database it is for; null where nothing is. O(nodes), once for each tree.
 *
 * @example
 * checkStatement(pipe(select(model.User), where((eb) => eb('nickname', '>', null)))) // an UnorderedValue
 *
 * @category interpreters
 */
export const checkStatement = ({ entity, node }: AnyStatement): StatementError | null => {
  const known = checked.get(node)
  if (known !== undefined) return known
  const found = unorderedIn(node)
  const error =
    found === null
      ? null
      : unorderedValue(entity.name, attributeName(found.leftOperand), operatorOf(found), unorderedOf(found))
  checked.set(node, error)
  return error
}

const unorderedIn = (node: OperationNode): BinaryOperationNode | null => {
  if (BinaryOperationNode.is(node) && isUnorderedOperation(node)) return node
  let found: BinaryOperationNode | null = null
  mapChildren(node, (child) => {
    found ??= unorderedIn(child)
    return child
  })
  return found
}

/** Whether an operation compares by order with what has none. */
export const isUnorderedOperation = (node: BinaryOperationNode): boolean =>
  (isUnordered(node.leftOperand) || isUnordered(node.rightOperand)) && ordering.has(operatorOf(node))

const operatorOf = ({ operator }: BinaryOperationNode): string => (OperatorNode.is(operator) ? operator.operator : '')

const isUnordered = (node: OperationNode): boolean =>
  ValueNode.is(node) && (node.value === null || typeof node.value === 'boolean')

const unorderedOf = ({ leftOperand, rightOperand }: BinaryOperationNode): unknown =>
  ((isUnordered(rightOperand) ? rightOperand : leftOperand) as ValueNode).value

const attributeName = (node: OperationNode): string =>
  ReferenceNode.is(node) && ColumnNode.is(node.column) ? node.column.column.name : ''
