import {
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  primaryKey,
  select,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, model, open, openOn } from '../app.js'

const statusOf = (app: App, snapshot: Parameters<typeof Session.inspect>[1]) =>
  Session.inspect(app.store.getState(), snapshot)?.status

/** Ed and an address of his, stored and read. */
const arrange = (options: Session.RuntimeOptions = {}) => {
  const app = open(options)
  app.run(Session.add(model.User, { name: 'ed', nickname: 'e', addresses: [{ email: 'a' }] }))
  app.run(Session.commit)
  const ed = app.run(Session.one(select(model.User)))
  const [address] = app.run(Session.load(model.User, 'addresses')(ed)) as readonly [Managed<typeof model, 'Address'>]
  app.clear()
  return { app, ed, address }
}

describe('expunge', () => {
  test('detaches what is persistent: it keeps what is known, and the session loads its row as another', () => {
    const { app, ed, address } = arrange()
    app.run(Session.expunge(model.User)(ed))
    expect(app.asked()).toEqual([])
    expect([statusOf(app, ed), statusOf(app, address)]).toEqual(['detached', 'persistent'])
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({
      identity: { entity: 'User', key: 1, shard: null },
      attributes: { id: 1, name: 'ed' },
    })
    expect(app.run(Session.related(model.User, 'addresses')(ed))).toHaveLength(1)
    const [found, statements] = app.counted(Session.get(model.User, 1))
    expect(statements).toHaveLength(1)
    if (found._tag === 'None') throw new Error('not found')
    expect(Session.inspect(app.store.getState(), found.value)?.id).not.toBe(
      Session.inspect(app.store.getState(), ed)?.id,
    )
  })

  test('keeps changes that nobody has written, and add writes them', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.expunge(model.User)(ed))
    expect(app.run(Session.commit).updated).toBe(0)
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ changed: ['name'] })
    app.run(Session.add(model.User, ed))
    expect(statusOf(app, ed)).toBe('persistent')
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'edward', nickname: 'e' }])
  })

  test('makes what is pending transient, and nothing is inserted', () => {
    const { app } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.expunge(model.User)(wendy))
    expect(statusOf(app, wendy)).toBe('transient')
    expect(app.run(Session.commit).inserted).toBe(0)
    app.run(Session.add(model.User, wendy))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'wendy' }])
  })

  test('of what is to be deleted takes that back', () => {
    const { app, ed } = arrange()
    app.run(Session.remove(model.User)(ed))
    app.run(Session.expunge(model.User)(ed))
    expect(app.run(Session.commit).deleted).toBe(0)
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ status: 'detached', isMarkedForDeletion: false })
  })

  test('of what has expired keeps its key alone', () => {
    const { app, ed } = arrange()
    app.run(Session.expireAll)
    app.run(Session.expunge(model.User)(ed))
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({ attributes: { id: 1 }, related: {} })
    expect(app.asked()).toEqual([])
  })

  test('is for what belongs to the session', () => {
    const { app, ed } = arrange()
    app.run(Session.expunge(model.User)(ed))
    const error = app.fails(Session.expunge(model.User)(ed))
    expect(error).toEqual({ _tag: 'InvalidState', entity: 'User', key: 1, status: 'detached', operation: 'expunge' })
    expect(Session.render(error)).toBe('expunge is not for User 1, which is detached.')
    const wendy = app.run(Session.make(model.User, { name: 'wendy' }))
    expect(app.fails(Session.expunge(model.User)(wendy))).toMatchObject({ status: 'transient', key: null })
    const empty = open()
    expect(empty.fails(Session.expunge(model.User)(ed))).toEqual({ _tag: 'NotInSession', entity: 'User' })
  })

  test('what is detached is not loaded for, and changes of it are not written', () => {
    const { app, ed, address } = arrange()
    app.run(Session.expire(model.Address)(address))
    app.run(Session.expunge(model.User)(ed))
    app.run(Session.expunge(model.Address)(address))
    const refusal = { _tag: 'InvalidState', status: 'detached', operation: 'load' }
    expect(app.fails(Session.load(model.User, 'posts')(ed))).toEqual({ ...refusal, entity: 'User', key: 1 })
    expect(app.fails(Session.read(model.Address)(address))).toEqual({ ...refusal, entity: 'Address', key: 1 })
    expect(app.fails(Session.refresh(model.User)(ed))).toMatchObject({ _tag: 'InvalidState', operation: 'refresh' })
    expect(app.counted(Session.read(model.User)(ed))[1]).toEqual([])
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(app.counted(Session.commit)).toMatchObject([{ updated: 0 }, []])
  })

  describe('with its cascade', () => {
    const Folder = entity('Folder', 'folders', {
      id: pipe(integer, primaryKey, generated),
      label: text,
      parentId: pipe(integer, nullable),
    })
    const File = entity('File', 'files', {
      id: pipe(integer, primaryKey, generated),
      title: text,
      folderId: pipe(integer, nullable),
    })
    const cascade = ['save-update', 'merge', 'expunge'] as const
    const folders = defineModel({ Folder, File })((r) => ({
      Folder: {
        children: r.Folder.hasMany('Folder', { foreignKey: 'parentId', inverse: 'parent', cascade, orderBy: 'id' }),
        parent: r.Folder.belongsTo('Folder', { foreignKey: 'parentId', inverse: 'children' }),
        files: r.Folder.hasMany('File', { foreignKey: 'folderId', cascade, orderBy: 'id' }),
      },
    }))
    const arrangeFolders = () => {
      const app = openOn(folders)
      const root = app.run(
        Session.add(folders.Folder, {
          label: 'root',
          children: [{ label: 'a', files: [{ title: 'x' }] }, { label: 'b' }],
        }),
      )
      return { app, root }
    }
    const standings = (app: App) =>
      Object.fromEntries(
        Session.inspectAll(app.store.getState()).map(({ attributes, status }) => [
          String(attributes.label ?? attributes.title),
          status,
        ]),
      )

    test('takes along all that it reaches, as far as that is loaded', () => {
      const { app, root } = arrangeFolders()
      app.run(Session.flush)
      app.run(Session.load(folders.Folder, 'files')(root))
      app.run(Session.append(folders.Folder, 'files', { title: 'new' })(root))
      app.run(Session.expunge(folders.Folder)(root))
      expect(standings(app)).toEqual({
        root: 'detached',
        a: 'detached',
        x: 'detached',
        b: 'detached',
        new: 'transient',
      })
      expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    })

    test('takes nothing along that is not loaded, and not the other way', () => {
      const { app, root } = arrangeFolders()
      app.run(Session.commit)
      const [a, b] = app.run(Session.load(folders.Folder, 'children')(root)) as readonly [
        Managed<typeof folders, 'Folder'>,
        Managed<typeof folders, 'Folder'>,
      ]
      app.run(Session.read(folders.Folder)(root))
      app.run(Session.query(select(folders.File)))
      app.run(Session.expunge(folders.Folder)(a))
      expect(standings(app)).toEqual({ root: 'persistent', a: 'detached', x: 'persistent', b: 'persistent' })
      app.run(Session.expunge(folders.Folder)(root))
      expect(statusOf(app, b)).toBe('detached')
    })

    test('add brings back what save-update reaches', () => {
      const { app, root } = arrangeFolders()
      app.run(Session.flush)
      app.run(Session.expunge(folders.Folder)(root))
      app.run(Session.add(folders.Folder, root))
      expect(new Set(Object.values(standings(app)))).toEqual(new Set(['persistent']))
      expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    })
  })
})

describe('expungeAll', () => {
  test('leaves nothing in the session, and the transaction open', () => {
    const { app, ed, address } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.expungeAll)
    expect([ed, address, wendy].map((one) => statusOf(app, one))).toEqual(['detached', 'detached', 'transient'])
    expect(app.database.inTransaction).toBe(true)
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
    expect(app.counted(Session.get(model.User, 1))[1]).toHaveLength(1)
  })

  test('what was written stays written, and what was deleted stays deleted', () => {
    const { app, ed } = arrange()
    app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.remove(model.User)(ed))
    app.run(Session.flush)
    app.run(Session.expungeAll)
    expect(statusOf(app, ed)).toBe('deleted')
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }])
    expect(app.fails(Session.add(model.User, ed))).toMatchObject({ _tag: 'InvalidState', operation: 'add' })
  })
})

describe('makeTransient', () => {
  test('forgets the identity and keeps the attributes, so that add inserts a copy', () => {
    const { app, ed } = arrange()
    app.run(Session.makeTransient(model.User)(ed))
    expect(Session.inspect(app.store.getState(), ed)).toMatchObject({
      status: 'transient',
      identity: null,
      attributes: { id: 1, name: 'ed', nickname: 'e' },
    })
    expect(app.counted(Session.get(model.User, 1))[1]).toHaveLength(1)
    app.run(Session.set(model.User, { id: 7, name: 'a copy' })(ed))
    app.run(Session.add(model.User, ed))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([
      { id: 1, name: 'ed' },
      { id: 7, name: 'a copy', nickname: 'e' },
    ])
    // its children are those of the row that it was
    expect(app.rows('addresses')).toMatchObject([{ user_id: 1 }])
  })

  test('of what is pending keeps it out of the next flush', () => {
    const { app } = arrange()
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.makeTransient(model.User)(wendy))
    expect(statusOf(app, wendy)).toBe('transient')
    expect(app.run(Session.commit).inserted).toBe(0)
  })

  test('of what was deleted lets it be inserted again', () => {
    const { app, ed } = arrange()
    app.run(Session.remove(model.User)(ed))
    app.run(Session.commit)
    expect(app.fails(Session.add(model.User, ed))).toEqual({
      _tag: 'InvalidState',
      entity: 'User',
      key: 1,
      status: 'deleted',
      operation: 'add',
    })
    app.run(Session.makeTransient(model.User)(ed))
    app.run(Session.add(model.User, ed))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ id: 1, name: 'ed', nickname: 'e' }])
  })

  test('of what has expired leaves the key, and nothing to be loaded', () => {
    const { app, ed } = arrange()
    app.run(Session.expireAll)
    app.run(Session.makeTransient(model.User)(ed))
    expect(Session.inspect(app.store.getState(), ed)?.attributes).toEqual({ id: 1 })
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([{ id: 1 }, []])
    app.run(Session.set(model.User, { id: 2, name: 'anew' })(ed))
    app.run(Session.add(model.User, ed))
    expect(app.counted(Session.read(model.User)(ed))).toMatchObject([{ id: 2, name: 'anew' }, []])
  })

  test('is undone by a rollback', () => {
    const { app, ed } = arrange()
    app.run(Session.commit)
    app.run(Session.makeTransient(model.User)(ed))
    app.run(Session.rollback)
    expect(statusOf(app, ed)).toBe('persistent')
    expect(app.run(Session.read(model.User)(ed))).toMatchObject({ name: 'ed' })
  })
})

describe('makeDetached', () => {
  test('pretends that the row was stored: nothing is known but its key, and reading it loads it', () => {
    const { app } = arrange()
    app.run(Session.expungeAll)
    const known = app.run(Session.make(model.User, { id: 1, name: 'ignored' }))
    app.run(Session.makeDetached(model.User)(known))
    expect(Session.inspect(app.store.getState(), known)).toMatchObject({
      status: 'detached',
      identity: { key: 1 },
      changed: [],
    })
    app.run(Session.add(model.User, known))
    expect(statusOf(app, known)).toBe('persistent')
    expect(app.asked()).toEqual([])
    const [read, statements] = app.counted(Session.read(model.User)(known))
    expect(read).toMatchObject({ id: 1, name: 'ed' })
    expect(statements).toHaveLength(1)
    expect(app.run(Session.commit).updated).toBe(0)
  })

  test('changes made then are written to the row of its key, without reading it', () => {
    const { app } = arrange()
    app.run(Session.expungeAll)
    app.clear()
    const known = app.run(Session.make(model.User, { id: 1, name: 'ignored' }))
    app.run(Session.makeDetached(model.User)(known))
    app.run(Session.add(model.User, known))
    app.run(Session.set(model.User, { nickname: 'n' })(known))
    expect(app.counted(Session.commit)[1]).toEqual(['Update users 1'])
    expect(app.rows('users')).toMatchObject([{ name: 'ed', nickname: 'n' }])
  })

  test('reading what has no such row is ObjectDeleted', () => {
    const { app } = arrange()
    const unknown = app.run(Session.make(model.User, { id: 99, name: 'x' }))
    app.run(Session.makeDetached(model.User)(unknown))
    app.run(Session.add(model.User, unknown))
    expect(app.fails(Session.read(model.User)(unknown))).toEqual({
      _tag: 'ObjectDeleted',
      entity: 'User',
      key: 99,
      shard: null,
    })
  })

  test('is for what is transient and has its key', () => {
    const { app, ed } = arrange()
    const refusal = { _tag: 'InvalidState', entity: 'User', operation: 'makeDetached' }
    expect(app.fails(Session.makeDetached(model.User)(ed))).toEqual({ ...refusal, key: 1, status: 'persistent' })
    const wendy = app.run(Session.make(model.User, { name: 'wendy' }))
    expect(app.fails(Session.makeDetached(model.User)(wendy))).toEqual({ ...refusal, key: null, status: 'transient' })
  })

  test('does not come back where the session has the key', () => {
    const { app } = arrange()
    const double = app.run(Session.make(model.User, { id: 1, name: 'x' }))
    app.run(Session.makeDetached(model.User)(double))
    expect(app.fails(Session.add(model.User, double))).toEqual({
      _tag: 'InvalidState',
      entity: 'User',
      key: 1,
      status: 'detached',
      operation: 'add',
    })
  })
})

describe('close', () => {
  test('rolls back, detaches everything, and the session can be used again', () => {
    const { app, ed, address } = arrange()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.run(Session.flush)
    const jack = app.run(Session.add(model.User, { name: 'jack' }))
    app.run(Session.close)
    expect(app.asked().at(-1)).toBe('Rollback')
    expect(app.database.inTransaction).toBe(false)
    expect([ed, address, wendy, jack].map((one) => statusOf(app, one))).toEqual([
      'detached',
      'detached',
      'detached',
      'transient',
    ])
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
    expect(app.run(Session.one(select(model.User)))).toMatchObject({ name: 'ed' })
    app.run(Session.add(model.User, jack))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }, { name: 'jack' }])
  })

  test('ends savepoints, and a failure that wants a rollback', () => {
    const { app } = arrange()
    app.run(Session.beginNested)
    app.run(Session.beginNested)
    app.run(Session.add(model.Address, { email: 'a' }))
    app.fails(Session.flush)
    expect(app.fails(Session.query(select(model.User)))).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.close)
    expect(app.fails(Session.rollbackNested)).toEqual({ _tag: 'NoSavepoint' })
    expect(app.run(Session.query(select(model.User)))).toHaveLength(1)
  })

  test('of a session without a transaction asks for nothing', () => {
    const app = open()
    app.run(Session.close)
    expect(app.asked()).toEqual([])
  })

  test('of a run that has written leaves a state to go on from', () => {
    const { app } = arrange()
    app.store.closeSync()
    const [, state] = Session.runStateSync(app.runtime)(
      Session.gen(function* () {
        yield* Session.add(model.User, { name: 'wendy' })
        yield* Session.flush
        yield* Session.close
      }),
    )
    const [found] = Session.runStateSync(app.runtime, state)(Session.query(select(model.User)))
    expect(found).toMatchObject({ _tag: 'Right', right: [{ name: 'ed' }] })
  })

  test('a rollback afterwards returns to the state that it left', () => {
    const { app, ed } = arrange()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.flush)
    app.run(Session.close)
    const closed = app.store.getState()
    app.run(Session.add(model.User, ed))
    app.run(Session.rollback)
    expect(app.store.getState()).toBe(closed)
  })
})
