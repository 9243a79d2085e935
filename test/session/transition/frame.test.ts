/**
 * What a rollback keeps and forgets, of a transaction and of savepoints several levels deep.
 */
import { type Managed, orderBy, type Snapshot, select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, model, now, open } from '../app.js'

type M = typeof model
type User = Managed<M, 'User'>
type Address = Managed<M, 'Address'>

const inspect = (app: App, snapshot: Snapshot) => Session.inspect(app.store.getState(), snapshot)
const statusOf = (app: App, snapshot: Snapshot) => inspect(app, snapshot)?.status
const users = Session.query(pipe(select(model.User), orderBy('id')))
const nothing = { inserted: 0, updated: 0, deleted: 0, notices: [] }

/** Two users and an address of the first, stored by somebody else: the session knows none of them. */
const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(Session.addAll(model.User, [{ name: 'ed', addresses: [{ email: 'a' }] }, { name: 'wendy' }]))
  app.run(Session.commit)
  app.run(Session.expungeAll)
  app.run(Session.commit)
  app.clear()
  return app
}

const get = (app: App, id: number): User => {
  const found = app.run(Session.get(model.User, id))
  if (found._tag === 'None') throw new Error(`no user ${id}`)
  return found.value
}

describe('a savepoint that is rolled back', () => {
  test('leaves what was loaded in it known, without a statement', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const ed = get(app, 1)
    const addresses = app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.rollbackNested)
    const known = Session.gen(function* () {
      const user = yield* Session.read(model.User)(ed)
      const again = yield* Session.load(model.User, 'addresses')(ed)
      return [user.name, again.length, yield* Session.get(model.Address, 1)] as const
    })
    expect(app.counted(known)).toMatchObject([['ed', 1, { value: addresses[0] }], []])
  })

  test('makes what was loaded and written in it expire', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const [ed, wendy] = app.run(users) as readonly [User, User]
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(inspect(app, ed)).toMatchObject({ status: 'persistent', attributes: {}, changed: [] })
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([{ name: 'ed' }, [expect.any(String)]])
    expect(app.counted(Session.read(model.User)(wendy))[1]).toEqual([])
  })

  test('makes what was loaded and changed in it expire, though nothing was written', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const ed = get(app, 1)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.rollbackNested)
    expect(inspect(app, ed)).toMatchObject({ attributes: {}, changed: [] })
    expect(app.run(Session.commit)).toEqual(nothing)
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
  })

  test('gives back what was known before it, whatever was written in it, without a statement', () => {
    const app = arrange()
    const ed = get(app, 1)
    app.run(Session.set(model.User, { nickname: 'kept' })(ed))
    app.run(Session.beginNested)
    app.run(Session.set(model.User, { name: 'edward', nickname: 'undone' })(ed))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([{ name: 'ed', nickname: 'kept' }, []])
    app.run(Session.commit)
    expect(app.rows('users')[0]).toMatchObject({ name: 'ed', nickname: 'kept' })
  })

  test('forgets collections that were loaded in it and hold what is not there any more', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const ed = get(app, 1)
    app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.append(model.User, 'addresses', { email: 'b' })(ed))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses).toMatchObject([{ email: 'a' }])
    expect(statements.length).toBeGreaterThan(0)
  })

  test('forgets collections alone where their owner was not written', () => {
    const app = arrange()
    app.run(Session.beginNested)
    app.run(Session.add(model.Address, { email: 'b', userId: 1 }))
    const ed = get(app, 1)
    expect(app.run(Session.load(model.User, 'addresses')(ed))).toHaveLength(2)
    app.run(Session.rollbackNested)
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([{ name: 'ed' }, []])
    expect(app.counted(Session.load(model.User, 'addresses')(ed))).toMatchObject([
      [{ email: 'a' }],
      [expect.any(String)],
    ])
  })

  test('makes what was inserted in it transient, without what the flush gave it', () => {
    const app = arrange()
    const ed = get(app, 1)
    app.run(Session.beginNested)
    const address = app.run(Session.add(model.Address, { email: 'b', user: ed }))
    app.run(Session.flush)
    expect(inspect(app, address)).toMatchObject({ attributes: { id: 2, userId: 1 } })
    app.run(Session.rollbackNested)
    expect(inspect(app, address)).toMatchObject({
      status: 'transient',
      identity: null,
      attributes: { email: 'b', isPrimary: false },
      related: { user: inspect(app, ed)?.id },
    })
    expect(inspect(app, address)?.attributes).not.toHaveProperty('id')
    expect(inspect(app, address)?.attributes).not.toHaveProperty('userId')
  })

  test('leaves in what was inserted what the program has set since', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const jack = app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.flush)
    app.run(Session.set(model.User, { nickname: 'j' })(jack))
    app.run(Session.flush)
    app.run(Session.set(model.User, { name: 'john' })(jack))
    app.run(Session.rollbackNested)
    expect(inspect(app, jack)).toMatchObject({
      status: 'transient',
      attributes: { name: 'john', nickname: 'j', joined: now },
    })
    app.run(Session.add(model.User, jack))
    app.run(Session.commit)
    expect(app.rows('users')[2]).toMatchObject({ id: 3, name: 'john', nickname: 'j' })
  })

  test('gives back what was deleted in it, by its key and without a statement', () => {
    const app = arrange()
    const wendy = get(app, 2)
    app.run(Session.beginNested)
    app.run(Session.remove(model.User)(wendy))
    app.run(Session.flush)
    expect(statusOf(app, wendy)).toBe('deleted')
    app.run(Session.rollbackNested)
    expect(app.counted(Session.get(model.User, 2))).toMatchObject([{ value: { name: 'wendy' } }, []])
    expect(app.run(Session.commit)).toEqual(nothing)
  })

  test('of an instance that was made and deleted in it leaves it transient', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const jack = app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.flush)
    app.run(Session.remove(model.User)(jack))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(statusOf(app, jack)).toBe('transient')
    expect(app.run(Session.get(model.User, 3))).toEqual({ _tag: 'None' })
  })

  test('of a change of keys finds each by the key that it has again', () => {
    const app = arrange()
    app.run(
      Session.addAll(model.Country, [
        { code: 'fr', title: 'France' },
        { code: 'de', title: 'Germany' },
      ]),
    )
    app.run(Session.commit)
    const [de, fr] = app.run(Session.query(pipe(select(model.Country), orderBy('code')))) as readonly [
      Managed<M, 'Country'>,
      Managed<M, 'Country'>,
    ]
    app.run(Session.beginNested)
    app.run(Session.set(model.Country, { code: 'xx' })(fr))
    app.run(Session.flush)
    app.run(Session.set(model.Country, { code: 'fr' })(de))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(app.counted(Session.get(model.Country, 'fr'))).toMatchObject([{ value: { title: 'France' } }, []])
    expect(app.counted(Session.get(model.Country, 'de'))).toMatchObject([{ value: { title: 'Germany' } }, []])
    expect(app.run(Session.get(model.Country, 'xx'))).toEqual({ _tag: 'None' })
  })
})

describe('savepoints several levels deep', () => {
  /** At each level one more user, and Ed renamed. */
  const descend = (app: App, ed: User, levels: number): ReadonlyArray<Snapshot<'User'>> =>
    Array.from({ length: levels }, (_, level) => {
      app.run(Session.beginNested)
      app.run(Session.set(model.User, { name: `ed ${level}` })(ed))
      const user = app.run(Session.add(model.User, { name: `user ${level}` }))
      app.run(Session.flush)
      return user
    })

  test.each([0, 1, 2, 3])('with %i of three kept, the others undone', (kept) => {
    const app = arrange()
    const ed = get(app, 1)
    const made = descend(app, ed, 3)
    for (let level = 3; level > kept; level--) app.run(Session.rollbackNested)
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([
      { name: kept === 0 ? 'ed' : `ed ${kept - 1}` },
      [],
    ])
    expect(made.map((user) => statusOf(app, user))).toEqual(
      [0, 1, 2].map((level) => (level < kept ? 'persistent' : 'transient')),
    )
    for (let level = kept; level > 0; level--) app.run(Session.commitNested)
    app.run(Session.commit)
    expect(app.rows('users')).toHaveLength(2 + kept)
    expect(app.rows('users')[0]).toMatchObject({ name: kept === 0 ? 'ed' : `ed ${kept - 1}` })
  })

  test('one that was released is undone with the one around it', () => {
    const app = arrange()
    const ed = get(app, 1)
    const made = descend(app, ed, 3)
    app.run(Session.commitNested)
    app.run(Session.commitNested)
    app.run(Session.rollbackNested)
    expect(made.map((user) => statusOf(app, user))).toEqual(['transient', 'transient', 'transient'])
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
    expect(app.run(Session.commit)).toEqual(nothing)
  })

  test('what was loaded in an inner one, and kept, is known after an outer one is rolled back', () => {
    const app = arrange()
    app.run(Session.beginNested)
    app.run(Session.beginNested)
    const [ed, wendy] = app.run(users) as readonly [User, User]
    app.run(Session.commitNested)
    app.run(Session.set(model.User, { name: 'w' })(wendy))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([{ name: 'ed' }, []])
    expect(app.counted(Session.read(model.User)(wendy))).toMatchObject([{ name: 'wendy' }, [expect.any(String)]])
  })

  test('what was written in an inner one, and undone there, is as the outer one has it', () => {
    const app = arrange()
    app.run(Session.beginNested)
    const ed = get(app, 1)
    app.run(Session.set(model.User, { name: 'outer' })(ed))
    app.run(Session.flush)
    app.run(Session.beginNested)
    app.run(Session.set(model.User, { name: 'inner' })(ed))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(app.run(Session.read(model.User)(ed)).name).toBe('outer')
    app.run(Session.rollbackNested)
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
  })

  test('the names of savepoints in the database tell their depth, and come again', () => {
    const app = arrange()
    for (let i = 0; i < 2; i++) {
      app.run(Session.beginNested)
      app.run(users)
      app.run(Session.beginNested)
      app.run(Session.rollbackNested)
      app.run(Session.commitNested)
    }
    expect(app.asked().filter((asked) => !asked.startsWith('select'))).toEqual([
      'Begin',
      'Savepoint unitary_1',
      'Savepoint unitary_2',
      'RollbackToSavepoint unitary_2',
      'ReleaseSavepoint unitary_2',
      'ReleaseSavepoint unitary_1',
      'Savepoint unitary_1',
      'Savepoint unitary_2',
      'RollbackToSavepoint unitary_2',
      'ReleaseSavepoint unitary_2',
      'ReleaseSavepoint unitary_1',
    ])
  })

  test('cost nothing in the database while nothing is asked of it', () => {
    const app = arrange()
    app.run(Session.commit)
    app.clear()
    app.run(Session.beginNested)
    app.run(Session.beginNested)
    app.run(Session.commitNested)
    app.run(Session.rollbackNested)
    app.run(Session.commit)
    expect(app.asked()).toEqual([])
  })

  test('those that are open when the first question comes are there for it', () => {
    const app = arrange()
    app.run(Session.beginNested)
    app.run(Session.beginNested)
    app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    app.run(Session.add(model.User, { name: 'mary' }))
    app.run(Session.commitNested)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wendy' }, { name: 'mary' }])
  })
})

describe('a transaction that is rolled back', () => {
  test('makes everything expire that it had read or written', () => {
    const app = arrange()
    const [ed, wendy] = app.run(users) as readonly [User, User]
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect([ed, wendy].map((user) => inspect(app, user)?.attributes)).toEqual([{}, {}])
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
  })

  test('leaves what it was given transient, with related drafts, and all of it can be added again', () => {
    const app = arrange()
    const jack = app.run(
      Session.add(model.User, { name: 'jack', addresses: [{ email: 'j' }], posts: [{ title: 'p' }] }),
    )
    app.run(Session.flush)
    app.run(Session.rollback)
    const graph = Session.walk(app.store.getState(), jack).map((one) => inspect(app, one))
    expect(graph.map((one) => [one?.status, one?.attributes])).toEqual([
      ['transient', { name: 'jack', joined: now }],
      ['transient', { email: 'j', isPrimary: false }],
      ['transient', { title: 'p' }],
    ])
    app.run(Session.add(model.User, jack))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 3 })
    expect(app.rows('addresses')[1]).toMatchObject({ email: 'j', user_id: 3 })
    expect(app.rows('posts')).toMatchObject([{ title: 'p', author_id: 3 }])
  })

  test('gives back what left collections, and takes what came', () => {
    const app = arrange({ expireOnCommit: false })
    const ed = get(app, 1)
    const [a] = app.run(Session.load(model.User, 'addresses')(ed)) as readonly [Address]
    app.run(Session.commit)
    app.run(Session.detach(model.User, 'addresses', a)(ed))
    const b = app.run(Session.add(model.Address, { email: 'b', user: ed }))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(app.run(Session.load(model.User, 'addresses')(ed)).map(({ email }) => email)).toEqual(['a'])
    expect(statusOf(app, b)).toBe('transient')
    expect(app.run(Session.commit)).toEqual(nothing)
  })

  test('of nothing leaves the very same state, and asks nothing', () => {
    const app = arrange()
    const state = app.store.getState()
    app.run(Session.rollback)
    expect(app.store.getState()).toBe(state)
    expect(app.asked()).toEqual([])
  })

  test('does not let what it undid come back with the next one', () => {
    const app = arrange()
    const ed = get(app, 1)
    app.run(Session.set(model.User, { name: 'never' })(ed))
    app.run(Session.add(model.User, { name: 'never' }))
    app.run(Session.remove(model.User)(get(app, 2)))
    app.run(Session.rollback)
    expect(app.run(Session.commit)).toEqual(nothing)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wendy' }])
  })
})

describe('what was undone and is added again', () => {
  test('takes along what it has kept: who refers to it leaves whom it referred to', () => {
    const app = arrange()
    const ed = get(app, 1)
    const [a] = app.run(Session.load(model.User, 'addresses')(ed)) as readonly [Address]
    app.run(Session.load(model.Address, 'user')(a))
    app.run(Session.beginNested)
    const jack = app.run(Session.add(model.User, { name: 'jack', addresses: [a] }))
    const b = app.run(Session.add(model.Address, { email: 'b', user: ed }))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    const held = Session.gen(function* () {
      const his = yield* Session.related(model.User, 'addresses')(ed)
      const user = yield* Session.related(model.Address, 'user')(a)
      return [his.map(({ email }) => email), user._tag === 'Some' ? user.value.name : null]
    })
    expect(app.run(held)).toEqual([['a'], 'ed'])
    app.run(Session.add(model.Address, b))
    app.run(Session.add(model.User, jack))
    expect(app.run(held)).toEqual([[], 'jack'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: 3 },
      { email: 'b', user_id: 1 },
    ])
    // a collection that was loaded learns of new members when it expires
    app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.load(model.Address, 'user')(a))
    expect(app.run(held)).toEqual([['b'], 'jack'])
  })

  test('takes along an orphan that was given to it', () => {
    const app = arrange()
    const ed = get(app, 1)
    const post = app.run(Session.add(model.Post, { title: 'p', author: ed }))
    app.run(Session.detach(model.User, 'posts', post)(ed))
    app.run(Session.commit)
    expect(statusOf(app, post)).toBe('transient')
    const jack = app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.append(model.User, 'posts', post)(jack))
    app.run(Session.rollback)
    app.run(Session.add(model.User, jack))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 2, notices: [] })
    expect(app.rows('posts')).toMatchObject([{ title: 'p', author_id: 3 }])
  })
})
