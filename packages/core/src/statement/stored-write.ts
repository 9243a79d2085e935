/**
 * Writes by criteria of a subtype's rows: of a table that has them, by the keys that a query of the subtype gives.
 *
 * An update is of the one table that holds what it sets. A delete is of the root's table: what the others hold goes with it, by
 * the ON DELETE CASCADE of their keys.
 *
 * @example
 * // update "engineers" set "language" = ? where "name" = ?  ->
 * // update "engineers" set "lang" = ? where "engineers"."person_id" in
 * //   (select "id" from (select distinct "engineers"."id" from (...) as "engineers" where "engineers"."name" = ?) as "unitary_keys")
 */
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  BinaryOperationNode,
  ColumnNode,
  type ColumnUpdateNode,
  type DeleteQueryNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  ReferenceNode,
  SelectionNode,
  SelectModifierNode,
  SelectQueryNode,
  TableNode,
  TupleNode,
  type UpdateQueryNode,
  WhereNode,
} from 'kysely'
import { type Attribute, type Mapping, type TablePart, withDescendants } from '../model/mapping.js'
import { hasConcretes, introducing, isDerived, isOwnTable, isSingle, ownTable, subtypeColumn } from '../model/parts.js'
import { type StatementError, severalTables } from './error.js'
import { namedTable, tableName } from './source.js'
import { mapChildren } from './tree.js'

type Write = UpdateQueryNode | DeleteQueryNode

/** A write of a subtype's rows as one of a table that holds them. It still speaks the program's language. */
export const storedWrite = (mapping: Mapping, node: Write): Either<StatementError, Write> => {
  if (isAlone(node)) return right(node)
  if (hasConcretes(mapping)) {
    const tables = withDescendants(mapping).flatMap(({ identity, parts }) =>
      identity === null ? [] : parts.map(({ table }) => table),
    )
    return left(severalTables(mapping, node.kind === 'UpdateQueryNode' ? 'update' : 'delete', tables))
  }
  const attributes = node.kind === 'UpdateQueryNode' ? mentioned(mapping, node.updates ?? []) : mapping.key
  const parts = mapping.parts.filter((part) => attributes.some((attribute) => part.attributes.includes(attribute)))
  const part = parts[0] ?? (mapping.parts[0] as TablePart)
  if (parts.length > 1) {
    const tables = parts.map(({ table }) => table)
    return left(severalTables(mapping, 'update', tables))
  }
  const { joins: _joins, where: _where, orderBy: _orderBy, limit: _limit, ...rest } = node
  const target = targetOf(part)
  const own = (child: OperationNode): OperationNode => renamed(mapping, target.name, child)
  const narrowed = { where: WhereNode.create(keyIn(mapping, target.name, keysOf(mapping, node))) }
  if (rest.kind === 'DeleteQueryNode') {
    const { using: _using, ...others } = rest
    return right({
      ...mapChildren(others, (child, at) => (at === 'from' ? child : own(child))),
      from: FromNode.create([target.node]),
      ...narrowed,
    })
  }
  const { from: _from, ...others } = rest
  return right({
    ...mapChildren(others, (child, at) => (at === 'table' ? child : own(child))),
    table: target.node,
    ...narrowed,
  })
}

/** Does it write a single table already? */
const isAlone = (node: Write): boolean => {
  const table = node.kind === 'UpdateQueryNode' ? node.table : node.from.froms[0]
  return table !== undefined && TableNode.is(table) && isOwnTable(tableName(table))
}

/** The attributes that an update sets, and those that it sets them by. */
const mentioned = (mapping: Mapping, updates: ReadonlyArray<ColumnUpdateNode>): ReadonlyArray<Attribute> => {
  const found: Attribute[] = []
  const visit = (node: OperationNode): OperationNode => {
    const name = ColumnNode.is(node) ? node.column.name : null
    const attribute = name === null ? undefined : mapping.attributeOf.get(name)
    if (attribute !== undefined) found.push(attribute)
    return SelectQueryNode.is(node) ? node : mapChildren(node, visit)
  }
  for (const update of updates) visit(update)
  return found
}

interface Target {
  readonly name: string
  readonly node: OperationNode
}

/** The table of a part: the root's is that of the root, another's is not what the name of its entity stands for. */
const targetOf = ({ mapping: holder }: TablePart): Target => {
  const name = isDerived(holder) ? ownTable(holder) : holder.table
  return { name, node: isDerived(holder) ? TableNode.create(name) : namedTable(name) }
}

/** What refers to the entity refers to the table. */
const renamed = (mapping: Mapping, table: string, node: OperationNode): OperationNode => {
  const visit = (child: OperationNode): OperationNode => {
    if (SelectQueryNode.is(child)) return child
    if (ColumnNode.is(child)) return columnNode(mapping, child)
    if (!ReferenceNode.is(child) || !ColumnNode.is(child.column)) return mapChildren(child, visit)
    return child.table === undefined || tableName(child.table) === mapping.table
      ? ReferenceNode.create(columnNode(mapping, child.column), namedTable(table))
      : child
  }
  return visit(node)
}

/** An attribute of an entity without a table of its own is known by both names where it is stored. */
const columnNode = (mapping: Mapping, node: ColumnNode): ColumnNode => {
  const attribute = mapping.attributeOf.get(node.column.name)
  const owner = attribute === undefined ? null : introducing(mapping, attribute)
  return attribute === undefined || owner === null || !isSingle(owner)
    ? node
    : ColumnNode.create(subtypeColumn(owner, attribute))
}

const keysName = 'unitary_keys'

const keyIn = (mapping: Mapping, table: string, keys: SelectQueryNode): OperationNode => {
  const columns = mapping.key.map(({ name }) => ReferenceNode.create(ColumnNode.create(name), namedTable(table)))
  const [only, another] = columns
  return BinaryOperationNode.create(
    only !== undefined && another === undefined ? only : TupleNode.create(columns),
    OperatorNode.create('in'),
    keys,
  )
}

/**
 * The keys of the rows that a write meets: within a subquery of distinct ones, since MySQL reads no table that it writes
 * otherwise.
 */
const keysOf = (mapping: Mapping, node: Write): SelectQueryNode => {
  const { joins, where, orderBy, limit } = node
  const others = node.kind === 'UpdateQueryNode' ? (node.from?.froms ?? []) : (node.using?.tables ?? [])
  const tables = others.filter((table) => !TableNode.is(table) || tableName(table) !== mapping.table)
  const names = mapping.key.map(({ name }) => ReferenceNode.create(ColumnNode.create(name), namedTable(mapping.table)))
  const met = SelectQueryNode.cloneWithFrontModifier(
    SelectQueryNode.cloneWithSelections(
      SelectQueryNode.createFrom([namedTable(mapping.table), ...tables]),
      names.map((name) => SelectionNode.create(name)),
    ),
    SelectModifierNode.create('Distinct'),
  )
  const narrowed: SelectQueryNode = {
    ...met,
    ...(joins === undefined ? {} : { joins }),
    ...(where === undefined ? {} : { where }),
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(limit === undefined ? {} : { limit }),
  }
  return SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([AliasNode.create(narrowed, IdentifierNode.create(keysName))]),
    mapping.key.map(({ name }) =>
      SelectionNode.create(ReferenceNode.create(ColumnNode.create(name), TableNode.create(keysName))),
    ),
  )
}
