/**
 * Lists of values after IN and NOT IN, and how long they are where one compiled statement serves many of them: the last
 * item is repeated up to the next power of two, which changes neither what is in the list nor what is outside of it.
 */
import {
  type BinaryOperationNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  TupleNode,
  ValueListNode,
  ValueNode,
} from 'kysely'

/** How long a list of so many items is made. An empty list says something else (see `portable.ts`) and stays empty. */
export const paddedLength = (length: number): number => {
  let padded = 1
  while (padded < length) padded *= 2
  return length === 0 ? 0 : padded
}

/** The list on the right of an IN or NOT IN, where it is one; null for a subquery, and for any other operator. */
export const listOf = ({
  operator,
  rightOperand,
}: BinaryOperationNode): PrimitiveValueListNode | ValueListNode | null =>
  (PrimitiveValueListNode.is(rightOperand) || ValueListNode.is(rightOperand)) &&
  OperatorNode.is(operator) &&
  (operator.operator === 'in' || operator.operator === 'not in')
    ? rightOperand
    : null

/**
 * What the items of a list are: 0 for values, the number of parts for tuples of values. Null where they are not all of one
 * form, or anything else: those must not be repeated.
 */
export const formOf = ({ values }: ValueListNode): number | null => {
  const form = formOfItem(values[0])
  for (let i = 1; i < values.length; i++) if (formOfItem(values[i]) !== form) return null
  return form
}

const formOfItem = (item: OperationNode | undefined): number | null => {
  if (item === undefined) return null
  if (isParameter(item)) return 0
  return TupleNode.is(item) && item.values.length > 0 && item.values.every(isParameter) ? item.values.length : null
}

/** Whether a node is a value that SQL has as a parameter. */
export const isParameter = (node: OperationNode): node is ValueNode =>
  ValueNode.is(node) && node.immediate === undefined
