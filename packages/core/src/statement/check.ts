/**
 * What is refused of a statement before anything is asked of a database: what was wrong with it when it was built, and
 * comparing by order with a value that has none. Such a condition lets no row through, or one that databases differ in.
 * SQLAlchemy refuses it, and so does this.
 */
import { BinaryOperationNode, ColumnNode, type OperationNode, ReferenceNode } from 'kysely'
import { type StatementError, unorderedValue } from './error.js'
import { faultIn } from './fault.js'
import type { AnyQuery } from './rows.js'
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
export const checkStatement = (statement: AnyStatement): StatementError | null => {
  const wrong = checkTree(statement)
  return wrong !== null || !isQuery(statement) ? wrong : checkLoads(statement)
}

const isQuery = (statement: AnyStatement): statement is AnyQuery => 'aliases' in statement

const checkLoads = (query: AnyQuery): StatementError | null => {
  const { loads } = query._tag === 'Rows' ? query.query : query
  for (const { refine } of loads) {
    const wrong = refine === null ? null : checkStatement(refine)
    if (wrong !== null) return wrong
  }
  return null
}

const checkTree = ({ entity, node }: AnyStatement): StatementError | null =>
  shapeOf(node)?.isSuspect === false ? null : errorIn(entity.name, node)

const errorIn = (entity: string, node: OperationNode): StatementError | null => {
  const fault = faultIn(node)
  if (fault !== null) return fault
  if (BinaryOperationNode.is(node) && isUnorderedOperation(node)) {
    const { leftOperand, rightOperand } = node
    const value = isUnordered(rightOperand) ? rightOperand.value : isUnordered(leftOperand) ? leftOperand.value : null
    return unorderedValue(entity, attributeName(leftOperand), operatorOf(node), value)
  }
  let found: StatementError | null = null
  mapChildren(node, (child) => {
    found ??= errorIn(entity, child)
    return child
  })
  return found
}

const attributeName = (node: OperationNode): string =>
  ReferenceNode.is(node) && ColumnNode.is(node.column) ? node.column.column.name : ''
