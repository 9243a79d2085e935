import * as Session from '@unitary/session'
import { right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

const add = (code: string) => Session.add(model.Country, { code, title: '' })

describe('a store', () => {
  test('keeps the session, and its transaction, from one program to the next', async () => {
    const { store, asked, rows } = open()
    await store.run(add('a'))()
    await store.run(Session.flush)()
    store.runSync(add('b'))
    store.runSync(Session.commit)
    expect(asked()).toEqual(['Begin', 'Insert countries 1', 'Insert countries 1', 'Commit'])
    expect(rows('countries')).toHaveLength(2)
  })

  test('runs programs that are given at the same time one after another', async () => {
    const { store } = open()
    const slow = (code: string) =>
      pipe(
        Session.fromTask(() => new Promise((resolve) => setTimeout(resolve, code === 'a' ? 10 : 0))),
        Session.chain(() => add(code)),
        Session.chain(() => Session.gets((state) => state.added.size)),
      )
    expect(await Promise.all(['a', 'b', 'c'].map((code) => store.run(slow(code))()))).toEqual([
      right(1),
      right(2),
      right(3),
    ])
  })

  test('a program runs when its task does, each time', async () => {
    const { store } = open()
    const task = store.run(
      pipe(
        add('a'),
        Session.chain(() => Session.gets((state) => state.added.size)),
      ),
    )
    expect(store.getState().added.size).toBe(0)
    expect([await task(), await task()]).toEqual([right(1), right(2)])
  })

  test('tells its subscribers of each program that changed the state, until they leave', () => {
    const { store } = open()
    const seen: number[] = []
    const leave = store.subscribe((state) => seen.push(state.added.size))
    store.runSync(add('a'))
    store.runSync(Session.gets(() => undefined))
    store.runSync(Session.chain(() => add('c'))(add('b')))
    leave()
    store.runSync(add('d'))
    expect(seen).toEqual([1, 3])
  })

  test('keeps the state of a program that failed', () => {
    const { store } = open()
    store.runSync(Session.chain(() => Session.fail('no'))(add('a')))
    expect(store.getState().added.size).toBe(1)
  })

  test('a defect of one program is not the next one’s', async () => {
    const { store } = open()
    const buggy = Session.fromIO(() => {
      throw new Error('bug')
    })
    await expect(store.run(buggy)()).rejects.toThrow('bug')
    expect(await store.run(Session.map(() => 1)(add('a')))()).toEqual(right(1))
  })

  test('closing rolls back what is not committed, and gives the connection back', async () => {
    const { store, database, runtime } = open()
    store.runSync(Session.chain(() => Session.flush)(add('a')))
    store.closeSync()
    expect(database.inTransaction).toBe(false)
    const other = Session.createStore(runtime)
    expect(other.runSync(Session.get(model.Country, 'a'))).toMatchObject(right({ _tag: 'None' }))
    await other.close()
    expect(database.inTransaction).toBe(false)
  })

  test('close waits for the programs that are running', async () => {
    const { store, rows } = open()
    const running = store.run(
      pipe(
        add('a'),
        Session.chain(() => Session.fromTask(() => new Promise((resolve) => setTimeout(resolve, 5)))),
        Session.chain(() => Session.commit),
      ),
    )()
    await store.close()
    expect((await running)._tag).toBe('Right')
    expect(rows('countries')).toHaveLength(1)
  })

  test('starts from a state that it is given', () => {
    const { runtime, store } = open()
    store.runSync(add('a'))
    expect(Session.createStore(runtime, store.getState()).getState()).toBe(store.getState())
  })
})

describe('states', () => {
  test('snapshots and states that somebody holds do not change while the session moves on', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.flush)
    const held = app.store.getState()
    const seen = structuredClone(Session.inspectAll(held))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.append(model.User, 'addresses', { email: 'b' })(ed))
    app.run(Session.commit)
    app.run(Session.remove(model.User)(ed))
    app.run(Session.commit)
    expect(Session.inspectAll(held)).toEqual(seen)
    expect(ed.name).toBe('ed')
  })

  test('reads that change nothing leave the same state', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    app.run(Session.load(model.User, 'addresses')(ed))
    const before = app.store.getState()
    app.run(Session.read(model.User)(ed))
    app.run(Session.get(model.User, 1))
    app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.related(model.User, 'addresses')(ed))
    app.run(Session.flush)
    app.run(Session.flushPlan)
    app.run(Session.get(model.User, 99))
    expect(app.store.getState()).toBe(before)
  })

  test.each(['run', 'runSync'] as const)(
    'after a defect the transaction is rolled back, in the state too: %s',
    async (mode) => {
      const app = open()
      app.run(add('a'))
      app.run(Session.commit)
      app.run(add('b'))
      const buggy = pipe(
        Session.beginNested,
        Session.chain(() => add('c')),
        Session.chain(() => Session.flush),
        Session.map(() => {
          throw new Error('bug')
        }),
      )
      if (mode === 'run') await expect(app.store.run(buggy)()).rejects.toThrow('bug')
      else expect(() => app.store.runSync(buggy)).toThrow('bug')
      expect(app.database.inTransaction).toBe(false)
      expect(app.store.getState()).toMatchObject({ frames: null, failure: null })
      app.run(add('d'))
      app.run(Session.commit)
      expect(app.rows('countries')).toMatchObject([{ code: 'a' }, { code: 'd' }])
    },
  )

  test('a defect before anything was written costs nothing but its own program', () => {
    const app = open()
    app.run(add('a'))
    const buggy = pipe(
      add('b'),
      Session.map(() => {
        throw new Error('bug')
      }),
    )
    expect(() => app.store.runSync(buggy)).toThrow('bug')
    app.run(Session.commit)
    expect(app.rows('countries')).toMatchObject([{ code: 'a' }])
  })
})
