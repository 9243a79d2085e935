/**
 * What has no order, and the operations that ask for one: NULL is neither below nor above anything, and of truth values
 * databases think differently.
 */
import { type BinaryOperationNode, type OperationNode, OperatorNode, ValueNode } from 'kysely'

const ordering: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '!<', '!>'])

/** Whether an operation compares by order with what has none. */
export const isUnorderedOperation = (node: BinaryOperationNode): boolean =>
  (isUnordered(node.leftOperand) || isUnordered(node.rightOperand)) && ordering.has(operatorOf(node))

/** Its operator; empty where it is an expression. */
export const operatorOf = ({ operator }: BinaryOperationNode): string =>
  OperatorNode.is(operator) ? operator.operator : ''

/** Whether a node is a value without an order. */
export const isUnordered = (node: OperationNode): node is ValueNode =>
  ValueNode.is(node) && (node.value === null || typeof node.value === 'boolean')
