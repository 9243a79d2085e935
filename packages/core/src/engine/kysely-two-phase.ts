/**
 * Prepared transactions of PostgreSQL (PREPARE TRANSACTION) and of MySQL and MariaDB (XA).
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare-transaction.html
 * @see https://mariadb.com/kb/en/xa-transactions/
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { branchFault, branchOfText, branchOfXa, isSame, textOfBranch } from './branch-id.js'
import type { BeginCall, BranchId, EndPreparedCall } from './call.js'
import type { Dialect } from './dialect.js'
import { type EngineError, engineError } from './error.js'
import type { ErrorDetails } from './error-parts.js'
import { beginPostgresBranch, beginXa, type OpenTransaction } from './kysely-transaction.js'

/** Begins transactions that can be prepared, and ends those that are. Nothing rejects. */
export interface TwoPhase {
  readonly begin: (call: BeginCall & { readonly branch: BranchId }) => Promise<Either<EngineError, OpenTransaction>>
  readonly prepare: (transaction: OpenTransaction, branch: BranchId) => Promise<Either<EngineError, undefined>>
  readonly endPrepared: (call: EndPreparedCall) => Promise<Either<EngineError, boolean>>
  readonly listPrepared: () => Promise<Either<EngineError, ReadonlyArray<BranchId>>>
  /** Before the connection is given back: it must not be held by what it has prepared. */
  readonly leave: () => Promise<void>
}

const unsupported = (message: string): EngineError => engineError({ _tag: 'Unsupported' }, message)

// biome-ignore lint/suspicious/noExplicitAny: a Kysely instance of any database
type AnyKysely = Kysely<any>

/** A number or a code of a driver's error. */
const codeOf = ({ cause }: EngineError): unknown =>
  typeof cause === 'object' && cause !== null
    ? 'errno' in cause
      ? cause.errno
      : 'code' in cause
        ? cause.code
        : undefined
    : undefined

const unknownBranch = { postgres: '42704', mysql: 1397, sqlite: null } as const

/** The two phases on a held connection. */
export const twoPhase = (
  db: AnyKysely,
  dialect: Dialect['name'],
  classify: (cause: unknown, details?: ErrorDetails) => EngineError,
): TwoPhase => {
  /** As what the open transaction was begun. */
  let begunAs: BranchId | null = null
  /** What this connection has prepared and not ended. */
  let own: BranchId | null = null

  const nameOf = (branch: BranchId): RawBuilder<unknown> =>
    dialect === 'mysql'
      ? sql`${sql.lit(branch.transaction)}, ${sql.lit(branch.branch)}`
      : sql`${sql.lit(textOfBranch(branch))}`

  const attempt = async <A>(work: () => Promise<A>): Promise<Either<EngineError, A>> => {
    try {
      return right(await work())
    } catch (cause) {
      return left(classify(cause))
    }
  }

  const checked = (branch: BranchId): EngineError | null => {
    const fault = branchFault(branch)
    return fault === null ? null : unsupported(fault)
  }

  const list = (): Promise<ReadonlyArray<BranchId>> =>
    (dialect === 'mysql'
      ? sql<Record<string, unknown>>`xa recover`.execute(db)
      : sql<Record<string, unknown>>`select gid from pg_prepared_xacts where database = current_database()`.execute(db)
    ).then(({ rows }) =>
      rows
        .map((row) => (dialect === 'mysql' ? branchOfXa(row) : branchOfText(String(row.gid))))
        .filter((branch) => branch !== null),
    )

  const isListed = async (branch: BranchId): Promise<boolean> => (await list()).some((listed) => isSame(listed, branch))

  const isOwn = (branch: BranchId): boolean => own !== null && isSame(own, branch)

  return {
    begin: async (call) => {
      const fault = checked(call.branch)
      if (fault !== null) return left(fault)
      begunAs = call.branch
      return attempt(() =>
        dialect === 'mysql' ? beginXa(db, call, nameOf(call.branch)) : beginPostgresBranch(db, call, nameOf),
      )
    },
    prepare: async (transaction, branch) => {
      const { prepare } = transaction
      const isAnother = dialect === 'mysql' && (begunAs === null || !isSame(branch, begunAs))
      const fault =
        prepare === null || isAnother
          ? unsupported('the transaction was not begun as the branch that it is to be prepared as')
          : checked(branch)
      if (fault !== null || prepare === null) return left(fault as EngineError)
      const prepared = await attempt(() => prepare(branch))
      if (isLeft(prepared)) return prepared
      own = branch
      return right(undefined)
    },
    endPrepared: async ({ _tag, branch }) => {
      const fault = checked(branch)
      if (fault !== null) return left(fault)
      const verb = sql.raw(_tag === 'CommitPrepared' ? 'commit' : 'rollback')
      const ended = await attempt(() =>
        (dialect === 'mysql' ? sql`xa ${verb} ${nameOf(branch)}` : sql`${verb} prepared ${nameOf(branch)}`).execute(db),
      )
      if (!isLeft(ended)) {
        if (isOwn(branch)) own = null
        return right(true)
      }
      if (codeOf(ended.left) !== unknownBranch[dialect]) return ended
      // MariaDB says the same of a branch that another living connection holds
      const listed = await attempt(() => isListed(branch))
      if (isLeft(listed)) return listed
      return listed.right
        ? left(
            engineError(
              { _tag: 'LockTimeout' },
              `the branch ${textOfBranch(branch)} is held by the connection that prepared it`,
            ),
          )
        : right(false)
    },
    listPrepared: () => attempt(list),
    leave: async () => {
      if (own === null || dialect !== 'mysql') return
      // MariaDB lets nobody else end the branch while this connection lives, and this one do nothing else
      await attempt(() => sql`kill connection_id()`.execute(db))
      // fails when the pool has learnt that the connection is gone
      await attempt(() => sql`do 0`.execute(db))
      own = null
    },
  }
}
