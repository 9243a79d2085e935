import { orderBy, select, where } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { none, type Option } from 'fp-ts/lib/Option.js'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { filledWorld, model, rightOf, type World } from './weather.js'

let world: World
beforeEach(() => {
  world = filledWorld()
})
afterEach(() => world.close())

const runSync = <E, A>(program: Session.Program<E, A>): A => rightOf(Session.runSync(world.runtime)(program))

const pagesOf = (size: number, reports = select(model.Report)): ReadonlyArray<ReadonlyArray<number | null>> => {
  const pages: Array<ReadonlyArray<number | null>> = []
  let after: Option<string> = none
  do {
    const page: Session.Page<{ readonly temperature: number | null }> = runSync(
      pipe(reports, Session.page({ size, after })),
    )
    pages.push(page.rows.map(({ temperature }) => temperature))
    after = page.next
  } while (after._tag === 'Some')
  return pages
}

it('loses no row where shards have rows of the same key', () => {
  // each shard counts its reports from 1
  for (const reports of [
    pipe(select(model.Report), orderBy('id')),
    pipe(select(model.Report), orderBy('locationId', 'desc')),
  ]) {
    const whole = runSync(Session.query(reports)).map(({ temperature }) => temperature)
    expect(whole).toHaveLength(7)
    for (const size of [1, 2, 3, 7, 8]) expect(pagesOf(size, reports).flat()).toEqual(whole)
  }
})

it('asks each shard for the rows of a page, and only those that may have some', () => {
  world.asked()
  runSync(pipe(select(model.Location), orderBy('city'), Session.page({ size: 2, after: none })))
  expect(world.asked()).toHaveLength(4)
  const europe = pipe(select(model.Location), where('continent', '=', 'Europe'), orderBy('city'))
  const one = runSync(pipe(europe, Session.page({ size: 1, after: none })))
  const two = runSync(pipe(europe, Session.page({ size: 1, after: one.next })))
  expect([one, two].map(({ rows }) => rows[0]?.city)).toEqual(['Dublin', 'London'])
  expect(two.next).toEqual(none)
  expect(world.asked()).toEqual(['europe: select weather_locations', 'europe: select weather_locations'])
})
