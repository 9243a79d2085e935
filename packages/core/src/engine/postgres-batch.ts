/**
 * Updates and deletes of many rows on PostgreSQL by one statement: their values are arrays, one for each column, which the
 * server makes a table of (`unnest`), and each row that it meets says which of the call's it was met by.
 *
 * @example
 * // update "users" set "name" = "unitary_rows"."unitary_0"
 * // from unnest($1::text[], $2::integer[]) with ordinality as unitary_rows(unitary_0, unitary_1, unitaryordinal)
 * // where "id" = "unitary_rows"."unitary_1" returning "unitary_rows"."unitaryordinal"
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  DeleteQueryNode,
  ExpressionWrapper,
  type OperationNode,
  OperatorNode,
  type RawBuilder,
  type RawNode,
  ReferenceNode,
  ReturningNode,
  SelectionNode,
  sql,
  TableNode,
  UpdateQueryNode,
  UsingNode,
  WhereNode,
} from 'kysely'
import type { DeleteCall, UpdateAnswer, UpdateCall } from './call.js'
import type { EngineError } from './error.js'
import { toInteger } from './from-driver.js'
import { isFaultOfRow } from './row-fault.js'
import type { WriteConnection } from './write-connection.js'
import { computedText, kindsText, returningOf, returningSelections, tableNode } from './write-tree.js'

/** Rows of one statement. */
const batchSize = 10_000

const alias = 'unitary_rows'
/** It comes back in rows, whose names plugins may change: one word stays as it is. */
const ordinal = 'unitaryordinal'
const nth = (i: number): string => `unitary_${i}`

const columnsOf = (call: UpdateCall | DeleteCall): ReadonlyArray<string> =>
  call._tag === 'Update' ? [...call.set, ...call.where] : call.where

/**
 * Runs a call of several rows in few statements. It is null, and nothing has been written, where the rows have to be run one
 * by one: some are found by NULL, an array cannot hold a column, or a statement failed, and the rows alone tell which of them
 * is at fault.
 */
export const runBatch = async (
  connection: WriteConnection,
  call: UpdateCall | DeleteCall,
): Promise<Either<EngineError, UpdateAnswer | null>> => {
  if (call.rows.length < 2 || hasNullKey(call)) return right(null)
  const types = await typesOf(connection, call)
  if (isLeft(types)) return types
  if (types.right === null) return right(null)
  const opened = await connection.savepoint('savepoint')
  if (isLeft(opened)) return opened
  const done = await runChunks(connection, call, types.right)
  // a broken connection or a deadlock is no row's fault
  if (isLeft(done)) return done
  if (done.right === null) {
    const back = await connection.savepoint('rollbackTo')
    if (isLeft(back)) return back
  }
  const released = await connection.savepoint('release')
  return isLeft(released) ? released : done
}

const hasNullKey = (call: UpdateCall | DeleteCall): boolean => {
  const from = call._tag === 'Update' ? call.set.length : 0
  return call.rows.some((row) => {
    for (let i = from; i < row.length; i++) if (row[i] === null) return true
    return false
  })
}

const runChunks = async (
  connection: WriteConnection,
  call: UpdateCall | DeleteCall,
  types: ReadonlyArray<string>,
): Promise<Either<EngineError, UpdateAnswer | null>> => {
  const { dialect } = connection
  const returning = call._tag === 'Update' ? call.returning : []
  const kinds = call._tag === 'Update' ? call.kinds : undefined
  const shape = `${call.table}\n${columnsOf(call).join('\n')}\n\n${call.where.length}\n${returning.join('\n')}`
  const computed = call._tag === 'Update' ? computedText(call.computed) : ''
  const text = connection.textOf(`${call._tag} batch\n${shape}${computed}\n${kindsText(returning, kinds)}`, () =>
    batchTree(call, types, returningSelections(returningOf(returning, kinds, dialect))),
  )
  const matched = new Array<number>(call.rows.length).fill(0)
  const returned = returning.map(() => new Array<unknown>(call.rows.length))
  for (let at = 0; at < call.rows.length; at += batchSize) {
    const rows = call.rows.slice(at, at + batchSize)
    const result = await connection.run(
      text,
      types.map((_, column) => rows.map((row) => dialect.toDriver(row[column]))),
      null,
    )
    if (isLeft(result)) return isForRows(result.left) ? right(null) : result
    for (const row of result.right.rows) {
      const index = at + (toInteger(row[ordinal]) as number) - 1
      matched[index] = (matched[index] as number) + 1
      returning.forEach((column, j) => {
        ;(returned[j] as unknown[])[index] = row[column]
      })
    }
  }
  // one by one, two rows of the call may meet the same row
  return right(matched.includes(0) && hasRepeatedKey(call) ? null : { matched, returned })
}

/** Whether running the rows alone may succeed, or tell more. */
const isForRows = (error: EngineError): boolean =>
  isFaultOfRow(error) || error.reason._tag === 'SyntaxError' || error.reason._tag === 'Unknown'

const hasRepeatedKey = (call: UpdateCall | DeleteCall): boolean => {
  const from = call._tag === 'Update' ? call.set.length : 0
  const keys = new Set(call.rows.map((row) => JSON.stringify(row.slice(from), (_, value) => spelled(value))))
  return keys.size < call.rows.length
}

const spelled = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** The types of a call's columns, asked for once; null where one of them is an array's, which no array can hold as one. */
const typesOf = async (
  connection: WriteConnection,
  call: UpdateCall | DeleteCall,
): Promise<Either<EngineError, ReadonlyArray<string> | null>> => {
  const columns = columnsOf(call)
  const key = `Types\n${call.table}\n${columns.join('\n')}`
  const known = connection.known.get(key)
  if (known !== undefined) return right(JSON.parse(known) as ReadonlyArray<string> | null)
  const text = connection.textOf(`Types of\n${call.table}\n${columns.join('\n')}`, () => typesTree(call.table, columns))
  const asked = await connection.run(text, [], null)
  if (isLeft(asked)) return left(asked.left)
  const types = JSON.parse(String(asked.right.rows[0]?.types)) as ReadonlyArray<string>
  const usable = types.every((type) => !type.endsWith('[]')) ? types : null
  connection.known.set(key, JSON.stringify(usable))
  return right(usable)
}

/** A query of the table that has no row, and tells the types of its columns: of the table as plugins call it. */
const typesTree = (table: string, columns: ReadonlyArray<string>): RawNode => {
  const types = columns.map(
    (column) => sql`format_type(pg_typeof(${expression(ReferenceNode.create(ColumnNode.create(column)))}), null)`,
  )
  const from = expression(tableNode(table))
  return raw(
    sql`select json_build_array(${sql.join(types)})::text as ${sql.id('types')} from (select 1) as ${sql.id(alias)} left join ${from} on false`,
  )
}

const expression = (node: OperationNode): ExpressionWrapper<never, never, unknown> => new ExpressionWrapper(node)

const raw = (text: RawBuilder<unknown>): RawNode => text.toOperationNode() as RawNode

const given = (i: number): OperationNode => ReferenceNode.create(ColumnNode.create(nth(i)), TableNode.create(alias))

/** The call's rows as a table: `unnest($1::text[], ...) with ordinality as unitary_rows(unitary_0, ..., unitaryordinal)`. */
const rowsTable = (types: ReadonlyArray<string>): OperationNode => {
  const arrays = types.map((type) => sql`${null}::${sql.raw(type)}[]`)
  const names = [...types.map((_, i) => nth(i)), ordinal].map((name) => sql.id(name))
  return AliasNode.create(
    raw(sql`unnest(${sql.join(arrays)}) with ordinality`),
    raw(sql`${sql.id(alias)}(${sql.join(names)})`),
  )
}

const batchTree = (
  call: UpdateCall | DeleteCall,
  types: ReadonlyArray<string>,
  asked: ReadonlyArray<SelectionNode>,
): UpdateQueryNode | DeleteQueryNode => {
  const table = tableNode(call.table)
  const set = call._tag === 'Update' ? call.set : []
  const conditions = call.where.map(
    (column, i): OperationNode =>
      BinaryOperationNode.create(
        ReferenceNode.create(ColumnNode.create(column)),
        OperatorNode.create('='),
        given(set.length + i),
      ),
  )
  const where = WhereNode.create(conditions.reduce((all, one) => AndNode.create(all, one)))
  const returning = ReturningNode.create([
    SelectionNode.create(ReferenceNode.create(ColumnNode.create(ordinal), TableNode.create(alias))),
    ...asked,
  ])
  if (call._tag === 'Delete') {
    const deleting = DeleteQueryNode.create([table])
    return { ...deleting, using: UsingNode.create([rowsTable(types)]), where, returning }
  }
  const updating = UpdateQueryNode.cloneWithUpdates(
    UpdateQueryNode.cloneWithFromItems(UpdateQueryNode.create([table]), [rowsTable(types)]),
    [
      ...call.set.map((column, i) => ColumnUpdateNode.create(ColumnNode.create(column), given(i))),
      ...(call.computed ?? []).map(({ column, expression: computed }) =>
        ColumnUpdateNode.create(ColumnNode.create(column), computed),
      ),
    ],
  )
  return { ...updating, where, returning }
}
