/**
 * What can go wrong when rows are moved, with the sentences for it.
 */
import type { EngineError } from '@unitary/core'
import type { Interrupted, RequestError, RoutingError } from '@unitary/session'
import type { Tally } from './checksum.js'

/** A row that was read says of no shard that it belongs there, or cannot be read. @category errors */
export interface UnplacedRow {
  readonly _tag: 'UnplacedRow'
  readonly entity: string
  readonly shard: string
  readonly key: ReadonlyArray<unknown>
  readonly message: string
}

/** A plan has moves in a direction that the resharding does not have. @category errors */
export interface Undirected {
  readonly _tag: 'Undirected'
  readonly entity: string
  readonly from: string
  readonly to: string
  readonly key: ReadonlyArray<unknown>
  readonly message: string
}

/** What a batch left at the target is not what was at the source. It has been undone. @category errors */
export interface MoveMismatch {
  readonly _tag: 'MoveMismatch'
  readonly entity: string
  readonly table: string
  readonly from: string
  readonly to: string
  readonly expected: Tally
  readonly found: Tally
  /** The keys of rows that differ, or are on one side only; at most ten. */
  readonly keys: ReadonlyArray<ReadonlyArray<unknown>>
  readonly message: string
}

/** A batch failed and has been undone; those before it stay done. @category errors */
export interface MoveFailed {
  readonly _tag: 'MoveFailed'
  readonly entity: string
  readonly from: string
  readonly to: string
  /** Its place in the plan, from 0. */
  readonly batch: number
  readonly cause: RequestError | MoveMismatch
  readonly message: string
}

/** @category errors */
export type PlanMovesError = RoutingError | RequestError | UnplacedRow | Undirected

/** @category errors */
export type ExecuteMovesError = RoutingError | Undirected | MoveFailed | Interrupted

const show = (key: ReadonlyArray<unknown>): string => JSON.stringify(key.length === 1 ? key[0] : key)

export const unplaced = (
  entity: string,
  shard: string,
  key: ReadonlyArray<unknown>,
  named: string | null,
): UnplacedRow => ({
  _tag: 'UnplacedRow',
  entity,
  shard,
  key,
  message: `move of ${entity} ${show(key)} on shard '${shard}': ${
    named === null
      ? `the new choosers name no shard for it; let them name one by attributes of the table of ${entity}`
      : `the new choosers name '${named}', which is not in the shard map`
  }`,
})

export const unreadable = (
  entity: string,
  shard: string,
  key: ReadonlyArray<unknown>,
  attribute: string,
): UnplacedRow => ({
  _tag: 'UnplacedRow',
  entity,
  shard,
  key,
  message: `move of ${entity} ${show(key)} on shard '${shard}': its ${attribute} is not what the model says; correct the row`,
})

export const undirected = (entity: string, from: string, to: string, key: ReadonlyArray<unknown>): Undirected => ({
  _tag: 'Undirected',
  entity,
  from,
  to,
  key,
  message: `move of ${entity} ${show(key)} from '${from}' to '${to}': the resharding has no such direction; add ['${from}', '${to}'] to its directions, in the sessions beside it too`,
})

export const mismatch = (fields: Omit<MoveMismatch, '_tag' | 'message'>): MoveMismatch => ({
  ...fields,
  _tag: 'MoveMismatch',
  message: `${fields.entity} (${fields.table}): ${fields.expected.rows} rows of '${fields.from}' are to be on '${fields.to}', where ${fields.found.rows} are, which ${fields.keys.length === 0 ? 'differ' : `differ for ${fields.keys.map(show).join(', ')}`}; see whether triggers or defaults of '${fields.to}' change what is written`,
})

export const moveFailed = (
  { entity, from, to }: Pick<MoveFailed, 'entity' | 'from' | 'to'>,
  batch: number,
  cause: MoveFailed['cause'],
): MoveFailed => ({
  _tag: 'MoveFailed',
  entity,
  from,
  to,
  batch,
  cause,
  message: `moves: batch ${batch} (${entity}, '${from}' to '${to}') failed and was undone, those before it stay done: ${reasonOf(cause)}; plan the moves again to go on`,
})

const reasonOf = (cause: MoveFailed['cause']): string =>
  'message' in cause ? cause.message : 'cause' in cause && isEngineError(cause.cause) ? cause.cause.message : cause._tag

const isEngineError = (cause: unknown): cause is EngineError =>
  typeof cause === 'object' && cause !== null && 'message' in cause
