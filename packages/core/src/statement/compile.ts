/**
 * From a statement to SQL and parameters, for one engine.
 *
 * A tree is resolved and compiled once for each way to compile: what was made is found again by the identity of the tree,
 * and goes when the tree goes. A template that is bound again and again is compiled once; each binding only encodes its
 * values and puts them in their places.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { InsertQueryNode, type RootOperationNode, type SelectQueryNode } from 'kysely'
import type { CompiledStatement } from '../engine/call.js'
import type { Dialect } from '../engine/dialect.js'
import type { Engine } from '../engine/engine.js'
import type { ColumnKind } from '../model/column.js'
import type { Mapping } from '../model/mapping.js'
import { checkStatement } from './check.js'
import { encodeError, invalidClause, notPortable, type StatementError } from './error.js'
import { locksRows } from './lock.js'
import { portable } from './portable.js'
import { scopeOf } from './qualify.js'
import { readable } from './readable.js'
import { resolve, spelt } from './resolve.js'
import { readKinds } from './rows.js'
import { catalogOf, type Source, tableName } from './scope.js'
import { Slot } from './slot.js'
import { type AnyStatement, mappingsOf } from './statement.js'
import type { Bound } from './template.js'

/** What compiling needs of an engine. */
export type Compiler = Pick<Engine, 'compile' | 'dialect'>

/**
 * Compiles a statement or a bound template. Pure; O(1) for a tree that was compiled before.
 *
 * Engines that share one `compile` function share what was compiled.
 *
 * @example
 * compile(engine)(pipe(select(model.User), where('name', '=', 'ed')))
 * // right({ sql: 'select ... where "users"."name" = ?', parameters: ['ed'] })
 *
 * @category interpreters
 */
export const compile =
  (engine: Compiler) =>
  (statement: AnyStatement | Bound): Either<StatementError, CompiledStatement> => {
    if ('template' in statement) {
      const { template, values } = statement
      const compiled = compiledOf(engine, template.mappings, template.node)
      return isLeft(compiled) ? compiled : fill(compiled.right, values, template.width, engine.dialect)
    }
    const wrong = checkStatement(statement)
    return wrong === null
      ? compiledOf(engine, mappingsOf(statement), statement.node, readKinds(statement))
      : left(wrong)
  }

/**
 * Compiles any tree that speaks the language of a model: a query of Kysely's own builders over `Database<M>`.
 *
 * @category interpreters
 */
export const compileNode =
  (engine: Compiler, mappings: ReadonlyArray<Mapping>) =>
  (node: RootOperationNode): Either<StatementError, CompiledStatement> =>
    compiledOf(engine, mappings, node)

type Compiled = Either<StatementError, CompiledStatement>
type ByNode = WeakMap<RootOperationNode, Compiled>

const cache = new WeakMap<Engine['compile'], WeakMap<ReadonlyArray<Mapping>, ByNode>>()

const byNodeOf = (compiler: Engine['compile'], mappings: ReadonlyArray<Mapping>): ByNode => {
  let byMappings = cache.get(compiler)
  if (byMappings === undefined) {
    byMappings = new WeakMap()
    cache.set(compiler, byMappings)
  }
  let byNode = byMappings.get(mappings)
  if (byNode === undefined) {
    byNode = new WeakMap()
    byMappings.set(mappings, byNode)
  }
  return byNode
}

const compiledOf = (
  engine: Compiler,
  mappings: ReadonlyArray<Mapping>,
  node: RootOperationNode,
  kinds?: ReadonlyMap<string, ColumnKind>,
): Compiled => {
  const byNode = byNodeOf(engine.compile, mappings)
  const known = byNode.get(node)
  if (known !== undefined) return known
  const resolved =
    engine.dialect.name === 'sqlite' && locksRows(node)
      ? left(noLocks(mappings, node))
      : resolve(mappings, engine.dialect)(readable(mappings, engine.dialect, kinds)(node))
  const compiled = isLeft(resolved)
    ? resolved
    : compiledFor(engine, mappings, portable(resolved.right, engine.dialect.name))
  byNode.set(node, compiled)
  return compiled
}

const compiledFor = (engine: Compiler, mappings: ReadonlyArray<Mapping>, node: RootOperationNode): Compiled => {
  if (engine.dialect.name !== 'mysql' || !InsertQueryNode.is(node) || node.onConflict === undefined) {
    return right(engine.compile(node))
  }
  const table = node.into === undefined ? '' : tableName(node.into)
  const problem = 'what its upsert sets reads, in a circle, what it sets elsewhere, and assignments are made one by one'
  return left(notPortable(catalogOf(mappings).get(table)?.name ?? table, engine.dialect.name, problem))
}

const noLocks = (mappings: ReadonlyArray<Mapping>, node: RootOperationNode): StatementError => {
  const { mapping, name } = scopeOf(mappings, node as SelectQueryNode).sources[0] as Source
  return invalidClause(
    mapping?.name ?? name,
    'lock',
    name,
    'SQLite has no locks of rows; leave it out there, since a transaction that writes has the database to itself',
  )
}

/** The parameters with each slot's value in its place; the last key is repeated where there are too few. */
const fill = (
  compiled: CompiledStatement,
  values: ReadonlyArray<unknown>,
  width: number,
  dialect: Dialect,
): Compiled => {
  const { length } = values
  const filled: unknown[] = []
  for (const parameter of compiled.parameters) {
    if (!(parameter instanceof Slot)) {
      filled.push(parameter)
      continue
    }
    const { index, column } = parameter
    const value = values[index < length ? index : length - width + (index % width)]
    if (column === null) {
      filled.push(value)
      continue
    }
    const { mapping, attribute } = column
    try {
      filled.push(spelt(dialect, attribute, value))
    } catch (cause) {
      return left(encodeError(mapping.name, attribute.name, value, cause))
    }
  }
  return right({ sql: compiled.sql, parameters: filled })
}
