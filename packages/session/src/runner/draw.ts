/**
 * Drawing ids from the generators of one database.
 */
import { type Engine, type EngineError, type Generator, generatorName, type QueryAnswer } from '@unitary/core'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type RawBuilder, sql } from 'kysely'
import type { RequestError } from '../error.js'
import type { Draw, DrawRequest } from '../program/request.js'
import type { ShardToken } from '../state/identity-map.js'
import type { IdRange } from './blocks.js'
import { sizeOf } from './blocks.js'
import { call, type Effect } from './effect.js'
import { connectError, databaseError } from './execute.js'
import type { Transactions } from './transactions.js'

type Drawn = Either<EngineError, ReadonlyArray<IdRange>>
type Ask = (query: RawBuilder<unknown>) => Effect<Either<EngineError, QueryAnswer>>

/**
 * As many ids of a generator as are asked for: what is left of its blocks, then what its database gives.
 *
 * @category interpreters
 */
export function* runDraw(
  transactions: Transactions,
  engine: Engine,
  token: ShardToken | null,
  { count, generator }: Draw,
): Effect<Either<RequestError, ReadonlyArray<bigint>>> {
  const name = generatorKey(generator)
  const kept = transactions.blocks.take(engine, token, name, count)
  const missing = count - sizeOf(kept)
  if (missing === 0) return right(idsIn(kept))
  const connection = yield* transactions.connection(token, engine)
  if (isLeft(connection)) return left(connectError(token, connection.left))
  const ask: Ask = (query) =>
    call(connection.right, { _tag: 'Query', statement: engine.compile(query.toOperationNode() as never) })
  const drawn = yield* generator._tag === 'Sequence'
    ? drawSequence(ask, engine, generator.name, generator.block, missing)
    : drawCounter(ask, engine, generator.table, generator.name, Math.ceil(missing / generator.block) * generator.block)
  if (isLeft(drawn)) {
    return left(databaseError(`draw ids from ${generatorName(generator)}`, null, token, drawn.left))
  }
  return right(idsIn([...kept, ...transactions.blocks.keep(engine, token, name, drawn.right, missing)]))
}

/**
 * The ids of a request, generator by generator.
 *
 * @category interpreters
 */
export function* drawAll(
  { draws }: DrawRequest,
  run: (draw: Draw) => Effect<Either<RequestError, ReadonlyArray<bigint>>>,
): Effect<Either<RequestError, ReadonlyArray<ReadonlyArray<bigint>>>> {
  const drawn: Array<ReadonlyArray<bigint>> = []
  for (const draw of draws) {
    const ids = yield* run(draw)
    if (isLeft(ids)) return ids
    drawn.push(ids.right)
  }
  return right(drawn)
}

/** What is left of a block of one size means nothing to those of another. */
const generatorKey = (generator: Generator): string =>
  generator._tag === 'Sequence'
    ? `sequence ${generator.block} ${generator.name}`
    : `counter ${generator.table} ${generator.name}`

const idsIn = (ranges: ReadonlyArray<IdRange>): ReadonlyArray<bigint> => {
  const ids: bigint[] = []
  for (const { from, to } of ranges) for (let id = from; id < to; id++) ids.push(id)
  return ids
}

/** Drivers give integers as numbers, as text, or as they are. */
const integerOf = (value: unknown): bigint =>
  typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint' ? BigInt(value) : 0n

/** A name as PostgreSQL reads it out of text, which is folded to lower case where it is not quoted. */
const quoted = (name: string): string =>
  name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')

/** Values that one statement draws at the most: MariaDB recurses no deeper than a thousand times. */
const valuesPerStatement = 500

function* drawSequence(
  ask: Ask,
  { dialect, layout }: Engine,
  name: string,
  block: number,
  count: number,
): Effect<Drawn> {
  const ranges: IdRange[] = []
  const size = BigInt(block)
  for (let missing = Math.ceil(count / block); missing > 0; missing -= valuesPerStatement) {
    const rows = Math.min(missing, valuesPerStatement)
    const answer = yield* ask(
      dialect.name === 'postgres'
        ? sql`select nextval(cast(cast(${quoted(layout?.names.table(name) ?? name)} as text) as regclass)) as id from generate_series(1, cast(${rows} as integer))`
        : sql`with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows}) select nextval(${sql.table(name)}) as id from n`,
    )
    if (isLeft(answer)) return answer
    for (const { id } of answer.right.rows) {
      const high = integerOf(id)
      ranges.push({ from: (high - 1n) * size + 1n, to: high * size + 1n })
    }
  }
  return right(ranges)
}

function* drawCounter(ask: Ask, engine: Engine, table: string, name: string, count: number): Effect<Drawn> {
  const counter: Counting = { from: sql.table(table), name, count }
  const answer = yield* engine.dialect.name === 'mysql'
    ? countOnMysql(ask, engine, counter)
    : countByUpdate(ask, engine, counter)
  if (isLeft(answer)) return answer
  const next = integerOf(answer.right.rows[0]?.next)
  return right([{ from: next - BigInt(count), to: next }])
}

interface Counting {
  readonly from: RawBuilder<unknown>
  readonly name: string
  readonly count: number
}

const [nameOf, nextOf] = [sql.ref('name'), sql.ref('next')]

const nextIn = ({ from, name }: Counting): RawBuilder<unknown> =>
  sql`select ${nextOf} from ${from} where ${nameOf} = ${name}`

/** The update comes first, so that two who draw at once get different ids. */
function* countByUpdate(
  ask: Ask,
  { capabilities }: Engine,
  counter: Counting,
): Effect<Either<EngineError, QueryAnswer>> {
  const { count, from, name } = counter
  const returning = capabilities.returning.update ? sql` returning ${nextOf}` : sql``
  const counted = sql`update ${from} set ${nextOf} = ${nextOf} + ${count} where ${nameOf} = ${name}${returning}`
  let answer = yield* ask(counted)
  if (isLeft(answer)) return answer
  if (Math.max(answer.right.affected, answer.right.rows.length) === 0) {
    const made = yield* ask(
      sql`insert into ${from} (${nameOf}, ${nextOf}) values (${name}, ${1}) on conflict do nothing`,
    )
    if (isLeft(made)) return made
    answer = yield* ask(counted)
    if (isLeft(answer)) return answer
  }
  return answer.right.rows.length > 0 ? answer : yield* ask(nextIn(counter))
}

/**
 * An update that finds no row locks the gap where it would be, in which two who draw for the first time would then wait for each
 * other: here the insert comes first.
 */
function* countOnMysql(
  ask: Ask,
  { capabilities }: Engine,
  counter: Counting,
): Effect<Either<EngineError, QueryAnswer>> {
  const { count, from, name } = counter
  const returning = capabilities.returning.insert ? sql` returning ${nextOf}` : sql``
  const answer = yield* ask(
    sql`insert into ${from} (${nameOf}, ${nextOf}) values (${name}, ${1 + count}) on duplicate key update ${nextOf} = ${nextOf} + ${count}${returning}`,
  )
  return isLeft(answer) || answer.right.rows.length > 0 ? answer : yield* ask(nextIn(counter))
}
