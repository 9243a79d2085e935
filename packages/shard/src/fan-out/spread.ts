/**
 * How a query is spread over several shards: its rows merged, or put together from groups.
 */
import type { AnyQuery, TextComparison } from '@unitary/core'
import { type Either, left, map } from 'fp-ts/lib/Either.js'
import type { SelectQueryNode } from 'kysely'
import type { Choosers } from '../chooser/chooser.js'
import { decidedIn } from './decided.js'
import { type FanOut, fanOutOf } from './fan-out.js'
import { problemOf, problemOfRows, problemOfWindows } from './problem.js'
import { type Recombination, recombines } from './recombination.js'
import { recombinationOf } from './recombine.js'

/**
 * @category model
 */
export type Spread =
  | { readonly _tag: 'Merged'; readonly fanOut: FanOut }
  | { readonly _tag: 'Recombined'; readonly recombination: Recombination }

const known = new WeakMap<Choosers, WeakMap<SelectQueryNode, Map<string, Either<string, Spread>>>>()

/**
 * How a query is spread over shards that compare texts in some ways, or why it cannot be. O(nodes) the first time, O(1) for
 * the same tree again, so that what shards are asked is compiled once.
 *
 * @category constructors
 */
export const spreadOf = (
  statement: AnyQuery,
  choosers: Choosers,
  comparisons: ReadonlyArray<TextComparison>,
): Either<string, Spread> => {
  const byNode = known.get(choosers) ?? new WeakMap<SelectQueryNode, Map<string, Either<string, Spread>>>()
  known.set(choosers, byNode)
  const byComparisons = byNode.get(statement.node) ?? new Map<string, Either<string, Spread>>()
  byNode.set(statement.node, byComparisons)
  const key = comparisons.join()
  const spread = byComparisons.get(key) ?? make(statement, choosers, comparisons)
  byComparisons.set(key, spread)
  return spread
}

const make = (
  statement: AnyQuery,
  choosers: Choosers,
  comparisons: ReadonlyArray<TextComparison>,
): Either<string, Spread> => {
  const problem = problemOf(statement)
  if (problem !== null) return left(problem)
  const decided = decidedIn(statement, choosers)
  if (statement._tag === 'Rows' && recombines(statement, decided.areGroupsWhole)) {
    const windows = problemOfWindows(statement, decided)
    if (windows !== null) return left(windows)
    return map((recombination: Recombination): Spread => ({ _tag: 'Recombined', recombination }))(
      recombinationOf(statement, comparisons),
    )
  }
  const ofRows = problemOfRows(statement, decided)
  if (ofRows !== null) return left(ofRows)
  return map((fanOut: FanOut): Spread => ({ _tag: 'Merged', fanOut }))(fanOutOf(statement))
}
