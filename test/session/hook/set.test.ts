import * as Session from '@unitary/session'
import { none, some } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { model, now, open, services } from '../app.js'

const { accept, defineHooks, keep, refuse } = Session

/** Every call of the set hooks of users, addresses and visits, as plain data. */
const noting = () => {
  const calls: Array<readonly [attribute: string, value: unknown, before: unknown]> = []
  const note = (context: { readonly attribute: string; readonly value: unknown; readonly before: unknown }) => {
    calls.push([context.attribute, context.value, context.before])
    return keep()
  }
  return { calls, note }
}

describe('a set hook', () => {
  test('is given the value, what was there before, and the instance as it was', () => {
    const seen: unknown[] = []
    const hooks = defineHooks(model)({
      User: {
        set: {
          name: (context) => {
            seen.push(context)
            return keep()
          },
        },
      },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const state = app.store.getState()
    const current = app.run(Session.read(model.User)(ed))
    seen.length = 0
    app.run(Session.set(model.User, { name: 'edward', nickname: 'e' })(ed))
    expect(seen).toEqual([
      { state, services, instance: current, attribute: 'name', value: 'edward', before: some('ed'), follows: false },
    ])
    expect((seen[0] as { state: unknown }).state).toBe(state)
  })

  test('decides on the value that is stored', () => {
    const hooks = defineHooks(model)({ User: { set: { name: ({ value }) => accept(value.trim()) } } })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: ' ed ' }))
    expect(ed.name).toBe('ed')
    expect(app.run(Session.set(model.User, { name: ' edward ' })(ed)).name).toBe('edward')
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'edward' }])
    app.run(Session.set(model.User, { name: 'edward  ' })(ed))
    expect(app.run(Session.flush).updated).toBe(1)
  })

  test('that sets what is there already makes no change', () => {
    const hooks = defineHooks(model)({ User: { set: { name: ({ value }) => accept(value.trim()) } } })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const before = app.store.getState()
    app.run(Session.set(model.User, { name: 'ed ' })(ed))
    expect(app.store.getState()).toBe(before)
  })

  test('refuses, and the state is what it was', () => {
    const hooks = defineHooks(model)({
      User: { set: { name: ({ value }) => (value === '' ? refuse('a user has a name', { min: 1 }) : keep()) } },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const before = app.store.getState()
    const error = app.fails(Session.set(model.User, { nickname: 'e', name: '' })(ed))
    expect(error).toEqual({
      _tag: 'HookRefused',
      hook: 'set',
      entity: 'User',
      attribute: 'name',
      reason: 'a user has a name',
      detail: { min: 1 },
      cause: null,
    })
    expect(Session.render(error)).toBe('The set hook of User.name refused: a user has a name.')
    expect(app.fails(Session.add(model.User, { name: '' }))).toMatchObject({ _tag: 'HookRefused' })
    expect(app.fails(Session.addAll(model.User, [{ name: 'a' }, { name: '' }]))).toMatchObject({ _tag: 'HookRefused' })
    expect(app.store.getState()).toBe(before)
  })

  test('is asked in the order of the entity, whatever the order of the patch', () => {
    const { calls, note } = noting()
    const hooks = defineHooks(model)({
      User: { set: { joined: note, nickname: note, name: note } },
      Address: { set: { user: note, userId: note, email: note } },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { nickname: null, name: 'ed' }))
    app.run(Session.set(model.User, { joined: new Date(0), nickname: 'e', name: 'edward' })(ed))
    expect(calls).toEqual([
      ['name', 'ed', none],
      ['nickname', null, none],
      ['name', 'edward', some('ed')],
      ['nickname', 'e', some(null)],
      ['joined', new Date(0), some(now)],
    ])
    calls.length = 0
    app.run(Session.add(model.Address, { user: null, userId: 7, email: 'a' }))
    expect(calls.map(([name]) => name)).toEqual(['email', 'userId', 'user'])
  })

  test('is called for a value that is there already, and for null', () => {
    const { calls, note } = noting()
    const app = open({ hooks: defineHooks(model)({ User: { set: { nickname: note } } }) })
    const ed = app.run(Session.add(model.User, { name: 'ed', nickname: 'e' }))
    app.run(Session.set(model.User, { nickname: 'e' })(ed))
    app.run(Session.set(model.User, { nickname: null })(ed))
    expect(calls).toEqual([
      ['nickname', 'e', none],
      ['nickname', 'e', some('e')],
      ['nickname', null, some('e')],
    ])
  })

  test('does not know before what the session does not know', () => {
    const { calls, note } = noting()
    const instances: unknown[] = []
    const hooks = defineHooks(model)({
      User: {
        set: {
          name: (context) => {
            instances.push({ ...context.instance })
            return note(context)
          },
        },
      },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    calls.length = 0
    instances.length = 0
    app.clear()
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(calls).toEqual([['name', 'edward', none]])
    expect(instances).toEqual([{ id: 1 }])
    // and nothing was asked to find out
    expect(app.asked()).toEqual([])
  })

  test('is not called for what is loaded, given by a flush, or set by a bulk statement', () => {
    const { calls, note } = noting()
    const hooks = defineHooks(model)({
      User: { set: { id: note, name: note, joined: note } },
      Address: { set: { id: note, userId: note, isPrimary: note } },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    expect(calls).toEqual([['name', 'ed', none]])
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.run(Session.load(model.User, 'addresses')(ed))
    expect(calls).toHaveLength(1)
  })

  test('may not decide on a value that its column does not hold', () => {
    const hooks = defineHooks(model)({ User: { set: { name: () => accept(7 as never) } } })
    const app = open({ hooks })
    expect(app.fails(Session.add(model.User, { name: 'ed' }))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'User',
      attribute: 'name',
      value: 7,
    })
  })

  test('is called for each draft, what is nested in it before it', () => {
    const order: string[] = []
    const note = ({ value }: { readonly value: unknown }) => {
      order.push(value as string)
      return keep()
    }
    const hooks = defineHooks(model)({
      User: { set: { name: note } },
      Post: { set: { title: note } },
      Comment: { set: { body: note } },
      Address: { set: { email: note } },
    })
    const app = open({ hooks })
    const shared = { name: 'shared' }
    app.run(
      Session.addAll(model.User, [
        {
          name: 'ed',
          addresses: [{ email: 'a' }, { email: 'b' }],
          posts: [{ title: 'p', comments: [{ body: 'x' }, { body: 'y' }] }, { title: 'q' }],
        },
        { name: 'wendy' },
      ]),
    )
    app.run(
      Session.addAll(model.Address, [
        { email: 'c', user: shared },
        { email: 'd', user: shared },
      ]),
    )
    expect(order).toEqual(['a', 'b', 'x', 'y', 'p', 'q', 'ed', 'wendy', 'shared', 'c', 'd'])
  })

  test('sees drafts in the state', () => {
    const statuses: unknown[] = []
    const hooks = defineHooks(model)({
      User: {
        set: {
          name: ({ state, instance }) => {
            statuses.push(Session.inspect(state, instance)?.status)
            return keep()
          },
        },
      },
    })
    const app = open({ hooks })
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.make(model.User, { name: 'wendy' }))
    expect(statuses).toEqual(['transient', 'transient'])
    expect(Session.inspectAll(app.store.getState()).map(({ status }) => status)).toEqual(['pending', 'transient'])
  })

  test('is called by a merge for each value that it gives, whether or not it differs', () => {
    const { calls, note } = noting()
    const app = open({ hooks: defineHooks(model)({ User: { set: { id: note, name: note, nickname: note } } }) })
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    calls.length = 0
    app.run(Session.merge(model.User, { id: 1, name: 'ed', nickname: 'e' }))
    expect(calls).toEqual([
      ['id', 1, some(1)],
      ['name', 'ed', some('ed')],
      ['nickname', 'e', some(null)],
    ])
    calls.length = 0
    app.run(Session.merge(model.User, { id: 9, name: 'wendy' }))
    expect(calls).toEqual([
      ['id', 9, none],
      ['name', 'wendy', none],
    ])
  })

  test('refuses a merge', () => {
    const hooks = defineHooks(model)({ User: { set: { name: () => refuse('no names') } } })
    const app = open({ hooks })
    expect(app.fails(Session.merge(model.User, { id: 9, name: 'wendy' }))).toMatchObject({ _tag: 'HookRefused' })
  })

  test('is not called by a merge without loading', () => {
    const { calls, note } = noting()
    const app = open({ hooks: defineHooks(model)({ User: { set: { name: note } } }) })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const from = app.store.getState()
    const other = open({ hooks: defineHooks(model)({ User: { set: { name: note } } }) })
    calls.length = 0
    other.run(Session.merge(model.User, ed, { load: false, from }))
    expect(calls).toEqual([])
  })
})
