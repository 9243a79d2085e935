/**
 * Queries whose rows no shard knows by itself: aggregates, groups that several shards have rows of, DISTINCT.
 *
 * Each shard is asked for its groups and for the parts of which the aggregates are put together (see `aggregate.ts`). What
 * comes after the groups - HAVING, DISTINCT, ORDER BY, OFFSET, LIMIT - is done with what was put together (see
 * `combine.ts`).
 */
import type { AnyRows, Attribute, ColumnKind, Dialect } from '@unitary/core'
import { LimitNode, OrderByNode, SelectQueryNode, ValueNode } from 'kysely'
import type { Aggregate, Operand } from './aggregate.js'
import { callIn } from './calls.js'
import type { Collation } from './compare.js'
import type { Evaluate } from './group-expression.js'
import { itemFor, type OrderTerm } from './order-term.js'
import type { Window } from './window.js'

/** A column of what each shard is asked. */
export interface AskedColumn {
  readonly name: string
  /** How drivers spell its values; null where nobody knows, or where they are wanted as drivers give them. */
  readonly kind: ColumnKind | null
}

/** What a group has a value of. */
export type Slot =
  | { readonly _tag: 'Asked'; readonly column: number }
  | {
      readonly _tag: 'Aggregate'
      readonly aggregate: Aggregate
      readonly columns: ReadonlyArray<number>
      readonly operand: Operand
    }

/** A value of the rows. */
export interface CombinedOutput {
  readonly column: string
  readonly kind: ColumnKind | null
  readonly evaluate: Evaluate
}

/** A term of the order. */
export interface CombinedOrder {
  readonly evaluate: Evaluate
  readonly kind: ColumnKind | null
  /** The attribute that it is; null for an expression. */
  readonly attribute: Attribute | null
  readonly isDescending: boolean
  readonly nulls: 'first' | 'last' | null
  readonly collation: Collation
}

/**
 * @category model
 */
export interface Recombination extends Window {
  /** What each shard is asked. */
  readonly asked: AnyRows
  readonly columns: ReadonlyArray<AskedColumn>
  /** Which columns tell the groups apart. */
  readonly keys: ReadonlyArray<number>
  readonly slots: ReadonlyArray<Slot>
  /** One row of all, where nothing is grouped by. */
  readonly isWhole: boolean
  readonly outputs: ReadonlyArray<CombinedOutput>
  readonly having: Evaluate | null
  readonly isDistinct: boolean
  readonly order: ReadonlyArray<CombinedOrder>
  /**
   * The order in which shards can give their groups, so that those of one group come together and the rows in the order of
   * the query; null where there is none.
   */
  readonly keyOrder: ReadonlyArray<OrderTerm> | null
  /** How many groups of a shard, in that order, can be among the rows; null for all of them. */
  readonly most: number | null
}

/**
 * The query that a shard is asked for its groups, and no more of them than the window can hold where that can be told.
 *
 * @category combinators
 */
export const askedOf = (recombination: Recombination, dialect: Dialect['name'], isNullLow: boolean): AnyRows => {
  const { asked, keyOrder, most } = recombination
  if (most === null) return asked
  const { node } = keyOrder === null ? asked : askedInOrder(recombination, keyOrder, dialect, isNullLow)
  return { ...asked, node: SelectQueryNode.cloneWithLimit(node, LimitNode.create(ValueNode.create(most))) }
}

/**
 * The query that a shard is asked for its groups in the order of their keys. O(keys).
 *
 * @category combinators
 */
export const askedInOrder = (
  { asked }: Recombination,
  keyOrder: ReadonlyArray<OrderTerm>,
  dialect: Dialect['name'],
  isNullLow: boolean,
): AnyRows => ({
  ...asked,
  node: {
    ...asked.node,
    orderBy: OrderByNode.create(keyOrder.map((term) => itemFor(term, dialect, isNullLow))),
  },
})

/**
 * Does a query have to be put together from groups? `areWhole`: no group of it has rows on several shards.
 *
 * @category guards
 */
export const recombines = (statement: AnyRows, areWhole: boolean): boolean => {
  const { entity, node, outputs } = statement
  const hasOwn = outputs.some(
    (output) => output._tag === 'Entity' && output.mapping === entity.mapping && output.alias === null,
  )
  if (node.frontModifiers !== undefined && !hasOwn) return true
  if (node.groupBy !== undefined) return !areWhole
  if (node.having !== undefined) return true
  return [...(node.selections ?? []), ...(node.orderBy?.items ?? [])].some((part) => callIn(part)?._tag === 'Aggregate')
}
