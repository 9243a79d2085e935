/**
 * Who takes part in a commit, and how: decided from what the transaction has done on each shard. Pure.
 */
import type { Engine } from '@unitary/core'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { CommitPlan } from './two-phase.js'

/**
 * How a shard can promise to commit: by its own prepared transactions, which are named when they are prepared (PostgreSQL)
 * or from the beginning (XA), by a record of what it has to do (SQLite), or not at all.
 */
export type Means = 'prepare' | 'xa' | 'redo' | 'none'

export const meansOf = ({ capabilities, dialect }: Engine): Means =>
  capabilities.twoPhase ? (dialect.name === 'mysql' ? 'xa' : 'prepare') : dialect.name === 'sqlite' ? 'redo' : 'none'

/** What a transaction has done on a shard. */
export interface Part {
  readonly token: string
  readonly means: Means
  readonly hasWritten: boolean
  /** Has it locked what it read? */
  readonly hasLocked: boolean
  /** Has it opened a query that is read on after the commit? It ends where the shard has to prepare. */
  readonly hasCursor: boolean
}

/** Shards that cannot promise, and the one that decides. */
export interface CannotPromise {
  readonly shards: ReadonlyArray<string>
  readonly decider: string
}

/**
 * The plan of a commit, null where nothing was written; left are shards that cannot promise, where one too many cannot.
 *
 * `parts` stand in their fixed order. `named` is the shard that the names of XA branches tell to be the decider; where that
 * `isFixed`, it decides in any case.
 *
 * @example
 * planCommit([{ token: 'asia', means: 'prepare', hasWritten: true, ... }], null, false)
 * // right({ reads: [], holds: [], prepares: [], decider: 'asia', isRecorded: false })
 */
export const planCommit = (
  parts: ReadonlyArray<Part>,
  named: string | null,
  exactlyOnce: boolean,
  isFixed = false,
): Either<CannotPromise, CommitPlan | null> => {
  const writers = parts.filter(({ hasWritten }) => hasWritten)
  if (writers.length === 0) return right(null)
  const decider = deciderOf(writers, named, isFixed)
  const unable = tokensOf(writers.filter(({ means }) => means === 'none'))
  if (unable.some((token) => token !== decider)) return left({ shards: unable, decider })
  const rest = parts.filter(({ hasWritten, token }) => !hasWritten && token !== decider)
  return right({
    reads: tokensOf(rest.filter(({ hasLocked }) => !hasLocked)),
    holds: tokensOf(rest.filter(({ hasLocked }) => hasLocked)),
    prepares: tokensOf(writers.filter(({ token }) => token !== decider)),
    decider,
    isRecorded: writers.length > 1 || exactlyOnce,
  })
}

/**
 * The one that is fixed; else the only one; else, where a branch of XA is among them, the one that its name has told from the
 * beginning; else the one that cannot promise; else one that is read on; else one that promises by doing its work twice; else
 * the last.
 */
const deciderOf = (writers: ReadonlyArray<Part>, named: string | null, isFixed: boolean): string => {
  if (isFixed && writers.some(({ token }) => token === named)) return named as string
  if (writers.length > 1 && named !== null && writers.some(({ means }) => means === 'xa')) return named
  const decider =
    writers.findLast(({ means }) => means === 'none') ??
    writers.findLast(({ hasCursor }) => hasCursor) ??
    writers.findLast(({ means }) => means === 'redo') ??
    writers.at(-1)
  return (decider as Part).token
}

const tokensOf = (parts: ReadonlyArray<Part>): ReadonlyArray<string> => parts.map(({ token }) => token)
