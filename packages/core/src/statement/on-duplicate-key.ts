/**
 * Upserts as MySQL and MariaDB have them: `ON DUPLICATE KEY UPDATE`, whose assignments are made one after another, and which
 * knows no condition.
 *
 * @see https://dev.mysql.com/doc/refman/8.4/en/insert-on-duplicate.html
 */
import {
  ColumnUpdateNode as Assignment,
  CaseNode,
  ColumnNode,
  type ColumnUpdateNode,
  FunctionNode,
  type InsertQueryNode,
  type OnConflictNode,
  OnDuplicateKeyNode,
  type OperationNode,
  RawNode,
  ReferenceNode,
  WhenNode,
} from 'kysely'
import { tableName } from './source.js'
import { mapChildren } from './tree.js'

/**
 * The clause that does what an `ON CONFLICT` says; null where its assignments read what others set, in a circle.
 */
export const onDuplicateKey = ({ columns }: InsertQueryNode, conflict: OnConflictNode): OnDuplicateKeyNode | null => {
  if (conflict.updates === undefined) {
    // IGNORE would let pass more than that: values out of range, references to nothing
    const [first] = [...(conflict.columns ?? []), ...(columns ?? [])]
    return OnDuplicateKeyNode.create(first === undefined ? [] : [Assignment.create(first, ReferenceNode.create(first))])
  }
  const updates = conflict.updates.map(({ column, value }) => Assignment.create(column, withValues(value)))
  const ordered =
    conflict.updateWhere === undefined ? readFirst(updates) : guarded(updates, withValues(conflict.updateWhere.where))
  return ordered === null ? null : OnDuplicateKeyNode.create(ordered)
}

type Assignments = ReadonlyArray<ColumnUpdateNode>

/** The assignments where a condition holds: that is asked by each, or by the first for all where it reads what they set. */
const guarded = (updates: Assignments, condition: OperationNode): Assignments | null => {
  const asking = readFirst(updates.map((update) => onlyWhen(update, condition)))
  if (asking !== null) return asking
  const told = RawNode.create(['(@unitary_met := (', '))'], [condition])
  return readFirst(updates)?.map((update, i) => onlyWhen(update, i === 0 ? told : met)) ?? null
}

const met = RawNode.createWithSql('@unitary_met')

const onlyWhen = ({ column, value }: ColumnUpdateNode, condition: OperationNode): ColumnUpdateNode => {
  const when = WhenNode.cloneWithResult(WhenNode.create(condition), value)
  const kept = ColumnNode.is(column) ? ReferenceNode.create(column) : column
  return Assignment.create(column, CaseNode.cloneWith(CaseNode.cloneWithWhen(CaseNode.create(), when), { else: kept }))
}

/** `excluded.name` is `values(name)`: MariaDB has no alias for the row that was to be inserted. */
const withValues = (node: OperationNode): OperationNode =>
  isExcluded(node)
    ? FunctionNode.create('values', [ReferenceNode.create(node.column as ColumnNode)])
    : mapChildren(node, withValues)

const isExcluded = (node: OperationNode): node is ReferenceNode =>
  ReferenceNode.is(node) && node.table !== undefined && tableName(node.table) === 'excluded'

/** The assignments in an order in which each reads only what none has set before it; null where there is none. */
const readFirst = (updates: Assignments): Assignments | null => {
  const left = updates.map((update) => ({ update, sets: columnIn(update.column), reads: readsOf(update.value) }))
  const ordered: ColumnUpdateNode[] = []
  while (left.length > 0) {
    const at = left.findIndex(({ sets }, i) => left.every(({ reads }, j) => i === j || !reads.has(sets)))
    const [next] = at < 0 ? [] : left.splice(at, 1)
    if (next === undefined) return null
    ordered.push(next.update)
  }
  return ordered
}

const columnIn = (node: OperationNode): string =>
  ReferenceNode.is(node) ? columnIn(node.column) : ColumnNode.is(node) ? node.column.name : ''

/** The columns that an expression reads; what VALUES reads is never set. */
const readsOf = (node: OperationNode): ReadonlySet<string> => {
  const read = new Set<string>()
  const visit = (child: OperationNode): OperationNode => {
    if (ReferenceNode.is(child)) read.add(columnIn(child))
    else if (!FunctionNode.is(child) || child.func !== 'values') mapChildren(child, visit)
    return child
  }
  visit(node)
  return read
}
