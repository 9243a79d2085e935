/**
 * Operation nodes as a tree: which of their properties are nodes, and how to change those.
 */
import type { OperationNode } from 'kysely'

/** Kinds whose properties are values or names, never nodes; a value may well look like one. */
const leaves: ReadonlySet<OperationNode['kind']> = new Set([
  'ValueNode',
  'PrimitiveValueListNode',
  'IdentifierNode',
  'OperatorNode',
  'DataTypeNode',
  'JSONPathLegNode',
  'SelectAllNode',
  'DefaultInsertValueNode',
  'OrActionNode',
  'MatchedNode',
])

export const isNode = (value: unknown): value is OperationNode =>
  typeof value === 'object' && value !== null && typeof (value as { kind?: unknown }).kind === 'string'

/**
 * The node with its children changed; the very same node where no child changed.
 *
 * @category combinators
 */
export const mapChildren = <Node extends OperationNode>(
  node: Node,
  change: (child: OperationNode, property: string) => OperationNode,
): Node => {
  if (leaves.has(node.kind)) return node
  let changes: Record<string, unknown> | null = null
  // nodes are plain objects; this runs for every node of every new statement
  for (const property in node) {
    const value: unknown = node[property]
    if (typeof value !== 'object' || value === null) continue
    const changed = Array.isArray(value)
      ? mapList(value, (item) => (isNode(item) ? change(item, property) : item))
      : isNode(value)
        ? change(value, property)
        : value
    if (changed === value) continue
    changes ??= {}
    changes[property] = changed
  }
  return changes === null ? node : Object.freeze({ ...node, ...changes })
}

/** The list with its items changed; the very same list where no item changed. */
export const mapList = <A>(list: ReadonlyArray<A>, change: (item: A, index: number) => A): ReadonlyArray<A> => {
  let changed: A[] | null = null
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as A
    const other = change(item, i)
    if (other === item) continue
    changed ??= [...list]
    changed[i] = other
  }
  return changed === null ? list : Object.freeze(changed)
}

/** The node with one property changed; the very same node where it did not change. */
export const mapChange = <Node extends OperationNode, K extends keyof Node>(
  node: Node,
  property: K,
  f: (value: Node[K]) => Node[K],
): Node => {
  const changed = f(node[property])
  return changed === node[property] ? node : Object.freeze({ ...node, [property]: changed })
}
