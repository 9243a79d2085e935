/**
 * Locks on the rows that a query gives, until the end of the transaction.
 *
 * SQLite has none: a transaction that writes has the whole database to itself. A query that asks for them is refused there,
 * so that nobody relies on what is not.
 *
 * @example
 * pipe(select(model.Job), where('state', '=', 'new'), orderBy('id'), limit(1), forUpdate({ wait: 'skipLocked' }))
 */
import { type OperationNode, SelectModifierNode, SelectQueryNode, TableNode } from 'kysely'
import type { AnyQuery } from './rows.js'
import type { TablesOf } from './statement.js'

/**
 * Which rows are locked, and what happens where another transaction holds one.
 *
 * @category model
 */
export interface LockOptions<Table extends string> {
  /**
   * The aliases whose rows are locked, or the query's own table; all by default. PostgreSQL locks no alias of an outer join;
   * MariaDB cannot tell them apart, and locks those of all.
   */
  readonly of?: ReadonlyArray<Table>
  /** Wait for it, fail at once, or leave the row out. Default: wait. */
  readonly wait?: 'wait' | 'noWait' | 'skipLocked'
}

type Lock = <S extends AnyQuery>(options?: LockOptions<TablesOf<S> & string>) => (self: S) => S

/** The lock of a query that has to be had. */
interface RowLock extends SelectModifierNode {
  readonly isRowLock: true
}

const waits = {
  wait: [],
  noWait: [SelectModifierNode.create('NoWait')],
  skipLocked: [SelectModifierNode.create('SkipLocked')],
}

const locking =
  (modifier: 'ForUpdate' | 'ForShare'): Lock =>
  ({ of, wait = 'wait' } = {}) =>
  (self) => {
    const tables = of?.map((name) => TableNode.create(name.slice(name.indexOf('.') + 1)))
    const lock: RowLock = Object.freeze({ ...SelectModifierNode.create(modifier, tables), isRowLock: true })
    const endModifiers = [...(self.node.endModifiers ?? []), lock, ...waits[wait]]
    return { ...self, node: Object.freeze({ ...self.node, endModifiers: Object.freeze(endModifiers) }) }
  }

/**
 * Locks the rows for a change: no other transaction locks, changes or deletes them meanwhile. What the session knows of them
 * already may be older; `withOptions({ populateExisting: true })` has it read anew.
 *
 * @example
 * pipe(select(model.Account), where('id', '=', 1), forUpdate(), withOptions({ populateExisting: true }))
 *
 * @category combinators
 */
export const forUpdate: Lock = locking('ForUpdate')

/**
 * Locks the rows against changes; others may share the lock.
 *
 * @category combinators
 */
export const forShare: Lock = locking('ForShare')

/** Does a tree ask for locks that have to be had? */
export const locksRows = (node: OperationNode): boolean =>
  SelectQueryNode.is(node) && node.endModifiers?.some((end) => 'isRowLock' in end) === true
