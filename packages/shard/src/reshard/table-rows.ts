/**
 * Rows of one table on one connection, whole and past any session: read by key or page by page, written, deleted. Their values
 * are portable ones, the same on every database.
 */
import type { Connection, Engine, EngineError } from '@unitary/core'
import { call, type Effect } from '@unitary/session'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import { ColumnNode, type Expression, ExpressionWrapper, type RawBuilder, ReferenceNode, sql } from 'kysely'
import { queryOf } from '../commit/decision.js'
import type { MovedColumn, MovedTable } from './moved-tables.js'

/** The values of the columns that were asked for, in their order. */
export type Cells = ReadonlyArray<unknown>

/** A shard that is being talked to. */
export interface At {
  readonly token: string
  readonly engine: Engine
  readonly connection: Connection
}

/** Values that one statement looks for at the most. */
const valuesPerStatement = 500

/** The rows that have these values, in the order of the table's key; locked, where the database can and that is wanted. */
export function* rowsWith(
  at: At,
  { key, table }: Pick<MovedTable, 'key' | 'table'>,
  columns: ReadonlyArray<MovedColumn>,
  by: ReadonlyArray<MovedColumn>,
  values: ReadonlyArray<Cells>,
  lock: boolean,
): Effect<Either<EngineError, ReadonlyArray<Cells>>> {
  const found: Cells[] = []
  const chunk = Math.max(Math.floor(valuesPerStatement / by.length), 1)
  for (let from = 0; from < values.length; from += chunk) {
    const condition = anyOf(at.engine, by, values.slice(from, from + chunk))
    const locking = lock && at.engine.dialect.name !== 'sqlite' ? sql` for update` : sql``
    const rows = yield* read(
      at,
      columns,
      sql`from ${sql.table(table)} where ${condition} order by ${listOf(key)}${locking}`,
    )
    if (isLeft(rows)) return rows
    for (const row of rows.right) found.push(row)
  }
  return right(found)
}

/** The next rows after a key, in its order; from the beginning where it is null. */
export function* pageAfter(
  at: At,
  { key, table }: MovedTable,
  columns: ReadonlyArray<MovedColumn>,
  after: Cells | null,
  limit: number,
): Effect<Either<EngineError, ReadonlyArray<Cells>>> {
  const condition = after === null ? sql`` : sql`where ${beyond(at.engine, key, after)}`
  return yield* read(
    at,
    columns,
    sql`from ${sql.table(table)} ${condition} order by ${listOf(key)} limit ${sql.lit(limit)}`,
  )
}

/** How many rows refer by these columns to none that is there. */
export function* countWithout(
  at: At,
  { table }: MovedTable,
  foreignKey: ReadonlyArray<MovedColumn>,
  parent: MovedTable,
  key: ReadonlyArray<MovedColumn>,
): Effect<Either<EngineError, number>> {
  const child = sql.table(table)
  const isSet = sql.join(
    foreignKey.map(({ name }) => sql`child.${sql.id(name)} is not null`),
    sql` and `,
  )
  const isTheirs = sql.join(
    foreignKey.map(({ name }, i) => sql`parent.${sql.id((key[i] as MovedColumn).name)} = child.${sql.id(name)}`),
    sql` and `,
  )
  const counted = yield* call(
    at.connection,
    queryOf(
      at.engine,
      sql`select count(*) as stray from ${child} child where ${isSet} and not exists (select 1 from ${sql.table(parent.table)} parent where ${isTheirs})`,
    ),
  )
  return isLeft(counted) ? counted : right(Number(counted.right.rows[0]?.stray ?? 0))
}

/** Inserts whole rows. */
export function* insertRows(
  at: At,
  { columns, key, table }: MovedTable,
  rows: ReadonlyArray<Cells>,
): Effect<Either<EngineError, undefined>> {
  if (rows.length === 0) return right(undefined)
  const inserted = yield* call(at.connection, {
    _tag: 'Insert',
    table,
    columns: columns.map(({ name }) => name),
    rows: written(at.engine, columns, rows),
    key: key.map(({ name }) => name),
    returning: [],
  })
  return isLeft(inserted) ? inserted : right(undefined)
}

/** Deletes rows by key; answers how many were there. */
export function* deleteRows(
  at: At,
  { key, table }: MovedTable,
  keys: ReadonlyArray<Cells>,
): Effect<Either<EngineError, number>> {
  if (keys.length === 0) return right(0)
  const deleted = yield* call(at.connection, {
    _tag: 'Delete',
    table,
    where: key.map(({ name }) => name),
    rows: written(at.engine, key, keys),
  })
  return isLeft(deleted) ? deleted : right(deleted.right.reduce((sum, count) => sum + count, 0))
}

/** The keys that are not among others. */
export const without = (keys: ReadonlyArray<Cells>, others: ReadonlyArray<Cells>): ReadonlyArray<Cells> => {
  const known = new Set(others.map((key) => JSON.stringify(key)))
  return keys.filter((key) => !known.has(JSON.stringify(key)))
}

/** The places of some columns among others. */
export const placesOf = (
  some: ReadonlyArray<MovedColumn>,
  columns: ReadonlyArray<MovedColumn>,
): ReadonlyArray<number> => some.map(({ name }) => columns.findIndex((column) => column.name === name))

const written = (
  { dialect }: Engine,
  columns: ReadonlyArray<MovedColumn>,
  rows: ReadonlyArray<Cells>,
): ReadonlyArray<Cells> => {
  const writes = columns.map(({ kind }) => dialect.written(kind))
  if (writes.every((write) => write === null)) return rows
  return rows.map((row) => row.map((value, i) => writes[i]?.(value) ?? value))
}

function* read(
  { connection, engine }: At,
  columns: ReadonlyArray<MovedColumn>,
  rest: RawBuilder<unknown>,
): Effect<Either<EngineError, ReadonlyArray<Cells>>> {
  const { dialect } = engine
  const selected = sql.join(columns.map((column) => selection(engine, column)))
  const answer = yield* call(connection, queryOf(engine, sql`select ${selected} ${rest}`))
  if (isLeft(answer)) return answer
  const convert = columns.map(({ kind }) => dialect.fromDriver(kind))
  return right(
    answer.right.rows.map((row) =>
      columns.map(({ name }, i) => {
        const value = row[name]
        return value === null || value === undefined ? null : (convert[i]?.(value) ?? value)
      }),
    ),
  )
}

/** As its driver gives it unchanged. */
const selection = ({ dialect }: Engine, { kind, name }: MovedColumn): RawBuilder<unknown> => {
  const selected = dialect.selectedAs(kind)
  if (selected === null) return sql`${sql.id(name)}`
  const column = ReferenceNode.create(ColumnNode.create(name))
  const given: Expression<unknown> = new ExpressionWrapper(selected.by?.(column) ?? column)
  return sql`cast(${given} as ${sql.raw(selected.type)}) as ${sql.id(name)}`
}

const anyOf = (engine: Engine, by: ReadonlyArray<MovedColumn>, values: ReadonlyArray<Cells>): RawBuilder<unknown> => {
  const rows = written(engine, by, values)
  const [only, another] = by
  if (only !== undefined && another === undefined) {
    return sql`${sql.id(only.name)} in (${sql.join(rows.map(([value]) => sql`${value}`))})`
  }
  return sql.join(
    rows.map(
      (row) =>
        sql`(${sql.join(
          by.map(({ name }, i) => sql`${sql.id(name)} = ${row[i]}`),
          sql` and `,
        )})`,
    ),
    sql` or `,
  )
}

/** Keys that come after another, part by part. */
const beyond = (engine: Engine, key: ReadonlyArray<MovedColumn>, after: Cells): RawBuilder<unknown> => {
  const [given = []] = written(engine, key, [after])
  const from = (i: number): RawBuilder<unknown> => {
    const name = sql.id((key[i] as MovedColumn).name)
    return i === key.length - 1
      ? sql`${name} > ${given[i]}`
      : sql`(${name} > ${given[i]} or (${name} = ${given[i]} and ${from(i + 1)}))`
  }
  return from(0)
}

const listOf = (columns: ReadonlyArray<MovedColumn>): RawBuilder<unknown> =>
  sql.join(columns.map(({ name }) => sql.id(name)))
