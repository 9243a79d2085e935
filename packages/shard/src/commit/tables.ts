/**
 * The tables in which shards keep what commits over several of them have to remember.
 */
import {
  createAll,
  createAllSync,
  defineModel,
  type Engine,
  type EngineError,
  entity,
  nullable,
  primaryKey,
  text,
} from '@unitary/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { databaseOf } from '../shard-map.js'

/** What has become of a transaction, on the shard that decides it. */
export const commitsTable = 'unitary_commits'

/** What a shard that cannot prepare has promised to write. */
export const redoTable = 'unitary_redo'

const CommitRecord = entity('CommitRecord', commitsTable, {
  id: pipe(text, primaryKey),
  /** `commit`, or `abort` for a transaction that may not be committed any more. */
  outcome: text,
  /** The tokens of all that take part, as JSON. */
  shards: text,
  /** Of all writes, where commits are recorded for their own sake. */
  digest: pipe(text, nullable),
  decided_at: text,
})

const RedoRecord = entity('RedoRecord', redoTable, {
  id: pipe(text, primaryKey),
  writes: text,
  prepared_at: text,
})

const commits = defineModel({ CommitRecord })(() => ({}))
const commitsAndRedo = defineModel({ CommitRecord, RedoRecord })(() => ({}))

const tablesOf = ({ dialect }: Engine) => (dialect.name === 'sqlite' ? commitsAndRedo : commits)

/**
 * Creates what `atomic` needs on a shard, where it is not there yet: `unitary_commits`, and on SQLite `unitary_redo`.
 *
 * @example
 * await createCommitTables(engine)()
 *
 * @category interpreters
 */
export const createCommitTables = (engine: Engine): TaskEither<EngineError, void> =>
  createAll(tablesOf(engine))(databaseOf(engine))

/**
 * The same without a promise, on an engine that is synchronous.
 *
 * @category interpreters
 */
export const createCommitTablesSync = (engine: Engine): Either<EngineError, void> =>
  createAllSync(tablesOf(engine))(databaseOf(engine))

/** The error, with what helps where the tables are missing. */
export const sayingWhatIsMissing = (error: EngineError): EngineError => {
  const { message, reason } = error
  const isOurs = reason._tag === 'UnknownTable' && message.includes('unitary_')
  return isOurs
    ? { ...error, message: `${message}; make it with createCommitTables, which atomic commits need on every shard` }
    : error
}
