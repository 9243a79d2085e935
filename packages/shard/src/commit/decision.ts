/**
 * Decisions: a row for each transaction under its name, on the shard that decides it.
 *
 * Who commits inserts `commit` in the same transaction as its last writes; who gives a transaction up inserts `abort`. The
 * primary key lets one of them through, whoever is slow, and the other finds out.
 */
import type { Answer, Connection, Engine, EngineCall, EngineError, QueryAnswer, QueryCall } from '@unitary/core'
import type { Effect } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type RawBuilder, type RawNode, sql } from 'kysely'
import { commitsTable } from './tables.js'
import { callWithin } from './within.js'

/** What has become of a transaction. */
export interface Decision {
  readonly outcome: 'commit' | 'abort'
  readonly digest: string | null
}

/** What is written down of a transaction that commits. */
export interface Committing {
  readonly transaction: string
  readonly shards: ReadonlyArray<string>
  readonly digest: string | null
  readonly now: Date
}

/** A statement of this module's own. */
export const queryOf = (engine: Engine, statement: RawBuilder<unknown>): QueryCall => ({
  _tag: 'Query',
  statement: engine.compile(statement.toOperationNode() as RawNode),
})

const table = sql.table(commitsTable)

/** Of a transaction that is committed with it. Durable, too, where PostgreSQL has been told not to wait for its disk. */
export const recordCall = (engine: Engine, { digest, now, shards, transaction }: Committing): QueryCall => {
  const values = sql`${transaction}, ${'commit'}, ${JSON.stringify(shards)}, ${digest}, ${now.toISOString()}`
  const columns = sql`(id, outcome, shards, digest, decided_at)`
  return queryOf(
    engine,
    engine.dialect.name === 'postgres'
      ? sql`insert into ${table} ${columns} select ${values} from set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, true)`
      : sql`insert into ${table} ${columns} values (${values})`,
  )
}

/** A statement outside any transaction. */
type Ask = <C extends EngineCall>(call: C) => Effect<Either<EngineError, Answer<C>>>

function* lookUp(ask: Ask, engine: Engine, transaction: string): Effect<Either<EngineError, Decision | null>> {
  const found = yield* ask(queryOf(engine, sql`select outcome, digest from ${table} where id = ${transaction}`))
  if (isLeft(found)) return found
  const [row] = (found.right as QueryAnswer).rows
  if (row === undefined) return right(null)
  return right({
    outcome: row.outcome === 'commit' ? 'commit' : 'abort',
    digest: typeof row.digest === 'string' ? row.digest : null,
  })
}

/**
 * What has become of a transaction, once and for all: where nothing is decided it is given up now, so that whoever still
 * means to commit it fails.
 */
export function* settle(
  connection: Connection,
  engine: Engine,
  transaction: string,
  now: Date,
  ms: number,
): Effect<Either<EngineError, Decision>> {
  const ask: Ask = (asked) => callWithin(connection, asked, ms)
  const found = yield* lookUp(ask, engine, transaction)
  if (isLeft(found)) return found
  if (found.right !== null) return right(found.right)
  // waits for a transaction that has inserted its record and is neither committed nor rolled back
  const forbidden = yield* ask({
    _tag: 'Insert',
    table: commitsTable,
    columns: ['id', 'outcome', 'shards', 'digest', 'decided_at'],
    rows: [[transaction, 'abort', '[]', null, now.toISOString()]],
    key: ['id'],
    returning: [],
  })
  if (!isLeft(forbidden)) return right({ outcome: 'abort', digest: null })
  if (forbidden.left.reason._tag !== 'UniqueViolation') return forbidden
  const decided = yield* lookUp(ask, engine, transaction)
  if (isLeft(decided)) return decided
  return decided.right === null ? left(forbidden.left) : right(decided.right)
}

/** Forgets decisions of an application that nobody can ask for any more. Answers how many. */
export function* forget(
  connection: Connection,
  engine: Engine,
  application: string,
  before: Date,
  kept: ReadonlyArray<string>,
  ms: number,
): Effect<Either<EngineError, number>> {
  // names have no character that LIKE takes for another but _, which may stand for itself
  const ours = sql`id like ${`${application}.%`} and substr(id, 1, ${sql.lit(application.length + 1)}) = ${`${application}.`}`
  const others = kept.length === 0 ? sql`` : sql` and id not in (${sql.join(kept)})`
  const answer = yield* callWithin(
    connection,
    queryOf(engine, sql`delete from ${table} where ${ours} and decided_at < ${before.toISOString()}${others}`),
    ms,
  )
  return isLeft(answer) ? answer : right((answer.right as QueryAnswer).affected)
}
