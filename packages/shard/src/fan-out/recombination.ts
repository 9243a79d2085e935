/**
 * Queries whose rows no shard knows by itself: aggregates, groups that several shards have rows of, DISTINCT.
 *
 * Each shard is asked for its groups and for the parts of which the aggregates are put together (see `aggregate.ts`). What
 * comes after the groups - HAVING, DISTINCT, ORDER BY, OFFSET, LIMIT - is done with what was put together (see
 * `combine.ts`).
 */
import {
  type AnyColumn,
  type AnyRows,
  type Attribute,
  type ColumnKind,
  type Dialect,
  readingIn,
  type TextComparison,
} from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  ColumnNode,
  GroupByItemNode,
  GroupByNode,
  IdentifierNode,
  LimitNode,
  type OperationNode,
  OrderByItemNode,
  OrderByNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  ValueNode,
} from 'kysely'
import { type Aggregate, aggregateOf, type Operand } from './aggregate.js'
import { callAt, called, callIn, type RowsCall } from './calls.js'
import type { Collation } from './compare.js'
import { type Evaluate, type Slots, termOf } from './group-expression.js'
import { collationOf, directionOf, isPosition, itemFor, type OrderTerm } from './order-term.js'
import { isSameTree, referencesIn } from './same-tree.js'
import { windowOf } from './window.js'

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
export interface Recombination {
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
  readonly offset: number
  readonly limit: number | null
  /**
   * The order in which shards can give their groups, so that those of one group come together and the rows in the order of
   * the query; null where there is none.
   */
  readonly keyOrder: ReadonlyArray<OrderTerm> | null
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

/**
 * How a query is put together from groups, or why it cannot be. O(nodes).
 *
 * @category constructors
 */
export const recombinationOf = (
  statement: AnyRows,
  comparisons: ReadonlyArray<TextComparison>,
): Either<string, Recombination> => new Making(statement, comparisons).make()

/** A recombination in the making. */
class Making implements Slots {
  readonly statement: AnyRows
  readonly comparisons: ReadonlyArray<TextComparison>
  readonly #columns: AskedColumn[] = []
  readonly #selected: OperationNode[] = []
  readonly #readAs: Array<AnyColumn | null> = []
  readonly #slots: Slot[] = []
  /** The expressions of the slots. */
  readonly #nodes: OperationNode[] = []
  /** What each shard groups by: the keys, and values that are to be distinct in a group. */
  readonly #grouped: OperationNode[] = []
  readonly #groupedColumns: number[] = []
  /** The expressions that tell the groups apart. */
  #keys: ReadonlyArray<OperationNode> = []

  constructor(statement: AnyRows, comparisons: ReadonlyArray<TextComparison>) {
    this.statement = statement
    this.comparisons = comparisons
  }

  make(): Either<string, Recombination> {
    const { node } = this.statement
    const window = windowOf(node)
    if (isLeft(window)) return window
    const isOfDistinctRows = node.groupBy === undefined && node.having === undefined && !this.#hasAggregate()
    const grouped = isOfDistinctRows ? this.#groupByOutputs() : this.#groupByItems()
    if (isLeft(grouped)) return grouped
    this.#keys = [...this.#grouped]
    const outputs = this.#outputs()
    if (isLeft(outputs)) return outputs
    const having = node.having === undefined ? right(null) : this.#having(node.having.having)
    if (isLeft(having)) return having
    const order: CombinedOrder[] = []
    for (const item of node.orderBy?.items ?? []) {
      const term = this.#order(item)
      if (isLeft(term)) return term
      order.push(term.right)
    }
    const { limit, offset } = window.right
    // of distinct rows in no order any will do
    const isCut = isOfDistinctRows && order.length === 0 && limit !== null
    return right({
      asked: this.#asked(isCut ? offset + limit : null),
      columns: this.#columns,
      keys: this.#groupedColumns.slice(0, this.#keys.length),
      slots: this.#slots,
      isWhole: this.#keys.length === 0,
      outputs: outputs.right,
      having: having.right,
      isDistinct: node.frontModifiers !== undefined && !isOfDistinctRows,
      order,
      offset,
      limit,
      keyOrder: node.frontModifiers === undefined || isOfDistinctRows ? this.#keyOrder() : null,
    })
  }

  /** The keys, those of ORDER BY first. */
  #keyOrder(): ReadonlyArray<OrderTerm> | null {
    if (this.#keys.length === 0) return null
    const terms: OrderTerm[] = []
    const rest = new Set(this.#keys)
    for (const item of this.statement.node.orderBy?.items ?? []) {
      const key = this.#keys.find((one) => isSameTree(this.statement, one, this.expanded(item.orderBy)))
      const term = key === undefined ? null : this.#keyTerm(key, item)
      if (key === undefined || term === null) return null
      if (rest.delete(key)) terms.push(term)
    }
    for (const key of rest) {
      const term = this.#keyTerm(key, OrderByItemNode.create(key))
      if (term === null) return null
      terms.push(term)
    }
    return terms
  }

  /** A key as shards order by it; null where that is not the order that memory knows. */
  #keyTerm(key: OperationNode, item: OrderByItemNode): OrderTerm | null {
    const { kind, source } = readingIn(this.statement, key)
    const isUnknown = (kind === 'text' || kind === 'enum') && this.comparisons.includes('collation')
    if (!ReferenceNode.is(key) || source === null || isUnknown) return null
    if (collationOf(item) !== 'binary') return null
    const column = this.#columns[this.#groupedColumns[this.#keys.indexOf(key)] as number] as AskedColumn
    return {
      name: column.name,
      attribute: source.attribute,
      kind,
      isDescending: directionOf(item) === true,
      nulls: item.nulls ?? null,
      collation: 'binary',
      item: { ...item, orderBy: key },
      hidden: null,
    }
  }

  slotOf(given: OperationNode): Either<string, number> {
    const node = this.expanded(given)
    const known = this.#nodes.findIndex((other) => isSameTree(this.statement, other, node))
    if (known >= 0) return right(known)
    const call = callAt(node)
    if (call === null) return this.#ofGroup(node)
    if (call._tag !== 'Aggregate') {
      return left(notOfGroups(call))
    }
    const aggregate = aggregateOf(call)
    return isLeft(aggregate) ? aggregate : right(this.#aggregated(node, aggregate.right))
  }

  #aggregated(node: OperationNode, aggregate: Aggregate): number {
    const argument = argumentOf(node)
    const { kind, source } = argument === null ? readingIn(this.statement, node) : readingIn(this.statement, argument)
    const operand: Operand = { kind, isColumn: source !== null, comparisons: this.comparisons }
    const columns =
      'argument' in aggregate
        ? [this.#groupedBy(aggregate.argument, null)]
        : aggregate.parts.map((part) => this.#column(part, partKind(aggregate, kind), null))
    return this.#slot(node, { _tag: 'Aggregate', aggregate, columns, operand })
  }

  /** The slot of what hangs on the group alone. */
  #ofGroup(node: OperationNode): Either<string, number> {
    const call = callIn(node)
    if (call !== null) return left(notOfGroups(call))
    const stray = referencesIn(node).find(
      (reference) => !this.#keys.some((other) => isSameTree(this.statement, other, reference)),
    )
    if (stray !== undefined || this.#keys.length === 0) {
      return left(
        `${stray === undefined ? 'an expression' : nameOf(stray)} is neither grouped by nor in an aggregate; group by it too`,
      )
    }
    const column = this.#column(node, readingIn(this.statement, node).kind, null)
    return right(this.#slot(node, { _tag: 'Asked', column }))
  }

  #groupByItems(): Either<string, null> {
    for (const { groupBy } of this.statement.node.groupBy?.items ?? []) {
      const node = this.expanded(this.#atPosition(groupBy))
      const problem = this.#key(node, null)
      if (problem !== null) return left(problem)
    }
    return right(null)
  }

  #groupByOutputs(): Either<string, null> {
    for (const output of this.statement.outputs) {
      if (output._tag === 'Entity') return left(this.#entityProblem(output.mapping.name))
      const problem = this.#key(this.#selectedAs(output.column), output.readAs)
      if (problem !== null) return left(problem)
    }
    return right(null)
  }

  #key(node: OperationNode, readAs: AnyColumn | null): string | null {
    const call = callIn(node)
    if (call !== null) return notOfGroups(call)
    const kind = readAs?.kind ?? readingIn(this.statement, node).kind
    if (kind === 'json' || kind === 'array') {
      return 'GROUP BY and DISTINCT of JSON or an array compare it in a way of the database, which is not done over several shards; ask for the rows themselves'
    }
    const column = this.#groupedBy(node, readAs)
    this.#slot(node, { _tag: 'Asked', column })
    return null
  }

  #outputs(): Either<string, ReadonlyArray<CombinedOutput>> {
    const outputs: CombinedOutput[] = []
    for (const output of this.statement.outputs) {
      if (output._tag === 'Entity') return left(this.#entityProblem(output.mapping.name))
      const node = this.#selectedAs(output.column)
      const term = termOf(this, node)
      if (isLeft(term)) return left(`${this.#called(output.name)}${term.left}`)
      const kind = output.readAs?.kind ?? term.right.reading.kind
      outputs.push({ column: output.column, kind, evaluate: term.right.evaluate })
    }
    return right(outputs)
  }

  #called(name: string): string {
    return this.statement.shape === 'record' ? `in ${name}, ` : ''
  }

  #entityProblem(name: string): string {
    return this.statement.node.groupBy === undefined
      ? `it asks for ${name} beside an aggregate or DISTINCT, which would see the rows of one shard at a time; ask for its attributes`
      : `it asks for ${name}, of which a group has many; group by the key of ${this.statement.entity.name} too`
  }

  #having(node: OperationNode): Either<string, Evaluate> {
    const term = termOf(this, node)
    return isLeft(term) ? left(`in HAVING, ${term.left}`) : right(term.right.evaluate)
  }

  #order(item: OrderByItemNode): Either<string, CombinedOrder> {
    const isDescending = directionOf(item)
    const collation = collationOf(item)
    if (isDescending === null || collation === null) {
      return left('one of its orders has a direction or collation that only the database knows; order by its own')
    }
    if (isPosition(item.orderBy)) return left('it is ordered by the number of a column; order by its name')
    const node = this.expanded(item.orderBy)
    const term = termOf(this, node)
    if (isLeft(term)) return left(`in ORDER BY, ${term.left}`)
    const { evaluate, reading } = term.right
    const attribute = ReferenceNode.is(node) ? (reading.source?.attribute ?? null) : null
    return right({ evaluate, kind: reading.kind, attribute, isDescending, nulls: item.nulls ?? null, collation })
  }

  expanded(given: OperationNode): OperationNode {
    if (ParensNode.is(given)) return this.expanded(given.node)
    const node = RawNode.is(given) ? onlyNode(given) : given
    if (!ReferenceNode.is(node) || node.table !== undefined || !ColumnNode.is(node.column)) return node
    const { name } = node.column.column
    return this.statement.outputs.some((output) => output._tag === 'Value' && output.column === name)
      ? this.#selectedAs(name)
      : node
  }

  #atPosition(node: OperationNode): OperationNode {
    if (!ValueNode.is(node) || typeof node.value !== 'number') return node
    const selection = this.statement.node.selections?.[node.value - 1]?.selection
    return selection !== undefined && AliasNode.is(selection) ? selection.node : node
  }

  #selectedAs(column: string): OperationNode {
    for (const { selection } of this.statement.node.selections ?? []) {
      if (AliasNode.is(selection) && IdentifierNode.is(selection.alias) && selection.alias.name === column) {
        return ParensNode.is(selection.node) ? this.expanded(selection.node) : selection.node
      }
    }
    return ReferenceNode.create(ColumnNode.create(column))
  }

  #hasAggregate(): boolean {
    const { orderBy, selections = [] } = this.statement.node
    return [...selections, ...(orderBy?.items ?? [])].some((part) => callIn(part) !== null)
  }

  #slot(node: OperationNode, slot: Slot): number {
    this.#nodes.push(node)
    return this.#slots.push(slot) - 1
  }

  #column(node: OperationNode, kind: ColumnKind | null, readAs: AnyColumn | null): number {
    this.#selected.push(node)
    this.#readAs.push(readAs)
    return this.#columns.push({ name: `unitary_${this.#columns.length}`, kind }) - 1
  }

  #groupedBy(node: OperationNode, readAs: AnyColumn | null): number {
    const known = this.#grouped.findIndex((other) => isSameTree(this.statement, other, node))
    if (known >= 0) return this.#groupedColumns[known] as number
    const column = this.#column(node, readAs?.kind ?? readingIn(this.statement, node).kind, readAs)
    this.#grouped.push(node)
    this.#groupedColumns.push(column)
    return column
  }

  #asked(limit: number | null): AnyRows {
    const {
      frontModifiers: _distinct,
      groupBy: _groupBy,
      having: _having,
      orderBy: _orderBy,
      limit: _limit,
      offset: _offset,
      ...rest
    } = this.statement.node
    const node: SelectQueryNode = {
      ...rest,
      selections: this.#selected.map((selected, at) =>
        SelectionNode.create(
          AliasNode.create(selected, IdentifierNode.create((this.#columns[at] as AskedColumn).name)),
        ),
      ),
      ...(this.#grouped.length === 0
        ? {}
        : { groupBy: GroupByNode.create(this.#grouped.map((key, at) => this.#groupByItem(key, at))) }),
      ...(limit === null ? {} : { limit: LimitNode.create(ValueNode.create(limit)) }),
    }
    return {
      ...this.statement,
      node: Object.freeze(node),
      outputs: this.#columns.map(({ name }, at) => ({
        _tag: 'Value',
        name,
        column: name,
        readAs: this.#readAs[at] ?? null,
      })),
    }
  }

  /** What is computed is named by its place: an expression with parameters is not seen to be the one that is selected. */
  #groupByItem(key: OperationNode, at: number): GroupByItemNode {
    const place = (this.#groupedColumns[at] as number) + 1
    return GroupByItemNode.create((ReferenceNode.is(key) ? key : ValueNode.createImmediate(place)) as never)
  }
}

const argumentOf = (node: OperationNode): OperationNode | null => {
  const call = callAt(node)
  if (call?._tag !== 'Aggregate') return null
  const given = 'aggregated' in call.node ? call.node.aggregated : call.node.arguments
  return given[0] ?? null
}

const notOfGroups = (call: RowsCall): string =>
  `the ${called(call)} is not computed over groups of several shards; ask for the rows themselves`

/** Numbers are wanted as drivers give them, which tells whether they are exact. */
const partKind = ({ _tag }: Aggregate, kind: ColumnKind | null): ColumnKind | null =>
  _tag === 'Least' || _tag === 'Greatest' ? kind : _tag === 'All' || _tag === 'Any' ? 'boolean' : null

/** What `sql.ref` names; raw text that is more stays as it is. */
const onlyNode = (node: RawNode): OperationNode =>
  node.parameters.length === 1 && node.sqlFragments.every((fragment) => fragment.trim() === '')
    ? (node.parameters[0] as OperationNode)
    : node

const nameOf = (node: ReferenceNode): string => (ColumnNode.is(node.column) ? node.column.column.name : 'a column')
