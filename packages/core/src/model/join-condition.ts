/**
 * Conditions on the two sides of a relationship: the tree that one makes, and which attributes it speaks of.
 */
import { ColumnNode, expressionBuilder, isOperationNodeSource, type OperationNode, ReferenceNode } from 'kysely'
import type { ModelFault } from './fault.js'
import type { Attribute, Mapping } from './mapping.js'
import type { JoinCondition } from './relationship.js'

/** The tables that a condition may name beside those of the model, and the entities that they are. */
export type SideTables = ReadonlyMap<string, Mapping>

/** Names that only a condition gives. */
export const ownerSide = 'owner'
export const targetSide = 'target'
export const linkSide = 'link'

/** The tree of a condition; null where it gives none, which is noted. */
export const conditionNode = (path: string, on: JoinCondition, faults: ModelFault[]): OperationNode | null => {
  const given: unknown = on(expressionBuilder())
  if (isOperationNodeSource(given)) return given.toOperationNode()
  faults.push({ path, message: 'it gives no expression; return one of the builder, as in (eb) => eb(...)' })
  return null
}

/** The attributes of one side that a condition speaks of, each once. */
export const attributesOfSide = (node: OperationNode, side: string, mapping: Mapping): ReadonlyArray<Attribute> => {
  const found = new Set<Attribute>()
  forEachReference(node, (table, column) => {
    const attribute = table === side ? mapping.attributeOf.get(column) : undefined
    if (attribute !== undefined) found.add(attribute)
  })
  return [...found]
}

/** Notes names of the sides that they do not have. */
export const checkCondition = (path: string, node: OperationNode, sides: SideTables, faults: ModelFault[]): void => {
  let speaksOfOwner = false
  forEachReference(node, (table, column) => {
    speaksOfOwner ||= table === ownerSide
    const mapping = table === null ? undefined : sides.get(table)
    if (mapping === undefined || mapping.attributeOf.has(column)) return
    faults.push({ path, message: `'${table}.${column}' is no attribute of ${mapping.name}` })
  })
  if (!speaksOfOwner) {
    faults.push({ path, message: `it says nothing of the ${ownerSide}; a condition on the targets alone is a 'where'` })
  }
}

const forEachReference = (node: OperationNode, visit: (table: string | null, column: string) => void): void => {
  if (ReferenceNode.is(node) && ColumnNode.is(node.column)) {
    const { table } = node
    visit(
      table === undefined || table.table.schema !== undefined ? null : table.table.identifier.name,
      node.column.column.name,
    )
    return
  }
  // a value may well look like a node
  if (node.kind === 'ValueNode' || node.kind === 'PrimitiveValueListNode') return
  for (const property of Object.values(node)) {
    for (const child of Array.isArray(property) ? property : [property]) {
      if (isNode(child)) forEachReference(child, visit)
    }
  }
}

const isNode = (value: unknown): value is OperationNode =>
  typeof value === 'object' && value !== null && typeof (value as { readonly kind?: unknown }).kind === 'string'
