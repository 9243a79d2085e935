/**
 * What some dialects do not take, in a form that they do: an empty list, an offset without a limit, row locks, and upserts.
 */
import {
  AliasNode,
  BinaryOperationNode,
  IdentifierNode,
  InsertQueryNode,
  LimitNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  QueryNode,
  RawNode,
  type RootOperationNode,
  SelectAllNode,
  SelectionNode,
  SelectModifierNode,
  SelectQueryNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import { onDuplicateKey } from './on-duplicate-key.js'
import { mapChildren } from './tree.js'

/** The tree as a dialect takes it; the very same tree where it takes it as it is. */
export const portable = <Node extends RootOperationNode>(node: Node, dialect: Dialect['name']): Node =>
  rewrite(node, dialect) as Node

const rewrite = (node: OperationNode, dialect: Dialect['name']): OperationNode => {
  const rewritten = mapChildren(node, (child) => rewrite(child, dialect))
  if (BinaryOperationNode.is(rewritten)) return dialect === 'sqlite' ? rewritten : withoutEmptyList(rewritten)
  if (InsertQueryNode.is(rewritten)) return withConflict(rewritten, dialect)
  return SelectQueryNode.is(rewritten) ? withLocks(withLimit(rewritten, dialect), dialect) : rewritten
}

const locks = new Set<string | undefined>([
  'ForUpdate',
  'ForShare',
  'ForNoKeyUpdate',
  'ForKeyShare',
  'NoWait',
  'SkipLocked',
])

/** SQLite has no locks of rows, and needs none; MariaDB spells a shared one as MySQL did. */
const withLocks = (node: SelectQueryNode, dialect: Dialect['name']): SelectQueryNode => {
  const { endModifiers } = node
  const found = endModifiers?.filter(({ modifier }) => locks.has(modifier)) ?? []
  if (endModifiers === undefined || found.length === 0 || dialect === 'postgres') return node
  const others = endModifiers.filter((modifier) => !found.includes(modifier))
  if (dialect === 'sqlite') return { ...node, endModifiers: others }
  const isShared = found.length === 1 && found[0]?.modifier === 'ForShare'
  return isShared ? { ...node, endModifiers: [...others, sharedLock] } : node
}

const sharedLock = SelectModifierNode.createWithExpression(RawNode.createWithSql('lock in share mode'))

/** Nothing is in an empty list, and everything is outside of it, NULL too. */
const withoutEmptyList = (node: BinaryOperationNode): OperationNode => {
  const { operator, rightOperand } = node
  if (!OperatorNode.is(operator) || (operator.operator !== 'in' && operator.operator !== 'not in')) return node
  const isList = PrimitiveValueListNode.is(rightOperand) || ValueListNode.is(rightOperand)
  if (!isList || rightOperand.values.length > 0) return node
  return one(operator.operator === 'in' ? 0 : 1)
}

/** `1 = n` */
const one = (n: 0 | 1): BinaryOperationNode =>
  BinaryOperationNode.create(ValueNode.createImmediate(1), OperatorNode.create('='), ValueNode.createImmediate(n))

/** Left as it is where MySQL has no words for it, which is told by that. */
const withConflict = (node: InsertQueryNode, dialect: Dialect['name']): InsertQueryNode => {
  const { onConflict, values, ...rest } = node
  if (onConflict === undefined || dialect === 'postgres') return node
  if (dialect === 'sqlite') {
    // SQLite takes the ON after a FROM for that of a join
    return values !== undefined && SelectQueryNode.is(values) && values.where === undefined
      ? { ...node, values: QueryNode.cloneWithWhere(wrapped(values), one(1)) }
      : node
  }
  const onDuplicate = onDuplicateKey(node, onConflict)
  return onDuplicate === null ? node : { ...rest, ...(values && { values }), onDuplicateKey: onDuplicate }
}

const wrapped = (query: SelectQueryNode): SelectQueryNode =>
  query.setOperations === undefined
    ? query
    : SelectQueryNode.cloneWithSelections(
        SelectQueryNode.createFrom([AliasNode.create(query, IdentifierNode.create('given'))]),
        [SelectionNode.create(SelectAllNode.create())],
      )

/** The largest limit where one must be given. */
const unlimited: Readonly<Record<Dialect['name'], unknown>> = {
  sqlite: -1,
  mysql: 18_446_744_073_709_551_615n,
  postgres: null,
}

const withLimit = (node: SelectQueryNode, dialect: Dialect['name']): SelectQueryNode =>
  node.offset === undefined || node.limit !== undefined || unlimited[dialect] === null
    ? node
    : SelectQueryNode.cloneWithLimit(node, LimitNode.create(ValueNode.createImmediate(unlimited[dialect])))
