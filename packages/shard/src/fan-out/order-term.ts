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
  /** The expression that has to be selected beside the attributes, to be merged by. */
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
  if (isDescending === null)
    return left('one of its orders has a direction that is neither asc nor desc; say one of them')
  const collation = collationOf(item)
  if (collation === null) {
    return left(
      `its order by the collation ${item.collation?.collation.name} is the database's alone; order by its own`,
    )
  }
  const direction = { isDescending, nulls: item.nulls ?? null, collation, item }
  const name = outputName(mapping, node, item.orderBy)
  if (name !== null) {
    return right({ ...direction, name, attribute: mapping.attributeOf.get(name) ?? null, hidden: null })
  }
  if (isPosition(item.orderBy)) return left('it is ordered by the number of a column; order by its name')
  return right({ ...direction, name: `unitary_order_${index}`, attribute: null, hidden: item.orderBy })
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

/** The name under which the rows have the value already; null where they have not. */
const outputName = (mapping: Mapping, node: SelectQueryNode, by: OperationNode): string | null => {
  if (ParensNode.is(by)) return outputName(mapping, node, by.node)
  if (!ReferenceNode.is(by) || !ColumnNode.is(by.column)) return null
  const { name } = by.column.column
  if (by.table === undefined) return mapping.attributeOf.has(name) || isAlias(node, name) ? name : null
  const { schema, identifier } = by.table.table
  const table = schema === undefined ? identifier.name : `${schema.name}.${identifier.name}`
  return table === mapping.table && mapping.attributeOf.has(name) ? name : null
}

const isAlias = (node: SelectQueryNode, name: string): boolean =>
  (node.selections ?? []).some(
    ({ selection }) => AliasNode.is(selection) && IdentifierNode.is(selection.alias) && selection.alias.name === name,
  )

/** `order by 1` means the first column, and selected it would be the number. */
const isPosition = (node: OperationNode): boolean =>
  ParensNode.is(node)
    ? isPosition(node.node)
    : ValueNode.is(node) || (RawNode.is(node) && /^\s*\d*\s*$/.test(node.sqlFragments.join('')))

/** The selection of what has to be selected for the merge alone. */
export const hiddenSelection = ({ name, hidden }: OrderTerm): ReadonlyArray<SelectionNode> =>
  hidden === null ? [] : [SelectionNode.create(AliasNode.create(hidden, IdentifierNode.create(name)))]

/** Kinds that hold text, which the database might order in a way of its own. */
const texts: ReadonlySet<string> = new Set(['text', 'timestamp', 'json'])

const bytewise = { sqlite: 'binary', postgres: 'C', mysql: 'utf8mb4_bin' } as const

/**
 * The term as a shard is asked for it, so that its order is the one that is merged by: text by its bytes, and NULL below
 * everything else where databases that differ in it are asked together.
 */
export const itemFor = (term: OrderTerm, dialect: Dialect['name'], isNullLow: boolean): OrderByItemNode => {
  const { item, hidden, name, attribute } = term
  const by = hidden === null ? item.orderBy : ReferenceNode.create(ColumnNode.create(name))
  const asked: OrderByItemNode = hidden === null ? item : { ...item, orderBy: by }
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
  dialect === 'sqlite' ? texts.has(column.kind) : column.kind === 'text'
