/**
 * Inserts of many rows on PostgreSQL by one statement, their values as arrays (see `postgres-arrays.ts`).
 *
 * Keys that a sequence gives are drawn by the same statement, into an array that stands beside those of the values: so each
 * key's place in it is that of its row, whatever the order in which rows are inserted, and in which RETURNING would give them.
 * It comes back as one text, which is read faster than rows are.
 *
 * @example
 * // with "unitary_source" as (select pg_get_serial_sequence('"users"', 'id')::regclass as "sequence" ...),
 * //   "unitary_key" as (select array_agg(nextval((select "sequence" from "unitary_source"))) as "unitarykeys"
 * //     from generate_series(1, 10000) ...),
 * //   "unitary_inserted" as (insert into "users" ("name", "id") select unnest($1::text[]), unnest("unitarykeys")
 * //     from "unitary_key" ...)
 * // select array_to_string("unitarykeys", ',') as "unitarykeys" from "unitary_key"
 */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import {
  AliasNode,
  ColumnNode,
  CommonTableExpressionNameNode,
  CommonTableExpressionNode,
  IdentifierNode,
  InsertQueryNode,
  type RawBuilder,
  ReturningNode,
  SelectionNode,
  SelectQueryNode,
  sql,
  WithNode,
} from 'kysely'
import type { DriverRow, InsertCall, Returned } from './call.js'
import type { EngineError } from './error.js'
import { toInteger } from './from-driver.js'
import { eachBatch, inSavepoint, isForRows, raw, typedArrays, typesOf, withoutTypes } from './postgres-arrays.js'
import { inOrder, type Matching, matchingOf, selectedBy } from './returned-rows.js'
import type { WriteConnection } from './write-connection.js'
import { kindsText, type Returning, returningOf, returningSelections, tableNode } from './write-tree.js'

const source = 'unitary_source'
const inserted = 'unitary_inserted'
const drawn = 'unitary_key'
/** The name comes back, in one word. */
const keys = 'unitarykeys'

/**
 * Runs a call of several rows in few statements. It is null, and nothing has been written, where that cannot be done: the
 * database computes columns, an array cannot hold one, nothing tells returned rows apart, the key has no sequence, or a
 * statement failed, and the rows alone tell which of them is at fault.
 */
export const runInsertBatch = async (
  connection: WriteConnection,
  call: InsertCall,
): Promise<Either<EngineError, Returned | null>> => {
  const matching = call.returning.length === 0 ? null : matchingOf(call)
  const isTold = call.returning.length === 0 || matching?._tag === 'Given' || isDrawn(call, matching)
  const isComputed = call.computed !== undefined && call.computed.length > 0
  if (call.rows.length < 2 || call.columns.length === 0 || isComputed || !isTold) return right(null)
  return inSavepoint(connection, async () => {
    const asked = await typesOf(connection, call.table, call.columns)
    // who may insert may not be one who may read
    if (isLeft(asked)) return isForRows(asked.left) ? right(withoutTypes(connection, call.table, call.columns)) : asked
    const types = asked.right
    if (types === null) return right(null)
    return isDrawn(call, matching)
      ? insertDrawing(connection, call, types, matching.key[0])
      : insertGiven(connection, call, types, matching)
  })
}

/** Are keys all that is asked for? What else is asked for is told apart by keys that are drawn before. */
const isDrawn = (
  { returning }: InsertCall,
  matching: Matching | null,
): matching is Extract<Matching, { readonly _tag: 'Counted' }> => matching?._tag === 'Counted' && returning.length === 1

/** Inserts rows with keys that the same statement draws. */
const insertDrawing = async (
  connection: WriteConnection,
  call: InsertCall,
  types: ReadonlyArray<string>,
  key: string,
): Promise<Either<EngineError, Returned | null>> => {
  const names = sequenceNames(connection, call.table, key)
  const text = connection.textOf(`Insert drawing\n${call.table}\n${call.columns.join('\n')}\n\n${key}`, () =>
    drawingTree(call, types, key),
  )
  const given: unknown[] = []
  const take = (rows: ReadonlyArray<DriverRow>, _: number, size: number): boolean => {
    const some = keysOf(rows[0]?.[keys])
    // the column has no sequence: nothing was inserted
    if (some.length !== size) return false
    for (const one of some) given.push(one)
    return true
  }
  const done = await eachBatch(connection, {
    text,
    rows: call.rows,
    columns: types.length,
    before: (size) => [...names, ...names, size],
    take,
  })
  return isLeft(done) ? done : right(done.right ? [given] : null)
}

/** Keys that came as one text; none where the column has no sequence. */
export const keysOf = (text: unknown): ReadonlyArray<unknown> =>
  typeof text === 'string' ? text.split(',').map(toInteger) : []

/** Inserts rows that bring all that they are told apart by. */
const insertGiven = async (
  connection: WriteConnection,
  call: InsertCall,
  types: ReadonlyArray<string>,
  matching: Matching | null,
): Promise<Either<EngineError, Returned | null>> => {
  const selected = selectedBy(call, matching)
  const shape = `${call.table}\n${call.columns.join('\n')}\n\n${selected.join('\n')}\n${kindsText(selected, call.kinds)}`
  const text = connection.textOf(`Insert batch\n${shape}`, () =>
    batchTree(call, types, returningOf(selected, call.kinds, connection.dialect)),
  )
  const keyOf = matching?.key.map((column) => (row: DriverRow) => row[column]) ?? []
  const answers = call.returning.map(() => new Array<unknown>(call.rows.length))
  const take = (rows: ReadonlyArray<DriverRow>, at: number, size: number): boolean => {
    if (matching === null) return true
    const ordered = inOrder(matching, rows, keyOf, call.rows, at, size)
    if (ordered === null) return false
    call.returning.forEach((column, j) => {
      const into = answers[j] as unknown[]
      for (let i = 0; i < size; i++) into[at + i] = ordered[i]?.[column]
    })
    return true
  }
  const done = await eachBatch(connection, { text, rows: call.rows, columns: types.length, before: () => [], take })
  return isLeft(done) ? done : right(done.right ? answers : null)
}

/**
 * The table and column of a key, as `pg_get_serial_sequence` takes them. Names are read from a transformed tree, so that
 * plugins that rename have their say.
 *
 * @category combinators
 */
export const sequenceNames = (
  connection: WriteConnection,
  table: string,
  key: string,
): readonly [table: string, column: string] => {
  const tree = connection.transform(
    InsertQueryNode.cloneWith(InsertQueryNode.create(tableNode(table)), { columns: [ColumnNode.create(key)] }),
  )
  const into = tree.into?.table
  const name = [into?.schema?.name, into?.identifier.name]
    .filter((part) => part !== undefined)
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
  return [name, tree.columns?.[0]?.column.name ?? key]
}

/** The sequence of a column that takes values from outside. Its parameters are the names, twice. */
export const sequenceQuery = sql`select pg_get_serial_sequence(${''}, ${''})::regclass as sequence from pg_attribute where attrelid = ${''}::regclass and attname = ${''} and attidentity <> 'a' offset 0`

const drawingTree = (call: InsertCall, types: ReadonlyArray<string>, key: string): SelectQueryNode => {
  const sequence = sql`(select sequence from ${sql.id(source)})`
  const drawing = sql`(select array_agg(nextval(${sequence})) as ${sql.id(keys)} from generate_series(1, ${0}::int) where ${sequence} is not null)`
  // without keys the other arrays would give rows all the same
  const fromDrawn = sql` from ${sql.id(drawn)} where ${sql.id(keys)} is not null`
  const insert = itemsTree(call.table, [...call.columns, key], [...typedArrays(types), sql.id(keys)], fromDrawn)
  const tables = [named(drawn, raw(drawing)), named(inserted, insert)]
  return {
    ...SelectQueryNode.createFrom(
      [raw(sql`${sql.id(drawn)}`)],
      tables.reduce(WithNode.cloneWithExpression, WithNode.create(named(source, raw(sql`(${sequenceQuery})`)))),
    ),
    selections: [
      SelectionNode.create(
        AliasNode.create(raw(sql`array_to_string(${sql.id(keys)}, ',')`), IdentifierNode.create(keys)),
      ),
    ],
  }
}

const named = (name: string, expression: Parameters<typeof CommonTableExpressionNode.create>[1]) =>
  CommonTableExpressionNode.create(CommonTableExpressionNameNode.create(name), expression)

const batchTree = (call: InsertCall, types: ReadonlyArray<string>, returning: Returning): InsertQueryNode => {
  const insert = itemsTree(call.table, call.columns, typedArrays(types), sql``)
  return returning.length === 0
    ? insert
    : { ...insert, returning: ReturningNode.create(returningSelections(returning)) }
}

/** Inserts the items of arrays that stand side by side; a table of them in FROM would be written down before it is read. */
const itemsTree = (
  table: string,
  columns: ReadonlyArray<string>,
  arrays: ReadonlyArray<RawBuilder<unknown>>,
  from: RawBuilder<unknown>,
): InsertQueryNode =>
  InsertQueryNode.cloneWith(InsertQueryNode.create(tableNode(table)), {
    columns: columns.map((column) => ColumnNode.create(column)),
    values: raw(sql`select ${sql.join(arrays.map((array) => sql`unnest(${array})`))}${from}`),
  })
