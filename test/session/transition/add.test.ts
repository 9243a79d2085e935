import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { model, now, open } from '../app.js'

describe('add', () => {
  test('makes a pending instance of a draft, with defaults, and nothing for what was not given', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect({ ...ed }).toEqual({ id: undefined, name: 'ed', nickname: undefined, joined: now })
    expect(Session.inspect(app.store.getState(), ed)).toEqual({
      id: 0,
      entity: 'User',
      status: 'pending',
      identity: null,
      attributes: { name: 'ed', joined: now },
      related: {},
      keys: {},
      changed: [],
      isMarkedForDeletion: false,
    })
    expect(app.asked()).toEqual([])
  })

  test('keeps what a draft gives in place of defaults and generated keys', () => {
    const app = open()
    const joined = new Date(0)
    app.run(Session.add(model.User, { id: 7, name: 'ed', nickname: 'e', joined }))
    app.run(Session.commit)
    expect(app.rows('users')).toEqual([{ id: 7, name: 'ed', nickname: 'e', joined_at: '1970-01-01T00:00:00.000Z' }])
  })

  test('an attribute given as undefined counts as left out', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', nickname: undefined, joined: undefined } as never))
    expect(ed).toMatchObject({ nickname: undefined, joined: now })
  })

  test('numbers the instances of a nested draft parents first', () => {
    const app = open()
    app.run(
      Session.add(model.User, {
        name: 'ed',
        posts: [{ title: 'a', comments: [{ body: 'x' }] }, { title: 'b' }],
        addresses: [{ email: 'ed@a' }],
      }),
    )
    app.run(Session.flush)
    expect(app.rows('posts')).toEqual([
      { id: 1, title: 'a', author_id: 1 },
      { id: 2, title: 'b', author_id: 1 },
    ])
    expect(app.rows('comments')).toEqual([{ id: 1, body: 'x', post_id: 1 }])
    expect(app.rows('addresses')).toMatchObject([{ email: 'ed@a', user_id: 1 }])
  })

  test('a draft that stands in a graph twice is one instance', () => {
    const app = open()
    const ed = { name: 'ed' }
    app.run(
      Session.addAll(model.Address, [
        { email: 'a', user: ed },
        { email: 'b', user: ed },
      ]),
    )
    app.run(Session.flush)
    expect(app.rows('users')).toHaveLength(1)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }, { user_id: 1 }])
  })

  test('a draft that is given twice is one instance, of an entity without relationships too', () => {
    const app = open()
    const france = { code: 'fr', title: 'France' }
    const [a, b] = app.run(Session.addAll(model.Country, [france, france]))
    expect(a).toBe(b)
    const comment = { body: 'x' }
    app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 't', comments: [comment, comment] }] }))
    app.run(Session.flush)
    expect(app.rows('countries')).toHaveLength(1)
    expect(app.rows('comments')).toHaveLength(1)
  })

  test('a draft may hold itself by way of a cycle', () => {
    const app = open()
    interface Mutable {
      label: string
      children: Mutable[]
      parent?: Mutable
    }
    const child: Mutable = { label: 'child', children: [] }
    const root: Mutable = { label: 'root', children: [child] }
    child.parent = root
    app.run(Session.add(model.Node, root as never))
    app.run(Session.flush)
    expect(app.rows('nodes')).toEqual([
      { id: 1, label: 'root', parent_id: null },
      { id: 2, label: 'child', parent_id: 1 },
    ])
  })

  test('nested drafts may hold instances that are there already', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.add(model.Address, { email: 'a', user: ed }))
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ email: 'a', user_id: 1 }])
    expect(app.rows('users')).toHaveLength(1)
  })

  test('a deep chain of drafts does not overflow the stack', () => {
    const app = open()
    let draft: { label: string; children: Array<unknown> } = { label: 'leaf', children: [] }
    for (let i = 0; i < 20_000; i++) draft = { label: 'n', children: [draft] }
    app.run(Session.add(model.Node, draft as never))
    expect(app.store.getState().added.size).toBe(20_001)
  })

  test('the same instance added twice is inserted once', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.run(Session.add(model.User, ed))).toBe(ed)
    app.run(Session.commit)
    app.run(Session.add(model.User, ed))
    app.run(Session.commit)
    expect(app.rows('users')).toHaveLength(1)
  })

  test('the services are asked once for all drafts of a step, and not at all where nothing needs them', () => {
    let asked = 0
    const app = open({
      services: () => {
        asked++
        return {
          now: new Date(asked),
          random: () => 0,
          uuid: () => '',
          remember: <L, A>(_: string, next: (last: L | null) => readonly [A, L]): A => next(null)[0],
        }
      },
    })
    const users = app.run(Session.addAll(model.User, [{ name: 'a' }, { name: 'b' }]))
    expect(users.map(({ joined }) => joined)).toEqual([new Date(1), new Date(1)])
    app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    expect(asked).toBe(1)
  })

  test('a failure among many drafts leaves none of them behind', () => {
    const app = open()
    const before = app.store.getState()
    app.fails(Session.addAll(model.User, [{ name: 'ed' }, { name: 1 as never }]))
    expect(app.store.getState()).toBe(before)
  })

  test('refuses an instance that was deleted', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    app.run(Session.remove(model.User)(ed))
    app.run(Session.flush)
    expect(app.fails(Session.add(model.User, ed))).toEqual({
      _tag: 'InvalidState',
      entity: 'User',
      key: 1,
      status: 'deleted',
      operation: 'add',
    })
    app.run(Session.commit)
    expect(app.fails(Session.add(model.User, ed))).toMatchObject({ _tag: 'InvalidState', status: 'deleted' })
  })
})

describe('make', () => {
  test('gives a transient instance, which no flush writes until it is added', () => {
    const app = open()
    const ed = app.run(Session.make(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    expect(Session.inspectAll(app.store.getState()).map(({ status }) => status)).toEqual(['transient', 'transient'])
    app.run(Session.flush)
    expect(app.rows('users')).toEqual([])
    app.run(Session.add(model.User, ed))
    app.run(Session.flush)
    expect(app.rows('users')).toHaveLength(1)
    expect(app.rows('addresses')).toHaveLength(1)
  })

  test('instances are inserted in the order in which they were added, not made', () => {
    const app = open()
    const a = app.run(Session.make(model.User, { name: 'a' }))
    const b = app.run(Session.make(model.User, { name: 'b' }))
    app.run(Session.addAll(model.User, [b, a]))
    app.run(Session.flush)
    expect(app.rows('users')).toMatchObject([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
    ])
  })

  test('lets a graph with cycles be built before it is added', () => {
    const app = open()
    const root = app.run(Session.make(model.Node, { label: 'root' }))
    const leaf = app.run(Session.make(model.Node, { label: 'leaf', parent: root }))
    app.run(Session.set(model.Node, { label: 'trunk' })(root))
    app.run(Session.add(model.Node, leaf))
    app.run(Session.commit)
    expect(app.rows('nodes')).toEqual([
      { id: 1, label: 'trunk', parent_id: null },
      { id: 2, label: 'leaf', parent_id: 1 },
    ])
  })
})
