/**
 * Running statements that write past the unit of work.
 */
import type { AnyDelete, AnyInsert, AnyUpdate, Insert, Managed } from '@unitary/core'
import type { Program } from '../program/program.js'
import { type BulkError, executeByCriteria, type Synchronize } from './bulk.js'
import { executeInsert, type InsertError } from './insert.js'

/** Why a statement that writes past the unit of work fails. @category errors */
export type ExecuteError<S> = S extends AnyInsert ? InsertError : BulkError

/**
 * What a statement that writes answers: the number of rows, or the entities where it returns them.
 *
 * @category model
 */
export type Executed<S> = S extends Insert<infer M, infer N, 'entities'> ? ReadonlyArray<Managed<M, N>> : number

/**
 * Runs a statement past the unit of work, on every shard that it concerns. Pending changes are flushed first.
 *
 * An update or delete by criteria gives the number of rows that it met. Versions are not counted up, no cascade runs, and
 * collections that are loaded keep what was deleted until they expire.
 *
 * An insert gives the number of rows that it wrote, or with `returningEntities` the entities themselves, persistent and in
 * the identity map. Its rows are checked before any database is asked, their defaults filled in, and however many there are
 * written all or none, in as many statements as the database demands; each goes to its shard. Rows that leave out the same
 * attributes stand best beside each other. What an upsert may have written is read again when it is next needed.
 *
 * @example
 * pipe(update(model.User), set({ nickname: null }), where('name', '=', 'ed'), Session.execute())
 * pipe(insertInto(model.User), values([{ name: 'ed' }, { name: 'wendy' }]), Session.execute())
 *
 * @category queries
 */
export const execute =
  (options: { readonly synchronize?: Synchronize } = {}) =>
  <S extends AnyUpdate | AnyDelete | AnyInsert>(statement: S): Program<ExecuteError<S>, Executed<S>> =>
    (statement._tag === 'Insert' ? executeInsert(statement) : executeByCriteria(options)(statement)) as Program<
      never,
      never
    >
