/**
 * `Insert`: rows put into an entity's table by one statement, past the session, as a value.
 *
 * @example
 * pipe(insertInto(model.User), values([{ name: 'ed' }, { name: 'wendy' }]))
 */
import {
  ColumnNode,
  type InsertObject,
  InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { Attribute } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { Services } from '../services.js'
import { insertBuilder } from './builder.js'
import { type ModelOf, type NameOf, type Statement, tableNode } from './statement.js'

/**
 * @category model
 */
export interface Insert<out M, out N extends string> extends Statement<M, N> {
  readonly _tag: 'Insert'
  readonly entity: Mapped<M, N>
  readonly node: InsertQueryNode
}

/** An insert of any entity. @category model */
export type AnyInsert = Insert<unknown, string>

/**
 * Inserts into an entity's table what `values` (or `modify`, from a query) gives.
 *
 * @category constructors
 */
export const insertInto = <M, N extends string>(entity: Mapped<M, N>): Insert<M, N> => ({
  _tag: 'Insert',
  entity,
  node: InsertQueryNode.create(tableNode(entity.mapping)),
  options: {},
})

/** A row of an insert: decoded values, or expressions. @category model */
export type InsertRow<S> = InsertObject<Database<ModelOf<S>>, TableOf<ModelOf<S>, NameOf<S>>>

/**
 * The rows to insert, in place of those given before. An attribute that a row leaves out gets its default
 * (see `withDefaults`), else the database's.
 *
 * @category combinators
 */
export const values =
  <S extends AnyInsert>(rows: InsertRow<S> | ReadonlyArray<InsertRow<S>>) =>
  (self: S): S => ({
    ...self,
    node: insertBuilder(self.node)
      .values(rows as never)
      .toOperationNode() as InsertQueryNode,
  })

/**
 * Fills in the client-side defaults of attributes that rows leave out, once for each row. What runs an insert does so
 * before it is compiled, since defaults may need services. The same value is given back where there is none to fill.
 *
 * @category combinators
 */
export const withDefaults =
  (services: Services) =>
  <S extends AnyInsert>(self: S): S => {
    const filled = self.entity.mapping.attributes
      .filter(({ column }) => column.defaultValue !== null || column.insertValue !== null)
      .reduce((node, attribute) => fill(node, attribute, services), self.node)
    return filled === self.node ? self : { ...self, node: filled }
  }

const fill = (node: InsertQueryNode, attribute: Attribute, services: Services): InsertQueryNode => {
  const { columns = [], values: given } = node
  if (given === undefined || !ValuesNode.is(given)) return node
  const place = columns.findIndex((column) => column.column.name === attribute.name)
  const { defaultValue, insertValue } = attribute.column
  const value = (): ValueNode => ValueNode.create((defaultValue ?? insertValue)?.(services))
  if (place === -1) {
    return {
      ...node,
      columns: [...columns, ColumnNode.create(attribute.name)],
      values: ValuesNode.create(given.values.map((row) => ValueListNode.create([...itemsOf(row), value()]))),
    }
  }
  const isMissing = (row: ValuesItem): boolean => itemsOf(row)[place]?.kind === 'DefaultInsertValueNode'
  if (!given.values.some(isMissing)) return node
  return {
    ...node,
    values: ValuesNode.create(
      given.values.map((row) =>
        isMissing(row) ? ValueListNode.create(itemsOf(row).map((item, i) => (i === place ? value() : item))) : row,
      ),
    ),
  }
}

type ValuesItem = ValuesNode['values'][number]

const itemsOf = (row: ValuesItem): ReadonlyArray<OperationNode> =>
  PrimitiveValueListNode.is(row) ? row.values.map((value) => ValueNode.create(value)) : row.values
