/**
 * The terms of an ORDER BY, as far as rows of several shards can be merged by them.
 */
import {
  type AnyQuery,
  type AnyRows,
  type AnySelect,
  type Attribute,
  type ColumnKind,
  type Dialect,
  type Mapping,
  readingIn,
} from '@unitary/core'
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
  /** How drivers spell its values; null where nobody knows. */
  readonly kind: ColumnKind | null
  readonly isDescending: boolean
  /** Where NULL stands; null for where the database puts it. */
  readonly nulls: 'first' | 'last' | null
  readonly collation: Collation
  readonly item: OrderByItemNode
  /** What has to be selected beside the attributes, to be merged by. */
  readonly hidden: OperationNode | null
}

/** A term, or what is wrong with it. */
export const orderTerm = (statement: AnyQuery, item: OrderByItemNode, index: number): Either<string, OrderTerm> => {
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
  const found = statement._tag === 'Rows' ? selectedInRows(statement, item) : selectedBeside(statement, item)
  if (found !== null) return right({ ...direction, hidden: null, ...found })
  if (isPosition(item.orderBy)) return left('it is ordered by the number of a column; order by its name')
  const attribute = attributeOf(statement, item.orderBy)
  return right({
    ...direction,
    name: `unitary_order_${index}`,
    attribute,
    kind: attribute?.column.kind ?? numericKind(readingIn(statement, item.orderBy).kind),
    hidden: item.orderBy,
  })
}

/** What is merged as the driver gives it may still be a number as text. */
const numericKind = (kind: ColumnKind | null): ColumnKind | null =>
  kind === 'integer' || kind === 'bigint' || kind === 'real' || kind === 'boolean' ? kind : null

type Selected = Pick<OrderTerm, 'name' | 'attribute' | 'kind'> & Partial<Pick<OrderTerm, 'item'>>

/** Attributes of the entity have their own names in the rows. */
const selectedBeside = ({ entity, node }: AnySelect, { orderBy }: OrderByItemNode): Selected | null => {
  const { mapping } = entity
  const attribute = attributeIn(mapping, orderBy)
  const name = attribute?.name ?? columnName(orderBy)
  return name !== null && isSelected(mapping, node, name)
    ? { name, attribute, kind: attribute?.column.kind ?? null }
    : null
}

/** Rows have what was asked for under the names that it was given; an order by one of them is one by what it stands for. */
const selectedInRows = (rows: AnyRows, item: OrderByItemNode): Selected | null => {
  const { orderBy } = item
  for (const { selection } of rows.node.selections ?? []) {
    if (!AliasNode.is(selection) || !IdentifierNode.is(selection.alias)) continue
    const { name } = selection.alias
    if (columnName(orderBy) !== name && !isSame(selection.node, orderBy)) continue
    const { kind, source } = readingIn(rows, selection.node)
    const isAttribute = ReferenceNode.is(selection.node) && source !== null
    return {
      name,
      kind,
      attribute: isAttribute ? source.attribute : null,
      item: isAttribute ? { ...item, orderBy: selection.node } : item,
    }
  }
  return null
}

/** Do both refer to the same column of the same table? */
const isSame = (a: OperationNode, b: OperationNode): boolean =>
  ReferenceNode.is(a) &&
  ReferenceNode.is(b) &&
  a.table !== undefined &&
  b.table !== undefined &&
  ColumnNode.is(a.column) &&
  ColumnNode.is(b.column) &&
  tableName(a.table) === tableName(b.table) &&
  a.column.column.name === b.column.column.name

/** The attribute that a reference leads to, of whichever entity. */
const attributeOf = (statement: AnyQuery, node: OperationNode): Attribute | null =>
  ParensNode.is(node)
    ? attributeOf(statement, node.node)
    : ReferenceNode.is(node)
      ? (readingIn(statement, node).source?.attribute ?? null)
      : null

/** Null where it is neither. */
export const directionOf = ({ direction }: OrderByItemNode): boolean | null => {
  if (direction === undefined) return false
  const text = RawNode.is(direction) ? direction.sqlFragments.join('').trim().toLowerCase() : ''
  return text === 'desc' ? true : text === 'asc' ? false : null
}

/** Null where it is one that only the database knows. */
export const collationOf = ({ collation }: OrderByItemNode): Collation | null => {
  if (collation === undefined) return 'binary'
  const name = collation.collation.name.toLowerCase()
  return name === 'binary' || name === 'nocase' ? name : null
}

/** The attribute of the entity that a node is; null where it is none. */
export const attributeIn = (mapping: Mapping, node: OperationNode): Attribute | null => {
  if (ParensNode.is(node)) return attributeIn(mapping, node.node)
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return null
  return node.table === undefined || tableName(node.table) === mapping.table
    ? (mapping.attributeOf.get(node.column.column.name) ?? mapping.synonyms.get(node.column.column.name) ?? null)
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
export const isPosition = (node: OperationNode): boolean =>
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
const texts: ReadonlySet<string> = new Set([
  'text',
  'enum',
  'decimal',
  'uuid',
  'timestamp',
  'date',
  'time',
  'json',
  'array',
])

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

/** The collation by which a shard compares an attribute when it is asked for a page, so that all of them mean the same. */
export const pageCollation =
  (dialect: Dialect['name']) =>
  (attribute: Attribute): string | null =>
    isText(attribute, dialect) ? bytewise[dialect] : null

const isText = ({ column }: Attribute, dialect: Dialect['name']): boolean =>
  dialect === 'sqlite' ? texts.has(column.kind) : column.kind === 'text' || column.kind === 'enum'
