/**
 * What is refused of a statement before anything is asked of a database: comparing by order with a value that has none.
 * Such a condition lets no row through, or one that databases differ in. SQLAlchemy refuses it, and so does this.
 */
import { BinaryOperationNode, ColumnNode, type OperationNode, ReferenceNode } from 'kysely'
import { type StatementError, unorderedValue } from './error.js'
import { shapeOf } from './shape.js'
import type { AnyStatement } from './statement.js'
import { mapChildren } from './tree.js'
import { isUnordered, isUnorderedOperation, operatorOf } from './unordered.js'

/**
 * What is wrong with a statement, whatever database it is for; null where nothing is. O(nodes).
 *
 * @example
 * checkStatement(pipe(select(model.User), where((eb) => eb('nickname', '>', null)))) // an UnorderedValue
 *
 * @category interpreters
 */
export const checkStatement = ({ entity, node }: AnyStatement): StatementError | null => {
  if (shapeOf(node)?.isUnordered === false) return null
  const found = unorderedIn(node)
  if (found === null) return null
  const { leftOperand, rightOperand } = found
  const value = isUnordered(rightOperand) ? rightOperand.value : isUnordered(leftOperand) ? leftOperand.value : null
  return unorderedValue(entity.name, attributeName(leftOperand), operatorOf(found), value)
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

const attributeName = (node: OperationNode): string =>
  ReferenceNode.is(node) && ColumnNode.is(node.column) ? node.column.column.name : ''
