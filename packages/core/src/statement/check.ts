/**
 * What is refused of a statement before anything is asked of a database: what was wrong with it when it was built, and
 * comparing by order with a value that has none.
 *
 * NULL is neither below nor above anything, so that such a condition lets no row through, and of truth values databases
 * think differently. SQLAlchemy refuses both, and so does this.
 */
import { BinaryOperationNode, ColumnNode, type OperationNode, OperatorNode, ReferenceNode, ValueNode } from 'kysely'
import { type StatementError, unorderedValue } from './error.js'
import { faultIn } from './fault.js'
import type { AnyQuery } from './rows.js'
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

const checkTree = ({ entity, node }: AnyStatement): StatementError | null => {
  const known = checked.get(node)
  if (known !== undefined) return known
  const error = errorIn(entity.name, node)
  checked.set(node, error)
  return error
}

const errorIn = (entity: string, node: OperationNode): StatementError | null => {
  const fault = faultIn(node)
  if (fault !== null) return fault
  if (BinaryOperationNode.is(node) && ordering.has(operatorOf(node))) {
    if (isUnordered(node.leftOperand) || isUnordered(node.rightOperand)) {
      return unorderedValue(entity, attributeName(node.leftOperand), operatorOf(node), unorderedOf(node))
    }
  }
  let found: StatementError | null = null
  mapChildren(node, (child) => {
    found ??= errorIn(entity, child)
    return child
  })
  return found
}

const operatorOf = ({ operator }: BinaryOperationNode): string => (OperatorNode.is(operator) ? operator.operator : '')

const isUnordered = (node: OperationNode): boolean =>
  ValueNode.is(node) && (node.value === null || typeof node.value === 'boolean')

const unorderedOf = ({ leftOperand, rightOperand }: BinaryOperationNode): unknown =>
  ((isUnordered(rightOperand) ? rightOperand : leftOperand) as ValueNode).value

const attributeName = (node: OperationNode): string =>
  ReferenceNode.is(node) && ColumnNode.is(node.column) ? node.column.column.name : ''
