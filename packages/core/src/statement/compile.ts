/**
 * From a statement to SQL and parameters, for one engine.
 *
 * Each shape of a tree (see `shape.ts`) is resolved and compiled once, with places for its values; every other tree of the
 * shape only has its values encoded and put in their places. A template that is bound again and again is found by its
 * identity.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { InsertQueryNode, type RootOperationNode, type SelectQueryNode } from 'kysely'
import type { CompiledStatement } from '../engine/call.js'
import type { Dialect } from '../engine/dialect.js'
import type { Engine } from '../engine/engine.js'
import type { ColumnKind } from '../model/column.js'
import type { Mapping } from '../model/mapping.js'
import { checkStatement } from './check.js'
import { type CompileCache, type CompiledShape, type CompileStatistics, compileCache } from './compile-cache.js'
import { encodeError, invalidClause, notPortable, type StatementError } from './error.js'
import { locksRows } from './lock.js'
import { portable } from './portable.js'
import { scopeOf } from './qualify.js'
import { readable } from './readable.js'
import { resolve } from './resolve.js'
import { noKinds, readKinds } from './rows.js'
import { hasTokens, type Shape, shapeOf } from './shape.js'
import { Slot } from './slot.js'
import { slotted } from './slotted.js'
import { catalogOf, type Source as TableSource, tableName } from './source.js'
import { isSpelt, spelt } from './spell.js'
import { type AnyStatement, mappingsOf } from './statement.js'
import type { Bound, Template } from './template.js'

/** What compiling needs of an engine. */
export type Compiler = Pick<Engine, 'compile' | 'dialect' | 'compiledStatements'>

/**
 * Compiles a statement or a bound template. Pure; statements that differ in values only are compiled once.
 *
 * A list of values after IN is made as long as the next power of two by repeating its last value, so that lists of varying
 * length share what is compiled. Kept are statements of at most 2,048 parameters and 16,384 characters; larger ones are
 * compiled each time, as they are written.
 *
 * Engines that share one `compile` function share what was compiled.
 *
 * @example
 * compile(engine)(pipe(select(model.User), where('name', '=', 'ed')))
 * // right({ sql: 'select ... where "users"."name" = ?', parameters: ['ed'] })
 *
 * @see {@link compileStatistics} for how often that is
 * @category interpreters
 */
export const compile =
  (engine: Compiler) =>
  (statement: AnyStatement | Bound): Either<StatementError, CompiledStatement> => {
    if ('template' in statement) {
      const compiled = compiledTemplate(engine, statement.template)
      return isLeft(compiled)
        ? compiled
        : fill(compiled.right, statement.values, statement.template.width, engine.dialect)
    }
    const wrong = checkStatement(statement)
    if (wrong !== null) return left(wrong)
    return compiledOf({ engine, mappings: mappingsOf(statement), node: statement.node, kinds: readKinds(statement) })
  }

/**
 * Compiles any tree that speaks the language of a model: a query of Kysely's own builders over `Database<M>`.
 *
 * @category interpreters
 */
export const compileNode =
  (engine: Compiler, mappings: ReadonlyArray<Mapping>) =>
  (node: RootOperationNode): Either<StatementError, CompiledStatement> =>
    compiledOf({ engine, mappings, node, kinds: noKinds })

/**
 * How the compiled statements of an engine are used: how many are held, and how often one was found.
 *
 * @example
 * compileStatistics(engine) // { size: 12, capacity: 500, hits: 40_112, misses: 12, evictions: 0 }
 *
 * @category interpreters
 */
export const compileStatistics = (engine: Compiler): CompileStatistics => compiledBy(engine).shapes.statistics()

/** What is compiled, and all that it is compiled by. */
interface Source {
  readonly engine: Compiler
  readonly mappings: ReadonlyArray<Mapping>
  readonly node: RootOperationNode
  /** What was said of how columns of the result are read. */
  readonly kinds: ReadonlyMap<string, ColumnKind>
}

type Compiled = Either<StatementError, CompiledStatement>
type ByNode = WeakMap<RootOperationNode, Compiled>

/** What was compiled by one function for one dialect. */
interface CompiledBy {
  readonly dialect: Dialect
  readonly shapes: CompileCache
  /** Templates, and trees that have no shape: they are gone when the tree is. */
  readonly trees: WeakMap<ReadonlyArray<Mapping>, ByNode>
}

const caches = new WeakMap<Engine['compile'], ReadonlyArray<CompiledBy>>()

const defaultCapacity = 500

const compiledBy = ({ compile: compiler, dialect, compiledStatements = defaultCapacity }: Compiler): CompiledBy => {
  const known = caches.get(compiler) ?? []
  for (const some of known) if (some.dialect === dialect) return some
  const made = { dialect, shapes: compileCache(compiledStatements), trees: new WeakMap() }
  caches.set(compiler, [...known, made])
  return made
}

const byNodeOf = ({ trees }: CompiledBy, mappings: ReadonlyArray<Mapping>): ByNode => {
  const known = trees.get(mappings)
  if (known !== undefined) return known
  const made: ByNode = new WeakMap()
  trees.set(mappings, made)
  return made
}

/** What was compiled of the very tree, or is now. */
const byIdentity = ({ engine, mappings, node }: Omit<Source, 'kinds'>, make: () => Compiled): Compiled => {
  const by = compiledBy(engine)
  const byNode = byNodeOf(by, mappings)
  const known = byNode.get(node)
  if (known !== undefined) {
    by.shapes.hit()
    return known
  }
  const made = make()
  byNode.set(node, made)
  return made
}

const compiledTemplate = (engine: Compiler, { mappings, node }: Template): Compiled =>
  byIdentity({ engine, mappings, node }, () => compiledOf({ engine, mappings, node, kinds: noKinds }))

const compiledOf = (source: Source): Compiled => {
  const { engine, kinds, mappings, node } = source
  const { shapes } = compiledBy(engine)
  const shape = shapes.capacity === 0 ? null : shapeOf(node)
  if (shape === null) return compiledAsWritten(source)
  const { hash, values } = shape
  let known = shapes.find(mappings, kinds, shape)
  if (known === null) {
    known = compiledShape(source, shape)
    if (known === null) return compiledAsWritten(source)
    shapes.miss()
    if (sizeOf(known) <= mostCharacters) shapes.keep(hash, known)
  }
  const { compiled, isPlain } = known
  if (isPlain) return right({ sql: compiled.sql, parameters: values })
  const filled = fill(compiled, values, 1, engine.dialect)
  // of several values that cannot be encoded, the tree says which is the first
  return isLeft(filled) ? compileTree(source, node) : filled
}

const compiledAsWritten = (source: Source): Compiled =>
  byIdentity(source, () => {
    compiledBy(source.engine).shapes.miss()
    return compileTree(source, source.node)
  })

const compileTree = ({ engine, kinds, mappings }: Source, node: RootOperationNode): Compiled => {
  if (engine.dialect.name === 'sqlite' && locksRows(node)) return left(noLocks(mappings, node))
  const resolved = resolve(mappings, engine.dialect)(readable(mappings, engine.dialect, kinds)(node))
  return isLeft(resolved) ? resolved : compiledFor(engine, mappings, portable(resolved.right, engine.dialect.name))
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
  const { mapping, name } = scopeOf(mappings, node as SelectQueryNode).sources[0] as TableSource
  return invalidClause(
    mapping?.name ?? name,
    'lock',
    name,
    'SQLite has no locks of rows; leave it out there, since a transaction that writes has the database to itself',
  )
}

/** Characters of the largest shape that is kept, in its names and its SQL. */
const mostCharacters = 16_384

const sizeOf = ({ tokens, characters, compiled }: CompiledShape): number =>
  tokens.length + characters + compiled.sql.length

/** The tree with places for its values, compiled; null where it is not certain that they are all that differs. */
const compiledShape = (source: Source, shape: Shape): CompiledShape | null => {
  const { engine, kinds, mappings } = source
  const { length, characters, values } = shape
  const tokens = shape.tokens.slice(0, length)
  const places = slotted(source.node)
  const again = shapeOf(places)
  if (again === null || again.values.length !== values.length || !hasTokens(tokens, again)) return null
  const positions = new Map(again.values.map((place, i) => [place instanceof Slot ? place.index : null, i]))
  const compiled = compileTree(source, places)
  if (isLeft(compiled)) return null
  const { sql } = compiled.right
  const placed = new Set<number>()
  const parameters = compiled.right.parameters.map((parameter) => {
    if (!(parameter instanceof Slot)) return parameter
    const position = positions.get(parameter.index) ?? 0
    placed.add(position)
    const { column } = parameter
    // what is written as it is takes no time
    return new Slot(position, column !== null && isSpelt(engine.dialect, column.attribute) ? column : null)
  })
  // a value that SQL has no place for has to be encoded all the same
  if (placed.size !== values.length) return null
  const isPlain = parameters.every((each, i) => each instanceof Slot && each.index === i && each.column === null)
  return { mappings, kinds, tokens, characters, compiled: { sql, parameters }, isPlain }
}

/** The parameters with each slot's value in its place; the last key is repeated where there are too few. */
const fill = (
  { sql, parameters }: CompiledStatement,
  values: ReadonlyArray<unknown>,
  width: number,
  dialect: Dialect,
): Compiled => {
  const { length } = values
  const filled: unknown[] = []
  for (const parameter of parameters) {
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
    if (value instanceof Slot) {
      // a template's, which learns what encodes its values
      filled.push(new Slot(value.index, column))
      continue
    }
    const { mapping, attribute } = column
    try {
      filled.push(spelt(dialect, attribute, value))
    } catch (cause) {
      return left(encodeError(mapping.name, attribute.name, value, cause))
    }
  }
  return right({ sql, parameters: filled })
}
