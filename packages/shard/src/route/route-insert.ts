/**
 * Routing an insert past the unit of work: its rows, by shard. Pure.
 */
import { Computed, type InsertRows } from '@unitary/core'
import type { InsertRequest, RoutingError, SessionState } from '@unitary/session'
import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Choosers, Values } from '../chooser/chooser.js'
import { generatesKeys, noShardForQuery, unknownShard } from '../error.js'
import type { ShardMap } from '../shard-map.js'
import { isEverywhere } from './everywhere.js'
import { nowhere, Placing } from './placing.js'

/**
 * What an insert writes to one shard.
 *
 * @category model
 */
export interface InsertPart {
  readonly token: string
  readonly request: InsertRequest
  /** Which of the rows given its rows are; null where it has all of them. */
  readonly places: ReadonlyArray<number> | null
}

/**
 * The parts of an insert, in the order of the shard map. Each row goes where the choosers put a new instance of its values,
 * unless the statement is pinned to a shard. O(rows).
 *
 * @category interpreters
 */
export const routeInsert = (
  state: SessionState,
  request: InsertRequest,
  shards: ShardMap,
  choosers: Choosers,
): Either<RoutingError, ReadonlyArray<InsertPart>> => {
  const { rows, statement } = request
  const entity = statement.entity.name
  const pinned = statement.options.shard ?? (shards.tokens.length === 1 ? shards.tokens[0] : undefined)
  if (pinned !== undefined) {
    return shards.places.has(pinned)
      ? right([{ token: pinned, request, places: null }])
      : left(unknownShard(shards, 'insert', entity, pinned, 'onShard'))
  }
  if (rows === null) return left(noShardForQuery(entity))
  if (isEverywhere(choosers, statement.entity.mapping)) {
    const { generatedKey } = statement.entity.mapping
    const isGiven = generatedKey === null || rows.attributes.includes(generatedKey)
    return isGiven
      ? right(shards.tokens.map((token) => ({ token, request, places: null })))
      : left(generatesKeys('insert', entity))
  }
  const placing = new Placing(state, shards, choosers)
  const parts: Array<number[] | undefined> = []
  for (let i = 0; i < rows.given.length; i++) {
    const place = placing.placeOfRow(statement.entity.mapping, valuesOf(rows, i), i)
    if (place === nowhere) return left(placing.fault as RoutingError)
    const part = parts[place]
    if (part === undefined) parts[place] = [i]
    else part.push(i)
  }
  return right(
    shards.tokens.flatMap((token, place): ReadonlyArray<InsertPart> => {
      const part = parts[place]
      if (part === undefined) return []
      return part.length === rows.given.length
        ? [{ token, request, places: null }]
        : [{ token, request: { ...request, rows: some(rows, part) }, places: part }]
    }),
  )
}

/** What is known of a row before it is written. */
const valuesOf = ({ attributes, given }: InsertRows, row: number): Values => {
  const values: Record<string, unknown> = {}
  attributes.forEach(({ name }, place) => {
    const cell = given[row]?.[place]
    if (cell !== undefined && !(cell instanceof Computed)) values[name] = cell
  })
  return values
}

const some = (rows: InsertRows, places: ReadonlyArray<number>): InsertRows => {
  const pick = (cells: InsertRows['given']): InsertRows['given'] =>
    places.map((place) => cells[place] as ReadonlyArray<unknown>)
  const given = pick(rows.given)
  return { ...rows, given, encoded: rows.encoded === rows.given ? given : pick(rows.encoded) }
}
