import { any, containsEager, has, join, leftJoin, limit, offset, orderBy, select, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filledWorld, model, rightOf, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
  // New York has three reports, each other city one
  world.databases.north_america.exec('insert into weather_reports (location_id, temperature) values (2, 10), (2, 90)')
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))

const locations = pipe(select(model.Location), orderBy('id'))

describe('a joined query', () => {
  it('asks each shard for its own rows, and merges them', () => {
    const query = pipe(
      locations,
      leftJoin('reports', 'r', where('temperature', '>', 72)),
      where((eb) => eb('r.id', 'is not', null)),
    )
    expect(runSync(Session.query(query)).map(({ id }) => id)).toEqual([1, 2, 2, 6])
    expect(world.asked()).toHaveLength(4)
  })

  it('is routed by the conditions on its own table, not by those on its alias', () => {
    const own = pipe(locations, join('reports', 'r'), where('continent', '=', 'Asia'))
    expect(runSync(Session.query(own)).map(({ id }) => id)).toEqual([1])
    expect(world.asked()).toEqual(['asia: select weather_locations'])
    const other = pipe(
      select(model.Report),
      join('location', 'l'),
      where((eb) => eb('l.continent', '=', 'Europe')),
    )
    expect(runSync(Session.query(other)).map(({ temperature }) => temperature)).toEqual([65, null])
    const either = pipe(
      locations,
      leftJoin('reports', 'r'),
      leftJoin('r.location', 'again', where('continent', '=', 'Asia')),
    )
    world.asked()
    expect(runSync(Session.query(either)).length).toBe(9)
    expect(world.asked()).toHaveLength(4)
  })

  it('asks each shard whether anything is related', () => {
    expect(
      runSync(Session.query(pipe(locations, where(any('reports', where('temperature', '>', 72)))))).map(({ id }) => id),
    ).toEqual([1, 2, 6])
    const reports = pipe(select(model.Report), where(has('location', where('city', '=', 'Tokyo'))))
    expect(runSync(Session.query(reports)).map(({ temperature }) => temperature)).toEqual([80])
  })
})

describe('containsEager', () => {
  it('has what the rows of all shards have, in their order', () => {
    const query = pipe(
      select(model.Location),
      join('reports', 'r'),
      containsEager('reports', 'r'),
      orderBy('id', 'desc'),
      orderBy((eb) => eb.ref('r.temperature'), 'desc'),
    )
    const shown = (found: ReadonlyArray<{ id: number; reports: ReadonlyArray<{ temperature: number | null }> }>) =>
      found.map(({ id, reports }) => [id, reports.map(({ temperature }) => temperature)])
    expect(shown(runSync(Session.query(query)))).toEqual([
      [7, [70]],
      [6, [85]],
      [5, [null]],
      [4, [65]],
      [3, [60]],
      [2, [90, 75, 10]],
      [1, [80]],
    ])
    expect(world.asked()).toHaveLength(4)
    expect(shown(runSync(Session.query(pipe(query, offset(4), limit(3)))))).toEqual([
      [3, [60]],
      [2, [90, 75]],
    ])
  })
})
