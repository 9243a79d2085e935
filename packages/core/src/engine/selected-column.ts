/**
 * Columns as they are selected: those that a driver could make something else of are selected as text.
 */
import { AliasNode, CastNode, IdentifierNode, type OperationNode, RawNode, SelectionNode } from 'kysely'
import type { Selected } from './dialect.js'

/** A column under a name, as the text that its driver gives as it is. */
export const selectedColumn = ({ by, type }: Selected, node: OperationNode, name: string): SelectionNode =>
  SelectionNode.create(
    AliasNode.create(
      CastNode.create(by === null ? node : by(node), RawNode.createWithSql(type)),
      IdentifierNode.create(name),
    ),
  )
