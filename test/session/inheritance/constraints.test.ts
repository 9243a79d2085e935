import { orderBy, select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { joined, separate, single } from '../../core/schema/hierarchies.js'
import { type App, openOn } from '../app.js'

/** Why the database refuses what is added; the session is rolled back. */
const refusal = (app: App, adding: Session.Program<unknown, unknown>): unknown => {
  const failed = app.fails(
    pipe(
      adding,
      Session.chain(() => Session.flush),
    ),
  ) as { readonly cause?: { readonly reason?: unknown } }
  app.run(Session.rollback)
  return failed.cause?.reason
}

describe('the constraints of subtypes', () => {
  test('hold in a table of their own', () => {
    const app = openOn(joined)
    const book = { shelf: 'a', place: 1, title: 'on walls', isbn: '1', pages: 10, weight: 300 }
    app.run(Session.add(joined.Book, book))
    app.run(Session.commit)
    const refused = (draft: Partial<typeof book>): unknown =>
      refusal(app, Session.add(joined.Book, { ...book, place: 2, isbn: '2', pages: 11, ...draft }))
    expect(refused({ pages: 0 })).toMatchObject({ _tag: 'CheckViolation' })
    expect(refused({ weight: 1 })).toMatchObject({ _tag: 'CheckViolation' })
    expect(refused({ pages: 10 })).toMatchObject({ _tag: 'UniqueViolation' })
    expect(app.rows('documents')).toHaveLength(1)
  })

  test('leave rows of others alone in a table that they share', () => {
    const app = openOn(single)
    const chief = { name: 'cy', level: 4, activity: 'packing', bonus: 1 } as const
    app.run(Session.add(single.Driver, { name: 'di', level: 'c', state: 'driving', vanId: 500 }))
    app.run(Session.add(single.Packer, { name: 'pa', level: 3, activity: 'packing', deputyId: 1 }))
    app.run(Session.add(single.Chief, { ...chief, deputyId: 2 }))
    app.run(Session.commit)
    const refused = (draft: object): unknown =>
      refusal(app, Session.add(single.Chief, { ...chief, name: 'co', deputyId: 2, ...draft }))
    expect(refused({ level: 0 })).toMatchObject({ _tag: 'CheckViolation' })
    expect(refused({ bonus: -1 })).toMatchObject({ _tag: 'CheckViolation' })
    expect(refused({ deputyId: 9 })).toMatchObject({ _tag: 'ForeignKeyViolation' })
    expect(refused({ name: 'cy' })).toMatchObject({ _tag: 'UniqueViolation' })
    expect(app.rows('workers')).toMatchObject([
      { kind: 'driver', licence: 'c', level: null, state: 'driving' },
      { kind: 'packer', licence: null, level: 3, state: 'packing' },
      { kind: 'chief', licence: null, level: 4, state: 'packing', bonus: 1 },
    ])
  })

  test('order the writes of a table that subtypes share', () => {
    const app = openOn(single)
    app.run(Session.add(single.Team, { name: 'night' }))
    app.run(
      Session.addAll(single.Packer, [
        { name: 'pa', level: 1, activity: 'packing', deputyId: 1, teamId: 1 },
        { name: 'po', level: 2, activity: 'packing', deputyId: 1, teamId: 1 },
      ]),
    )
    app.run(Session.commit)
    const [pa, po] = app.run(pipe(select(single.Packer), orderBy('id'), Session.query))
    if (pa === undefined || po === undefined) throw new Error('not there')
    app.run(Session.set(single.Packer, { level: 2 })(pa))
    app.run(Session.set(single.Packer, { level: 1 })(po))
    app.run(Session.commit)
    expect(app.rows('workers')).toMatchObject([{ level: 2 }, { level: 1 }])
  })

  test('hold in each table of concrete ones', () => {
    const app = openOn(separate)
    const car = { plate: 'x', doors: 4, ownerId: 1 }
    app.run(Session.add(separate.Owner, { name: 'ed' }))
    app.run(Session.add(separate.Boat, { plate: 'x', sails: 1 }))
    app.run(Session.add(separate.Car, car))
    app.run(Session.commit)
    expect(refusal(app, Session.add(separate.Car, { ...car, plate: 'x' }))).toMatchObject({ _tag: 'UniqueViolation' })
    expect(refusal(app, Session.add(separate.Car, { ...car, plate: 'y', doors: 1 }))).toMatchObject({
      _tag: 'CheckViolation',
    })
  })
})
