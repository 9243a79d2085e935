/**
 * `Delete`: a bulk delete of an entity's rows by conditions, as a value.
 *
 * @example
 * pipe(deleteFrom(model.User), where('name', 'in', ['ed', 'wendy']))
 */
import { DeleteQueryNode } from 'kysely'
import type { Mapped } from '../model/model.js'
import { type Statement, tableNode } from './statement.js'

/**
 * @category model
 */
export interface Delete<out M, out N extends string> extends Statement<M, N> {
  readonly _tag: 'Delete'
  readonly entity: Mapped<M, N>
  readonly node: DeleteQueryNode
}

/** A delete of any entity. @category model */
export type AnyDelete = Delete<unknown, string>

/**
 * Deletes every row of an entity that its conditions let through.
 *
 * @category constructors
 */
export const deleteFrom = <M, N extends string>(entity: Mapped<M, N>): Delete<M, N> => ({
  _tag: 'Delete',
  entity,
  node: DeleteQueryNode.create([tableNode(entity.mapping)]),
  options: {},
})
