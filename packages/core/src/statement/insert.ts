/**
 * `Insert`: rows put into an entity's table past the unit of work, as a value.
 *
 * @example
 * pipe(insertInto(model.User), values([{ name: 'ed' }, { name: 'wendy' }]))
 */
import {
  ColumnNode,
  type Expression,
  ExpressionWrapper,
  expressionBuilder,
  type InsertObject,
  InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { RowOf, StoredName } from '../model/infer.js'
import type { Mapped } from '../model/model.js'
import { insertBuilder } from './builder.js'
import { plainRows } from './plain-rows.js'
import { type ExpressionsOf, type ModelOf, type NameOf, type Statement, tableNode } from './statement.js'

/** What an insert that a session runs answers: the number of rows, or the entities. @category model */
export type Inserting = 'count' | 'entities'

/**
 * @category model
 */
export interface Insert<out M, out N extends string, out R extends Inserting = Inserting> extends Statement<M, N> {
  readonly _tag: 'Insert'
  readonly entity: Mapped<M, N>
  readonly node: InsertQueryNode
  readonly answers: R
}

/** An insert of any entity. @category model */
export type AnyInsert = Insert<unknown, string>

/**
 * Inserts into an entity's table what `values` or `fromSelect` gives.
 *
 * @category constructors
 */
export const insertInto = <M, N extends string>(entity: Mapped<M, N>): Insert<M, N, 'count'> => ({
  _tag: 'Insert',
  entity,
  node: InsertQueryNode.create(tableNode(entity.mapping)),
  options: {},
  answers: 'count',
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
  (self: S): S => {
    const plain = Array.isArray(rows) ? plainRows(rows) : null
    const node =
      plain === null
        ? insertBuilder(self.node)
            .values(rows as never)
            .toOperationNode()
        : InsertQueryNode.cloneWith(self.node, plain)
    return { ...self, node: node as InsertQueryNode }
  }

/**
 * Changes each of the rows that are to be inserted; an expression among them stays one. What a query gives is left as it is.
 *
 * @example
 * // a hook that keeps rows to their tenant
 * beforeInsert: ({ statement }) => accept(pipe(statement, mapRows((row) => ({ ...row, tenant: 'acme' }))))
 *
 * @category combinators
 */
export const mapRows =
  <S extends AnyInsert>(change: (row: InsertRow<S>) => InsertRow<S>) =>
  (self: S): S => {
    const { columns = [], values: given } = self.node
    if (given === undefined || !ValuesNode.is(given)) return self
    const names = columns.map(({ column }) => column.name)
    return values<S>(given.values.map((row) => change(rowOf(names, row) as InsertRow<S>)))(self)
  }

const rowOf = (names: ReadonlyArray<string>, row: ValuesNode['values'][number]): unknown => {
  const given: Record<string, unknown> = {}
  names.forEach((name, i) => {
    const item = row.values[i]
    if (PrimitiveValueListNode.is(row)) given[name] = item
    else if ((item as OperationNode).kind !== 'DefaultInsertValueNode') {
      given[name] = ValueNode.is(item as OperationNode)
        ? (item as ValueNode).value
        : new ExpressionWrapper(item as OperationNode)
    }
  })
  return given
}

/**
 * Inserts what a query gives, its columns being the values of the attributes named, in their order. Defaults that the
 * program gives (see `withDefaults`) are made once for all of its rows.
 *
 * @example
 * pipe(
 *   insertInto(model.Archived),
 *   fromSelect(['id', 'name'], (eb) => eb.selectFrom('users').select(['users.id', 'users.name']).where('users.age', '>', 90)),
 * )
 *
 * @category combinators
 */
export const fromSelect =
  <S extends AnyInsert, const A extends ReadonlyArray<StoredName<ModelOf<S>, NameOf<S>>>>(
    attributes: A,
    query: (eb: ExpressionsOf<S>) => Expression<Readonly<Record<string, RowOf<ModelOf<S>, NameOf<S>>[A[number]]>>>,
  ) =>
  (self: S): S => ({
    ...self,
    node: InsertQueryNode.cloneWith(self.node, {
      columns: attributes.map((attribute) => ColumnNode.create(attribute)),
      values: query(expressionBuilder() as ExpressionsOf<S>).toOperationNode(),
    }),
  })

/**
 * A session that runs the insert answers the entities, in the order of the rows, rather than their number.
 *
 * They are as the database has them: it is asked for them by the INSERT itself where it can (SQLite, PostgreSQL, MariaDB
 * from 10.5 on), else by their keys afterwards. Of an upsert those that it has written.
 *
 * @example
 * const [ed] = yield* pipe(insertInto(model.User), values([{ name: 'ed' }]), returningEntities, Session.execute())
 *
 * @category combinators
 */
export const returningEntities = <M, N extends string>(self: Insert<M, N>): Insert<M, N, 'entities'> => ({
  ...self,
  answers: 'entities',
})
