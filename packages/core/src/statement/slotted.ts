/**
 * A tree with a place (see `slot.ts`) for each of its parameters, so that it is compiled once for all trees of its shape.
 */
import { BinaryOperationNode, type OperationNode, PrimitiveValueListNode, TupleNode, ValueNode } from 'kysely'
import { Encoded, encodedNode } from './encoded.js'
import { formOf, isParameter, listOf, paddedLength } from './lists.js'
import { Slot, slotType } from './slot.js'
import { mapChange, mapChildren, mapList } from './tree.js'

/**
 * The tree with lists padded and slots for parameters, numbered from 0 in some order.
 *
 * O(nodes).
 */
export const slotted = <Node extends OperationNode>(node: Node): Node => slot({ next: 0 }, node) as Node

/** Numbers slots; seen by one call of `slotted` only. */
interface Run {
  next: number
}

const slot = (run: Run, node: OperationNode): OperationNode => {
  if (isParameter(node) && node.value instanceof Encoded) {
    return encodedNode(node.value.attribute, new Slot(run.next++))
  }
  if (isParameter(node)) return ValueNode.create(new Slot(run.next++, null, slotType(node.value)))
  if (PrimitiveValueListNode.is(node)) return slots(run, node, node.values.length)
  if (BinaryOperationNode.is(node)) return operation(run, node)
  return mapChildren(node, (child) => slot(run, child))
}

const slots = (run: Run, node: PrimitiveValueListNode, length: number): PrimitiveValueListNode =>
  mapChange(node, 'values', () => Object.freeze(Array.from({ length }, () => new Slot(run.next++))))

const operation = (run: Run, node: BinaryOperationNode): OperationNode => {
  const list = listOf(node)
  return mapChildren(node, (child) => (child === list ? listed(run, list) : slot(run, child)))
}

const listed = (run: Run, list: NonNullable<ReturnType<typeof listOf>>): OperationNode => {
  const length = paddedLength(list.values.length)
  if (PrimitiveValueListNode.is(list)) return slots(run, list, length)
  return formOf(list) === null
    ? slot(run, list)
    : mapChange(list, 'values', (values) =>
        Object.freeze(
          Array.from({ length }, (_, i) => {
            const item = values[Math.min(i, values.length - 1)] as OperationNode
            return TupleNode.is(item)
              ? mapChange(item, 'values', (parts) => mapList(parts, (part) => slot(run, part)))
              : slot(run, item)
          }),
        ),
      )
}
