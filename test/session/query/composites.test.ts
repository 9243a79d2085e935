/**
 * Composites on every database: written, found by, changed, and read beside what is loaded.
 */
import {
  composite,
  type Decimal,
  decimal,
  defineModel,
  entity,
  filterBy,
  generated,
  instant,
  integer,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  set,
  text,
  update,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { none, type Option, some } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { databases, openOnServer } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)
const Stay = entity('Stay', 'stays', {
  id,
  amount: decimal(12, 2),
  currency: text,
  from: pipe(instant, nullable),
  until: pipe(instant, nullable),
  guestId: integer,
})
const Guest = entity('Guest', 'guests', { id, name: text })
const model = defineModel({ Guest, Stay })((r) => ({
  Guest: { stays: r.Guest.hasMany('Stay', { foreignKey: 'guestId', inverse: 'guest', orderBy: 'id' }) },
  Stay: { guest: r.Stay.belongsTo('Guest', { foreignKey: 'guestId', inverse: 'stays' }) },
}))

interface Money {
  readonly amount: Decimal
  readonly currency: string
}
const price = composite(
  model.Stay,
  { amount: 'amount', currency: 'currency' },
  { make: (parts): Money => parts, parts: (money) => money },
)

interface Span {
  readonly from: Date
  readonly until: Date
}
/** There is one where both ends are known. */
const span = composite(
  model.Stay,
  { from: 'from', until: 'until' },
  {
    make: ({ from, until }): Option<Span> => (from === null || until === null ? none : some({ from, until })),
    parts: (given) => (given._tag === 'None' ? { from: null, until: null } : given.value),
  },
)

const euros = (amount: string): Money => ({ amount: amount as Decimal, currency: 'EUR' })
const march = some({ from: new Date('2026-03-01T12:00:00Z'), until: new Date('2026-03-29T01:30:00.5Z') })

describe.each(databases)('composites on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)('are stored as their parts, and come back as what they were', async () => {
    const { run } = await openOnServer(host, model)
    const guest = await run(
      Session.add(model.Guest, {
        name: 'ann',
        stays: [{ ...price.of(euros('12.5')), ...span.of(march) }, price.of(euros('9'))],
      }),
    )
    await run(Session.commit)
    const [found] = await run(pipe(select(model.Guest), selectin('stays'), Session.query))
    expect(found?.stays.map(price.get)).toEqual([euros('12.5'), euros('9')])
    expect(found?.stays.map(span.get)).toEqual([march, none])

    const stays = await run(Session.load(model.Guest, 'stays')(guest))
    const dear = stays[0]
    if (dear === undefined) throw new Error('no stay')
    await run(Session.set(model.Stay, price.of(euros('13')))(dear))
    await run(Session.set(model.Stay, span.of(none))(dear))
    await run(Session.commit)
    const changed = await run(Session.read(model.Stay)(dear))
    expect([price.get(changed), span.get(changed)]).toEqual([euros('13'), none])
  })

  test.skipIf(isMissing)('are found by, and changed past the unit of work', async () => {
    const { run } = await openOnServer(host, model)
    const stays = [{ ...price.of(euros('12.5')), ...span.of(march) }, price.of(euros('9')), price.of(euros('12.5'))]
    await run(Session.add(model.Guest, { name: 'ann', stays }))
    await run(Session.commit)
    const found = async (...conditions: ReadonlyArray<ReturnType<typeof price.of> | ReturnType<typeof span.of>>) => {
      const all = conditions.reduce((asked, one) => pipe(asked, filterBy(one)), pipe(select(model.Stay), orderBy('id')))
      return (await run(Session.query(all))).map((stay) => stay.id)
    }
    expect(await found(price.of(euros('12.5')))).toEqual([1, 3])
    expect(await found(price.of(euros('12.5')), span.of(march))).toEqual([1])
    expect(await found(span.of(none))).toEqual([2, 3])
    await run(pipe(update(model.Stay), filterBy(price.of(euros('9'))), set(price.of(euros('10'))), Session.execute()))
    expect(await found(price.of(euros('10')))).toEqual([2])
  })
})
