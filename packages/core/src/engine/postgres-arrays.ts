/**
 * Rows of a call as arrays, one for each column, of which PostgreSQL makes rows again (`unnest`): ten thousand rows a statement,
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
import type { DriverRow } from './call.js'
import type { Dialect } from './dialect.js'
import type { EngineError } from './error.js'
import { arrayText } from './postgres-array-text.js'
import { isFaultOfRow } from './row-fault.js'
import type { WriteConnection } from './write-connection.js'
import { tableNode } from './write-tree.js'

/** Rows of one statement. */
const batchSize = 10_000

export const alias = 'unitary_rows'

/** The values of each column, as text or as the driver takes them. */
const arraysOf = (
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  from: number,
  size: number,
  columns: number,
  { toDriver }: Dialect,
): unknown[] => {
  const arrays: unknown[] = []
  for (let column = 0; column < columns; column++) {
    const values = new Array<unknown>(size)
    for (let i = 0; i < size; i++) values[i] = toDriver(rows[from + i]?.[column])
    arrays.push(arrayText(values) ?? values)
  }
  return arrays
}

/** A statement for many rows. */
export interface Batches {
  readonly text: string
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  readonly columns: number
  /** Parameters before those of the columns, for so many rows. */
  readonly before: (size: number) => ReadonlyArray<unknown>
  /** Takes what came back for rows from one on; false where it cannot be taken. */
  readonly take: (rows: ReadonlyArray<DriverRow>, at: number, size: number) => boolean
}

/**
 * Runs a statement for ten thousand rows at a time, until one fails or its answer is not taken: then it is false, where the
 * rows alone may succeed or tell more. While the server is at it, the arrays of the next ten thousand are written.
 */
export const eachBatch = async (
  connection: WriteConnection,
  { before, columns, rows, take, text }: Batches,
): Promise<Either<EngineError, boolean>> => {
  const sizeAt = (at: number): number => Math.min(batchSize, rows.length - at)
  const parametersAt = (at: number): ReadonlyArray<unknown> => [
    ...before(sizeAt(at)),
    ...arraysOf(rows, at, sizeAt(at), columns, connection.dialect),
  ]
  let parameters = parametersAt(0)
  for (let at = 0; at < rows.length; at += batchSize) {
    const running = connection.run(text, parameters, null)
    try {
      if (at + batchSize < rows.length) {
        await sent()
        parameters = parametersAt(at + batchSize)
      }
    } finally {
      // nothing else is asked of the connection before it has answered
      await running
    }
    const result = await running
    if (isLeft(result)) return isForRows(result.left) ? right(false) : result
    if (!take(result.right.rows, at, sizeAt(at))) return right(false)
  }
  return right(true)
}

/** A driver sends in the turn of the event loop in which it is asked, but not at once. */
const sent = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

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

const expression = (node: OperationNode): ExpressionWrapper<never, never, unknown> => new ExpressionWrapper(node)

export const raw = (text: RawBuilder<unknown>): RawNode => text.toOperationNode() as RawNode

/** Parameters, each an array of a type: `$1::text[], ...`. */
export const typedArrays = (types: ReadonlyArray<string>): ReadonlyArray<RawBuilder<unknown>> =>
  types.map((type) => sql`${null}::${sql.raw(type)}[]`)
