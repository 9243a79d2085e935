/**
 * `Update`: a bulk update of an entity's rows by conditions, as a value.
 *
 * @example
 * pipe(update(model.User), set((eb) => ({ age: eb('age', '+', 1) })), where('name', '=', 'ed'))
 */
import { expressionBuilder, type UpdateObject, UpdateQueryNode } from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { Mapped } from '../model/model.js'
import { updateBuilder } from './builder.js'
import { type ExpressionsOf, type ModelOf, type NameOf, type Statement, tableNode } from './statement.js'

/**
 * @category model
 */
export interface Update<out M, out N extends string> extends Statement<M, N> {
  readonly _tag: 'Update'
  readonly entity: Mapped<M, N>
  readonly node: UpdateQueryNode
}

/** An update of any entity. @category model */
export type AnyUpdate = Update<unknown, string>

/**
 * Updates every row of an entity that its conditions let through.
 *
 * @category constructors
 */
export const update = <M, N extends string>(entity: Mapped<M, N>): Update<M, N> => ({
  _tag: 'Update',
  entity,
  node: UpdateQueryNode.create([tableNode(entity.mapping)]),
  options: {},
})

/** Attributes and their new values: decoded values, or expressions. @category model */
export type Changes<S> = UpdateObject<Database<ModelOf<S>>, TableOf<ModelOf<S>, NameOf<S>>>

/**
 * The new values, beside those set already.
 *
 * @category combinators
 */
export const set =
  <S extends AnyUpdate>(changes: Changes<S> | ((eb: ExpressionsOf<S>) => Changes<S>)) =>
  (self: S): S => {
    const given = typeof changes === 'function' ? changes(expressionBuilder() as ExpressionsOf<S>) : changes
    const node = updateBuilder(self.node)
      .set(given as never)
      .toOperationNode() as UpdateQueryNode
    return { ...self, node }
  }
