/**
 * Values of every kind of column go to every database and come back as they were, however the driver is set up.
 */
import {
  createAll,
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  nullable,
  orderBy,
  primaryKey,
  select,
} from '@unitary/core'
import * as Session from '@unitary/session'
import * as fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resultOf } from '../app.js'
import { drivers, type Opened, type Setup, setups } from './databases.js'
import { type Kind, kinds } from './kinds.js'

// midnights and hours that are not there, in a zone other than that of any server
process.env.TZ = 'Europe/Berlin'

const itemOf = ({ column }: Kind, table: string) =>
  entity('Item', table, {
    id: pipe(integer, primaryKey, generated),
    value: column,
    maybe: pipe(column, nullable),
  })

const models = kinds.map((kind, i) => ({ kind, model: defineModel({ Item: itemOf(kind, `items_${i}`) })(() => ({})) }))

const roundTrips = (setup: Setup, runs: number): void => {
  describe.skipIf(setup.isMissing)(setup.name, () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await setup.open()
      for (const { model } of models) resultOf(await createAll(model)(opened.engine)())
    })
    afterAll(() => opened?.drop())

    describe.each(models.map((one) => [one.kind.name, one] as const))('%s', (_, { kind, model }) => {
      const back = async (given: ReadonlyArray<unknown>) => {
        const program = Session.gen(function* () {
          yield* pipe(deleteFrom(model.Item), Session.execute())
          for (const value of given) yield* Session.add(model.Item, { value, maybe: value })
          yield* Session.add(model.Item, { value: given[0], maybe: null })
          yield* Session.flush
          yield* Session.expungeAll
          return yield* pipe(select(model.Item), orderBy('id'), Session.query)
        })
        return resultOf(await Session.run(Session.runtime(model, opened.engine))(program)())
      }

      test('comes back from a flush', async () => {
        const found = await back(kind.values)
        expect(found.map(({ value }) => value)).toEqual([...kind.values, kind.values[0]])
        expect(found.map(({ maybe }) => maybe)).toEqual([...kind.values, null])
      })

      test('comes back whatever it is', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(kind.arbitrary, { minLength: 1, maxLength: 20 }), async (given) => {
            const found = await back(given)
            expect(found.map(({ value }) => value)).toEqual([...given, given[0]])
          }),
          { numRuns: runs },
        )
      }, 60_000)
    })
  })
}

test('dates are read in another time zone than that of any server', () => {
  expect(new Date(2026, 0, 31).toISOString()).toBe('2026-01-30T23:00:00.000Z')
})
for (const setup of setups) roundTrips(setup, 8)
for (const setup of drivers) roundTrips(setup, 2)
