import { limit, orderBy, select, selectin, where, withOptions } from '@unitary/core'
import * as Session from '@unitary/session'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(
    Session.addAll(model.User, [
      { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }], posts: [{ title: 'p', comments: [{ body: 'x' }] }] },
      { name: 'wendy', addresses: [{ email: 'c' }] },
      { name: 'jack' },
    ]),
  )
  app.run(Session.commit)
  app.run(Session.expungeAll)
  return app
}

const users = pipe(select(model.User), orderBy('id'))

describe('query', () => {
  test('gives the instances of its rows, in its order', () => {
    const app = arrange()
    const byName = pipe(select(model.User), orderBy('name', 'desc'), limit(2))
    expect(app.run(Session.query(byName)).map(({ name }) => name)).toEqual(['wendy', 'jack'])
  })

  test('gives one instance for one row, however often it is found', () => {
    const app = arrange()
    const first = app.run(Session.query(users))
    const again = app.run(Session.query(users))
    expect(again.every((user, i) => user === first[i])).toBe(true)
    expect(app.counted(Session.get(model.User, 2))).toEqual([{ _tag: 'Some', value: first[1] }, []])
  })

  test('does not overwrite what is known, unless it is told to', () => {
    const app = arrange({ autoflush: false })
    const [ed] = app.run(Session.query(users))
    app.run(Session.set(model.User, { nickname: 'mine' })(ed as never))
    app.database.exec("update users set name = 'theirs', nickname = 'theirs'")
    expect(app.run(Session.query(users))[0]).toMatchObject({ name: 'ed', nickname: 'mine' })
    const over = pipe(users, withOptions({ populateExisting: true }))
    expect(app.run(Session.query(over))[0]).toMatchObject({ name: 'theirs', nickname: 'theirs' })
    expect(app.store.getState().changed.size).toBe(0)
  })

  test('makes known again what had expired', () => {
    const app = arrange()
    const [ed] = app.run(Session.query(users))
    app.run(Session.expireAll)
    app.database.exec("update users set name = 'edward' where id = 1")
    app.run(Session.query(users))
    const [read, statements] = app.counted(Session.read(model.User)(ed as never))
    expect(read).toMatchObject({ name: 'edward' })
    expect(statements).toEqual([])
  })

  test('flushes first, unless the query or the session says otherwise', () => {
    const found = (app: ReturnType<typeof open>, query: typeof users) => {
      app.run(Session.add(model.User, { name: 'mary' }))
      return app.run(Session.query(query)).length
    }
    expect(found(arrange(), users)).toBe(4)
    expect(found(arrange(), pipe(users, withOptions({ autoflush: false })))).toBe(3)
    expect(found(arrange({ autoflush: false }), users)).toBe(3)
  })

  test('a flush that fails fails the query, and the session wants a rollback', () => {
    const app = arrange()
    app.run(Session.add(model.Address, { email: 'a' }))
    expect(app.fails(Session.query(users))).toMatchObject({ _tag: 'IntegrityError', attributes: ['email'] })
    expect(app.fails(Session.query(users))).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(app.run(Session.query(users))).toHaveLength(3)
  })
})

describe('selectin', () => {
  test('loads a collection for all results by one more statement, and keeps it', () => {
    const app = arrange()
    const [found, statements] = app.counted(pipe(users, selectin('addresses'), Session.query))
    expect(found.map(({ name, addresses }) => [name, addresses.map(({ email }) => email)])).toEqual([
      ['ed', ['a', 'b']],
      ['wendy', ['c']],
      ['jack', []],
    ])
    expect(statements).toHaveLength(2)
    for (const user of found) {
      expect(app.counted(Session.load(model.User, 'addresses')(user))).toEqual([user.addresses, []])
    }
    expect(app.counted(pipe(users, selectin('addresses'), Session.query))[1]).toHaveLength(1)
  })

  test('loads a reference for all results, each target once', () => {
    const app = arrange()
    const addresses = pipe(select(model.Address), orderBy('id'), selectin('user'))
    const [found, statements] = app.counted(Session.query(addresses))
    expect(found.map(({ user }) => (user._tag === 'Some' ? user.value.name : null))).toEqual(['ed', 'ed', 'wendy'])
    expect(statements).toHaveLength(2)
    const [first, second] = found
    expect(first?.user._tag === 'Some' && second?.user._tag === 'Some' && first.user.value === second.user.value).toBe(
      true,
    )
    expect(app.counted(Session.query(addresses))[1]).toHaveLength(1)
  })

  test('nests: one statement a level, not an instance', () => {
    const app = arrange()
    const deep = pipe(users, selectin('addresses'), selectin('posts', selectin('comments')))
    const [found, statements] = app.counted(Session.query(deep))
    expect(found[0]?.posts[0]?.comments).toMatchObject([{ body: 'x' }])
    expect(statements).toHaveLength(4)
  })

  test('a refined load shows only what it selects, and is not taken for the whole collection', () => {
    const app = arrange()
    const refined = pipe(users, selectin('addresses', where('email', '=', 'b')))
    const [ed] = app.run(Session.query(refined))
    expect(ed?.addresses).toMatchObject([{ email: 'b' }])
    const [all, statements] = app.counted(Session.load(model.User, 'addresses')(ed as never))
    expect(all).toMatchObject([{ email: 'a' }, { email: 'b' }])
    expect(statements).toHaveLength(1)
  })

  test('a refinement may order otherwise', () => {
    const app = arrange()
    const refined = pipe(users, selectin('addresses', flow(orderBy('email', 'desc'))))
    expect(app.run(Session.query(refined))[0]?.addresses).toMatchObject([{ email: 'b' }, { email: 'a' }])
  })

  test('asks for more keys than a statement takes in several statements', () => {
    const app = open()
    app.run(
      Session.addAll(
        model.User,
        Array.from({ length: 1100 }, (_, i) => ({ name: `${i}`, addresses: [{ email: `${i}` }] })),
      ),
    )
    app.run(Session.commit)
    app.run(Session.expungeAll)
    const [found, statements] = app.counted(pipe(users, selectin('addresses'), Session.query))
    expect(statements).toHaveLength(1 + 3)
    expect(found.every(({ name, addresses }) => addresses.length === 1 && addresses[0]?.email === name)).toBe(true)
  })

  test('results with their loads are snapshots of the same instances', () => {
    const app = arrange()
    const [ed] = app.run(pipe(users, selectin('addresses'), Session.query))
    if (ed === undefined) throw new Error('no user')
    expect(Object.isFrozen(ed)).toBe(true)
    const renamed = app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(renamed).toMatchObject({ name: 'edward' })
    app.run(Session.commit)
    expect(app.rows('users')[0]).toMatchObject({ name: 'edward' })
  })
})

describe('first and one', () => {
  test('first is none where there is nothing', () => {
    const app = arrange()
    expect(app.run(Session.first(users))).toMatchObject({ value: { name: 'ed' } })
    expect(app.run(pipe(users, where('name', '=', 'nobody'), Session.first))).toEqual({ _tag: 'None' })
  })

  test('one is NoResult where there is nothing, and MultipleResults where there are several', () => {
    const app = arrange()
    expect(app.run(pipe(users, where('name', '=', 'ed'), Session.one))).toMatchObject({ id: 1 })
    expect(app.fails(pipe(users, where('name', '=', 'nobody'), Session.one))).toEqual({
      _tag: 'NoResult',
      entity: 'User',
    })
    expect(app.fails(Session.one(users))).toEqual({ _tag: 'MultipleResults', entity: 'User', count: 3, shards: [] })
  })
})
