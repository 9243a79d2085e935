/**
 * Asking shards for rows while rows move between them.
 */
import type { Effect, RequestError, Rows } from '@unitary/session'
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'
import type { Askers, Asking, OnShard } from './asking.js'
import { distinct, type KeyColumns } from './distinct.js'
import type { Moving } from './waves.js'

/**
 * The rows of each shard, each row once: in the order of the shards, what was asked again at the end. A row that two of them
 * have is the one's that was asked first.
 */
export function* askMoving(
  askers: Askers,
  moving: Moving,
  tokens: ReadonlyArray<string>,
  columns: KeyColumns,
  asking: Asking,
  run: OnShard<Rows>,
): Effect<Either<RequestError, ReadonlyArray<Rows>>> {
  const { again, first } = moving.waves(tokens)
  const asked: Rows[] = []
  let once = 0
  for (const [round, waves] of [first, again.length === 0 ? [] : [again]].entries()) {
    for (const wave of waves) {
      const answered = yield* askers.read(wave, asking, run)
      if (isLeft(answered)) return answered
      for (const batch of answered.right.values) asked.push(batch)
    }
    if (round === 0) once = asked.length
  }
  const own = distinct(asked, columns)
  const placeOf = ({ token }: Rows): number => tokens.indexOf(token as string)
  return right([...own.slice(0, once).sort((a, b) => placeOf(a) - placeOf(b)), ...own.slice(once)])
}
