/**
 * `Insert`: rows put into an entity's table past the unit of work, as a value.
 *
 * @example
 * pipe(insertInto(model.User), values([{ name: 'ed' }, { name: 'wendy' }]))
 */
import {
  AliasNode,
  ColumnNode,
  type Expression,
  ExpressionWrapper,
  expressionBuilder,
  IdentifierNode,
  type InsertObject,
  InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  SelectAllNode,
  SelectionNode,
  SelectQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { RowOf } from '../model/infer.js'
import type { Attribute } from '../model/mapping.js'
import type { Mapped } from '../model/model.js'
import type { Services } from '../services.js'
import { insertBuilder } from './builder.js'
import { withConflictDefaults } from './conflict.js'
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
  (self: S): S => ({
    ...self,
    node: insertBuilder(self.node)
      .values(rows as never)
      .toOperationNode() as InsertQueryNode,
  })

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

const rowOf = (names: ReadonlyArray<string>, row: Row): unknown => {
  const given: Record<string, unknown> = {}
  names.forEach((name, i) => {
    const item = row.values[i]
    if (PrimitiveValueListNode.is(row)) given[name] = item
    else if (!isDefault(item as OperationNode)) {
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
  <S extends AnyInsert, const A extends ReadonlyArray<keyof RowOf<ModelOf<S>, NameOf<S>> & string>>(
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

/**
 * Fills in the client-side defaults of attributes that rows leave out, once for each row; and what an upsert sets by itself
 * where it updates (`withUpdateDefault`), once for all of them. What runs an insert does so before it is compiled, since
 * defaults may need services. The same value is given back where there is none to fill.
 *
 * @category combinators
 */
export const withDefaults =
  (services: Services) =>
  <S extends AnyInsert>(self: S): S => {
    const { mapping } = self.entity
    const filled = withConflictDefaults(
      mapping,
      fill(self.node, mapping.attributes.filter(hasDefault), services),
      services,
    )
    return filled === self.node ? self : { ...self, node: filled }
  }

/** Has an insert anything to be filled in, whatever its rows? @category guards */
export const canHaveDefaults = ({ entity: { mapping } }: AnyInsert): boolean =>
  mapping.updateDefaults.length + mapping.updateExpressions.length > 0 || mapping.attributes.some(hasDefault)

const hasDefault = ({ column }: Attribute): boolean =>
  column.defaultValue !== null || column.insertValue !== null || column.insertExpression !== null

const defaultOf = ({ column }: Attribute, services: Services): OperationNode =>
  column.defaultValue === null && column.insertExpression !== null
    ? column.insertExpression.toOperationNode()
    : ValueNode.create((column.defaultValue ?? column.insertValue)?.(services))

type Row = ValuesNode['values'][number]

const fill = (node: InsertQueryNode, defaults: ReadonlyArray<Attribute>, services: Services): InsertQueryNode => {
  const { columns = [], values: given } = node
  if (given === undefined || defaults.length === 0) return node
  const place = new Map(columns.map(({ column }, i) => [column.name, i]))
  const absent = defaults.filter(({ name }) => !place.has(name))
  const all = [...columns, ...absent.map(({ name }) => ColumnNode.create(name))]
  if (!ValuesNode.is(given)) {
    return absent.length === 0 ? node : { ...node, columns: all, values: extended(given, absent, services) }
  }
  const present = defaults.filter(({ name }) => place.has(name))
  const isWhole = (row: Row): boolean =>
    PrimitiveValueListNode.is(row) || !present.some(({ name }) => isDefault(row.values[place.get(name) as number]))
  if (absent.length === 0 && given.values.every(isWhole)) return node
  const rows = given.values.map((row): Row => {
    const more = absent.map((attribute) => defaultOf(attribute, services))
    if (PrimitiveValueListNode.is(row) && more.every(ValueNode.is)) {
      return PrimitiveValueListNode.create([...row.values, ...more.map(({ value }) => value)])
    }
    const items = PrimitiveValueListNode.is(row)
      ? row.values.map((value): OperationNode => ValueNode.create(value))
      : [...row.values]
    for (const attribute of present) {
      const at = place.get(attribute.name) as number
      if (isDefault(items[at])) items[at] = defaultOf(attribute, services)
    }
    for (const value of more) items.push(value)
    return ValueListNode.create(items)
  })
  return { ...node, columns: all, values: ValuesNode.create(rows) }
}

const isDefault = (node: OperationNode | undefined): boolean => node?.kind === 'DefaultInsertValueNode'

/** A query that gives the defaults beside its own columns. */
const extended = (query: OperationNode, absent: ReadonlyArray<Attribute>, services: Services): SelectQueryNode =>
  SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([AliasNode.create(query, IdentifierNode.create('given'))]),
    [
      SelectionNode.create(SelectAllNode.create()),
      ...absent.map((attribute) =>
        SelectionNode.create(AliasNode.create(defaultOf(attribute, services), IdentifierNode.create(attribute.name))),
      ),
    ],
  )
