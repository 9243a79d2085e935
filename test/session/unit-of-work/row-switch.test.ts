import {
  column,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  nullable,
  primaryKey,
  type Snapshot,
  text,
  version,
  withDefault,
  withUpdateDefault,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, now, openOn } from '../app.js'

const id = pipe(integer, primaryKey, generated)

const Country = entity('Country', 'countries', {
  code: pipe(text, primaryKey),
  title: pipe(text, nullable),
  size: pipe(
    integer,
    withDefault(() => 0),
  ),
})
const City = entity('City', 'cities', { id, name: text, countryCode: pipe(text, nullable) })
const Order = entity('Order', 'orders', { id, title: text })
const Item = entity('Item', 'items', { id, name: text })
/** The key is that of what it stands between. */
const Line = entity('Line', 'lines', {
  orderId: pipe(integer, primaryKey),
  itemId: pipe(integer, primaryKey),
  count: integer,
})
const Counted = entity('Counted', 'counted', {
  id: pipe(integer, primaryKey),
  name: text,
  changed: pipe(
    column(isoDate, 'text'),
    nullable,
    withUpdateDefault((services): Date | null => services.now),
  ),
  version: version(integer),
})
const User = entity('User', 'users', { id, name: text })
const Badge = entity('Badge', 'badges', { code: pipe(text, primaryKey), colour: text, userId: pipe(integer, nullable) })

const model = defineModel({ Country, City, Order, Item, Line, Counted, User, Badge })((r) => ({
  Country: { cities: r.Country.hasMany('City', { foreignKey: 'countryCode', inverse: 'country', orderBy: 'id' }) },
  City: { country: r.City.belongsTo('Country', { foreignKey: 'countryCode', inverse: 'cities' }) },
  Order: {
    lines: r.Order.hasMany('Line', {
      foreignKey: 'orderId',
      inverse: 'order',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Line: {
    order: r.Line.belongsTo('Order', { foreignKey: 'orderId', inverse: 'lines' }),
    item: r.Line.belongsTo('Item', { foreignKey: 'itemId' }),
  },
  User: {
    badge: r.User.hasOne('Badge', {
      foreignKey: 'userId',
      inverse: 'user',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Badge: { user: r.Badge.belongsTo('User', { foreignKey: 'userId', inverse: 'badge' }) },
}))

const open = (): App => openOn(model, { autoflush: false, expireOnCommit: false })

describe('a new row with the key of one that is removed', () => {
  const arrange = () => {
    const app = open()
    const old = app.run(Session.add(model.Country, { code: 'fr', title: 'France', size: 1 }))
    app.run(Session.commit)
    app.run(Session.remove(model.Country)(old))
    return { app, old }
  }
  const status = (app: App, instance: Snapshot) => Session.inspect(app.store.getState(), instance)?.status

  test('takes over its row by an update of what differs', () => {
    const { app, old } = arrange()
    const next = app.run(Session.add(model.Country, { code: 'fr', title: 'Gaul', size: 1 }))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update countries (1 row)
           #1: title = 'Gaul' where code = 'fr'"
    `)
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 1, deleted: 0, notices: [] })
    expect(app.rows('countries')).toEqual([{ code: 'fr', title: 'Gaul', size: 1 }])
    expect([status(app, old), status(app, next)]).toEqual(['deleted', 'persistent'])
    expect(found(app, model.Country, 'fr')).toBe(app.run(Session.read(model.Country)(next)))
  })

  test('writes nothing where all is equal, and takes its place in memory all the same', () => {
    const { app, old } = arrange()
    const next = app.run(Session.add(model.Country, { code: 'fr', title: 'France', size: 1 }))
    expect(explained(app)).toBe('nothing to flush')
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 0, deleted: 0, notices: [] })
    expect([status(app, old), status(app, next)]).toEqual(['deleted', 'persistent'])
    app.run(Session.set(model.Country, { title: 'Gaul' })(next))
    app.run(Session.commit)
    expect(app.rows('countries')).toEqual([{ code: 'fr', title: 'Gaul', size: 1 }])
  })

  test('leaves what it does not say as it was, and knows it once it is read', () => {
    const { app } = arrange()
    const next = app.run(Session.add(model.Country, { code: 'fr', size: 2 }))
    app.run(Session.flush)
    expect(app.rows('countries')).toEqual([{ code: 'fr', title: 'France', size: 2 }])
    expect(app.run(Session.read(model.Country)(next))).toMatchObject({ title: 'France', size: 2 })
  })

  test('writes all where nothing is known of the one before', () => {
    const { app, old } = arrange()
    app.run(Session.rollback)
    app.run(Session.expireAll)
    app.run(Session.remove(model.Country)(old))
    app.run(Session.add(model.Country, { code: 'fr', title: 'France', size: 1 }))
    expect(explained(app)).toBe(
      ['1. update countries (1 row)', "     #1: title = 'France', size = 1 where code = 'fr'"].join('\n'),
    )
    app.run(Session.commit)
  })

  test('is undone by a rollback', () => {
    const { app, old } = arrange()
    const next = app.run(Session.add(model.Country, { code: 'fr', title: 'Gaul' }))
    app.run(Session.flush)
    app.run(Session.rollback)
    expect([status(app, old), status(app, next)]).toEqual(['persistent', 'transient'])
    expect(Session.inspect(app.store.getState(), old)).toMatchObject({ identity: { key: 'fr' } })
    expect(Session.inspect(app.store.getState(), next)).toMatchObject({ identity: null })
    expect(app.rows('countries')).toEqual([{ code: 'fr', title: 'France', size: 1 }])
  })

  test('is inserted where the other is deleted by a flush before', () => {
    const { app } = arrange()
    app.run(Session.flush)
    app.run(Session.add(model.Country, { code: 'fr' }))
    expect(app.run(Session.flush)).toMatchObject({ inserted: 1, updated: 0 })
  })

  test('is inserted where it is of another entity', () => {
    const { app } = arrange()
    app.run(Session.add(model.Badge, { code: 'fr', colour: 'red' }))
    expect(app.run(Session.flush)).toMatchObject({ inserted: 1, deleted: 1 })
  })

  test('is one of several, and the others go and come', () => {
    const { app } = arrange()
    const de = app.run(Session.add(model.Country, { code: 'de' }))
    app.run(Session.flush)
    app.run(Session.remove(model.Country)(de))
    app.run(Session.addAll(model.Country, [{ code: 'de', title: 'Germany' }, { code: 'fr' }, { code: 'it' }]))
    expect(app.run(Session.commit)).toMatchObject({ inserted: 2, updated: 1, deleted: 0 })
  })
})

describe('the children of a row that is taken over', () => {
  const arrange = () => {
    const app = open()
    const old = app.run(Session.add(model.Country, { code: 'fr', cities: [{ name: 'Paris' }, { name: 'Lyon' }] }))
    app.run(Session.commit)
    const [paris] = app.run(Session.load(model.Country, 'cities')(old))
    return { app, old, paris: paris as Snapshot<'City'> }
  }
  const codes = (app: App) => app.rows('cities').map((row) => (row as { countryCode: unknown }).countryCode)

  test('lose it, and those of the new one have it', () => {
    const { app, old } = arrange()
    app.run(Session.remove(model.Country)(old))
    app.run(Session.add(model.Country, { code: 'fr', cities: [{ name: 'Nice' }] }))
    app.run(Session.commit)
    expect(codes(app)).toEqual([null, null, 'fr'])
  })

  test('keep it where they go over to the new one', () => {
    const { app, old, paris } = arrange()
    app.run(Session.remove(model.Country)(old))
    const next = app.run(Session.add(model.Country, { code: 'fr', cities: [paris] }))
    app.run(Session.commit)
    expect(codes(app)).toEqual(['fr', null])
    expect(app.run(Session.load(model.City, 'country')(paris))).toEqual({
      _tag: 'Some',
      value: app.run(Session.read(model.Country)(next)),
    })
  })
})

describe('a key that is made of references', () => {
  const arrange = () => {
    const app = open()
    const item = app.run(Session.add(model.Item, { name: 'x' }))
    const order = app.run(Session.add(model.Order, { title: 'o', lines: [{ item, count: 1 }] }))
    app.run(Session.commit)
    app.clear()
    return { app, order, item }
  }

  test('is that of a row that goes: it is updated', () => {
    const { app, order, item } = arrange()
    app.run(Session.replace(model.Order, 'lines', [{ item, count: 2 }])(order))
    expect(explained(app)).toBe(
      ['1. update lines (1 row)', '     #3: count = 2 where orderId = 1, itemId = 1'].join('\n'),
    )
    app.run(Session.commit)
    expect(app.rows('lines')).toEqual([{ orderId: 1, itemId: 1, count: 2 }])
    expect(found(app, model.Line, { orderId: 1, itemId: 1 })).toMatchObject({ count: 2 })
  })

  test('is that of a row that goes, and all else is equal: nothing is written', () => {
    const { app, order, item } = arrange()
    app.run(Session.replace(model.Order, 'lines', [{ item, count: 1 }])(order))
    expect(explained(app)).toBe('nothing to flush')
    app.run(Session.commit)
    expect(app.run(Session.load(model.Order, 'lines')(order))).toMatchObject([{ orderId: 1, itemId: 1, count: 1 }])
  })

  test('is another where one of them is', () => {
    const { app, order } = arrange()
    app.run(Session.replace(model.Order, 'lines', [{ item: { name: 'y' }, count: 1 }])(order))
    expect(app.run(Session.commit)).toEqual({ inserted: 2, updated: 0, deleted: 1, notices: [] })
    expect(app.rows('lines')).toEqual([{ orderId: 1, itemId: 2, count: 1 }])
  })

  test('is that of a has-one which gives way', () => {
    const { app } = arrange()
    const ed = app.run(Session.add(model.User, { name: 'ed', badge: { code: 'a', colour: 'red' } }))
    app.run(Session.commit)
    app.run(Session.set(model.User, { badge: { code: 'a', colour: 'blue' } })(ed))
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 1, deleted: 0, notices: [] })
    expect(app.rows('badges')).toEqual([{ code: 'a', colour: 'blue', userId: 1 }])
  })
})

describe('a row with a version that is taken over', () => {
  const arrange = () => {
    const app = open()
    const old = app.run(Session.add(model.Counted, { id: 1, name: 'a' }))
    app.run(Session.flush)
    app.run(Session.set(model.Counted, { name: 'b' })(old))
    app.run(Session.commit)
    app.run(Session.remove(model.Counted)(old))
    return { app, old }
  }

  test('counts on from the one before, and fills what updates fill', () => {
    const { app } = arrange()
    const next = app.run(Session.add(model.Counted, { id: 1, name: 'c' }))
    app.run(Session.flush)
    expect(app.rows('counted')).toEqual([{ id: 1, name: 'c', changed: now.toISOString(), version: 3 }])
    expect(app.run(Session.read(model.Counted)(next))).toMatchObject({ version: 3, changed: now })
    app.run(Session.set(model.Counted, { name: 'd' })(next))
    app.run(Session.commit)
    expect(app.rows('counted')).toMatchObject([{ name: 'd', version: 4 }])
  })

  test('does not count where nothing is written', () => {
    const { app } = arrange()
    const next = app.run(Session.add(model.Counted, { id: 1, name: 'b' }))
    app.run(Session.flush)
    expect(app.rows('counted')).toMatchObject([{ name: 'b', version: 2 }])
    app.run(Session.set(model.Counted, { name: 'c' })(next))
    app.run(Session.commit)
    expect(app.rows('counted')).toMatchObject([{ name: 'c', version: 3 }])
  })

  test('is stale where somebody else has changed the row', () => {
    const { app } = arrange()
    app.database.exec('update counted set version = 9')
    app.run(Session.add(model.Counted, { id: 1, name: 'c' }))
    expect(app.fails(Session.flush)).toEqual({
      _tag: 'StaleData',
      entity: 'Counted',
      table: 'counted',
      key: 1,
      matched: 0,
      shard: null,
    })
  })
})

test('rows that others change are filled by updates as all are', () => {
  const Owner = entity('Owner', 'owners', { id, name: text })
  const Pet = entity('Pet', 'pets', {
    id,
    ownerId: pipe(integer, nullable),
    changed: pipe(
      column(isoDate, 'text'),
      nullable,
      withUpdateDefault((services): Date | null => services.now),
    ),
  })
  const pets = defineModel({ Owner, Pet })((r) => ({
    Owner: { pets: r.Owner.hasMany('Pet', { foreignKey: 'ownerId' }) },
  }))
  const app = openOn(pets)
  const [rex, tom] = app.run(Session.addAll(pets.Pet, [{}, {}])) as unknown as readonly [
    Snapshot<'Pet'>,
    Snapshot<'Pet'>,
  ]
  app.run(Session.commit)
  const ed = app.run(Session.add(pets.Owner, { name: 'ed', pets: [rex] }))
  app.run(Session.commit)
  expect(app.rows('pets')).toMatchObject([{ changed: now.toISOString() }, { changed: null }])
  app.database.exec('update pets set changed = null, ownerId = 1')
  app.run(Session.remove(pets.Owner)(ed))
  app.run(Session.commit)
  expect(app.rows('pets')).toMatchObject([{ changed: now.toISOString() }, { changed: now.toISOString() }])
  expect(app.run(Session.read(pets.Pet)(tom))).toMatchObject({ changed: now })
})
