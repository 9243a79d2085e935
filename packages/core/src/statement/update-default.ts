/**
 * What an update sets by itself.
 */
import { type OperationNode, ValueNode } from 'kysely'
import type { AnyColumn } from '../model/column.js'
import type { Services } from '../services.js'

/** A value, or what the database computes. */
export const updateDefaultOf = ({ updateExpression, updateValue }: AnyColumn, services: Services): OperationNode =>
  updateExpression === null ? ValueNode.create(updateValue?.(services)) : updateExpression.toOperationNode()
