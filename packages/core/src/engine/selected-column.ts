/**
 * Columns as they are selected: those that a driver could make something else of are selected as text.
 */
import { AliasNode, CastNode, IdentifierNode, type OperationNode, RawNode, SelectionNode } from 'kysely'
import type { Selected } from './dialect.js'

/** An expression as the text that its driver gives as it is. */
export const selectedAs = ({ by, type }: Selected, node: OperationNode): OperationNode =>
  CastNode.create(by === null ? node : by(node), RawNode.createWithSql(type))

/** The same under a name. */
export const selectedColumn = (as: Selected, node: OperationNode, name: string): SelectionNode =>
  SelectionNode.create(AliasNode.create(selectedAs(as, node), IdentifierNode.create(name)))
