/**
 * What some dialects do not take, in a form that they do: an empty list, an offset without a limit, row locks, upserts, where
 * NULL stands in an order, what is equal where both are NULL, and parameters of functions that take anything.
 */
import {
  AliasNode,
  BinaryOperationNode,
  CastNode,
  DataTypeNode,
  FunctionNode,
  IdentifierNode,
  InsertQueryNode,
  LimitNode,
  type OperationNode,
  OperatorNode,
  OrderByItemNode,
  OrderByNode,
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
import { Encoded } from './encoded.js'
import { onDuplicateKey } from './on-duplicate-key.js'
import { mapChange, mapChildren } from './tree.js'

/** The tree as a dialect takes it; the very same tree where it takes it as it is. */
export const portable = <Node extends RootOperationNode>(node: Node, dialect: Dialect['name']): Node =>
  rewrite(node, dialect) as Node

const rewrite = (node: OperationNode, dialect: Dialect['name']): OperationNode => {
  if (ValueNode.is(node)) return node.value instanceof Encoded ? ValueNode.create(node.value.value) : node
  const rewritten = mapChildren(node, (child) => rewrite(child, dialect))
  if (BinaryOperationNode.is(rewritten)) return comparison(rewritten, dialect)
  if (InsertQueryNode.is(rewritten)) return withConflict(rewritten, dialect)
  if (OrderByNode.is(rewritten)) {
    return dialect === 'mysql' ? mapChange(rewritten, 'items', (items) => items.flatMap(nullsIn)) : rewritten
  }
  if (FunctionNode.is(rewritten)) return dialect === 'postgres' ? withTypes(rewritten) : rewritten
  return SelectQueryNode.is(rewritten) ? withLocks(withLimit(rewritten, dialect), dialect) : rewritten
}

/** PostgreSQL cannot tell what a parameter of a function is that takes anything. */
const withTypes = (node: FunctionNode): FunctionNode =>
  node.func.toLowerCase() === 'concat'
    ? mapChange(node, 'arguments', (given) =>
        given.map((one) =>
          ValueNode.is(one) && one.immediate !== true ? CastNode.create(one, DataTypeNode.create('text')) : one,
        ),
      )
    : node

const comparison = (node: BinaryOperationNode, dialect: Dialect['name']): OperationNode => {
  const name = OperatorNode.is(node.operator) ? node.operator.operator : ''
  if (name === 'is not distinct from' && dialect !== 'postgres') {
    const same = OperatorNode.create(dialect === 'sqlite' ? 'is' : '<=>')
    return BinaryOperationNode.create(node.leftOperand, same, node.rightOperand)
  }
  return dialect === 'sqlite' ? node : withoutEmptyList(node)
}

/** MySQL has NULL below every value, and cannot be told to have it elsewhere. */
const nullsIn = (item: OrderByItemNode): ReadonlyArray<OrderByItemNode> => {
  const { nulls, ...plain } = item
  if (nulls === undefined) return [item]
  if (nulls === (isDescending(item) ? 'last' : 'first')) return [plain]
  const isNull = BinaryOperationNode.create(item.orderBy, OperatorNode.create('is'), ValueNode.createImmediate(null))
  return [OrderByItemNode.create(isNull, RawNode.createWithSql(nulls === 'first' ? 'desc' : 'asc')), plain]
}

const isDescending = ({ direction }: OrderByItemNode): boolean =>
  direction !== undefined && RawNode.is(direction) && /desc/i.test(direction.sqlFragments.join(''))

const locks = new Set<string | undefined>([
  'ForUpdate',
  'ForShare',
  'ForNoKeyUpdate',
  'ForKeyShare',
  'NoWait',
  'SkipLocked',
])

/** SQLite has no locks of rows, and needs none (see `lock.ts`); MariaDB spells a shared one as MySQL did. */
const withLocks = (node: SelectQueryNode, dialect: Dialect['name']): SelectQueryNode => {
  const { endModifiers } = node
  const found = endModifiers?.filter(({ modifier }) => locks.has(modifier)) ?? []
  if (endModifiers === undefined || found.length === 0 || dialect === 'postgres') return node
  const others = endModifiers.filter((modifier) => !found.includes(modifier))
  return { ...node, endModifiers: dialect === 'sqlite' ? others : [...others, ...found.flatMap(lockOfMysql(found))] }
}

/**
 * MySQL and MariaDB share a lock by different words once it has more to say, and MariaDB has no OF. A comment that begins so
 * is read by the one, or by the other.
 */
const lockOfMysql =
  (found: ReadonlyArray<OperationNode>) =>
  (lock: SelectModifierNode): ReadonlyArray<SelectModifierNode> => {
    const { modifier, of = [] } = lock
    const isShared = modifier === 'ForShare'
    if (isShared && found.length === 1 && of.length === 0) return [modifierOf('lock in share mode')]
    if (!isShared && of.length === 0) return [lock]
    const between = of.slice(1).map(() => ', ')
    if (!isShared) return [modifierOf('for update'), modifierOf(['/*!80000 of ', ...between, ' */'], of)]
    const text = of.length === 0 ? '/*!80000 for share */' : ['/*!80000 for share of ', ...between, ' */']
    return [modifierOf('/*M! lock in share mode */'), modifierOf(text, of)]
  }

const modifierOf = (
  text: string | ReadonlyArray<string>,
  nodes: ReadonlyArray<OperationNode> = [],
): SelectModifierNode =>
  SelectModifierNode.createWithExpression(RawNode.create(typeof text === 'string' ? [text] : text, nodes))

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
