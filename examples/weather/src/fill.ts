/**
 * Filling the world: a graph of drafts, the plan of its flush, and the flush.
 */
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { chunksOf } from 'fp-ts/lib/ReadonlyArray.js'
import type { City } from './cities.js'
import { temperatureAt } from './climate.js'
import type { Journal } from './journal.js'
import { type LocationDraft, model } from './model.js'
import { chapter, count, summaryTable } from './print.js'
import type { Progress } from './progress.js'

/** The cities that are to be, and the ids that they and their reports get. */
export interface Filling {
  readonly cities: ReadonlyArray<City>
  /** The months of each city's reports. */
  readonly months: ReadonlyArray<number>
  readonly firstCity: number
  readonly firstReport: number
}

/** The draft of a city: plain data, its reports nested in it. It names no foreign key and no shard. */
const draftOf = ({ cities, months, firstCity, firstReport }: Filling, index: number): LocationDraft => {
  const city = cities[index] as City
  return {
    id: firstCity + index,
    ...city,
    reports: months.map((month, i) => ({
      id: firstReport + index * months.length + i,
      month,
      temperature: temperatureAt(city.latitude, month),
    })),
  }
}

/** Plans one city alone, and shows the plan in full. The session ends without a flush: making a plan writes nothing. */
export const planOfOne = ({ measured }: Journal, filling: Filling): Session.Program<Session.SessionError, unknown> =>
  Session.gen(function* () {
    yield* chapter('Filling the world')
    yield* Session.add(model.Location, draftOf(filling, 0))
    yield* pipe(Session.flushPlan, measured('plan of one city, in full', Session.explain))
  })

/** A city's own row, and those of its reports. */
const rowsOf = ({ months }: Filling, cities: number): number => cities * (1 + months.length)

/** Adds all cities, shows what the flush will write, and writes it. */
export const fill = (
  { measured }: Journal,
  progress: Progress,
  filling: Filling,
): Session.Program<Session.SessionError, unknown> => {
  const rows = rowsOf(filling, filling.cities.length)
  return Session.gen(function* () {
    yield* pipe(
      addCities(progress, filling),
      progress.during('adding drafts', rows),
      measured('add all drafts', () => count(rows, 'draft')),
    )
    yield* pipe(Session.flushPlan, measured('plan of all cities, in short', summaryTable))
    yield* pipe(
      Session.flush,
      progress.during('writing rows', rows),
      measured('flush', ({ inserted }) => `${count(inserted, 'row')} inserted`),
    )
    yield* pipe(Session.commit, measured('commit'))
  })
}

const draftsAtOnce = 10_000

/** In chunks, so that the drafts of one are gone before the next is made. */
const addCities = (progress: Progress, filling: Filling): Session.Program<Session.SessionError, unknown> =>
  pipe(
    filling.cities.map((_, index) => index),
    chunksOf(draftsAtOnce),
    Session.traverseArray((chunk) =>
      pipe(
        Session.addAll(
          model.Location,
          chunk.map((index) => draftOf(filling, index)),
        ),
        Session.map(() => progress.advance(rowsOf(filling, chunk.length))),
      ),
    ),
  )
