import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

/** A user and an address, committed by one session and read by it. */
const arrange = () => {
  const app = open()
  const ed = app.run(Session.add(model.User, { name: 'ed', nickname: 'e', addresses: [{ email: 'a' }] }))
  app.run(Session.commit)
  app.run(Session.read(model.User)(ed))
  return { app, ed }
}

describe('expire', () => {
  test('the next read asks the database again, and gives what stands there', () => {
    const { app, ed } = arrange()
    app.database.exec("update users set name = 'edward'")
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
    app.run(Session.expire(model.User)(ed))
    expect(Session.inspect(app.store.getState(), ed)?.attributes).toEqual({})
    const [read, statements] = app.counted(Session.read(model.User)(ed))
    expect(read.name).toBe('edward')
    expect(statements).toHaveLength(1)
    expect(app.counted(Session.read(model.User)(ed))[1]).toEqual([])
  })

  test('forgets changes that no flush has written', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.expire(model.User)(ed))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
  })

  test('of some attributes only, forgets them and keeps the rest', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'edward', nickname: 'n' })(ed))
    app.database.exec("update users set name = 'wendy'")
    app.run(Session.expire(model.User, 'name')(ed))
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ changed: ['nickname'] })
    expect(Object.keys(Session.inspect(app.store.getState(), ed)?.attributes ?? {})).not.toContain('name')
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ name: 'wendy', nickname: 'n' })
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'wendy', nickname: 'n' }])
  })

  test('of a relationship, loads it again', () => {
    const { app, ed } = arrange()
    app.run(Session.load(model.User, 'addresses')(ed))
    expect(app.counted(Session.load(model.User, 'addresses')(ed))[1]).toEqual([])
    app.database.exec("insert into addresses (email, is_primary, user_id) values ('b', 0, 1)")
    app.run(Session.expire(model.User, 'addresses')(ed))
    const [addresses, statements] = app.counted(Session.load(model.User, 'addresses')(ed))
    expect(addresses.map(({ email }) => email)).toEqual(['a', 'b'])
    expect(statements).toHaveLength(1)
    expect(app.counted(Session.read(model.User)(ed))[1]).toEqual([])
  })

  test('of an instance that is to be deleted does not forget what its deletion needs', () => {
    const { app, ed } = arrange()
    app.run(Session.remove(model.User)(ed))
    app.run(Session.expire(model.User)(ed))
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ isMarkedForDeletion: true })
    app.run(Session.commit)
    expect(app.rows('users')).toEqual([])
    expect(app.rows('addresses')).toMatchObject([{ user_id: null }])
  })

  test('a snapshot that somebody holds stays as it was', () => {
    const { app, ed } = arrange()
    const held = app.run(Session.read(model.User)(ed))
    app.database.exec("update users set name = 'edward'")
    app.run(Session.expireAll)
    app.run(Session.read(model.User)(ed))
    expect(held.name).toBe('ed')
  })
})

describe('expireAll', () => {
  test('makes everything out of date, and forgets all changes', () => {
    const { app, ed } = arrange()
    const [address] = app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.expireAll)
    expect(Session.inspectAll(app.store.getState()).map(({ attributes, changed }) => [attributes, changed])).toEqual([
      [{}, []],
      [{}, []],
    ])
    expect(app.counted(Session.read(model.User)(ed))[1]).toHaveLength(1)
    expect(app.counted(Session.read(model.Address)(address as never))[1]).toHaveLength(1)
    expect(app.run(Session.flush).updated).toBe(0)
  })

  test('leaves what is pending pending', () => {
    const { app } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.expireAll)
    expect(Session.inspect(app.store.getState(), wendy)).toMatchObject({
      status: 'pending',
      attributes: { name: 'wendy' },
    })
    app.run(Session.commit)
    expect(app.rows('users')).toHaveLength(2)
  })
})

describe('the end of a transaction', () => {
  test('expires everything', () => {
    const { app, ed } = arrange()
    app.run(Session.commit)
    app.database.exec("update users set name = 'edward'")
    expect(app.run(Session.read(model.User)(ed)).name).toBe('edward')
  })

  test('expires nothing where the session is told not to', () => {
    const app = open({ expireOnCommit: false })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    const [read, statements] = app.counted(Session.read(model.User)(ed))
    expect(read).toMatchObject({ id: 1, name: 'ed' })
    expect(statements).toEqual([])
  })
})

describe('refresh', () => {
  test('overwrites what is known, with changes that no flush has written', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'mine', nickname: 'n' })(ed))
    app.database.exec("update users set name = 'theirs'")
    expect(app.run(Session.refresh(model.User)(ed))).toMatchObject({ name: 'theirs', nickname: 'e' })
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'theirs', nickname: 'e' }])
  })

  test('flushes what is pending elsewhere first', () => {
    const { app, ed } = arrange()
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.refresh(model.User)(ed))
    expect(app.store.getState().added.size).toBe(0)
  })

  test('is ObjectDeleted where the row is gone, and InvalidState where there never was one', () => {
    const { app, ed } = arrange()
    app.database.exec('delete from addresses; delete from users')
    expect(app.fails(Session.refresh(model.User)(ed))).toEqual({
      _tag: 'ObjectDeleted',
      entity: 'User',
      key: 1,
      shard: null,
    })
    const wendy = app.run(Session.make(model.User, { name: 'wendy' }))
    expect(app.fails(Session.refresh(model.User)(wendy))).toMatchObject({ _tag: 'InvalidState', status: 'transient' })
  })
})
