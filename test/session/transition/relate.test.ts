import type { Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { type App, model, open } from '../app.js'

type User = Snapshot<'User'>
type Address = Snapshot<'Address'>

/** The other side as the session knows it, by emails and names. */
const emailsOf = (app: App, user: User) =>
  app.run(Session.related(model.User, 'addresses')(user)).map(({ email }) => email)

const userOf = (app: App, address: Address) => {
  const user = app.run(Session.related(model.Address, 'user')(address))
  return user._tag === 'Some' ? user.value.name : null
}

/** Two users; the addresses `a` and `b` belong to the first. All of it new, or loaded. */
const arrange = (app: App, isLoaded: boolean) => {
  const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] }))
  const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
  if (isLoaded) {
    app.run(Session.commit)
    for (const user of [wendy, ed]) {
      app.run(Session.read(model.User)(user))
      app.run(Session.load(model.User, 'addresses')(user))
    }
  }
  const [a, b] = app.run(Session.related(model.User, 'addresses')(ed))
  return { ed, wendy, a: a as Address, b: b as Address }
}

describe.each([
  ['pending', false],
  ['persistent', true],
])('both sides of a relationship between %s instances stay in step', (_, isLoaded) => {
  test('when the reference is set', () => {
    const app = open()
    const { ed, wendy, a } = arrange(app, isLoaded)
    app.run(Session.set(model.Address, { user: wendy })(a))
    expect(emailsOf(app, ed)).toEqual(['b'])
    expect(emailsOf(app, wendy)).toEqual(['a'])
    expect(userOf(app, a)).toBe('wendy')
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: 2 },
      { email: 'b', user_id: 1 },
    ])
  })

  test('when the reference is cleared', () => {
    const app = open()
    const { ed, a } = arrange(app, isLoaded)
    app.run(Session.set(model.Address, { user: null })(a))
    expect(emailsOf(app, ed)).toEqual(['b'])
    expect(userOf(app, a)).toBeNull()
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: 1 }])
  })

  test('when a member of another collection is appended', () => {
    const app = open()
    const { ed, wendy, a, b } = arrange(app, isLoaded)
    app.run(Session.append(model.User, 'addresses', a, { email: 'c' }, b)(wendy))
    expect(emailsOf(app, ed)).toEqual([])
    expect(emailsOf(app, wendy)).toEqual(['a', 'c', 'b'])
    expect([userOf(app, a), userOf(app, b)]).toEqual(['wendy', 'wendy'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 2 }, { user_id: 2 }, { user_id: 2 }])
  })

  test('when a member is detached', () => {
    const app = open()
    const { ed, a, b } = arrange(app, isLoaded)
    app.run(Session.detach(model.User, 'addresses', a)(ed))
    expect(emailsOf(app, ed)).toEqual(['b'])
    expect([userOf(app, a), userOf(app, b)]).toEqual([null, 'ed'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: 1 }])
  })

  test('when a collection is replaced, which takes the order given', () => {
    const app = open()
    const { ed, a, b } = arrange(app, isLoaded)
    app.run(Session.replace(model.User, 'addresses', [{ email: 'c' }, b])(ed))
    expect(emailsOf(app, ed)).toEqual(['c', 'b'])
    expect([userOf(app, a), userOf(app, b)]).toEqual([null, 'ed'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: null },
      { email: 'b', user_id: 1 },
      { email: 'c', user_id: 1 },
    ])
  })

  test('when a list that held a member twice is replaced', () => {
    const app = open()
    const { ed, a, b } = arrange(app, isLoaded)
    app.run(Session.append(model.User, 'addresses', a)(ed))
    expect(emailsOf(app, ed)).toEqual(['a', 'b', 'a'])
    app.run(Session.replace(model.User, 'addresses', [b])(ed))
    expect(emailsOf(app, ed)).toEqual(['b'])
    expect([userOf(app, a), userOf(app, b)]).toEqual([null, 'ed'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: 1 }])
  })

  test('when a member goes and comes back, which is no change', () => {
    const app = open()
    const { ed, wendy, a } = arrange(app, isLoaded)
    app.run(Session.detach(model.User, 'addresses', a)(ed))
    app.run(Session.append(model.User, 'addresses', a)(wendy))
    app.run(Session.append(model.User, 'addresses', a)(ed))
    expect(emailsOf(app, ed)).toEqual(['b', 'a'])
    expect(emailsOf(app, wendy)).toEqual([])
    expect(app.store.getState().changed.size).toBe(0)
    expect(app.run(Session.flush).updated).toBe(0)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }, { user_id: 1 }])
  })
})

test('a member that comes and goes leaves no change', () => {
  const app = open()
  const { ed, wendy, a } = arrange(app, true)
  app.run(Session.append(model.User, 'addresses', a)(wendy))
  app.run(Session.detach(model.User, 'addresses', a)(wendy))
  expect(Session.inspect(app.store.getState(), wendy)?.changed).toEqual([])
  expect(Session.inspect(app.store.getState(), ed)?.changed).toEqual(['addresses'])
  expect(Session.inspect(app.store.getState(), a)?.changed).toEqual(['user'])
})

describe('a collection that is not loaded', () => {
  test('is appended to and taken from without loading it', () => {
    const app = open()
    const { ed, a } = arrange(app, false)
    app.run(Session.commit)
    const [, statements] = app.counted(
      Session.gen(function* () {
        yield* Session.append(model.User, 'addresses', { email: 'c' })(ed)
        yield* Session.detach(model.User, 'addresses', a)(ed)
      }),
    )
    expect(statements).toEqual([])
    expect(app.fails(Session.related(model.User, 'addresses')(ed))).toEqual({
      _tag: 'NotLoaded',
      entity: 'User',
      key: 1,
      attribute: 'addresses',
    })
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: null },
      { email: 'b', user_id: 1 },
      { email: 'c', user_id: 1 },
    ])
  })

  test('shows the changes that no flush has written once it is loaded', () => {
    const app = open({ autoflush: false })
    const { ed, a } = arrange(app, false)
    app.run(Session.commit)
    app.run(Session.append(model.User, 'addresses', { email: 'c' })(ed))
    app.run(Session.detach(model.User, 'addresses', a)(ed))
    expect(app.run(Session.load(model.User, 'addresses')(ed)).map(({ email }) => email)).toEqual(['b', 'c'])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }, { user_id: 1 }, { user_id: 1 }])
  })
})

test('a member that is not in the collection is not detached', () => {
  const app = open()
  const { wendy, a } = arrange(app, true)
  expect(app.fails(Session.detach(model.User, 'addresses', a)(wendy))).toMatchObject({
    _tag: 'InvalidValue',
    entity: 'User',
    attribute: 'addresses',
    problem: 'it is not in the collection',
  })
})

describe('a collection without inverse', () => {
  const withPost = (app: App) => {
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }, { title: 'q' }] }))
    app.run(Session.flush)
    const [p, q] = app.run(Session.related(model.User, 'posts')(ed))
    return { p: p as Snapshot<'Post'>, q: q as Snapshot<'Post'> }
  }

  test('writes the foreign keys of its members, and their snapshots have them', () => {
    const app = open()
    const { p } = withPost(app)
    app.run(Session.append(model.Post, 'comments', { body: 'x' })(p))
    app.run(Session.flush)
    expect(app.rows('comments')).toEqual([{ id: 1, body: 'x', post_id: 1 }])
    const [loaded, statements] = app.counted(Session.load(model.Post, 'comments')(p))
    expect(loaded).toMatchObject([{ id: 1, postId: 1 }])
    expect(statements).toHaveLength(1)
  })

  test('writes the foreign keys of members that have rows', () => {
    const app = open()
    const { p, q } = withPost(app)
    const comment = app.run(Session.add(model.Comment, { body: 'x' }))
    app.run(Session.flush)
    app.run(Session.append(model.Post, 'comments', comment)(p))
    app.run(Session.flush)
    expect(app.run(Session.read(model.Comment)(comment))).toMatchObject({ postId: 1 })
    app.run(Session.detach(model.Post, 'comments', comment)(p))
    app.run(Session.append(model.Post, 'comments', comment)(q))
    app.run(Session.flush)
    expect(app.rows('comments')).toEqual([{ id: 1, body: 'x', post_id: 2 }])
    expect(app.run(Session.read(model.Comment)(comment))).toMatchObject({ postId: 2 })
    app.run(Session.detach(model.Post, 'comments', comment)(q))
    app.run(Session.commit)
    expect(app.rows('comments')).toEqual([{ id: 1, body: 'x', post_id: null }])
  })
})
