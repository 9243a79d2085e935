/**
 * Work on several shards at once: side by side on databases of their own, one after another on shards that share one, whose
 * connection answers one call at a time.
 */
import type { Engine } from '@unitary/core'
import { type Effect, together } from '@unitary/session'
import { databaseOf } from './shard-map.js'

/**
 * Works on each item, given the engine that it is for, on so many databases at a time; null for all of them. The results are
 * in the order of the items.
 */
export function* sideBySide<A, B>(
  items: ReadonlyArray<A>,
  engineOf: (item: A) => Engine,
  work: (item: A) => Effect<B>,
  concurrency: number | null = null,
): Effect<ReadonlyArray<B>> {
  if (items.length === 1) return [yield* work(items[0] as A)]
  const groups = new Map<Engine, number[]>()
  for (const [i, item] of items.entries()) {
    const database = databaseOf(engineOf(item))
    const group = groups.get(database)
    if (group === undefined) groups.set(database, [i])
    else group.push(i)
  }
  if (groups.size === items.length) return yield* inLanes(concurrency, items.map(work))
  const results: B[] = []
  const inTurn = Array.from(groups.values(), function* (group): Effect<void> {
    for (const i of group) results[i] = yield* work(items[i] as A)
  })
  yield* inLanes(concurrency, inTurn)
  return results
}

/** Effects side by side, so many at a time; their values in the order given. */
function* inLanes<A>(count: number | null, effects: ReadonlyArray<Effect<A>>): Effect<ReadonlyArray<A>> {
  if (count === null || count >= effects.length) return yield* together(effects)
  const values = new Array<A>(effects.length)
  let next = 0
  function* lane(): Effect<void> {
    while (next < effects.length) {
      const at = next++
      values[at] = yield* effects[at] as Effect<A>
    }
  }
  yield* together(Array.from({ length: count }, lane))
  return values
}
