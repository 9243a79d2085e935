import {
  defineModel,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  text,
  unique,
  version,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { attempt, noRefs, work } from '../../property/actions.js'
import { type App, open, openOn, model as shared, tablesAsked } from '../app.js'

const id = pipe(integer, primaryKey, generated)
const ownerId = pipe(integer, nullable, named('owner_id'))

const Owner = entity('Owner', 'owners', { id, name: pipe(text, unique) })
const Pet = entity('Pet', 'pets', { id, name: text, ownerId })
const Card = entity('Card', 'cards', { id, ownerId })
const Club = entity('Club', 'clubs', { id, name: text })
const Counted = entity('Counted', 'counted', { id, name: text, count: version(integer) })

const model = defineModel({ Owner, Pet, Card, Club, Counted })((r) => ({
  Owner: {
    pets: r.Owner.hasMany('Pet', { foreignKey: 'ownerId', inverse: 'owner' }),
    card: r.Owner.hasOne('Card', { foreignKey: 'ownerId', inverse: 'owner' }),
    clubs: r.Owner.manyToMany('Club', { through: { table: 'members', own: ['owner_id'], target: ['club_id'] } }),
  },
  Pet: { owner: r.Pet.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'pets' }) },
  Card: { owner: r.Card.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'card' }) },
}))

/** Three owners with all that they may have, of which nothing is known. */
const arrange = () => {
  const app = openOn(model)
  const club = app.run(Session.add(model.Club, { name: 'c' }))
  const owners = app.run(
    Session.addAll(
      model.Owner,
      ['ann', 'bob', 'cid'].map((name) => ({
        name,
        pets: [{ name: `${name}1` }, { name: `${name}2` }],
        card: {},
        clubs: [club],
      })),
    ),
  )
  app.run(Session.commit)
  app.clear()
  return { app, owners: owners as unknown as readonly [Owner, Owner, Owner] }
}
type Owner = Parameters<ReturnType<typeof Session.remove<typeof model, 'Owner'>>>[0]

const selects = (app: App) => tablesAsked(app).filter((call) => call.startsWith('select'))

describe('a flush loads nothing', () => {
  test('for attributes, references and collections of what has no rows of others to know', () => {
    const { app, owners } = arrange()
    app.run(Session.set(model.Owner, { name: 'anna' })(owners[0]))
    app.run(Session.append(model.Owner, 'pets', { name: 'new' })(owners[1]))
    app.run(Session.append(model.Owner, 'clubs', { name: 'd' })(owners[1]))
    app.run(Session.add(model.Owner, { name: 'dan', card: {} }))
    app.run(Session.flush)
    expect(selects(app)).toEqual([])
  })

  test('where there is nothing to do', () => {
    const { app } = arrange()
    app.run(Session.flush)
    expect(app.asked()).toEqual([])
  })
})

describe('a flush loads what it has to know', () => {
  test('of owners that go: what refers to them, each relationship once', () => {
    const { app, owners } = arrange()
    for (const owner of owners) app.run(Session.remove(model.Owner)(owner))
    expect(app.asked()).toEqual([])
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual([
      'select pets',
      'select cards',
      'select clubs',
      'Delete members 3',
      'Update pets 6',
      'Update cards 3',
      'Delete owners 3',
    ])
  })

  test('of owners that go: nothing of what is known', () => {
    const { app, owners } = arrange()
    const [ann] = owners
    app.run(Session.load(model.Owner, 'pets')(ann))
    app.run(Session.load(model.Owner, 'card')(ann))
    app.run(Session.remove(model.Owner)(ann))
    app.clear()
    app.run(Session.flush)
    expect(selects(app)).toEqual(['select clubs'])
  })

  test('of has-ones that were set, and of those only', () => {
    const { app, owners } = arrange()
    const [ann, bob] = owners
    app.run(Session.set(model.Owner, { card: {} })(ann))
    app.run(Session.set(model.Owner, { card: null })(bob))
    app.run(Session.flush)
    expect(selects(app)).toEqual(['select cards'])
    expect(app.rows('cards')).toMatchObject([{ owner_id: null }, { owner_id: null }, { owner_id: 3 }, { owner_id: 1 }])
  })

  test('of rows that go, the unique values that others may take', () => {
    const { app, owners } = arrange()
    const [ann] = owners
    app.run(Session.remove(model.Owner)(ann))
    app.run(Session.add(model.Owner, { name: 'ann' }))
    app.run(Session.flush)
    expect(selects(app)).toEqual(['select owners', 'select pets', 'select cards', 'select clubs'])
    expect(app.rows('owners')).toMatchObject([{ name: 'bob' }, { name: 'cid' }, { name: 'ann' }])
  })

  test('of rows with a version that has expired, the version, in one statement', () => {
    const app = openOn(model)
    const [a, b] = app.run(Session.addAll(model.Counted, [{ name: 'a' }, { name: 'b' }]))
    app.run(Session.commit)
    app.clear()
    if (a !== undefined) app.run(Session.set(model.Counted, { name: 'A' })(a))
    if (b !== undefined) app.run(Session.remove(model.Counted)(b))
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['select counted', 'Update counted 1', 'Delete counted 1'])
    expect(app.rows('counted')).toEqual([{ id: 1, name: 'A', count: 2 }])
  })

  test('also where a query makes it flush', () => {
    const { app, owners } = arrange()
    app.run(Session.remove(model.Owner)(owners[0]))
    app.run(Session.get(model.Club, 1))
    expect(selects(app)).toEqual(['select pets', 'select cards', 'select clubs', 'select clubs'])
    expect(app.rows('owners')).toHaveLength(2)
  })

  test('without flushing what it is about to flush', () => {
    const { app, owners } = arrange()
    const [ann, bob] = owners
    app.run(Session.set(model.Owner, { name: 'bobby' })(bob))
    app.run(Session.remove(model.Owner)(ann))
    app.run(Session.flush)
    const writes = tablesAsked(app).filter((call) => !call.startsWith('select'))
    expect(writes).toEqual([
      'Delete members 1',
      'Update owners 1',
      'Update pets 2',
      'Update cards 1',
      'Delete owners 1',
    ])
  })

  test('and forgets it of what it has deleted', () => {
    const { app, owners } = arrange()
    const [ann] = owners
    app.run(Session.remove(model.Owner)(ann))
    app.run(Session.flush)
    expect(Session.inspect(app.store.getState(), ann)).toMatchObject({ status: 'deleted', related: {} })
  })
})

describe('what a flush cannot load', () => {
  test('fails it, as a failed write does', () => {
    const { app, owners } = arrange()
    app.database.exec("update pets set name = x'00' where id = 1")
    app.run(Session.remove(model.Owner)(owners[0]))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'DecodeError',
      entity: 'Pet',
      table: 'pets',
      attribute: 'name',
      key: 1,
    })
    expect(app.fails(Session.commit)).toMatchObject({ _tag: 'PendingRollback' })
    app.run(Session.rollback)
    expect(app.rows('owners')).toHaveLength(3)
    expect(Session.inspect(app.store.getState(), owners[0])).toMatchObject({ isMarkedForDeletion: false })
  })

  test('fails the plan alone, which leaves all as it was', () => {
    const { app, owners } = arrange()
    app.database.exec('drop table pets')
    app.run(Session.remove(model.Owner)(owners[0]))
    expect(app.fails(Session.flushPlan)).toMatchObject({ _tag: 'DatabaseError', entity: 'Pet' })
    expect(Session.inspect(app.store.getState(), owners[0])).toMatchObject({ isMarkedForDeletion: true })
    expect(app.store.getState().failure).toBeNull()
  })
})

const verbs = {
  Insert: 'Insert',
  Link: 'Insert',
  Update: 'Update',
  Vacate: 'Update',
  Delete: 'Delete',
  Unlink: 'Delete',
}

test('flushPlan loads what the flush would, and the flush writes what it tells', () => {
  fc.assert(
    fc.property(fc.array(work, { maxLength: 15, size: 'max' }), fc.boolean(), (actions, isExpired) => {
      const app = open()
      const refs = noRefs()
      app.run(
        Session.add(shared.User, {
          name: 'z',
          addresses: [{ email: 'z' }],
          posts: [{ title: 'z', comments: [{ body: 'z' }] }],
        }),
      )
      for (const one of actions.slice(0, actions.length / 2)) app.run(attempt(refs, one))
      if (app.run(Session.attempt(isExpired ? Session.commit : Session.flush))._tag === 'Left')
        app.run(Session.rollback)
      for (const one of actions.slice(actions.length / 2)) app.run(Session.noAutoflush(attempt(refs, one)))
      const planned = app.run(Session.attempt(Session.flushPlan))
      app.clear()
      const flushed = app.run(Session.attempt(Session.flush))
      if (planned._tag === 'Left') {
        expect(flushed).toEqual(planned)
        return
      }
      const asked = tablesAsked(app)
      const told = planned.right.steps.map(({ _tag, table, rows }) => `${verbs[_tag]} ${table} ${rows.length}`)
      expect(asked).toEqual(flushed._tag === 'Right' ? told : told.slice(0, asked.length))
      // what was spared is still to go
      const { deleted } = app.store.getState()
      if (flushed._tag === 'Right' && deleted.size === 0) expect(app.run(Session.flushPlan).steps).toEqual([])
    }),
    { numRuns: 200 },
  )
})
