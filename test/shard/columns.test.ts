/**
 * Rows of every kind of column over three kinds of database, merged in the order that each of them has.
 */
import {
  createAll,
  defineModel,
  entity,
  integer,
  limit,
  nullable,
  offset,
  orderBy,
  primaryKey,
  select,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap } from '@unitary/shard'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Opened, setups } from '../session/columns/databases.js'
import { type Kind, kinds } from '../session/columns/kinds.js'
import { leftOf, rightOf } from './weather.js'

const modelOf = ({ column }: Kind, i: number) => {
  const Item = entity('Item', `items_${i}`, {
    id: pipe(integer, primaryKey),
    home: text,
    value: pipe(column, nullable),
  })
  return defineModel({ Item })(() => ({}))
}
const models = kinds.map((kind, i) => ({ kind, model: modelOf(kind, i) }))
const homes = ['lite', 'postgres', 'maria'] as const
const isMissing = setups.some((setup) => setup.isMissing)

describe.skipIf(isMissing)('over three kinds of database', () => {
  const opened: Opened[] = []
  beforeAll(async () => {
    for (const setup of setups) opened.push(await setup.open())
    for (const { engine } of opened) for (const { model } of models) rightOf(await createAll(model)(engine)())
  })
  afterAll(async () => {
    for (const { drop } of opened) await drop()
  })

  describe.each(models.map((one) => [one.kind.name, one] as const))('%s', (_, { kind, model }) => {
    // every value on each of them, and NULL
    const rows = [...kind.values.filter((value) => value !== null), null].flatMap((value, rank) =>
      homes.map((home, i) => ({ id: rank * 3 + i, home: home as string, value, rank: value === null ? -1 : rank })),
    )
    const run = <E, A>(program: Session.Program<E, A>) => {
      const [lite, postgres, maria] = opened.map(({ engine }) => engine)
      if (lite === undefined || postgres === undefined || maria === undefined) return expect.fail('not opened')
      const rules = choosers(model)({
        Item: byAttribute('home', { lite: 'lite', postgres: 'postgres', maria: 'maria' }),
      })
      const app = shardedRuntime(model, { shards: shardMap({ lite, postgres, maria }), choosers: rules })
      return Session.run(app)(program)()
    }
    beforeAll(async () => {
      const added = rows.map(({ id, home, value }) => ({ id, home, value }))
      rightOf(await run(Session.chain(() => Session.commit)(Session.addAll(model.Item, added))))
    })
    const sorted = rows.toSorted((a, b) => a.rank - b.rank || a.id - b.id).map(({ id }) => id)
    const idsOf = async (query: Parameters<typeof found>[0]) => (await found(query)).map(({ id }) => id)
    const all = select(model.Item)
    const found = async (query: typeof all) => rightOf(await run(Session.query(query)))

    test('comes from each as it was', async () => {
      const items = await found(pipe(all, orderBy('id')))
      expect(items.map(({ value }) => value)).toEqual(rows.toSorted((a, b) => a.id - b.id).map(({ value }) => value))
      const value = kind.values.find((one) => one !== null)
      expect(await idsOf(pipe(all, where('value', '=', value as never), orderBy('id')))).toEqual([0, 1, 2])
    })

    test.runIf(kind.isOrdered)('is merged in its order', async () => {
      expect(await idsOf(pipe(all, orderBy('value'), orderBy('id')))).toEqual(sorted)
      expect(await idsOf(pipe(all, orderBy('value', 'desc'), orderBy('id', 'desc')))).toEqual(sorted.toReversed())
      expect(await idsOf(pipe(all, orderBy('value'), orderBy('id'), offset(2), limit(3)))).toEqual(sorted.slice(2, 5))
    })

    test.runIf(!kind.isOrdered)('is not merged, since each has an order of its own', async () => {
      expect(leftOf(await run(Session.query(pipe(all, orderBy('value')))))).toMatchObject({
        _tag: 'RoutingError',
        reason: 'NotMergeable',
      })
    })
  })
})
