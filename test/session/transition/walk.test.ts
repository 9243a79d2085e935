import { defineModel, entity, generated, integer, nullable, primaryKey, type Snapshot, text } from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, model, open, openOn } from '../app.js'

const Person = entity('Person', 'people', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  motherId: pipe(integer, nullable),
  spouseOfId: pipe(integer, nullable),
})
const people = defineModel({ Person })((r) => ({
  Person: {
    mother: r.Person.belongsTo('Person', { foreignKey: 'motherId', inverse: 'children' }),
    children: r.Person.hasMany('Person', { foreignKey: 'motherId', inverse: 'mother', orderBy: 'id' }),
    friends: r.Person.manyToMany('Person', {
      through: { table: 'friends', own: ['personId'], target: ['friendId'] },
    }),
    spouse: r.Person.hasOne('Person', { foreignKey: 'spouseOfId' }),
  },
}))

const walked = (app: App, from: Snapshot): ReadonlyArray<string> =>
  Session.walk(app.store.getState(), from).map((one) => {
    const { name, title, email } = one as unknown as Readonly<Record<string, unknown>>
    return String(name ?? title ?? email)
  })

const make = (app: App, name: string) => app.run(Session.make(people.Person, { name }))

describe('walk', () => {
  test('gives the instance first, then each that it reaches, depth first in the order of the relationships', () => {
    const app = openOn(people)
    const ann = app.run(
      Session.make(people.Person, {
        name: 'ann',
        mother: { name: 'eve' },
        children: [{ name: 'bob', children: [{ name: 'dora' }] }, { name: 'carl' }],
        friends: [{ name: 'fred' }],
        spouse: { name: 'gus' },
      }),
    )
    expect(walked(app, ann)).toEqual(['ann', 'eve', 'bob', 'dora', 'carl', 'fred', 'gus'])
  })

  test('gives each once, however many ways lead to it, and comes to an end in cycles', () => {
    const app = openOn(people)
    const [a, b] = [make(app, 'a'), make(app, 'b')]
    app.run(Session.append(people.Person, 'friends', b, a)(a))
    app.run(Session.append(people.Person, 'friends', a)(b))
    app.run(Session.set(people.Person, { mother: b })(a))
    app.run(Session.set(people.Person, { mother: a })(b))
    expect(walked(app, a)).toEqual(['a', 'b'])
    expect(walked(app, b)).toEqual(['b', 'a'])
    expect(walked(app, make(app, 'alone'))).toEqual(['alone'])
  })

  test('goes as far as relationships are loaded, and asks nothing', () => {
    const app = open()
    app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }], posts: [{ title: 'p' }] }))
    app.run(Session.commit)
    app.run(Session.expungeAll)
    const found = app.run(Session.get(model.User, 1))
    if (found._tag === 'None') throw new Error('no user')
    expect(walked(app, found.value)).toEqual(['ed'])
    app.run(Session.load(model.User, 'posts')(found.value))
    app.clear()
    expect(walked(app, found.value)).toEqual(['ed', 'p'])
    expect(app.asked()).toEqual([])
    app.run(Session.commit)
    // what has expired is not known to refer to anything
    expect(Session.walk(app.store.getState(), found.value)).toHaveLength(1)
  })

  test('follows what was set, whether or not it is stored, and shows what is current', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const [a] = app.run(Session.related(model.User, 'addresses')(ed))
    app.run(Session.flush)
    app.run(Session.detach(model.User, 'addresses', a as Snapshot<'Address'>)(ed))
    app.run(Session.append(model.User, 'addresses', { email: 'b' })(ed))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    expect(walked(app, ed)).toEqual(['edward', 'b'])
  })

  test('of a state in the past goes as it was then, and of a state that does not have it gives nothing', () => {
    const app = openOn(people)
    const ann = make(app, 'ann')
    const before = app.store.getState()
    app.run(Session.append(people.Person, 'friends', { name: 'fred' })(ann))
    expect(Session.walk(before, ann)).toEqual([ann])
    expect(Session.walk(openOn(people).store.getState(), ann)).toEqual([])
    expect(Session.walk(before, { name: 'plain data' } as never)).toEqual([])
  })

  test('is as long as what it reaches, not as deep', () => {
    const app = openOn(people)
    let last = make(app, '0')
    for (let i = 1; i < 3_000; i++) last = app.run(Session.make(people.Person, { name: `${i}`, mother: last }))
    expect(Session.walk(app.store.getState(), last)).toHaveLength(3_000)
  })

  test('reaches exactly what links lead to', () => {
    const link = fc.tuple(fc.nat(7), fc.nat(7))
    fc.assert(
      fc.property(fc.array(link, { maxLength: 16 }), fc.nat(7), (links, from) => {
        const app = openOn(people)
        const all = Array.from({ length: 8 }, (_, i) => make(app, `${i}`))
        for (const [a, b] of links) {
          app.run(Session.append(people.Person, 'friends', all[b] as Snapshot<'Person'>)(all[a] as Snapshot<'Person'>))
        }
        const reached = new Set([from])
        for (let size = 0; size < reached.size; ) {
          size = reached.size
          for (const [a, b] of links) if (reached.has(a)) reached.add(b)
        }
        const found = walked(app, all[from] as Snapshot<'Person'>)
        expect(found.toSorted()).toEqual([...reached].map(String).toSorted())
        expect(found[0]).toBe(`${from}`)
      }),
      { numRuns: 200 },
    )
  }, 60_000)
})
