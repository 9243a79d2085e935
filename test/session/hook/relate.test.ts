import type { Snapshot } from '@unitary/core'
import * as Session from '@unitary/session'
import type { Option } from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import { model, open } from '../app.js'
import { keeping } from './keeping.js'

const { accept, defineHooks, keep, refuse } = Session

type Named = Snapshot & { readonly name?: string; readonly email?: string; readonly title?: string }

const at = <A>(all: ReadonlyArray<A>, index: number): A => all[index] as A

const nameOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(nameOf).join()
  const { name, email, title } = (value ?? {}) as Named
  return name ?? email ?? title ?? 'null'
}

const optionOf = (before: Option<unknown> | undefined): string =>
  before === undefined || before._tag === 'None' ? '?' : nameOf(before.value)

/** An app that writes down what its hooks on relationships are told. */
const telling = () => {
  const told: string[] = []
  const hooks = keeping(model, (event, place, context) => {
    const { instance, value, before, follows } = context as unknown as Readonly<Record<string, unknown>>
    const isAttribute = event === 'set' && !/user$|author$|parent$|country$/.test(place)
    if (instance === undefined || event === 'load' || isAttribute) return
    const was = event === 'set' || event === 'replace' ? `, was ${optionOf(before as Option<unknown>)}` : ''
    told.push(`${follows === true ? '  ' : ''}${event} ${place} of ${nameOf(instance)}: ${nameOf(value)}${was}`)
  })
  const app = open({ hooks })
  return { ...app, told: () => told.splice(0) }
}

describe('hooks on relationships', () => {
  test('an append is followed by its other side, and by where the member was', () => {
    const app = telling()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    app.told()
    app.run(Session.append(model.User, 'addresses', { email: 'a' })(ed))
    expect(app.told()).toEqual(['append User.addresses of ed: a', '  set Address.user of a: ed, was null'])
    const a = at(app.run(Session.load(model.User, 'addresses')(ed)), 0)
    app.run(Session.append(model.User, 'addresses', a)(wendy))
    expect(app.told()).toEqual([
      'append User.addresses of wendy: a',
      '  set Address.user of a: wendy, was ed',
      '  remove User.addresses of ed: a',
    ])
  })

  test('a reference that is set is followed by whom it left and whom it joined', () => {
    const app = telling()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    expect(app.told()).toEqual([
      'replace User.addresses of ed: a, was ?',
      'append User.addresses of ed: a',
      '  set Address.user of a: ed, was null',
    ])
    const wendy = app.run(Session.add(model.User, { name: 'wendy' }))
    const a = at(app.run(Session.load(model.User, 'addresses')(ed)), 0)
    app.run(Session.set(model.Address, { user: wendy })(a))
    expect(app.told()).toEqual([
      'set Address.user of a: wendy, was ed',
      '  remove User.addresses of ed: a',
      '  append User.addresses of wendy: a',
    ])
    app.run(Session.set(model.Address, { user: null })(a))
    expect(app.told()).toEqual(['set Address.user of a: null, was wendy', '  remove User.addresses of wendy: a'])
    app.run(Session.set(model.Address, { user: null })(a))
    expect(app.told()).toEqual(['set Address.user of a: null, was null'])
  })

  test('a detached member loses its reference', () => {
    const app = telling()
    const ed = app.run(Session.add(model.User, { name: 'ed', posts: [{ title: 'p' }] }))
    const p = at(app.run(Session.load(model.User, 'posts')(ed)), 0)
    app.told()
    app.run(Session.detach(model.User, 'posts', p)(ed))
    expect(app.told()).toEqual(['remove User.posts of ed: p', '  set Post.author of p: null, was ed'])
    expect(app.fails(Session.detach(model.User, 'posts', p)(ed))).toMatchObject({ _tag: 'InvalidValue' })
    expect(app.told()).toEqual([])
  })

  test('a collection that is replaced tells of the whole, then of what is new, then of what goes', () => {
    const app = telling()
    const ed = app.run(
      Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }, { email: 'c' }] }),
    )
    const b = at(app.run(Session.load(model.User, 'addresses')(ed)), 1)
    app.told()
    app.run(Session.replace(model.User, 'addresses', [{ email: 'd' }, b, { email: 'e' }])(ed))
    expect(app.told()).toEqual([
      'replace User.addresses of ed: d,b,e, was a,b,c',
      'append User.addresses of ed: d',
      '  set Address.user of d: ed, was null',
      'append User.addresses of ed: e',
      '  set Address.user of e: ed, was null',
      'remove User.addresses of ed: a',
      '  set Address.user of a: null, was ed',
      'remove User.addresses of ed: c',
      '  set Address.user of c: null, was ed',
    ])
    expect(app.run(Session.load(model.User, 'addresses')(ed)).map(({ email }) => email)).toEqual(['d', 'b', 'e'])
    app.run(Session.replace(model.User, 'addresses', [b])(ed))
    app.told()
    app.run(Session.replace(model.User, 'addresses', [b])(ed))
    expect(app.told()).toEqual(['replace User.addresses of ed: b, was b'])
  })

  test('a collection that is not loaded is loaded to be replaced, and tells nothing of before where it is not', () => {
    const app = telling()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.told()
    app.run(Session.replace(model.User, 'addresses', [{ email: 'c' }])(ed))
    expect(app.told()).toEqual([
      'replace User.addresses of ed: c, was a',
      'append User.addresses of ed: c',
      '  set Address.user of c: ed, was null',
      'remove User.addresses of ed: a',
      '  set Address.user of a: null, was ed',
    ])
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.told()
    app.run(Session.replaceLoaded(model.User, 'addresses', [{ email: 'b' }])(ed))
    expect(app.told()).toEqual([
      'replace User.addresses of ed: b, was ?',
      'append User.addresses of ed: b',
      '  set Address.user of b: ed, was null',
    ])
  })

  test('a merge tells as a set and a replace do', () => {
    const app = telling()
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.commit)
    app.told()
    app.run(Session.merge(model.User, { id: 1, name: 'ed', addresses: [{ id: 1, email: 'a' }, { email: 'b' }] }))
    expect(app.told()).toEqual([
      'replace User.addresses of ed: a,b, was a',
      'append User.addresses of ed: b',
      '  set Address.user of b: ed, was null',
    ])
  })

  test('loads tell nothing', () => {
    const app = telling()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.commit)
    app.told()
    const a = at(app.run(Session.load(model.User, 'addresses')(ed)), 0)
    app.run(Session.load(model.Address, 'user')(a))
    app.run(Session.refresh(model.User, 'addresses')(ed))
    expect(app.told()).toEqual([])
  })
})

describe('what hooks on relationships decide', () => {
  test('another instance takes the place of the one given', () => {
    const countries = (state: Session.SessionState) =>
      Session.inspectAll(state).flatMap(({ entity, attributes }) => (entity === 'Country' ? [attributes] : []))
    const hooks = defineHooks(model)({
      Visit: {
        set: {
          country: ({ value, before }) =>
            value === null && before._tag === 'Some' && before.value !== null ? accept(before.value) : keep(),
        },
      },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.flush)
    const visit = app.run(
      Session.add(model.Visit, { userId: 1, times: 1, country: { code: 'NZ', title: 'New Zealand' } }),
    )
    app.run(Session.set(model.Visit, { country: null })(visit))
    app.run(Session.commit)
    expect(app.rows('visits')).toEqual([{ user_id: 1, country_code: 'NZ', times: 1 }])
    expect(countries(app.store.getState())).toHaveLength(1)
    expect(ed.name).toBe('ed')
  })

  test('a draft whose place another takes is not inserted', () => {
    // one address an email, whoever gives it
    const hooks = defineHooks(model)({
      User: {
        append: {
          addresses: ({ state, value }) => {
            const same = Session.unitOfWork(model.Address)(state).added.find(({ email }) => email === value.email)
            return same === undefined ? keep() : accept(same)
          },
        },
      },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    app.run(Session.append(model.User, 'addresses', { email: 'a' }, { email: 'b' })(ed))
    app.run(Session.add(model.User, { name: 'wendy', addresses: [{ email: 'b' }] }))
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: 1 },
      { email: 'b', user_id: 2 },
    ])
  })

  test('a replaced collection holds what its hook accepts', () => {
    const hooks = defineHooks(model)({
      User: { replace: { addresses: ({ value }) => accept(value.filter(({ email }) => email !== 'spam')) } },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'spam' }] }))
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([{ email: 'a' }])
    app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.replace(model.User, 'addresses', [{ email: 'spam' }, { email: 'b' }])(ed))
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: null },
      { email: 'b', user_id: 1 },
    ])
  })

  test('a side that follows may refuse, and then nothing has changed', () => {
    const hooks = defineHooks(model)({
      Address: {
        set: { user: ({ follows, value }) => (follows && value === null ? refuse('it needs a user') : keep()) },
      },
    })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const a = at(app.run(Session.load(model.User, 'addresses')(ed)), 0)
    const before = app.store.getState()
    expect(app.fails(Session.detach(model.User, 'addresses', a)(ed))).toMatchObject({
      _tag: 'HookRefused',
      hook: 'set',
      entity: 'Address',
      attribute: 'user',
      reason: 'it needs a user',
    })
    expect(app.fails(Session.replace(model.User, 'addresses', [{ email: 'b' }])(ed))).toMatchObject({
      _tag: 'HookRefused',
    })
    expect(app.store.getState()).toBe(before)
    app.run(Session.set(model.Address, { user: null })(a))
  })

  test('a side that follows may not choose another', () => {
    const hooks = defineHooks(model)({ Address: { set: { user: ({ follows }) => (follows ? accept(null) : keep()) } } })
    const app = open({ hooks })
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.fails(Session.append(model.User, 'addresses', { email: 'a' })(ed))).toMatchObject({
      _tag: 'HookRefused',
      entity: 'Address',
      attribute: 'user',
      reason: 'it follows the other side, which decides what is related',
    })
  })

  test('only an instance of the session can be chosen, and of the right entity', () => {
    const other = open()
    const stranger = other.run(Session.add(model.User, { name: 'stranger' }))
    const hooks = defineHooks(model)({
      Address: {
        set: { user: ({ value, instance }) => (value?.name === 'x' ? accept(instance as never) : accept(stranger)) },
      },
    })
    const app = open({ hooks })
    expect(app.fails(Session.add(model.Address, { email: 'a', user: null }))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Address',
      attribute: 'user',
    })
    expect(app.fails(Session.add(model.Address, { email: 'a', user: { name: 'x' } }))).toMatchObject({
      _tag: 'InvalidValue',
    })
  })

  test('a member of a tree is told of once on each side', () => {
    const told: string[] = []
    const hooks = defineHooks(model)({
      Node: {
        set: {
          parent: ({ instance, value, follows }) => {
            told.push(`${instance.label}.parent = ${value?.label}${follows ? ', following' : ''}`)
            return keep()
          },
        },
        append: {
          children: ({ instance, value, follows }) => {
            told.push(`${instance.label}.children + ${value.label}${follows ? ', following' : ''}`)
            return keep()
          },
        },
      },
    })
    const app = open({ hooks })
    const root = app.run(
      Session.add(model.Node, { label: 'root', children: [{ label: 'x', children: [{ label: 'y' }] }] }),
    )
    expect(told.splice(0)).toEqual([
      'x.children + y',
      'y.parent = x, following',
      'root.children + x',
      'x.parent = root, following',
    ])
    app.run(Session.add(model.Node, { label: 'z', parent: root }))
    expect(told).toEqual(['z.parent = root', 'root.children + z, following'])
  })
})
