/**
 * A clause that cannot be, in the tree of the statement that was given it: building a statement always succeeds, and whoever
 * checks it (see `check.ts`) finds what is wrong.
 */
import { type OperationNode, ValueNode } from 'kysely'
import type { StatementError } from './error.js'

/** In place of a value. */
export class Fault {
  readonly error: StatementError
  constructor(error: StatementError) {
    this.error = error
  }
}

/** Stands where the clause would have. */
export const faultNode = (error: StatementError): OperationNode => ValueNode.create(new Fault(error))

/** The fault that a node stands for; null for any other node. */
export const faultIn = (node: OperationNode): StatementError | null =>
  ValueNode.is(node) && node.value instanceof Fault ? node.value.error : null
