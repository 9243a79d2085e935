import {
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  primaryKey,
  references,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { model, open, openOn } from '../app.js'

type Address = Managed<typeof model, 'Address'>

const statuses = (state: Session.SessionState): ReadonlyArray<string> =>
  Session.inspectAll(state).map(({ entity, status }) => `${entity} ${status}`)

// neither side of this one cascades anything
const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey, generated), name: text })
const Pet = entity('Pet', 'pets', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  ownerId: pipe(integer, nullable),
})
const loose = defineModel({ Owner, Pet })((r) => ({
  Owner: { pets: r.Owner.hasMany('Pet', { foreignKey: 'ownerId', inverse: 'owner', cascade: [] }) },
  Pet: { owner: r.Pet.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'pets', cascade: [] }) },
}))

describe('the save-update cascade', () => {
  test('carries over collections and references, as deep as they go', () => {
    const app = open()
    const leaf = app.run(
      Session.make(model.Node, { label: 'leaf', parent: { label: 'inner', parent: { label: 'root' } } }),
    )
    app.run(Session.add(model.Node, leaf))
    expect(statuses(app.store.getState())).toEqual(['Node pending', 'Node pending', 'Node pending'])
  })

  test('an appended draft joins the unit of work with its owner', () => {
    const app = open()
    const ed = app.run(Session.make(model.User, { name: 'ed' }))
    app.run(Session.append(model.User, 'addresses', { email: 'a' })(ed))
    expect(statuses(app.store.getState())).toEqual(['User transient', 'Address transient'])
    app.run(Session.add(model.User, ed))
    expect(statuses(app.store.getState())).toEqual(['User pending', 'Address pending'])
    app.run(Session.append(model.User, 'addresses', { email: 'b' })(ed))
    expect(statuses(app.store.getState())).toEqual(['User pending', 'Address pending', 'Address pending'])
  })

  test('a draft set as a reference joins the unit of work', () => {
    const app = open()
    const address = app.run(Session.add(model.Address, { email: 'a' }))
    app.run(Session.set(model.Address, { user: { name: 'ed' } })(address))
    expect(statuses(app.store.getState())).toEqual(['Address pending', 'User pending'])
  })

  test('does not run backwards: who refers to a pending instance stays transient', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.make(model.Address, { email: 'a', user: ed }))
    expect(statuses(app.store.getState())).toEqual(['User pending', 'Address transient'])
  })

  test('brings back what was given up while detached, for the flush to write that', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }, { email: 'b' }] }))
    const [a, b] = app.run(Session.related(model.User, 'addresses')(ed)) as readonly [Address, Address]
    app.run(Session.commit)
    app.run(Session.read(model.User)(ed))
    app.run(Session.load(model.User, 'addresses')(ed))
    app.run(Session.expungeAll)
    app.run(Session.detach(model.User, 'addresses', a)(ed))
    app.run(Session.add(model.User, ed))
    expect([a, b].map((one) => Session.inspect(app.store.getState(), one)?.status)).toEqual([
      'persistent',
      'persistent',
    ])
    app.run(Session.commit)
    expect(app.rows('addresses')).toMatchObject([
      { email: 'a', user_id: null },
      { email: 'b', user_id: 1 },
    ])
  })

  test('does not need what was given up to come back', () => {
    const app = open()
    const ed = app.run(Session.add(model.User, { name: 'ed', addresses: [{ email: 'a' }] }))
    const [a] = app.run(Session.related(model.User, 'addresses')(ed)) as readonly [Address]
    app.run(Session.flush)
    app.run(Session.expungeAll)
    app.run(Session.detach(model.User, 'addresses', a)(ed))
    // its row is another instance's by now
    app.run(Session.get(model.Address, 1))
    app.run(Session.add(model.User, ed))
    expect(Session.inspect(app.store.getState(), a)?.status).toBe('detached')
    app.run(Session.commit)
  })

  test('stops where a relationship does not cascade, and the flush tells what it left out', () => {
    const app = openOn(loose)
    const pet = app.run(Session.add(loose.Pet, { name: 'rex', owner: { name: 'ed' } }))
    expect(statuses(app.store.getState())).toEqual(['Pet pending', 'Owner transient'])
    expect(app.run(Session.flush).notices).toEqual([
      { _tag: 'NotInUnitOfWork', entity: 'Pet', relationship: 'owner', target: 'Owner' },
    ])
    expect(app.rows('pets')).toEqual([{ id: 1, name: 'rex', ownerId: null }])
    expect(app.rows('owners')).toEqual([])
    expect(app.run(Session.read(loose.Pet)(pet))).toMatchObject({ ownerId: null })
  })

  test('members that do not cascade stay transient, and are not written', () => {
    const app = openOn(loose)
    app.run(Session.add(loose.Owner, { name: 'ed', pets: [{ name: 'rex' }] }))
    app.run(Session.commit)
    expect(app.rows('pets')).toEqual([])
  })
})

describe('passive deletes', () => {
  const Parent = entity('Parent', 'parents', { id: pipe(integer, primaryKey, generated) })
  const Child = entity('Child', 'children', {
    id: pipe(integer, primaryKey, generated),
    parentId: pipe(integer, nullable, references('parents.id', { onDelete: 'cascade' })),
  })
  const passive = defineModel({ Parent, Child })((r) => ({
    Parent: { children: r.Parent.hasMany('Child', { foreignKey: 'parentId', passiveDeletes: true }) },
  }))

  test('leave to the database what the session knew before it expired', () => {
    const app = openOn(passive)
    app.database.pragma('foreign_keys = on')
    const parent = app.run(Session.add(passive.Parent, { children: [{}, {}] }))
    app.run(Session.commit)
    app.run(Session.remove(passive.Parent)(parent))
    app.clear()
    app.run(Session.flush)
    expect(app.asked().filter((call) => /update|delete/i.test(call))).toHaveLength(1)
    expect(app.rows('children')).toEqual([])
  })
})
