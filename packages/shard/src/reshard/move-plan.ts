/**
 * A plan of moves, as data: which rows go from where to where, in which batches.
 */
import type { Cells } from './table-rows.js'

/** Rows of one entity, by their keys. `Copy` keeps them where they are: of an entity whose rows are on every shard. @category model */
export interface MoveBatch {
  readonly _tag: 'Move' | 'Copy'
  readonly entity: string
  readonly from: string
  readonly to: string
  /** Portable values, in the order of the key's attributes. */
  readonly keys: ReadonlyArray<Cells>
}

/** How many rows of an entity stay where they are, on one shard. @category model */
export interface Staying {
  readonly entity: string
  readonly shard: string
  readonly rows: number
}

/**
 * What is to be moved: rows that belong beside none, which take with them what belongs beside them. It can be stored as JSON,
 * and run again: what is no longer at its source is passed by.
 *
 * @category model
 */
export interface MovePlan {
  readonly _tag: 'MovePlan'
  /** Copies first, then moves. */
  readonly batches: ReadonlyArray<MoveBatch>
  readonly staying: ReadonlyArray<Staying>
}

/** How many rows go from one shard to another, in how many batches. @category model */
export interface MoveCount {
  readonly _tag: MoveBatch['_tag']
  readonly entity: string
  readonly from: string
  readonly to: string
  readonly rows: number
  readonly batches: number
}

/** The batches of a plan, counted. O(batches). @category combinators */
export const countMoves = ({ batches }: MovePlan): ReadonlyArray<MoveCount> => {
  const counts = new Map<string, MoveCount>()
  for (const { _tag, entity, from, keys, to } of batches) {
    const id = JSON.stringify([_tag, entity, from, to])
    const known = counts.get(id) ?? { _tag, entity, from, to, rows: 0, batches: 0 }
    counts.set(id, { ...known, rows: known.rows + keys.length, batches: known.batches + 1 })
  }
  return [...counts.values()]
}

/**
 * A plan as text.
 *
 * @example
 * explainMoves(plan)
 * // move 340 Customer from a to c in 1 batch
 * // keep 660 Customer on a
 *
 * @category interpreters
 */
export const explainMoves = (plan: MovePlan): string =>
  [
    ...countMoves(plan).map(
      ({ _tag, batches, entity, from, rows, to }) =>
        `${_tag.toLowerCase()} ${rows} ${entity} from ${from} to ${to} in ${batches} batch${batches === 1 ? '' : 'es'}`,
    ),
    ...plan.staying.map(({ entity, rows, shard }) => `keep ${rows} ${entity} on ${shard}`),
  ].join('\n')
