/**
 * Changing the world: first in a savepoint that is rolled back, then for good.
 */
import { isDeepStrictEqual } from 'node:util'
import { withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Journal } from './journal.js'
import { model } from './model.js'
import { chapter, count } from './print.js'
import { type CityWithReports, hottestCities } from './queries.js'

/** A city gets its country into its name, and its reports whole degrees. Gives the city as it is then. */
const changeCity = (city: CityWithReports): Session.Program<Session.SessionError, CityWithReports> =>
  Session.gen(function* () {
    for (const report of city.reports) {
      yield* pipe(report, Session.set(model.Report, { temperature: Math.round(report.temperature) }))
    }
    return yield* pipe(city, Session.set(model.Location, { name: `${city.name} (${city.country})` }))
  })

const updates = ({ updated }: Session.Flushed): string => `${count(updated, 'row')} updated`

/** Changes the hottest cities, takes it back, and changes them again; gives their new names. */
export const changeHottest = ({ measured }: Journal): Session.Program<Session.SessionError, ReadonlyArray<string>> =>
  Session.gen(function* () {
    yield* chapter('Changing the world')
    const cities = yield* pipe(hottestCities, Session.query, measured('load the cities to change'))
    const before = yield* Session.gets((state) => state)

    yield* Session.beginNested
    yield* pipe(cities, Session.traverseArray(changeCity))
    yield* pipe(
      Session.flushPlan,
      measured('plan the change', (plan) => Session.explain(plan, { rows: 2 })),
    )
    yield* pipe(Session.flush, measured('flush in a savepoint', updates))
    yield* pipe(Session.rollbackNested, measured('roll back'))

    const after = yield* Session.gets((state) => state)
    const stateIsAsBefore = after.instances === before.instances
    yield* pipe(
      hottestCities,
      withOptions({ populateExisting: true }),
      Session.query,
      measured('look at both again', (rows) =>
        [
          `state: ${stateIsAsBefore ? 'as before, the very same value' : 'NOT as before'}`,
          `database: ${isDeepStrictEqual(rows, cities) ? 'as before, every row' : 'NOT as before'}`,
        ].join('\n'),
      ),
    )

    const changed = yield* pipe(cities, Session.traverseArray(changeCity))
    yield* pipe(Session.commit, measured('change again and commit', updates))
    return changed.map((city) => city.name)
  })
