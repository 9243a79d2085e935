import { defineModel, entity, integer, primaryKey, type Snapshot, select } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open, openOn } from '../app.js'

const statusOf = (app: ReturnType<typeof open>, snapshot: Snapshot) =>
  Session.inspect(app.store.getState(), snapshot)?.status

describe('flush', () => {
  test('writes within the transaction, which stays open', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.run(Session.flush)).toEqual({ inserted: 1, updated: 0, deleted: 0, notices: [] })
    expect(app.asked()).toEqual(['Begin', 'Insert users 1'])
    expect(app.database.inTransaction).toBe(true)
  })

  test('without work asks for nothing', () => {
    const app = open()
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.asked()).toEqual([])
  })

  test('gives generated keys to instances, and to the foreign keys of those that refer to them', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const [a] = app.run(Session.related(model.User, 'addresses')(ed))
    app.run(Session.flush)
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ id: 1 })
    expect(app.counted(Session.read(model.Address)(a as Snapshot<'Address'>))).toMatchObject([{ id: 1, userId: 1 }, []])
  })
})

describe('commit', () => {
  test('flushes, and ends the transaction', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    expect(app.asked()).toEqual(['Begin', 'Insert users 1', 'Commit'])
    expect(app.database.inTransaction).toBe(false)
  })

  test('without work asks for nothing', () => {
    const app = open()
    app.run(Session.commit)
    expect(app.asked()).toEqual([])
  })

  test('ends open savepoints too', () => {
    const app = open()
    app.run(Session.beginNested)
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    expect(app.rows('users')).toHaveLength(1)
  })
})

describe('rollback', () => {
  test('undoes what was flushed, and gives back the state in which the transaction began', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.run(Session.commit)
    const before = app.store.getState()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(app.store.getState()).toBe(before)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
    expect(app.database.inTransaction).toBe(false)
  })

  test('a removal is undone, and the session flushes by itself as before', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    const before = app.store.getState()
    app.run(Session.remove(model.User)(ed))
    app.run(Session.rollback)
    expect(app.store.getState()).toBe(before)
    app.run(Session.noAutoflush(Session.beginNested))
    app.run(Session.rollbackNested)
    expect(app.store.getState().options.autoflush).toBe(true)
    const inside = Session.noAutoflush(
      Session.chain(() => Session.gets((state) => state.options.autoflush))(Session.rollback),
    )
    expect(app.run(inside)).toBe(false)
    expect(app.store.getState().options.autoflush).toBe(true)
  })

  test('what was added is transient again, as it was when it was added', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.flush)
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ id: 1 })
    app.run(Session.rollback)
    expect(statusOf(app, ed)).toBe('transient')
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({
      identity: null,
      attributes: { name: 'ed' },
    })
    expect(app.run(Session.get(model.User, 1))).toEqual({ _tag: 'None' })
    app.run(Session.add(model.User, ed))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ id: 1, name: 'ed' }])
    expect(app.rows('addresses')).toMatchObject([{ email: 'a', user_id: 1 }])
  })

  test('what was deleted is persistent again', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.remove(model.User)(ed))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(statusOf(app, ed)).toBe('persistent')
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ name: 'ed' })
  })

  test('what was merely loaded stays, expired', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    app.run(Session.commit)
    const found = app.run(Session.get(model.User, 1))
    if (found._tag === 'None') throw new Error('not found')
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), found.value)).toMatchObject({ status: 'persistent', attributes: {} })
    const again = app.run(Session.get(model.User, 1))
    expect(Session.inspectAll(app.store.getState()).filter(({ status }) => status === 'persistent')).toHaveLength(1)
    expect(again).toMatchObject({ value: { name: 'ed' } })
  })

  test('an instance that was loaded, and whose key was changed, is found by its old key again', () => {
    const app = open()
    app.run(Session.add(model.Country, { code: 'fr', title: 'France' }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    app.run(Session.commit)
    const found = app.run(Session.get(model.Country, 'fr'))
    if (found._tag === 'None') throw new Error('not found')
    app.run(Session.set(model.Country, { code: 'FR' })(found.value))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), found.value)?.identity).toMatchObject({ key: 'fr' })
    expect(app.run(Session.read(model.Country)(found.value))).toMatchObject({ code: 'fr', title: 'France' })
  })

  test('what was loaded and expunged stays detached', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    app.run(Session.commit)
    const found = app.run(Session.get(model.User, 1))
    if (found._tag === 'None') throw new Error('not found')
    app.run(Session.expunge(model.User)(found.value))
    app.run(Session.rollback)
    expect(statusOf(app, found.value)).toBe('detached')
  })

  test('what was expunged and loaded anew is not known twice', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.expunge(model.User)(ed))
    const again = app.run(Session.get(model.User, 1))
    app.run(Session.expungeAll)
    app.run(Session.get(model.User, 1))
    app.run(Session.rollback)
    if (again._tag === 'None') throw new Error('not found')
    expect([statusOf(app, ed), statusOf(app, again.value)]).toEqual(['persistent', 'detached'])
    expect(Session.inspectAll(app.store.getState()).map(({ status }) => status)).toEqual([
      'persistent',
      'detached',
      'detached',
    ])
  })

  test('a change that was never flushed is forgotten', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.rollback)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
  })
})

describe('savepoints', () => {
  test('nest, and each is undone by itself', () => {
    const app = open()
    app.run(Session.add(model.Country, { code: 'a', title: '' }))
    app.run(Session.beginNested)
    app.run(Session.add(model.Country, { code: 'b', title: '' }))
    app.run(Session.beginNested)
    app.run(Session.add(model.Country, { code: 'c', title: '' }))
    app.run(Session.flush)
    expect(app.rows('countries')).toHaveLength(3)
    app.run(Session.rollbackNested)
    expect(app.rows('countries')).toHaveLength(2)
    app.run(Session.add(model.Country, { code: 'd', title: '' }))
    app.run(Session.commitNested)
    expect(app.rows('countries')).toHaveLength(3)
    app.run(Session.beginNested)
    app.run(Session.add(model.Country, { code: 'e', title: '' }))
    app.run(Session.rollbackNested)
    app.run(Session.commit)
    expect(app.rows('countries')).toMatchObject([{ code: 'a' }, { code: 'b' }, { code: 'd' }])
  })

  test('rolling back gives the state in which it began', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const before = app.store.getState()
    app.run(Session.beginNested)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(app.store.getState()).toBe(before)
    expect(app.run(Session.read(model.User)(ed)).name).toBe('ed')
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
  })

  test('begin with a flush, so that what was pending before survives their rollback', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.beginNested)
    expect(statusOf(app, ed)).toBe('persistent')
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.rollbackNested)
    expect([statusOf(app, ed), statusOf(app, wendy)]).toEqual(['persistent', 'transient'])
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
  })

  test('a released savepoint is undone with what is around it', () => {
    const app = open()
    app.run(Session.beginNested)
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commitNested)
    expect(statusOf(app, ed)).toBe('persistent')
    app.run(Session.rollback)
    expect(statusOf(app, ed)).toBe('transient')
    expect(app.rows('users')).toEqual([])
  })

  test('a rollback undoes all of them', () => {
    const app = open()
    const before = app.store.getState()
    app.run(Session.beginNested)
    app.run(Session.beginNested)
    app.run(Session.rollback)
    expect(app.store.getState()).toBe(before)
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    expect(app.fails(Session.commitNested)).toEqual({ _tag: 'NoSavepoint' })
  })
})

describe('a failed flush', () => {
  test('leaves nothing written, and the session refuses to work until it is rolled back', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.addAll(model.Address, [{ email: 'a' }, { email: 'a' }]))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'IntegrityError', attributes: ['email'], values: ['a'] })
    expect(app.rows('users')).toEqual([])
    const refused = { _tag: 'PendingRollback', message: expect.stringContaining('addresses') }
    // there is nothing left to flush
    expect(app.run(Session.flush)).toMatchObject({ inserted: 0 })
    expect(app.fails(Session.commit)).toEqual(refused)
    expect(app.fails(Session.beginNested)).toEqual(refused)
    expect(app.fails(Session.get(model.User, 1))).toEqual(refused)
    expect(app.fails(Session.flushPlan)).toEqual(refused)
    expect(app.fails(pipe(select(model.User), Session.query))).toEqual(refused)
    app.run(Session.rollback)
    expect(statusOf(app, ed)).toBe('transient')
    app.run(Session.add(model.User, ed))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
  })

  test('within a savepoint costs only the savepoint', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.beginNested)
    app.run(Session.add(model.Address, { email: 'a' }))
    app.fails(Session.flush)
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollbackNested)
    app.run(Session.add(model.Address, { email: 'b' }))
    app.run(Session.commit)
    expect(app.rows('users')).toHaveLength(1)
    expect(app.rows('addresses')).toMatchObject([{ email: 'a' }, { email: 'b' }])
  })

  test('a plan that cannot be made is a failed flush, too', () => {
    const app = open()
    const visit = app.run(Session.add(model.Visit, { times: 1, userId: 1 } as never))
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'MissingKey',
      entity: 'Visit',
      attributes: ['userId', 'countryCode'],
    })
    expect(statusOf(app, visit)).toBe('transient')
    app.run(Session.rollback)
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.set(model.Visit, { country: { code: 'fr', title: 'France' } })(visit))
    app.run(Session.add(model.Visit, visit))
    app.run(Session.commit)
    expect(app.rows('visits')).toEqual([{ user_id: 1, country_code: 'fr', times: 1 }])
  })

  test('an update whose row is gone is StaleData, and is undone', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.database.exec('delete from users')
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'StaleData',
      entity: 'User',
      table: 'users',
      key: 1,
      matched: 0,
      shard: null,
    })
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(app.database.inTransaction).toBe(false)
    app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.commit)
    // the row was deleted on the session's own connection, and the rollback brought it back
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'jack' }])
  })

  test('StaleData within a savepoint costs only the savepoint', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.beginNested)
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.database.exec("delete from users where name = 'ed'")
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'StaleData' })
    app.run(Session.rollbackNested)
    app.run(Session.commit)
    // the savepoint's rollback brought back the row as well
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wendy' }])
  })
})

describe('a failed commit', () => {
  const Item = entity('Item', 'items', { id: pipe(integer, primaryKey), ownerId: integer })
  const deferred = defineModel({ Item })(() => ({}))
  const arrange = () => {
    const app = openOn(deferred)
    app.database.exec(`
      drop table items;
      create table owners (id integer primary key);
      create table items (id integer primary key, ownerId integer references owners (id) deferrable initially deferred)`)
    return app
  }

  test('rolls everything back, and the session refuses to work until it is rolled back', () => {
    const app = arrange()
    app.run(Session.add(deferred.Item, { id: 1, ownerId: 9 }))
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'DatabaseError', operation: 'commit' })
    expect(app.database.inTransaction).toBe(false)
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    app.database.exec('insert into owners values (9)')
    app.run(Session.add(deferred.Item, { id: 1, ownerId: 9 }))
    app.run(Session.commit)
    expect(app.rows('items')).toHaveLength(1)
  })

  test('with a savepoint open, the whole transaction is what has to be rolled back', () => {
    const app = arrange()
    const item = app.run(Session.add(deferred.Item, { id: 1, ownerId: 9 }))
    app.run(Session.beginNested)
    app.fails(Session.commit)
    expect(app.fails(Session.rollbackNested)).toMatchObject({ _tag: 'NoSavepoint' })
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(statusOf(app, item)).toBe('transient')
    expect(app.rows('items')).toEqual([])
  })
})
