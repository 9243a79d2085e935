/**
 * Rows of a call as arrays, one for each column, of which PostgreSQL makes a table (`unnest`): ten thousand rows a statement,
 * whose text is the same however many they are.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  ColumnNode,
  ExpressionWrapper,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  type RawBuilder,
  type RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  sql,
} from 'kysely'
import type { Dialect } from './dialect.js'
import type { EngineError } from './error.js'
import { isFaultOfRow } from './row-fault.js'
import type { WriteConnection } from './write-connection.js'
import { tableNode } from './write-tree.js'

/** Rows of one statement. */
export const batchSize = 10_000

export const alias = 'unitary_rows'
/** It comes back in rows, whose names plugins may change: one word stays as it is. */
export const ordinal = 'unitaryordinal'
export const nth = (i: number): string => `unitary_${i}`

/** The values of each column, as the driver takes them. */
export const arraysOf = (
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  columns: number,
  { toDriver }: Dialect,
): unknown[][] => {
  const arrays: unknown[][] = []
  for (let column = 0; column < columns; column++) {
    const values = new Array<unknown>(rows.length)
    for (let i = 0; i < rows.length; i++) values[i] = toDriver(rows[i]?.[column])
    arrays.push(values)
  }
  return arrays
}

/** Runs statements of many rows; what they wrote is undone where they come to nothing, so that the rows can be run alone. */
export const inSavepoint = async <A>(
  connection: WriteConnection,
  work: () => Promise<Either<EngineError, A | null>>,
): Promise<Either<EngineError, A | null>> => {
  const opened = await connection.savepoint('savepoint')
  if (isLeft(opened)) return opened
  const done = await work()
  // a broken connection or a deadlock is no row's fault
  if (isLeft(done)) return done
  if (done.right === null) {
    const back = await connection.savepoint('rollbackTo')
    if (isLeft(back)) return back
  }
  const released = await connection.savepoint('release')
  return isLeft(released) ? released : done
}

/** A table with rules, say, takes no write within another statement. */
const alone: ReadonlySet<EngineError['reason']['_tag']> = new Set(['SyntaxError', 'Unknown', 'Unsupported'])

/** Whether running the rows alone may succeed, or tell more. */
export const isForRows = (error: EngineError): boolean => isFaultOfRow(error) || alone.has(error.reason._tag)

/** The types of columns, asked for once; null where one of them is an array's, which no array can hold as one. */
export const typesOf = async (
  connection: WriteConnection,
  table: string,
  columns: ReadonlyArray<string>,
): Promise<Either<EngineError, ReadonlyArray<string> | null>> => {
  const key = typesKey(table, columns)
  const known = connection.known.get(key)
  if (known !== undefined) return right(JSON.parse(known) as ReadonlyArray<string> | null)
  const text = connection.textOf(`Types of\n${table}\n${columns.join('\n')}`, () => typesTree(table, columns))
  const asked = await connection.run(text, [], null)
  if (isLeft(asked)) return left(asked.left)
  const types = JSON.parse(String(asked.right.rows[0]?.types)) as ReadonlyArray<string>
  const usable = types.every((type) => !type.endsWith('[]')) ? types : null
  connection.known.set(key, JSON.stringify(usable))
  return right(usable)
}

const typesKey = (table: string, columns: ReadonlyArray<string>): string => `Types\n${table}\n${columns.join('\n')}`

/** Types that cannot be asked for are not asked for again. */
export const withoutTypes = (connection: WriteConnection, table: string, columns: ReadonlyArray<string>): null => {
  connection.known.set(typesKey(table, columns), JSON.stringify(null))
  return null
}

/**
 * A query of the table that has no row, and tells the types of its columns: of the table as plugins call it. Without a length,
 * which a cast would cut values down to.
 */
const typesTree = (table: string, columns: ReadonlyArray<string>): SelectQueryNode => {
  const types = columns.map(
    (column) => sql`format_type(pg_typeof(${expression(ReferenceNode.create(ColumnNode.create(column)))}), -1)`,
  )
  const found = sql`json_build_array(${sql.join(types)})::text`
  return {
    ...SelectQueryNode.createFrom([AliasNode.create(raw(sql`(select 1)`), IdentifierNode.create(alias))]),
    selections: [SelectionNode.create(AliasNode.create(raw(found), IdentifierNode.create('types')))],
    joins: [JoinNode.createWithOn('LeftJoin', tableNode(table), raw(sql`false`))],
  }
}

export const expression = (node: OperationNode): ExpressionWrapper<never, never, unknown> => new ExpressionWrapper(node)

export const raw = (text: RawBuilder<unknown>): RawNode => text.toOperationNode() as RawNode

/** Rows as a table: `unnest($1::text[], ...) with ordinality as unitary_rows(unitary_0, ..., unitaryordinal)`. */
export const rowsTable = (types: ReadonlyArray<string>): OperationNode => {
  const arrays = types.map((type) => sql`${null}::${sql.raw(type)}[]`)
  const names = [...types.map((_, i) => nth(i)), ordinal].map((name) => sql.id(name))
  return AliasNode.create(
    raw(sql`unnest(${sql.join(arrays)}) with ordinality`),
    raw(sql`${sql.id(alias)}(${sql.join(names)})`),
  )
}
