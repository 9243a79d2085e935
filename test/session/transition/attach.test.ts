import {
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  primaryKey,
  type Snapshot,
  select,
  text,
  version,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, errorOf, model, open, openOn, resultOf } from '../app.js'

type M = typeof model

/** Another session on the same database. */
const another = (app: App) => {
  const store = Session.createStore(app.runtime)
  return {
    store,
    run: <E, A>(program: Session.Program<E, A>): A => resultOf(store.runSync(program)),
    fails: <E, A>(program: Session.Program<E, A>): E => errorOf(store.runSync(program)),
    state: () => store.getState(),
  }
}

/** Ed and his two addresses, stored; the session has read them, and another one has not. */
const arrange = () => {
  const app = open()
  app.run(Session.add(model.User, { name: 'ed', nickname: 'e', addresses: [{ email: 'a' }, { email: 'b' }] }))
  app.run(Session.commit)
  app.run(Session.expungeAll)
  const ed = app.run(Session.one(select(model.User)))
  const addresses = app.run(Session.load(model.User, 'addresses')(ed)) as readonly [
    Managed<M, 'Address'>,
    Managed<M, 'Address'>,
  ]
  return { app, ed, addresses, other: another(app) }
}

/** Ends the transaction, so that the database's one connection is free for the other session. */
const leaveWithAll = (app: App): Session.SessionState => {
  app.run(Session.expungeAll)
  app.store.closeSync()
  app.clear()
  return app.store.getState()
}

const inspect = (state: Session.SessionState, snapshot: Snapshot) => Session.inspect(state, snapshot)

describe('attach', () => {
  test('makes what is detached there persistent here, without a statement, and leaves the other state as it is', () => {
    const { app, ed, other } = arrange()
    const from = leaveWithAll(app)
    const attached = other.run(Session.attach(model.User, ed, from))
    expect(inspect(other.state(), attached)).toMatchObject({
      status: 'persistent',
      identity: { entity: 'User', key: 1, shard: null },
      attributes: { id: 1, name: 'ed', nickname: 'e' },
      changed: [],
    })
    const known = Session.gen(function* () {
      const found = yield* Session.get(model.User, 1)
      const user = yield* Session.read(model.User)(attached)
      const addresses = yield* Session.load(model.User, 'addresses')(attached)
      return [found, user.name, addresses.map(({ email }) => email)] as const
    })
    expect(other.run(known)).toMatchObject([{ value: { id: 1 } }, 'ed', ['a', 'b']])
    expect(app.asked()).toEqual([])
    expect(app.store.getState()).toBe(from)
    expect(inspect(from, ed)?.status).toBe('detached')
  })

  test('brings along what save-update reaches there, with both sides in step', () => {
    const { app, ed, addresses, other } = arrange()
    app.run(Session.load(model.Address, 'user')(addresses[1]))
    const from = leaveWithAll(app)
    const address = other.run(Session.attach(model.Address, addresses[1], from))
    const user = other.run(Session.related(model.Address, 'user')(address))
    expect(user).toMatchObject({ _tag: 'Some', value: { name: 'ed' } })
    expect(Session.inspectAll(other.state()).map(({ entity, status }) => [entity, status])).toEqual([
      ['Address', 'persistent'],
      ['User', 'persistent'],
      ['Address', 'persistent'],
    ])
    if (user._tag === 'None') throw new Error('no user')
    other.run(Session.detach(model.User, 'addresses', address)(user.value as Managed<M, 'User'>))
    other.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }, { user_id: null }])
    expect(inspect(from, ed)?.status).toBe('detached')
  })

  test('brings changes that nobody has written, of attributes and of collections, and they are written here', () => {
    const { app, ed, addresses, other } = arrange()
    app.run(Session.noAutoflush(Session.set(model.User, { name: 'edward' })(ed)))
    app.run(Session.detach(model.User, 'addresses', addresses[0])(ed))
    app.run(Session.append(model.User, 'addresses', { email: 'c' })(ed))
    const from = leaveWithAll(app)
    const attached = other.run(Session.attach(model.User, ed, from))
    expect(inspect(other.state(), attached)).toMatchObject({
      attributes: { name: 'edward' },
      changed: expect.arrayContaining(['name']),
    })
    expect(other.run(Session.commit)).toMatchObject({ inserted: 1, deleted: 0 })
    expect(app.rows('users')).toMatchObject([{ name: 'edward' }])
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: null },
      { email: 'b', user_id: 1 },
      { email: 'c', user_id: 1 },
    ])
  })

  test('makes what is transient there pending here, as often as it is attached', () => {
    const app = open()
    const wendy = app.run(Session.make(model.User, { name: 'wendy', addresses: [{ email: 'w' }] }))
    const other = another(app)
    const attached = other.run(Session.attach(model.User, wendy, app.store.getState()))
    expect(inspect(other.state(), attached)?.status).toBe('pending')
    expect(inspect(app.store.getState(), wendy)?.status).toBe('transient')
    other.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }])
    expect(app.rows('addresses')).toMatchObject([{ email: 'w', user_id: 1 }])
    expect(inspect(app.store.getState(), wendy)?.attributes).not.toHaveProperty('id')
  })

  test('is refused for what belongs to that session, or reaches what does, and changes nothing', () => {
    const { app, ed, addresses, other } = arrange()
    const before = other.state()
    const refusal = { _tag: 'InvalidState', operation: 'attach', entity: 'User', key: 1, status: 'persistent' }
    expect(other.fails(Session.attach(model.User, ed, app.store.getState()))).toEqual(refusal)
    app.run(Session.load(model.Address, 'user')(addresses[0]))
    app.run(Session.expunge(model.Address)(addresses[0]))
    const error = other.fails(Session.attach(model.Address, addresses[0], app.store.getState()))
    expect(error).toEqual(refusal)
    expect(Session.render(error as Session.SessionError)).toBe('attach is not for User 1, which is persistent.')
    const pending = app.run(Session.add(model.User, { name: 'wendy' }))
    expect(other.fails(Session.attach(model.User, pending, app.store.getState()))).toEqual({
      ...refusal,
      key: null,
      status: 'pending',
    })
    expect(other.state()).toBe(before)
  })

  test('is refused where this session has the identity already', () => {
    const { app, ed, other } = arrange()
    const from = leaveWithAll(app)
    other.run(Session.get(model.User, 1))
    const before = other.state()
    const refusal = { _tag: 'InvalidState', entity: 'User', key: 1, status: 'detached', operation: 'attach' }
    expect(other.fails(Session.attach(model.User, ed, from))).toEqual(refusal)
    other.run(Session.expungeAll)
    other.run(Session.attach(model.User, ed, from))
    // twice is once too often
    expect(other.fails(Session.attach(model.User, ed, from))).toEqual(refusal)
    expect(before.nextInstance).toBe(1)
  })

  test('is refused for what was deleted, and for what the other state does not have', () => {
    const { app, ed, other } = arrange()
    app.run(Session.remove(model.User)(ed))
    app.run(Session.commit)
    // it alone is what cannot come
    app.run(Session.expungeAll)
    const from = app.store.getState()
    expect(inspect(from, ed)?.status).toBe('detached')
    expect(other.fails(Session.attach(model.User, ed, from))).toEqual({
      _tag: 'InvalidState',
      entity: 'User',
      key: 1,
      status: 'detached',
      operation: 'attach',
    })
    expect(other.fails(Session.attach(model.User, ed, open().store.getState()))).toEqual({
      _tag: 'NotInSession',
      entity: 'User',
    })
    expect(other.fails(Session.attach(model.Node, ed as never, from))).toEqual({ _tag: 'NotInSession', entity: 'Node' })
    const foreign = openOn(
      defineModel({ Thing: entity('Thing', 'things', { id: pipe(integer, primaryKey) }) })(() => ({})),
    )
    expect(foreign.fails(Session.attach(model.User, ed, from))).toEqual({ _tag: 'ModelMismatch', entity: 'User' })
  })

  test('what had expired there is loaded here, by its key', () => {
    const { app, ed, other } = arrange()
    app.run(Session.expireAll)
    const from = leaveWithAll(app)
    const attached = other.run(Session.attach(model.User, ed, from))
    expect(inspect(other.state(), attached)?.attributes).toEqual({ id: 1 })
    expect(other.run(Session.read(model.User)(attached))).toMatchObject({ id: 1, name: 'ed' })
    expect(app.asked()).toHaveLength(2)
    expect(other.run(Session.load(model.User, 'addresses')(attached))).toHaveLength(2)
  })

  test('is undone by a rollback: a new copy is transient, what was stored is persistent still, expired', () => {
    const { app, ed, other } = arrange()
    const wendy = app.run(Session.make(model.User, { name: 'wendy' }))
    const from = leaveWithAll(app)
    const copy = other.run(Session.attach(model.User, ed, from))
    const made = other.run(Session.attach(model.User, wendy, from))
    other.run(Session.set(model.User, { name: 'edward' })(copy))
    other.run(Session.rollback)
    expect([copy, made].map((one) => inspect(other.state(), one)?.status)).toEqual(['persistent', 'transient'])
    expect(other.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(other.run(Session.read(model.User)(copy))).toMatchObject({ name: 'ed' })
  })

  test('brings a chain of any length', () => {
    const app = open()
    let node = app.run(Session.make(model.Node, { label: 'root' }))
    for (let i = 0; i < 2_000; i++) node = app.run(Session.make(model.Node, { label: `${i}`, parent: node }))
    const other = another(app)
    other.run(Session.attach(model.Node, node, app.store.getState()))
    expect(other.run(Session.commit).inserted).toBe(2_001)
  })
})

describe('attach of what is only known in part', () => {
  const Page = entity('Page', 'pages', {
    id: pipe(integer, primaryKey, generated),
    title: text,
    body: pipe(text, nullable, deferred),
    revision: pipe(integer, version),
  })
  const pages = defineModel({ Page })(() => ({}))
  const arrangePage = () => {
    const app = openOn(pages)
    app.run(Session.add(pages.Page, { title: 't', body: 'long' }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    const page = app.run(Session.one(select(pages.Page)))
    return { app, page, other: another(app) }
  }

  test('what is deferred stays so', () => {
    const { app, page, other } = arrangePage()
    const from = leaveWithAll(app)
    const attached = other.run(Session.attach(pages.Page, page, from))
    other.run(Session.read(pages.Page)(attached))
    expect(app.asked()).toEqual([])
    expect(other.run(Session.loadAttributes(pages.Page, 'body')(attached)).body).toBe('long')
  })

  test('the version that was read there is the one that the flush here compares', () => {
    const { app, page, other } = arrangePage()
    app.run(Session.set(pages.Page, { title: 'late' })(page))
    const from = leaveWithAll(app)
    const third = another(app)
    third.run(Session.set(pages.Page, { title: 'early' })(third.run(Session.one(select(pages.Page)))))
    third.run(Session.commit)
    const attached = other.run(Session.attach(pages.Page, page, from))
    expect(other.fails(Session.flush)).toEqual({
      _tag: 'StaleData',
      entity: 'Page',
      table: 'pages',
      key: 1,
      matched: 0,
      shard: null,
    })
    other.run(Session.rollback)
    expect(other.run(Session.read(pages.Page)(attached))).toMatchObject({ title: 'early', revision: 2 })
  })
})
