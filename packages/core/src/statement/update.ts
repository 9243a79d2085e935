/**
 * `Update`: a bulk update of an entity's rows by conditions, as a value.
 *
 * @example
 * pipe(update(model.User), set((eb) => ({ age: eb('age', '+', 1) })), where('name', '=', 'ed'))
 */
import {
  ColumnNode,
  ColumnUpdateNode,
  type OperationNode,
  ReferenceNode,
  type UpdateObject,
  UpdateQueryNode,
} from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { Attribute } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import { byOwnNames } from '../model/validate.js'
import type { Services } from '../services.js'
import { updateBuilder } from './builder.js'
import { type ExpressionsOf, expressionsOf, type ModelOf, type NameOf, type Statement, tableNode } from './statement.js'
import { updateDefaultOf } from './update-default.js'

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
    const given = byOwnNames(
      self.entity.mapping,
      (typeof changes === 'function' ? changes(expressionsOf(self)) : changes) as Readonly<Record<string, unknown>>,
    )
    const node = updateBuilder(self.node)
      .set(given as never)
      .toOperationNode() as UpdateQueryNode
    return { ...self, node }
  }

/**
 * The attributes that an update sets, each with its value or expression, in the order in which they are set.
 *
 * @category interpreters
 */
export const assignmentsOf = ({
  entity,
  node,
}: AnyUpdate): ReadonlyArray<readonly [attribute: Attribute, value: OperationNode]> =>
  (node.updates ?? []).flatMap(({ column, value }) => {
    const named = ReferenceNode.is(column) ? column.column : column
    const attribute = ColumnNode.is(named) ? entity.mapping.attributeOf.get(named.column.name) : undefined
    return attribute === undefined ? [] : [[attribute, value] as const]
  })

/**
 * Sets what an update sets by itself (`withUpdateDefault`) where it leaves those attributes alone; the same value for every
 * row. What runs an update does so before it is compiled, since defaults may need services. The same statement is given
 * back where there is nothing to set.
 *
 * @example
 * pipe(update(model.Post), set({ title: 'new' }), withUpdateDefaults(services)) // sets `edited`, too
 *
 * @category combinators
 */
export const withUpdateDefaults =
  (services: Services) =>
  <S extends AnyUpdate>(self: S): S => {
    const missing = missingUpdateDefaults(self)
    return missing.length === 0
      ? self
      : {
          ...self,
          node: UpdateQueryNode.cloneWithUpdates(
            self.node,
            missing.map(({ name, column }) =>
              ColumnUpdateNode.create(ColumnNode.create(name), updateDefaultOf(column, services)),
            ),
          ),
        }
  }

/** The attributes that `withUpdateDefaults` would set. An update that sets nothing stays one. @category interpreters */
export const missingUpdateDefaults = (self: AnyUpdate): ReadonlyArray<Attribute> => {
  const { updateDefaults: values, updateExpressions } = self.entity.mapping
  const updateDefaults = [...values, ...updateExpressions]
  if (updateDefaults.length === 0 || self.node.updates === undefined) return []
  const set = new Set(assignmentsOf(self).map(([attribute]) => attribute))
  // of a subtype's tables an update writes one
  const part = self.entity.mapping.parts.find(({ attributes }) => attributes.some((attribute) => set.has(attribute)))
  return updateDefaults.filter((attribute) => !set.has(attribute) && part?.attributes.includes(attribute) === true)
}
