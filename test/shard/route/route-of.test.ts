import { deleteFrom, limit, select, set, update, where } from '@unitary/core'
import { onShard, routeOf } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { leftOf, model, openWorld, rightOf, tokens } from '../weather.js'

describe('the route of a statement', () => {
  const world = openWorld()
  const route = routeOf(world.runtime)
  const locations = select(model.Location)

  it('is told without running it', () => {
    expect(rightOf(route(pipe(locations, where('continent', 'in', ['Europe', 'Asia']))))).toEqual({
      operation: 'query',
      entity: 'Location',
      shards: ['europe', 'asia'],
      because: 'chosen',
    })
    expect(rightOf(route(locations))).toMatchObject({ shards: tokens, because: 'everywhere' })
    expect(rightOf(route(pipe(locations, where('id', '=', 1), where('id', '=', 2))))).toMatchObject({
      shards: [],
      because: 'nowhere',
    })
    expect(rightOf(route(pipe(locations, onShard('asia'))))).toMatchObject({ shards: ['asia'], because: 'pinned' })
    expect(rightOf(route(pipe(deleteFrom(model.Location), where('continent', '=', 'Asia'))))).toMatchObject({
      operation: 'bulk delete',
      shards: ['asia'],
    })
    expect(world.asked()).toEqual([])
  })

  it('has the errors that running it has', () => {
    expect(leftOf(route(pipe(locations, onShard('atlantis'))))).toMatchObject({ reason: 'UnknownShard' })
    expect(leftOf(route(pipe(update(model.Location), set({ continent: 'Asia' }))))).toMatchObject({
      reason: 'ShardsDiffer',
    })
    expect(rightOf(route(pipe(locations, limit(1))))).toMatchObject({ shards: tokens })
  })
})
