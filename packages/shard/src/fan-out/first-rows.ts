/**
 * The first rows of an ordered query over several shards, without reading as many rows of each.
 *
 * Where rows are spread at random, each shard has about its share of the first ones. So each is asked for that and some more;
 * one that runs out before the window is full, since it has more of them, is asked for all that the window could need. Its
 * second answer stands in place of the first: what a shard tells is of one statement.
 */
import type { Effect, QueryAnswer, RequestError, Rows } from '@unitary/session'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { notMergeable } from '../error.js'
import type { Askers, Asking, OnShard } from './asking.js'
import type { FanOut } from './fan-out.js'
import { mergeParts } from './merge.js'

/**
 * How many rows of each shard are likely to be enough for a window: their mean and three standard deviations, so that hardly one
 * shard in a thousand is asked again. Null where that saves too little.
 *
 * @category combinators
 */
export const likelyShare = ({ limit, offset, terms }: FanOut, shards: number): number | null => {
  if (limit === null || terms.length === 0) return null
  const end = offset + limit
  const mean = end / shards
  const share = Math.ceil(mean + 3 * Math.sqrt(mean))
  return end - share < rowsOfRoundTrip ? null : share
}

/** Rows that take a database about as long as to be asked once more. */
const rowsOfRoundTrip = 100

/**
 * A query for the first rows.
 *
 * @category model
 */
export interface FirstRows {
  readonly entity: string
  readonly fanOut: FanOut
  /** How many rows each shard is asked for at first. */
  readonly share: number
  readonly isNullLow: boolean
  /** Asks a shard for so many; null for as many as the window could need. */
  readonly ask: (rows: number | null) => OnShard<Rows>
}

/**
 * The merged rows of the window.
 *
 * @category interpreters
 */
export function* firstRows(
  askers: Askers,
  tokens: ReadonlyArray<string>,
  asking: Asking,
  { ask, entity, fanOut, isNullLow, share }: FirstRows,
): Effect<Either<RequestError, QueryAnswer>> {
  const first = yield* askers.read(tokens, asking, ask(share))
  if (isLeft(first)) return first
  let parts = first.right.values.map((batch) => ({ batch, isAll: batch.rows.length < share }))
  for (;;) {
    const merged = mergeParts(parts, fanOut, isNullLow)
    if (isLeft(merged)) return left(notMergeable('query', entity, merged.left))
    const { answer, short } = merged.right
    if (short.length === 0) return right(answer)
    const more = yield* askers.read(short, asking, ask(null))
    if (isLeft(more)) return more
    const again = new Map(more.right.values.map((batch) => [batch.token, { batch, isAll: true }]))
    // one that is left out now is left out as a whole
    parts = parts.flatMap((part) => (isOf(short, part.batch) ? (again.get(part.batch.token) ?? []) : part))
  }
}

const isOf = (tokens: ReadonlyArray<string>, { token }: Rows): boolean => token !== null && tokens.includes(token)
