/**
 * From a query to how it is put together from groups.
 */
import { type AnyColumn, type AnyRows, type ColumnKind, readingIn, type TextComparison } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  ColumnNode,
  GroupByItemNode,
  GroupByNode,
  IdentifierNode,
  type OperationNode,
  OrderByItemNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  ValueNode,
} from 'kysely'
import { type Aggregate, aggregateOf, type Operand } from './aggregate.js'
import { callAt, called, callIn, type RowsCall } from './calls.js'
import { type Evaluate, type Slots, termOf } from './group-expression.js'
import { collationOf, directionOf, isPosition, type OrderTerm } from './order-term.js'
import type { AskedColumn, CombinedOrder, CombinedOutput, Recombination, Slot } from './recombination.js'
import { isSameTree, referencesIn } from './same-tree.js'
import { windowOf } from './window.js'

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
    const isDistinct = node.frontModifiers !== undefined && !isOfDistinctRows
    const keyOrder = isDistinct ? null : this.#keyOrder()
    const isWindow = limit !== null && node.having === undefined && this.#grouped.length === this.#keys.length
    // the first groups of all are among the first of each shard; of distinct rows in no order any will do
    const isCut = isWindow && (keyOrder !== null || (isOfDistinctRows && order.length === 0))
    return right({
      asked: this.#asked(),
      columns: this.#columns,
      keys: this.#groupedColumns.slice(0, this.#keys.length),
      slots: this.#slots,
      isWhole: this.#keys.length === 0,
      outputs: outputs.right,
      having: having.right,
      isDistinct,
      // groups that compare the same are cut off each shard by their other keys
      order: isCut && keyOrder !== null ? keyOrder.map((term) => this.#byKey(term)) : order,
      offset,
      limit,
      keyOrder,
      most: isCut ? offset + limit : null,
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

  /** A term of the order of keys, by what was put together. */
  #byKey({ attribute, collation, isDescending, item, kind, nulls }: OrderTerm): CombinedOrder {
    const slot = this.#nodes.findIndex((node) => isSameTree(this.statement, node, item.orderBy))
    return { evaluate: (group) => group[slot], attribute, collation, isDescending, kind, nulls }
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

  #asked(): AnyRows {
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
