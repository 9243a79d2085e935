import * as Session from '@unitary/session'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'

const workOf = (app: ReturnType<typeof open>) => {
  const { added, changed, deleted } = Session.unitOfWork(model.User)(app.store.getState())
  const named = (all: ReadonlyArray<{ readonly name?: string }>) => all.map(({ name }) => name)
  return [named(added), named(changed), named(deleted)]
}

describe('the unit of work', () => {
  test('tells what is added, changed and deleted of one entity', () => {
    const app = open()
    const [a, b, c] = app.run(Session.addAll(model.User, [{ name: 'a' }, { name: 'b' }, { name: 'c' }]))
    if (a === undefined || b === undefined || c === undefined) throw new Error('no users')
    app.run(Session.add(model.Node, { label: 'n' }))
    expect(workOf(app)).toEqual([['a', 'b', 'c'], [], []])
    app.run(Session.flush)
    expect(workOf(app)).toEqual([[], [], []])
    app.run(Session.remove(model.User)(c))
    app.run(Session.set(model.User, { name: 'B' })(b))
    app.run(Session.set(model.User, { name: 'C' })(c))
    app.run(Session.add(model.User, { name: 'd' }))
    expect(workOf(app)).toEqual([['d'], ['B', 'C'], ['C']])
  })

  test('tells it in the order in which it became pending', () => {
    const app = open()
    const first = app.run(Session.make(model.User, { name: 'made first' }))
    app.run(Session.add(model.User, { name: 'added first' }))
    app.run(Session.add(model.User, first))
    expect(workOf(app)[0]).toEqual(['added first', 'made first'])
  })

  test('shows what is known', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    app.run(Session.set(model.User, { nickname: 'e' })(ed))
    const { changed } = Session.unitOfWork(model.User)(app.store.getState())
    expect(changed.map((user) => ({ ...user }))).toEqual([{ id: 1, nickname: 'e' }])
  })
})

describe('removeLoaded', () => {
  test('marks what is known to go, and asks nothing', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    app.run(Session.flush)
    app.clear()
    app.run(Session.removeLoaded(model.User)(ed))
    expect(app.asked()).toEqual([])
    expect(app.run(Session.commit)).toMatchObject({ deleted: 2 })
    expect([app.rows('users'), app.rows('posts')]).toEqual([[], []])
  })

  test('names what would have to be loaded', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    app.run(Session.commit)
    expect(app.fails(Session.removeLoaded(model.User)(ed))).toEqual({
      _tag: 'NotLoaded',
      entity: 'User',
      key: 1,
      attribute: 'posts',
    })
    app.run(Session.load(model.User, 'posts')(ed))
    app.run(Session.removeLoaded(model.User)(ed))
    app.run(Session.commit)
    expect(app.rows('users')).toEqual([])
  })

  test('is for what is stored', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.fails(Session.removeLoaded(model.User)(ed))).toMatchObject({ _tag: 'InvalidState', status: 'pending' })
  })
})
