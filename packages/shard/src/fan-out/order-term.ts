/**
 * The terms of an ORDER BY, as far as rows of several shards can be merged by them.
 */
import type { Attribute, Dialect, Mapping } from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  CollateNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  type OrderByItemNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  type TableNode,
  ValueNode,
} from 'kysely'
import type { Collation } from './compare.js'

/**
 * A term by which rows are merged.
 */
export interface OrderTerm {
  /** The property of the rows that holds its value. */
  readonly name: string
  /** The attribute that it is; null for an expression. */
  readonly attribute: Attribute | null
  readonly isDescending: boolean
  /** Where NULL stands; null for where the database puts it. */
  readonly nulls: 'first' | 'last' | null
  readonly collation: Collation
  readonly item: OrderByItemNode
  /** What has to be selected beside the attributes, to be merged by. */
  readonly hidden: OperationNode | null
}

/** A term, or what is wrong with it. */
export const orderTerm = (
  mapping: Mapping,
  node: SelectQueryNode,
  item: OrderByItemNode,
  index: number,
): Either<string, OrderTerm> => {
  const isDescending = directionOf(item)
  if (isDescending === null) {
    return left('one of its orders has a direction that is neither asc nor desc; say one of them')
  }
  const collation = collationOf(item)
  if (collation === null) {
    return left(
      `its order by the collation ${item.collation?.collation.name} is the database's alone; order by its own`,
    )
  }
  const direction = { isDescending, nulls: item.nulls ?? null, collation, item }
  const attribute = attributeIn(mapping, item.orderBy)
  const name = attribute?.name ?? columnName(item.orderBy)
  if (name !== null && isSelected(mapping, node, name)) {
    return right({ ...direction, name, attribute, hidden: null })
  }
  if (isPosition(item.orderBy)) return left('it is ordered by the number of a column; order by its name')
  return right({ ...direction, name: `unitary_order_${index}`, attribute, hidden: item.orderBy })
}

const directionOf = ({ direction }: OrderByItemNode): boolean | null => {
  if (direction === undefined) return false
  const text = RawNode.is(direction) ? direction.sqlFragments.join('').trim().toLowerCase() : ''
  return text === 'desc' ? true : text === 'asc' ? false : null
}

const collationOf = ({ collation }: OrderByItemNode): Collation | null => {
  if (collation === undefined) return 'binary'
  const name = collation.collation.name.toLowerCase()
  return name === 'binary' || name === 'nocase' ? name : null
}

/** The attribute of the entity that a node is; null where it is none. */
export const attributeIn = (mapping: Mapping, node: OperationNode): Attribute | null => {
  if (ParensNode.is(node)) return attributeIn(mapping, node.node)
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return null
  return node.table === undefined || tableName(node.table) === mapping.table
    ? (mapping.attributeOf.get(node.column.column.name) ?? null)
    : null
}

/** A name without a table. */
const columnName = (node: OperationNode): string | null =>
  ReferenceNode.is(node) && node.table === undefined && ColumnNode.is(node.column) ? node.column.column.name : null

const tableName = ({ table: { schema, identifier } }: TableNode): string =>
  schema === undefined ? identifier.name : `${schema.name}.${identifier.name}`

/** Do the rows have the value under the name already? Deferred attributes are not selected. */
const isSelected = (mapping: Mapping, node: SelectQueryNode, name: string): boolean =>
  (node.selections ?? []).some(({ selection }) => {
    if (AliasNode.is(selection)) return IdentifierNode.is(selection.alias) && selection.alias.name === name
    return attributeIn(mapping, selection)?.name === name
  })

/** `order by 1` means the first column, and selected it would be the number. */
const isPosition = (node: OperationNode): boolean =>
  ParensNode.is(node)
    ? isPosition(node.node)
    : ValueNode.is(node) || (RawNode.is(node) && /^\s*\d*\s*$/.test(node.sqlFragments.join('')))

/** The selection of what has to be selected for the merge alone. */
export const hiddenSelection = ({ attribute, name, hidden }: OrderTerm): ReadonlyArray<SelectionNode> => {
  if (hidden === null) return []
  // raw text may be a list, which would come apart: in parentheses the database refuses it; and what is no attribute is
  // merged as the driver gives it
  const selected = RawNode.is(hidden) || attribute === null ? ParensNode.create(hidden) : hidden
  return [SelectionNode.create(AliasNode.create(selected, IdentifierNode.create(name)))]
}

/** Kinds that hold text, which the database might order in a way of its own. */
const texts: ReadonlySet<string> = new Set(['text', 'enum', 'decimal', 'uuid', 'timestamp', 'date', 'json', 'array'])

const bytewise = { sqlite: 'binary', postgres: 'C', mysql: 'utf8mb4_bin' } as const

/**
 * The term as a shard is asked for it, so that its order is the one that is merged by: text by its bytes, and NULL
 * below everything else where databases that differ in it are asked together.
 */
export const itemFor = (term: OrderTerm, dialect: Dialect['name'], isNullLow: boolean): OrderByItemNode => {
  const { item, hidden, name, attribute } = term
  // an expression is computed once, for the order as for the merge
  const isComputed = hidden !== null && attribute === null
  const asked = isComputed ? { ...item, orderBy: ReferenceNode.create(ColumnNode.create(name)) } : item
  const mayBeText = attribute === null ? dialect === 'sqlite' : isText(attribute, dialect)
  const collation = item.collation ?? (mayBeText ? CollateNode.create(bytewise[dialect]) : undefined)
  const nulls = item.nulls ?? (dialect === 'postgres' && isNullLow ? (term.isDescending ? 'last' : 'first') : undefined)
  return {
    ...asked,
    ...(collation === undefined ? {} : { collation }),
    ...(nulls === undefined ? {} : { nulls }),
  }
}

const isText = ({ column }: Attribute, dialect: Dialect['name']): boolean =>
  dialect === 'sqlite' ? texts.has(column.kind) : column.kind === 'text' || column.kind === 'enum'
