/**
 * Expressions as the text that DDL wants: columns by their names in the table, and values spelt out, since a statement
 * that makes a table takes no parameters.
 */
import { type Either, left, map, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import {
  ColumnNode,
  createQueryId,
  type Expression,
  expressionBuilder,
  MysqlQueryCompiler,
  type OperationNode,
  PostgresQueryCompiler,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  type RootOperationNode,
  SelectQueryNode,
  SqliteQueryCompiler,
  ValueListNode,
  ValueNode,
  WhereNode,
} from 'kysely'
import type { Dialect } from '../engine/dialect.js'
import type { Check } from '../model/constraint.js'
import type { Attribute, Mapping } from '../model/mapping.js'
import { renderStatementError } from '../statement/error.js'
import { resolve } from '../statement/resolve.js'
import { namedTable } from '../statement/source.js'
import { spelt as speltValue } from '../statement/spell.js'
import { mapChildren } from '../statement/tree.js'

/** A condition of a table, and the columns that it speaks of, in the order in which it names them. */
export interface ConditionText {
  readonly text: string
  readonly columns: ReadonlyArray<string>
}

/** A condition on the rows of one table; the message says which value cannot be encoded. */
export const conditionText =
  (mapping: Mapping, dialect: Dialect) =>
  (condition: Check['condition']): Either<string, ConditionText> => {
    const query = {
      ...SelectQueryNode.createFrom([namedTable(mapping.table)]),
      where: WhereNode.create(condition(expressionBuilder()).toOperationNode()),
    }
    return pipe(
      resolve([alone(mapping)], dialect)(query),
      (resolved) => (resolved._tag === 'Left' ? left(renderStatementError(resolved.left)) : right(resolved.right)),
      map(({ where }) => {
        const columns = new Set<string>()
        const node = spelt(where.where, dialect, columns)
        return { text: compileText(node, dialect), columns: [...columns] }
      }),
    )
  }

/** With the names that the entity itself gives its attributes, and without the tables of its parent and its subtypes. */
const alone = (mapping: Mapping): Mapping => ({
  ...mapping,
  attributes: Array.from(mapping.attributeOf, ([name, attribute]) => ({ ...attribute, name })),
  parent: null,
  concreteOf: null,
  subtypes: [],
})

/** A default of a column: an expression, or no more than a value, which is the column's then. */
export const defaultText = (attribute: Attribute, expression: Expression<unknown>, dialect: Dialect): string => {
  const node = expression.toOperationNode()
  const [only] = RawNode.is(node) && node.sqlFragments.every((text) => text === '') ? node.parameters : [node]
  const isValue = only !== undefined && ValueNode.is(only)
  const given = isValue ? literal(speltValue(dialect, attribute, only.value), dialect) : node
  return compileText(spelt(given, dialect, new Set()), dialect)
}

const spelt = (node: OperationNode, dialect: Dialect, columns: Set<string>): OperationNode => {
  if (ValueNode.is(node)) return node.immediate === true ? node : literal(node.value, dialect)
  if (PrimitiveValueListNode.is(node)) return ValueListNode.create(node.values.map((value) => literal(value, dialect)))
  if (ReferenceNode.is(node) && ColumnNode.is(node.column)) {
    columns.add(node.column.column.name)
    // the table is the one that is made, which may have another name for the time being
    return ReferenceNode.create(node.column)
  }
  return mapChildren(node, (child) => spelt(child, dialect, columns))
}

const literal = (value: unknown, dialect: Dialect): OperationNode => {
  if (value instanceof Uint8Array) {
    const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return RawNode.createWithSql(dialect.name === 'postgres' ? `'\\x${hex}'` : `x'${hex}'`)
  }
  const given = dialect.toDriver(value)
  return ValueNode.createImmediate(typeof given === 'object' && given !== null ? JSON.stringify(given) : given)
}

const compilers = {
  sqlite: new SqliteQueryCompiler(),
  postgres: new PostgresQueryCompiler(),
  mysql: new MysqlQueryCompiler(),
}

const queryId = createQueryId()

/** The SQL of a node without parameters. */
export const compileText = (node: OperationNode, dialect: Pick<Dialect, 'name'>): string =>
  compilers[dialect.name].compileQuery(RawNode.create(['', ''], [node]) as RootOperationNode & RawNode, queryId).sql
