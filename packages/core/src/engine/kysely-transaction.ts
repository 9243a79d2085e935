/**
 * A transaction on a held connection of a Kysely instance: begun by Kysely, or as a branch that can be prepared, of which
 * Kysely knows nothing.
 */
import { type ControlledTransaction, type Kysely, type RawBuilder, sql } from 'kysely'
import type { BeginCall, BranchId } from './call.js'

/** Rejects where the database refuses. */
export interface OpenTransaction {
  readonly commit: () => Promise<unknown>
  readonly rollback: () => Promise<unknown>
  readonly savepoint: (name: string) => Promise<unknown>
  readonly releaseSavepoint: (name: string) => Promise<unknown>
  readonly rollbackToSavepoint: (name: string) => Promise<unknown>
  /** Makes it a prepared one; null where it was not begun as a branch. XA goes by the one that it was begun as. */
  readonly prepare: ((branch: BranchId) => Promise<unknown>) | null
  /** What runs its statements. */
  readonly executor: ReturnType<AnyKysely['getExecutor']>
}

// biome-ignore lint/suspicious/noExplicitAny: a Kysely instance of any database; calls name tables themselves
type AnyKysely = Kysely<any>
// biome-ignore lint/suspicious/noExplicitAny: as above; savepoints are named at run time
type AnyTransaction = ControlledTransaction<any, string[]>

/** A transaction of Kysely's own. */
export const beginTransaction = async (
  db: AnyKysely,
  { isolationLevel }: Pick<BeginCall, 'isolationLevel'>,
): Promise<OpenTransaction> => {
  const builder = db.startTransaction()
  const transaction: AnyTransaction = await (isolationLevel === null
    ? builder
    : builder.setIsolationLevel(isolationLevel)
  ).execute()
  return {
    commit: () => transaction.commit().execute(),
    rollback: () => transaction.rollback().execute(),
    savepoint: (name) => transaction.savepoint(name).execute(),
    releaseSavepoint: (name) => transaction.releaseSavepoint(name).execute(),
    rollbackToSavepoint: (name) => transaction.rollbackToSavepoint(name).execute(),
    prepare: null,
    executor: transaction.getExecutor(),
  }
}

const savepoints = (run: (command: RawBuilder<unknown>) => Promise<unknown>) => ({
  savepoint: (name: string) => run(sql`savepoint ${sql.id(name)}`),
  releaseSavepoint: (name: string) => run(sql`release savepoint ${sql.id(name)}`),
  rollbackToSavepoint: (name: string) => run(sql`rollback to savepoint ${sql.id(name)}`),
})

/** A transaction of PostgreSQL, which is named when it is prepared. */
export const beginPostgresBranch = async (
  db: AnyKysely,
  { isolationLevel, lockTimeout }: BeginCall,
  nameOf: (branch: BranchId) => RawBuilder<unknown>,
): Promise<OpenTransaction> => {
  const run = (command: RawBuilder<unknown>) => command.execute(db)
  await run(isolationLevel === null ? sql`begin` : sql`begin isolation level ${sql.raw(isolationLevel)}`)
  if (lockTimeout !== undefined) {
    await run(sql`set local lock_timeout = ${sql.lit(Math.trunc(lockTimeout))}`).catch(async (cause: unknown) => {
      await run(sql`rollback`).catch(() => {})
      return Promise.reject(cause)
    })
  }
  return {
    ...savepoints(run),
    commit: () => run(sql`commit`),
    rollback: () => run(sql`rollback`),
    prepare: (branch) => run(sql`prepare transaction ${nameOf(branch)}`),
    executor: db.getExecutor(),
  }
}

/** A transaction of MySQL or MariaDB that has its name from the beginning. */
export const beginXa = async (
  db: AnyKysely,
  { isolationLevel }: BeginCall,
  name: RawBuilder<unknown>,
): Promise<OpenTransaction> => {
  const run = (command: RawBuilder<unknown>) => command.execute(db)
  if (isolationLevel !== null) await run(sql`set transaction isolation level ${sql.raw(isolationLevel)}`)
  await run(sql`xa start ${name}`)
  return {
    ...savepoints(run),
    commit: async () => {
      await run(sql`xa end ${name}`)
      await run(sql`xa commit ${name} one phase`)
    },
    rollback: async () => {
      // fails where a deadlock has ended it, or it was prepared in vain
      await run(sql`xa end ${name}`).catch(() => {})
      await run(sql`xa rollback ${name}`)
    },
    prepare: async () => {
      await run(sql`xa end ${name}`)
      await run(sql`xa prepare ${name}`)
    },
    executor: db.getExecutor(),
  }
}
