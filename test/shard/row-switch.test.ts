import { select, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { filledWorld, model, rightOf, rowsIn } from './weather.js'

test.each([
  ['Asia', 'asia'],
  ['Europe', 'europe'],
] as const)('a key that is deleted and given again in %s is a row there alone', (continent, shard) => {
  const world = filledWorld()
  rightOf(
    Session.runSync(world.runtime)(
      Session.gen(function* () {
        const [tokyo] = yield* Session.query(pipe(select(model.Location), where('id', '=', 1)))
        if (tokyo === undefined) throw new Error('not found')
        yield* Session.remove(model.Location)(tokyo)
        yield* Session.add(model.Location, { id: 1, continent, city: 'again' })
        yield* Session.commit
      }),
    ),
  )
  const rows = rowsIn(world, 'weather_locations')
  expect(rows[shard]).toContainEqual({ id: 1, continent, city: 'again' })
  if (shard !== 'asia') expect(rows.asia).toEqual([])
  world.close()
})
