import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

describe('info', () => {
  test('holds its first value, then what it was set to', () => {
    const app = open()
    const count = Session.info('count', 0)
    expect(count.get(app.store.getState())).toBe(0)
    app.run(count.set(3))
    app.run(count.update((n) => n + 1))
    expect(app.run(Session.gets(count.get))).toBe(4)
    const before = app.store.getState()
    app.run(count.set(4))
    expect(app.store.getState()).toBe(before)
  })

  test('is the state of its session: a rollback returns to what it was', () => {
    const app = open()
    const count = Session.info('count', 0)
    app.run(count.set(1))
    expect(app.store.getState().frames).toBeNull()
    app.run(Session.add(model.Node, { label: 'n' }))
    app.run(count.set(2))
    app.run(Session.beginNested)
    app.run(count.set(3))
    app.run(Session.rollbackNested)
    expect(count.get(app.store.getState())).toBe(2)
    app.run(Session.rollback)
    expect(count.get(app.store.getState())).toBe(1)
  })
})
