/**
 * Updates and deletes of many rows on PostgreSQL by one statement: their values are arrays, one for each column, which the
 * server makes a table of, and each row that it meets says which of the call's it was met by.
 *
 * @example
 * // with "unitary_written" as (update "users" set "name" = "unitary_rows"."unitary_0"
 * //   from (select generate_series(1, $1::int) as "unitaryordinal", unnest($2::text[]) as "unitary_0",
 * //     unnest($3::integer[]) as "unitary_1") as "unitary_rows"
 * //   where "id" = "unitary_rows"."unitary_1" returning "unitary_rows"."unitaryordinal")
 * // select string_agg("unitaryordinal"::text, ',') as "unitarynumbers" from "unitary_written"
 */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  CommonTableExpressionNameNode,
  CommonTableExpressionNode,
  DeleteQueryNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  ReferenceNode,
  ReturningNode,
  SelectionNode,
  SelectQueryNode,
  sql,
  TableNode,
  UpdateQueryNode,
  UsingNode,
  WhereNode,
  WithNode,
} from 'kysely'
import type { DeleteCall, DriverRow, UpdateAnswer, UpdateCall } from './call.js'
import type { EngineError } from './error.js'
import { alias, eachBatch, inSavepoint, raw, typedArrays, typesOf } from './postgres-arrays.js'
import type { WriteConnection } from './write-connection.js'
import { computedText, kindsText, returningOf, returningSelections, tableNode } from './write-tree.js'

const written = 'unitary_written'
/** It comes back in rows, whose names plugins may change: one word stays as it is. */
const ordinal = 'unitaryordinal'
const nth = (i: number): string => `unitary_${i}`
/** The numbers of rows that were met come as one text where nothing else is asked for: it is read faster than rows are. */
const numbers = 'unitarynumbers'

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
  const asked = await typesOf(connection, call.table, columnsOf(call))
  if (isLeft(asked)) return asked
  const types = asked.right
  return types === null ? right(null) : inSavepoint(connection, () => runChunks(connection, call, types))
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
  const returning = call._tag === 'Update' ? call.returning : []
  const kinds = call._tag === 'Update' ? call.kinds : undefined
  const shape = `${call.table}\n${columnsOf(call).join('\n')}\n\n${call.where.length}\n${returning.join('\n')}`
  const computed = call._tag === 'Update' ? computedText(call.computed) : ''
  const text = connection.textOf(`${call._tag} batch\n${shape}${computed}\n${kindsText(returning, kinds)}`, () => {
    const tree = batchTree(call, types, returningSelections(returningOf(returning, kinds, connection.dialect)))
    return returning.length === 0 ? numbersTree(tree) : tree
  })
  const matched = new Array<number>(call.rows.length).fill(0)
  const returned = returning.map(() => new Array<unknown>(call.rows.length))
  const met = (at: number, number: unknown): number => {
    const index = at + Number(number) - 1
    matched[index] = (matched[index] as number) + 1
    return index
  }
  const take = (rows: ReadonlyArray<DriverRow>, at: number): boolean => {
    if (returning.length === 0) {
      const found = rows[0]?.[numbers]
      if (typeof found === 'string') for (const number of found.split(',')) met(at, number)
      return true
    }
    for (const row of rows) {
      const index = met(at, row[ordinal])
      returning.forEach((column, j) => {
        ;(returned[j] as unknown[])[index] = row[column]
      })
    }
    return true
  }
  const done = await eachBatch(connection, {
    text,
    rows: call.rows,
    columns: types.length,
    before: (size) => [size],
    take,
  })
  if (isLeft(done)) return done
  // one by one, two rows of the call may meet the same row
  return right(!done.right || (matched.includes(0) && hasRepeatedKey(call)) ? null : { matched, returned })
}

const hasRepeatedKey = (call: UpdateCall | DeleteCall): boolean => {
  const from = call._tag === 'Update' ? call.set.length : 0
  const keys = new Set(call.rows.map((row) => JSON.stringify(row.slice(from), (_, value) => spelled(value))))
  return keys.size < call.rows.length
}

const spelled = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Rows of the call as a table, each with its number. In FROM, unnest would write them down before the first is read. */
const rowsTable = (types: ReadonlyArray<string>): OperationNode => {
  const items = typedArrays(types).map((array, i) => sql`unnest(${array}) as ${sql.id(nth(i))}`)
  const numbered = [sql`generate_series(1, ${0}::int) as ${sql.id(ordinal)}`, ...items]
  return AliasNode.create(raw(sql`(select ${sql.join(numbered)})`), IdentifierNode.create(alias))
}

const given = (i: number): OperationNode => ReferenceNode.create(ColumnNode.create(nth(i)), TableNode.create(alias))

const numbersTree = (tree: UpdateQueryNode | DeleteQueryNode): SelectQueryNode => {
  const found = sql`string_agg(${sql.id(ordinal)}::text, ',')`
  return {
    ...SelectQueryNode.createFrom(
      [raw(sql`${sql.id(written)}`)],
      WithNode.create(CommonTableExpressionNode.create(CommonTableExpressionNameNode.create(written), tree)),
    ),
    selections: [SelectionNode.create(AliasNode.create(raw(found), IdentifierNode.create(numbers)))],
  }
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
