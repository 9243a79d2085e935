import type { Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { type App, model, open } from '../app.js'

const arrange = () => {
  const app = open()
  app.run(
    Session.addAll(model.User, [
      { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] },
      { name: 'wendy', addresses: [{ email: 'c' }] },
      { name: 'jack' },
    ]),
  )
  app.run(Session.commit)
  app.run(Session.expungeAll)
  return app
}

const got = <A>(option: { readonly _tag: 'None' } | { readonly _tag: 'Some'; readonly value: A }): A => {
  if (option._tag === 'None') throw new Error('nothing found')
  return option.value
}

const user = (app: App, id: number) => got(app.run(Session.get(model.User, id)))
const address = (app: App, id: number) => got(app.run(Session.get(model.Address, id)))

describe('load', () => {
  test('loads a collection by one statement, in its order, and keeps it', () => {
    const app = arrange()
    const ed = user(app, 1)
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses).toMatchObject([
      { id: 1, email: 'a', userId: 1 },
      { id: 2, email: 'b', userId: 1 },
    ])
    expect(statements).toHaveLength(1)
    const [again, none] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(none).toEqual([])
    expect(again.every((one, i) => one === addresses[i])).toBe(true)
  })

  test('an empty collection is loaded too', () => {
    const app = arrange()
    const jack = user(app, 3)
    expect(app.counted(Session.load(model.User, 'addresses')(jack))).toMatchObject([[], [expect.any(String)]])
    expect(app.counted(Session.load(model.User, 'addresses')(jack))).toEqual([[], []])
  })

  test('a reference costs no statement where its target is in the identity map', () => {
    const app = arrange()
    const ed = user(app, 1)
    const [first, second] = app.run(Session.load(model.User, 'addresses')(ed))
    for (const one of [first, second] as ReadonlyArray<Snapshot<'Address'>>) {
      const [found, statements] = app.counted(Session.load(model.Address, 'user')(one))
      expect(got(found)).toBe(ed)
      expect(statements).toEqual([])
    }
  })

  test('a reference whose target is not there is loaded by its key', () => {
    const app = arrange()
    const c = address(app, 3)
    const [found, statements] = app.counted(Session.load(model.Address, 'user')(c))
    expect(got(found)).toMatchObject({ id: 2, name: 'wendy' })
    expect(statements).toHaveLength(1)
    expect(app.counted(Session.load(model.Address, 'user')(c))[1]).toEqual([])
  })

  test('a reference to nothing costs no statement', () => {
    const app = arrange()
    app.database.exec('update addresses set user_id = null where id = 3')
    expect(app.counted(Session.load(model.Address, 'user')(address(app, 3)))).toEqual([{ _tag: 'None' }, []])
  })

  test('targets that have expired are read again, all by one statement', () => {
    const app = arrange()
    const ed = user(app, 1)
    const [a, b] = app.run(Session.load(model.User, 'addresses')(ed))
    app.database.exec("update addresses set email = email || '!'")
    app.run(Session.expire(model.Address)(a as Snapshot<'Address'>))
    app.run(Session.expire(model.Address)(b as Snapshot<'Address'>))
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses.map(({ email }) => email)).toEqual(['a!', 'b!'])
    expect(statements).toHaveLength(1)
  })

  test('of an instance that has expired, follows the foreign key that its row has now', () => {
    const app = arrange()
    const [ed, wendy] = [user(app, 1), user(app, 2)]
    const a = address(app, 1)
    expect(got(app.run(Session.load(model.Address, 'user')(a)))).toBe(ed)
    app.database.exec('update addresses set user_id = 2 where id = 1')
    app.run(Session.expire(model.Address)(a))
    expect(got(app.run(Session.load(model.Address, 'user')(a)))).toEqual(wendy)
    expect(app.run(Session.read(model.Address)(a))).toMatchObject({ userId: 2 })
  })

  test('loads the collection of an instance that has expired, without its row', () => {
    const app = arrange()
    const ed = user(app, 1)
    app.run(Session.expire(model.User)(ed))
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses).toHaveLength(2)
    expect(statements).toHaveLength(1)
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ name: 'ed' })
  })

  test('does not overwrite changes that no flush has written', () => {
    const app = open({ autoflush: false })
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] }))
    app.run(Session.commit)
    app.run(Session.set(model.Address, { email: 'mine' })(address(app, 2)))
    const addresses = app.run(Session.load(model.User, 'addresses')(user(app, 1)))
    expect(addresses.map(({ email }) => email)).toEqual(['a', 'mine'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ email: 'a' }, { email: 'mine' }])
  })

  test('a new instance has what was put into it, and nothing is asked', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const jack = app.run(Session.make(model.User, { name: 'jack' }))
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses).toMatchObject([{ email: 'a' }])
    expect(statements).toEqual([])
    expect(app.counted(Session.load(model.User, 'addresses')(jack))).toEqual([[], []])
    expect(app.counted(Session.load(model.Node, 'parent')(app.run(Session.make(model.Node, { label: 'n' }))))).toEqual([
      { _tag: 'None' },
      [],
    ])
  })

  test('flushes pending changes first', () => {
    const app = arrange()
    const ed = user(app, 1)
    const wendy = user(app, 2)
    const c = address(app, 3)
    app.run(Session.set(model.Address, { user: ed })(c))
    expect(app.run(Session.load(model.User, 'addresses')(wendy))).toEqual([])
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }, { user_id: 1 }, { user_id: 1 }])
  })
})

describe('related', () => {
  test('never asks, and is NotLoaded where the session does not know', () => {
    const app = arrange()
    const ed = user(app, 1)
    const notLoaded = { _tag: 'NotLoaded', entity: 'User', key: 1, attribute: 'addresses' }
    app.clear()
    expect(app.fails(Session.related(model.User, 'addresses')(ed))).toEqual(notLoaded)
    const [a] = app.run(Session.load(model.User, 'addresses')(ed))
    expect(app.counted(Session.related(model.User, 'addresses')(ed))[1]).toEqual([])
    // members whose rows are out of date cannot be shown
    app.run(Session.expire(model.Address)(a as Snapshot<'Address'>))
    expect(app.fails(Session.related(model.User, 'addresses')(ed))).toEqual(notLoaded)
  })

  test('gives a reference whose target is in the identity map', () => {
    const app = arrange()
    const a = address(app, 1)
    expect(app.fails(Session.related(model.Address, 'user')(a))).toMatchObject({ _tag: 'NotLoaded', attribute: 'user' })
    const ed = user(app, 1)
    expect(got(app.run(Session.related(model.Address, 'user')(a)))).toBe(ed)
  })
})
