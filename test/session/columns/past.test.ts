/**
 * Values of every kind of column go to every database past the unit of work, and come back as they were: by inserts, upserts,
 * inserts from queries and updates of many rows.
 */
import {
  createAll,
  defineModel,
  entity,
  fromSelect,
  generated,
  insertInto,
  integer,
  nullable,
  onConflictDoUpdate,
  orderBy,
  primaryKey,
  returningEntities,
  select,
  values,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { ExpressionBuilder } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resultOf } from '../app.js'
import { drivers, type Opened, type Setup, setups } from './databases.js'
import { type Kind, kinds } from './kinds.js'

process.env.TZ = 'Europe/Berlin'

const itemOf = ({ column }: Kind, table: string) =>
  entity('Item', table, {
    id: pipe(integer, primaryKey, generated),
    value: column,
    maybe: pipe(column, nullable),
  })

const models = kinds.map((kind, i) => ({ kind, model: defineModel({ Item: itemOf(kind, `items_${i}`) })(() => ({})) }))

/** The values of a table, with one beside them that stands for itself. */
// biome-ignore lint/suspicious/noExplicitAny: tables are called as they come, so the types cannot follow
const copies = (table: string, value: unknown) => (eb: ExpressionBuilder<any, any>) =>
  eb.selectFrom(table).select((of) => ['value', of.val(value).as('maybe')])

const onSetup = (setup: Setup): void => {
  describe.skipIf(setup.isMissing)(setup.name, () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await setup.open()
      for (const { model } of models) resultOf(await createAll(model)(opened.engine)())
    })
    afterAll(() => opened?.drop())

    test.each(models.map((one) => [one.kind.name, one] as const))('%s', async (_, { kind, model }) => {
      const first = kind.values[0]
      const run = async <E, A>(program: Session.Program<E, A>): Promise<A> =>
        resultOf(await Session.run(Session.runtime(model, opened.engine))(program)())
      const rows = kind.values.map((value) => ({ value, maybe: value }))

      // rolled back at the end of each run
      const [made, stored] = await run(
        Session.gen(function* () {
          const items = yield* pipe(insertInto(model.Item), values(rows), returningEntities, Session.execute())
          yield* Session.expungeAll
          return [items, yield* pipe(select(model.Item), orderBy('id'), Session.query)] as const
        }),
      )
      expect(made.map(({ maybe, value }) => ({ maybe, value }))).toEqual(rows)
      expect(stored).toEqual(made)

      const upserted = await run(
        Session.gen(function* () {
          yield* pipe(insertInto(model.Item), values(rows.map((row, i) => ({ ...row, id: i + 1 }))), Session.execute())
          const others = kind.values.map((value, i) => ({ id: i + 1, value: first, maybe: value })).toReversed()
          const items = yield* pipe(
            insertInto(model.Item),
            values(others),
            onConflictDoUpdate('id', ['value', 'maybe']),
            returningEntities,
            Session.execute(),
          )
          expect(items.map(({ id, maybe, value }) => ({ id, value, maybe }))).toEqual(others)
          yield* Session.updateMany(
            model.Item,
            rows.map((row, i) => ({ id: i + 1, value: row.value, maybe: null })),
          )
          yield* Session.expungeAll
          return yield* pipe(select(model.Item), orderBy('id'), Session.query)
        }),
      )
      expect(upserted.map(({ maybe, value }) => [value, maybe])).toEqual(kind.values.map((value) => [value, null]))

      const copied = await run(
        Session.gen(function* () {
          yield* pipe(insertInto(model.Item), values(rows), Session.execute())
          yield* pipe(
            insertInto(model.Item),
            fromSelect(['value', 'maybe'], copies(model.Item.mapping.table, first) as never),
            Session.execute(),
          )
          yield* Session.expungeAll
          return yield* pipe(select(model.Item), orderBy('id'), Session.query)
        }),
      )
      expect(copied.slice(rows.length).map(({ maybe }) => maybe)).toEqual(rows.map(() => first))
      const written = copied.slice(rows.length).map(({ value }) => value)
      expect(written).toHaveLength(rows.length)
      expect(written).toEqual(expect.arrayContaining([...kind.values]))
    })
  })
}

for (const setup of setups) onSetup(setup)
for (const setup of drivers) onSetup(setup)
