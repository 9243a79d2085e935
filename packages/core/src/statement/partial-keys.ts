/**
 * Rows whose primary key is NULL in part: those of the view of an outer join, or of a table that allows it.
 */
import { BinaryOperationNode, OperatorNode, QueryNode, type SelectQueryNode, ValueNode } from 'kysely'
import type { AnySelect } from './select.js'
import { attributeNode } from './statement.js'

const narrowed = new WeakMap<SelectQueryNode, SelectQueryNode>()

/**
 * The query without rows whose key is NULL in part, where its options (`allowPartialKeys`) leave them out; the very same
 * query where they do not, or there can be none.
 *
 * @category combinators
 */
export const withoutPartialKeys = (query: AnySelect): AnySelect => {
  const { entity, node, options } = query
  const nullable = entity.mapping.key.filter(({ isNullable }) => isNullable)
  if (options.allowPartialKeys !== false || nullable.length === 0) return query
  const known = narrowed.get(node)
  if (known !== undefined) return { ...query, node: known }
  const made = nullable.reduce(
    (so, attribute) =>
      QueryNode.cloneWithWhere(
        so,
        BinaryOperationNode.create(
          attributeNode(entity.mapping, attribute),
          OperatorNode.create('is not'),
          ValueNode.createImmediate(null),
        ),
      ) as SelectQueryNode,
    node,
  )
  narrowed.set(node, made)
  return { ...query, node: made }
}
