/**
 * Expressions of a column as the statements of a flush have them: columns for attributes, constants for parameters.
 *
 * Such statements are compiled once for their shape, and their parameters are those of rows.
 */
import {
  type ColumnNode,
  type IdentifierNode,
  type OperationNode,
  OperationNodeTransformer,
  type QueryId,
  ValueNode,
} from 'kysely'
import type { Attribute, Mapping } from './mapping.js'

class Stored extends OperationNodeTransformer {
  readonly #mapping: Mapping

  constructor(mapping: Mapping) {
    super()
    this.#mapping = mapping
  }

  protected override transformValue(node: ValueNode): ValueNode {
    return ValueNode.createImmediate(node.value)
  }

  protected override transformColumn(node: ColumnNode, queryId?: QueryId): ColumnNode {
    const { column } = super.transformColumn(node, queryId)
    const name = this.#mapping.attributeOf.get(column.name)?.columnName ?? column.name
    return { kind: 'ColumnNode', column: { ...column, name } satisfies IdentifierNode }
  }
}

/**
 * A column that the database computes. `attribute` is the one whose column it is.
 *
 * @category model
 */
export interface SqlDefault {
  readonly attribute: string
  readonly column: string
  /** Without parameters, in the columns of the table. */
  readonly expression: OperationNode
}

interface Known {
  insert?: SqlDefault
  update?: SqlDefault
}

const known = new WeakMap<Attribute, Known>()

/**
 * What the database computes of an attribute with an insert or update; null where it computes nothing. The same value each
 * time.
 *
 * @category combinators
 */
export const sqlDefaultOf = (mapping: Mapping, attribute: Attribute, write: 'insert' | 'update'): SqlDefault | null => {
  const given = write === 'insert' ? attribute.column.insertExpression : attribute.column.updateExpression
  if (given === null) return null
  const own = known.get(attribute) ?? {}
  known.set(attribute, own)
  own[write] ??= {
    attribute: attribute.name,
    column: attribute.columnName,
    expression: new Stored(mapping).transformNode(given.toOperationNode()),
  }
  return own[write]
}
