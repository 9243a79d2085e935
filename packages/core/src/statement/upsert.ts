/**
 * Upserts: inserts that leave alone, or update, rows that are there already.
 *
 * SQLite and PostgreSQL have them as `ON CONFLICT`, MySQL and MariaDB as `ON DUPLICATE KEY UPDATE`, which knows no target:
 * there a row conflicts by any unique key of its table.
 *
 * @example
 * pipe(
 *   insertInto(model.User),
 *   values([{ email: 'ed@example.org', name: 'ed' }]),
 *   onConflictDoUpdate('email', ['name']),
 * )
 */
import {
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  type Expression,
  type ExpressionBuilder,
  expressionBuilder,
  InsertQueryNode,
  type OnConflictDatabase,
  OnConflictNode,
  type OnConflictTables,
  type OperationNode,
  OperatorNode,
  ReferenceNode,
  SelectQueryNode,
  type SqlBool,
  TableNode,
  type UpdateObject,
  UpdateQueryNode,
  ValueNode,
} from 'kysely'
import type { Database, TableOf } from '../model/database.js'
import type { StoredName } from '../model/infer.js'
import type { Mapping } from '../model/mapping.js'
import { updateBuilder } from './builder.js'
import { conflictAssignments } from './conflict.js'
import type { AnyInsert } from './insert.js'
import { attributeNode, type ModelOf, type NameOf, tableNode } from './statement.js'
import { mapChildren } from './tree.js'

/** The name of an attribute of an insert's entity. @category model */
export type AttributeOf<S> = StoredName<ModelOf<S>, NameOf<S>>

/** What is unique of an entity: an attribute, or several together. @category model */
export type ConflictTarget<S> = AttributeOf<S> | ReadonlyArray<AttributeOf<S>>

type Conflicting<S> = OnConflictDatabase<Database<ModelOf<S>>, TableOf<ModelOf<S>, NameOf<S>>>
type Tables<S> = OnConflictTables<TableOf<ModelOf<S>, NameOf<S>>>

/**
 * Kysely's expression builder over the row that is there, under the attributes' names, and the row that was to be inserted,
 * as `excluded`.
 *
 * @category model
 */
export type ConflictExpressions<S> = ExpressionBuilder<Conflicting<S>, Tables<S>>

/** Attributes and their new values: decoded values, or expressions. @category model */
export type ConflictChanges<S> = UpdateObject<Conflicting<S>, Tables<S>, Tables<S>>

/**
 * Leaves alone rows that are there already: those that have the same values of a unique key, or of any where none is named.
 *
 * MySQL and MariaDB know no target, and do not tell which rows they left alone: all of them count there.
 *
 * @example
 * pipe(insertInto(model.User), values(rows), onConflictDoNothing('email'))
 *
 * @category combinators
 */
export const onConflictDoNothing =
  <S extends AnyInsert>(target?: ConflictTarget<S>) =>
  (self: S): S =>
    withConflict(self, { ...onTarget(target), doNothing: true })

/**
 * Updates rows that are there already, which have the same values of a unique key: the attributes named to what was to be
 * inserted, or to what expressions over both rows give; a version is counted up by itself. With a condition only those rows
 * for which it holds; the others are left alone.
 *
 * An expression reads the row as it was before, wherever it runs. (MySQL and MariaDB set one attribute after the other: they
 * are put in an order in which none reads what was set before it, and `NotPortable` says where there is none.)
 *
 * @example
 * onConflictDoUpdate('email', ['name', 'age'])
 * onConflictDoUpdate(['userId', 'country'], (eb) => ({ times: eb('times', '+', eb.ref('excluded.times')) }))
 * onConflictDoUpdate('id', ['text', 'at'], (eb) => eb('at', '<', eb.ref('excluded.at')))
 *
 * @category combinators
 */
export const onConflictDoUpdate =
  <S extends AnyInsert>(
    target: ConflictTarget<S>,
    changes: ReadonlyArray<AttributeOf<S>> | ((eb: ConflictExpressions<S>) => ConflictChanges<S>),
    condition?: (eb: ConflictExpressions<S>) => Expression<SqlBool>,
  ) =>
  (self: S): S => {
    const { mapping } = self.entity
    const eb = expressionBuilder() as unknown as ConflictExpressions<S>
    const given = typeof changes === 'function' ? updatesOf(changes(eb)) : changes.map(fromExcluded)
    const updates = given.map((node) => ofTable(mapping, node) as ColumnUpdateNode)
    const set: OnConflictNode = { ...OnConflictNode.create(), ...onTarget(target), updates: counted(mapping, updates) }
    return withConflict(
      self,
      condition === undefined
        ? set
        : OnConflictNode.cloneWithUpdateWhere(set, ofTable(mapping, condition(eb).toOperationNode())),
    )
  }

const withConflict = <S extends AnyInsert>(self: S, conflict: Partial<OnConflictNode>): S => ({
  ...self,
  node: InsertQueryNode.cloneWith(self.node, { onConflict: { ...OnConflictNode.create(), ...conflict } }),
})

const onTarget = (target: string | ReadonlyArray<string> | undefined): Pick<OnConflictNode, 'columns'> =>
  target === undefined
    ? {}
    : { columns: (typeof target === 'string' ? [target] : target).map((name) => ColumnNode.create(name)) }

const excluded = TableNode.create('excluded')

const fromExcluded = (name: string): ColumnUpdateNode =>
  ColumnUpdateNode.create(ColumnNode.create(name), ReferenceNode.create(ColumnNode.create(name), excluded))

const updatesOf = (changes: unknown): ReadonlyArray<ColumnUpdateNode> =>
  (
    updateBuilder(UpdateQueryNode.create([]))
      .set(changes as never)
      .toOperationNode() as UpdateQueryNode
  ).updates ?? []

/** A version that the program counts is counted up. */
const counted = (mapping: Mapping, updates: ReadonlyArray<ColumnUpdateNode>): ReadonlyArray<ColumnUpdateNode> => {
  const { serverVersion, version } = mapping
  const isCounted = version !== null && version !== serverVersion
  if (!isCounted || conflictAssignments(mapping, { ...OnConflictNode.create(), updates }).has(version)) return updates
  const next = BinaryOperationNode.create(
    attributeNode(mapping, version),
    OperatorNode.create('+'),
    ValueNode.createImmediate(1),
  )
  return [...updates, ColumnUpdateNode.create(ColumnNode.create(version.name), next)]
}

/** A name alone is the table's: databases that see both rows take it for ambiguous. */
const ofTable = (mapping: Mapping, node: OperationNode): OperationNode => {
  if (SelectQueryNode.is(node)) return node
  if (!ReferenceNode.is(node)) return mapChildren(node, (child) => ofTable(mapping, child))
  return node.table === undefined && ColumnNode.is(node.column)
    ? ReferenceNode.create(node.column, tableNode(mapping))
    : node
}
