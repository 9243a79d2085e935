import {
  blob,
  boolean,
  column,
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  isoDate,
  type Mapped,
  named,
  nullable,
  primaryKey,
  real,
  references,
  type Snapshot,
  select,
  text,
  unique,
  version,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, openOn } from '../app.js'

const id = pipe(integer, primaryKey, generated)

const User = entity('User', 'users', { id, name: pipe(text, unique), seat: pipe(integer, nullable, unique) })
/** The one profile of a user. */
const Profile = entity('Profile', 'profiles', {
  id,
  title: text,
  userId: pipe(integer, nullable, unique, named('user_id')),
})
/** A user has to have an account, and no two share one. */
const Account = entity('Account', 'accounts', { id, userId: pipe(integer, unique, named('user_id')) })
const Pet = entity('Pet', 'pets', { id, name: text, userId: pipe(integer, nullable, named('user_id')) })
const Team = entity('Team', 'teams', { id, name: pipe(text, unique) })
const Item = entity(
  'Item',
  'items',
  { id, list: text, position: integer, label: text },
  { unique: [['list', 'position']] },
)
const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), title: text })
const City = entity('City', 'cities', {
  id,
  countryCode: pipe(text, named('country_code'), references('countries.code', { onUpdate: 'cascade' })),
})
const Counted = entity('Counted', 'counted', { id, count: version(integer), name: pipe(text, unique) })
/** One row may be the chosen one. */
const Choice = entity('Choice', 'choices', { id, chosen: pipe(boolean, unique) })
const Measure = entity('Measure', 'measures', {
  id,
  day: pipe(column(isoDate, 'timestamp'), unique),
  value: pipe(real, unique),
  code: pipe(blob, unique),
})

/** It names its country by a plain column. */
const Stamp = entity('Stamp', 'stamps', {
  id,
  name: pipe(text, unique),
  countryCode: pipe(text, named('country_code'), references('countries.code')),
})
const Region = entity('Region', 'regions', { id, name: pipe(text, unique) })
/** What it belongs to is not loaded with it. */
const Town = entity('Town', 'towns', {
  id,
  label: text,
  regionId: pipe(integer, nullable, deferred, named('region_id'), references('regions.id')),
})
/** Its owner is written by an update of its own. */
const Slot = entity(
  'Slot',
  'slots',
  { id, place: integer, ownerId: pipe(integer, nullable, named('owner_id')) },
  { unique: [['ownerId', 'place']] },
)

const entities = {
  User,
  Profile,
  Account,
  Pet,
  Team,
  Item,
  Country,
  City,
  Counted,
  Choice,
  Measure,
  Stamp,
  Region,
  Town,
}
const model = defineModel({ ...entities, Slot })((r) => ({
  User: {
    profile: r.User.hasOne('Profile', {
      foreignKey: 'userId',
      inverse: 'user',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
    pets: r.User.hasMany('Pet', { foreignKey: 'userId', inverse: 'user', orderBy: 'id' }),
    teams: r.User.manyToMany('Team', {
      through: { table: 'members', own: ['user_id'], target: ['team_id'] },
      inverse: 'users',
    }),
  },
  Team: {
    users: r.Team.manyToMany('User', {
      through: { table: 'members', own: ['team_id'], target: ['user_id'] },
      inverse: 'teams',
    }),
  },
  Profile: { user: r.Profile.belongsTo('User', { foreignKey: 'userId', inverse: 'profile' }) },
  Account: { user: r.Account.belongsTo('User', { foreignKey: 'userId' }) },
  Pet: { user: r.Pet.belongsTo('User', { foreignKey: 'userId', inverse: 'pets' }) },
  Slot: { owner: r.Slot.belongsTo('User', { foreignKey: 'ownerId', postUpdate: true }) },
}))

/** Only what is asked for is flushed, and what is known stays known. */
const open = (): App => openOn(model, { autoflush: false, expireOnCommit: false })

/** Adds rows of an entity, and commits them. */
const stored = <M, N extends string, D extends object>(
  app: App,
  mapped: Mapped<M, N>,
  ...drafts: ReadonlyArray<D>
): ReadonlyArray<Snapshot<N>> => {
  const added = app.run(Session.addAll(mapped, drafts as never)) as ReadonlyArray<Snapshot<N>>
  app.run(Session.commit)
  return added
}

const two = <A>(all: ReadonlyArray<A>): readonly [A, A] => [all[0] as A, all[1] as A]

/** The steps of the next flush: what is written, to which table, how many rows. */
const brief = (app: App): ReadonlyArray<string> =>
  app.run(Session.flushPlan).steps.map(({ _tag, table, rows }) => `${_tag} ${table} ${rows.length}`)

const explained = (app: App): string => Session.explain(app.run(Session.flushPlan))

describe('a unique value that a deleted row frees', () => {
  test('is free by the time at which an inserted row takes it', () => {
    const app = open()
    const [ed] = two(stored(app, model.User, { name: 'ed' }, { name: 'wendy' }))
    app.run(Session.remove(model.User)(ed))
    app.run(Session.add(model.User, { name: 'ed', seat: 7 }))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. delete from users (1 row)
           #0: where id = 1
      2. insert into users (1 row), after 1
           #2: name = 'ed', seat = 7; the database gives id"
    `)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }, { id: 3, name: 'ed', seat: 7 }])
  })

  test('is free by the time at which a changed row takes it', () => {
    const app = open()
    const [ed, wendy] = two(stored(app, model.User, { name: 'ed' }, { name: 'wendy' }))
    app.run(Session.remove(model.User)(ed))
    app.run(Session.set(model.User, { name: 'ed' })(wendy))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. delete from users (1 row)
           #0: where id = 1
      2. update users (1 row), after 1
           #1: name = 'ed' where id = 2"
    `)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ id: 2, name: 'ed' }])
  })

  test('is free although nothing was known of the row before it was removed', () => {
    const app = openOn(model)
    const [ed] = two(stored(app, model.User, { name: 'ed' }, { name: 'wendy' }))
    app.run(Session.remove(model.User)(ed))
    app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'wendy' }, { name: 'ed' }])
  })

  test('comes through a relationship: a profile gives way to another', () => {
    const app = open()
    const [ed] = two(stored(app, model.User, { name: 'ed', profile: { title: 'old' } }))
    app.run(Session.set(model.User, { profile: { title: 'new' } })(ed))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. delete from profiles (1 row)
           #1: where id = 1
      2. insert into profiles (1 row), after 1
           #2: title = 'new', userId = 1; the database gives id"
    `)
    app.run(Session.commit)
    expect(app.rows('profiles')).toMatchObject([{ title: 'new', user_id: 1 }])
  })

  test('moves only the rows that matter, with what refers to them', () => {
    const app = open()
    const users = stored(
      app,
      model.User,
      { name: 'ed', pets: [{ name: 'rex' }], profile: { title: 'eds' } },
      { name: 'wendy', pets: [{ name: 'tom' }], profile: { title: 'wendys' } },
    )
    for (const user of users) app.run(Session.remove(model.User)(user))
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update pets (1 row)
           #1: userId = null where id = 1
      2. delete from profiles (1 row)
           #2: where id = 1
      3. delete from users (1 row), after 1, 2
           #0: where id = 1
      4. insert into users (1 row), after 3
           #6: name = 'ed', seat = null; the database gives id
      5. update pets (1 row), after 3, 4
           #4: userId = null where id = 2
      6. delete from profiles (1 row), after 3, 4, 5
           #5: where id = 2
      7. delete from users (1 row), after 3, 4, 5, 6
           #3: where id = 2"
    `)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'ed' }])
    expect(app.rows('pets')).toMatchObject([{ user_id: null }, { user_id: null }])
    expect(app.rows('profiles')).toEqual([])
  })

  test('waits for the links of the row to go', () => {
    const app = open()
    const [red] = two(stored(app, model.Team, { name: 'red', users: [{ name: 'ed' }, { name: 'wendy' }] }))
    app.run(Session.remove(model.Team)(red))
    app.run(Session.add(model.Team, { name: 'red' }))
    expect(brief(app)).toEqual(['Unlink members 2', 'Delete teams 1', 'Insert teams 1'])
    app.run(Session.commit)
    expect(app.rows('teams')).toEqual([{ id: 1, name: 'red' }])
    expect(app.rows('members')).toEqual([])
  })

  test('is vacated where the row can only go when the other is there', () => {
    const app = open()
    const [ed] = two(stored(app, model.User, { name: 'ed', seat: 3, pets: [{ name: 'rex' }] }))
    const [rex] = app.run(Session.load(model.User, 'pets')(ed))
    const heir = app.run(Session.add(model.User, { name: 'ed', seat: 3 }))
    app.run(Session.append(model.User, 'pets', rex as Snapshot<'Pet'>)(heir))
    app.run(Session.remove(model.User)(ed))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. vacate in users (1 row)
           #0: name = 'unitary:0:1', seat = null where id = 1
      2. insert into users (1 row), after 1
           #2: name = 'ed', seat = 3; the database gives id
      3. update pets (1 row), after 2
           #1: userId = id of #2 where id = 1
      4. delete from users (1 row), after 1, 2, 3
           #0: where id = 1"
    `)
    app.run(Session.commit)
    expect(app.rows('users')).toEqual([{ id: 2, name: 'ed', seat: 3 }])
    expect(app.rows('pets')).toMatchObject([{ user_id: 2 }])
  })

  test('waits for a row that may refer to it, as far as is known', () => {
    const app = open()
    const [north] = two(stored(app, model.Region, { name: 'north' }, { name: 'south' }))
    app.database.exec("insert into towns (label, region_id) values ('t', 1)")
    const [town] = app.run(Session.query(select(model.Town)))
    app.run(Session.set(model.Town, { regionId: null })(town as Snapshot<'Town'>))
    app.run(Session.remove(model.Region)(north))
    app.run(Session.add(model.Region, { name: 'north' }))
    expect(brief(app)).toEqual(['Update towns 1', 'Delete regions 1', 'Insert regions 1'])
    app.run(Session.commit)
    expect(app.rows('towns')).toMatchObject([{ region_id: null }])
  })

  test('is a notice where its row was gone already', () => {
    const app = open()
    const [ed] = two(stored(app, model.User, { name: 'ed', pets: [{ name: 'rex' }] }, { name: 'wendy' }))
    const [rex] = app.run(Session.load(model.User, 'pets')(ed))
    app.database.exec('pragma foreign_keys = off; delete from users where id = 1; pragma foreign_keys = on')
    const heir = app.run(Session.add(model.User, { name: 'ed' }))
    app.run(Session.append(model.User, 'pets', rex as Snapshot<'Pet'>)(heir))
    app.run(Session.remove(model.User)(ed))
    expect(brief(app)).toContain('Vacate users 1')
    expect(app.run(Session.flush)).toEqual({
      inserted: 1,
      updated: 1,
      deleted: 1,
      notices: [{ _tag: 'AlreadyGone', entity: 'User', key: 1, shard: null }],
    })
  })
})

describe('a unique value that a changed row frees', () => {
  test('is free when an inserted row takes it, in the order that updates and inserts have anyway', () => {
    const app = open()
    const [ed] = two(stored(app, model.User, { name: 'ed' }))
    app.run(Session.set(model.User, { name: 'edward' })(ed))
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(brief(app)).toEqual(['Update users 1', 'Insert users 1'])
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([{ name: 'edward' }, { name: 'ed' }])
  })

  test('is free when the next of a chain takes it', () => {
    const app = open()
    const items = stored(app, model.Item, ...['a', 'b', 'c'].map((label, position) => ({ list: 'x', position, label })))
    items.forEach((item, i) => {
      app.run(Session.set(model.Item, { position: i + 1 })(item))
    })
    app.run(Session.add(model.Item, { list: 'x', position: 0, label: 'first' }))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update items (1 row)
           #2: position = 3 where id = 3
      2. update items (1 row), after 1
           #1: position = 2 where id = 2
      3. update items (1 row), after 2
           #0: position = 1 where id = 1
      4. insert into items (1 row), after 2, 3
           #3: list = 'x', position = 0, label = 'first'; the database gives id"
    `)
    app.run(Session.commit)
    expect(app.rows('items')).toMatchObject([
      { position: 1, label: 'a' },
      { position: 2, label: 'b' },
      { position: 3, label: 'c' },
      { position: 0, label: 'first' },
    ])
  })

  test('of several columns is another value where one of them differs', () => {
    const app = open()
    const [a, b] = two(
      stored(app, model.Item, { list: 'x', position: 1, label: 'a' }, { list: 'y', position: 2, label: 'b' }),
    )
    app.run(Session.set(model.Item, { position: 2 })(a))
    app.run(Session.set(model.Item, { position: 1 })(b))
    expect(brief(app)).toEqual(['Update items 2'])
  })

  test('comes through a relationship: a profile moves on to another user', () => {
    const app = open()
    const [ed, wendy] = two(
      stored(app, model.User, { name: 'ed', profile: { title: 'p' } }, { name: 'wendy', profile: { title: 'q' } }),
    )
    const profile = app.run(Session.load(model.User, 'profile')(wendy))
    if (profile._tag === 'None') throw new Error('there is one')
    app.run(Session.set(model.User, { profile: profile.value })(ed))
    app.run(Session.commit)
    expect(app.rows('profiles')).toMatchObject([{ title: 'q', user_id: 1 }])
  })

  test('does not wait for keys that are only given later', () => {
    const app = open()
    const [p] = two(stored(app, model.Profile, { title: 'p', user: { name: 'ed' } }))
    const ed = app.run(Session.load(model.Profile, 'user')(p))
    app.run(Session.set(model.Profile, { user: { name: 'wendy' } })(p))
    expect(brief(app)).toEqual(['Insert users 1', 'Update profiles 1'])
    app.run(Session.add(model.Profile, { title: 'q', user: ed._tag === 'Some' ? ed.value : null }))
    app.run(Session.commit)
    expect(app.rows('profiles')).toMatchObject([
      { title: 'p', user_id: 2 },
      { title: 'q', user_id: 1 },
    ])
  })
})

describe('a row that gives a value up and refers to another', () => {
  const arrange = () => {
    const app = open()
    const [land] = two(stored(app, model.Country, { code: 'a', title: 'a' }, { code: 'c', title: 'c' }))
    const [one, other] = two(stored(app, model.Stamp, { name: 'x', countryCode: 'c' }, { name: 'y', countryCode: 'c' }))
    app.run(Session.set(model.Stamp, { name: 'y' })(one))
    app.run(Session.set(model.Stamp, { name: 'z', countryCode: 'b' })(other))
    return { app, land }
  }

  test('is written after that one changes its key', () => {
    const { app, land } = arrange()
    app.run(Session.set(model.Country, { code: 'b' })(land))
    expect(brief(app)).toEqual(['Update countries 1', 'Update stamps 1', 'Update stamps 1'])
    app.run(Session.commit)
    expect(app.rows('stamps')).toMatchObject([
      { name: 'y', country_code: 'c' },
      { name: 'z', country_code: 'b' },
    ])
  })

  test('holds another value until that one is inserted', () => {
    const { app } = arrange()
    app.run(Session.add(model.Country, { code: 'b', title: 'b' }))
    expect(brief(app)).toEqual(['Vacate stamps 1', 'Insert countries 1', 'Update stamps 1', 'Update stamps 1'])
    app.run(Session.commit)
    expect(app.rows('stamps')).toMatchObject([
      { name: 'y', country_code: 'c' },
      { name: 'z', country_code: 'b' },
    ])
  })
})

describe('rows that are written twice', () => {
  const arrange = (...places: ReadonlyArray<readonly [owner: number, place: number]>) => {
    const app = open()
    const users = stored(app, model.User, { name: 'a' }, { name: 'b' }, { name: 'c' })
    const slots = stored(app, model.Slot, ...places.map(([owner, place]) => ({ owner: users[owner], place })))
    const move = (slot: number, owner: number, place: number) =>
      app.run(
        Session.set(model.Slot, { owner: users[owner] as Snapshot<'User'>, place })(slots[slot] as Snapshot<'Slot'>),
      )
    const at = () => app.rows('slots').map((row) => Object.values(row as object).slice(1))
    return { app, move, at }
  }

  test('give up what they hold between the two', () => {
    const { app, move, at } = arrange([0, 1], [1, 2], [2, 2])
    move(0, 1, 1)
    // by way of (b, 1), which the first one takes
    move(1, 2, 1)
    expect(brief(app)).toEqual(['Update slots 1', 'Update slots 1', 'Update slots 1'])
    app.run(Session.commit)
    expect(at()).toEqual([
      [1, 2],
      [1, 3],
      [2, 3],
    ])
  })

  test('swap all that they hold, which is free in between', () => {
    const { app, move, at } = arrange([0, 1], [1, 2])
    move(0, 1, 2)
    move(1, 0, 1)
    expect(brief(app)).toEqual(['Update slots 2', 'Update slots 2'])
    app.run(Session.commit)
    expect(at()).toEqual([
      [2, 2],
      [1, 1],
    ])
  })

  test('swap owners', () => {
    const { app, move, at } = arrange([0, 1], [1, 1])
    move(0, 1, 1)
    move(1, 0, 1)
    expect(brief(app)).toEqual(['Vacate slots 1', 'Update slots 1', 'Update slots 1'])
    app.run(Session.commit)
    expect(at()).toEqual([
      [1, 2],
      [1, 1],
    ])
  })
})

test('a row holds no other value for the time being where an earlier write of its own would undo that', () => {
  const app = open()
  const users = stored(app, model.User, { name: 'a' }, { name: 'b' }, { name: 'c' })
  const [a, b, c] = users as readonly [Snapshot<'User'>, Snapshot<'User'>, Snapshot<'User'>]
  const [one, other] = two(stored(app, model.Slot, { owner: b, place: 1 }, { owner: a, place: 1 }))
  // by way of c, which the first one takes
  app.run(Session.set(model.Slot, { ownerId: 3 })(other))
  app.run(Session.set(model.Slot, { owner: b })(other))
  app.run(Session.set(model.Slot, { owner: c })(one))
  app.run(Session.commit)
  expect(app.rows('slots')).toMatchObject([{ owner_id: 3 }, { owner_id: 2 }])
})

describe('rows that swap unique values', () => {
  test('of a column that may be NULL: one of them is empty for the time being', () => {
    const app = open()
    const [ed, wendy] = two(stored(app, model.User, { name: 'ed', seat: 1 }, { name: 'wendy', seat: 2 }))
    app.run(Session.set(model.User, { seat: 2 })(ed))
    app.run(Session.set(model.User, { seat: 1 })(wendy))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. vacate in users (1 row)
           #1: seat = null where id = 2
      2. update users (1 row), after 1
           #0: seat = 2 where id = 1
      3. update users (1 row), after 2
           #1: seat = 1 where id = 2"
    `)
    expect(app.run(Session.commit)).toMatchObject({ updated: 2 })
    expect(app.rows('users')).toMatchObject([
      { name: 'ed', seat: 2 },
      { name: 'wendy', seat: 1 },
    ])
  })

  test('of a column that may not: one of them holds another value for the time being', () => {
    const app = open()
    const [ed, wendy] = two(stored(app, model.User, { name: 'ed', seat: 1 }, { name: 'wendy', seat: 2 }))
    app.run(Session.set(model.User, { name: 'wendy' })(ed))
    app.run(Session.set(model.User, { name: 'ed' })(wendy))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. vacate in users (1 row)
           #1: name = 'unitary:1:2' where id = 2
      2. update users (1 row), after 1
           #0: name = 'wendy' where id = 1
      3. update users (1 row), after 2
           #1: name = 'ed' where id = 2"
    `)
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([
      { name: 'wendy', seat: 1 },
      { name: 'ed', seat: 2 },
    ])
  })

  test('in a circle: one of them is enough', () => {
    const app = open()
    const names = ['a', 'b', 'c', 'd', 'e']
    const users = stored(app, model.User, ...names.map((name) => ({ name })))
    users.forEach((user, i) => {
      app.run(Session.set(model.User, { name: names[(i + 1) % names.length] as string })(user))
    })
    const { steps } = app.run(Session.flushPlan)
    expect(steps.filter(({ _tag }) => _tag === 'Vacate').map(({ rows }) => rows.length)).toEqual([1])
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject(['b', 'c', 'd', 'e', 'a'].map((name) => ({ name })))
  })

  test('of several unique keys at once', () => {
    const app = open()
    const [ed, wendy] = two(stored(app, model.User, { name: 'ed', seat: 1 }, { name: 'wendy', seat: 2 }))
    app.run(Session.set(model.User, { name: 'wendy', seat: 2 })(ed))
    app.run(Session.set(model.User, { name: 'ed', seat: 1 })(wendy))
    app.run(Session.commit)
    expect(app.rows('users')).toMatchObject([
      { name: 'wendy', seat: 2 },
      { name: 'ed', seat: 1 },
    ])
  })

  test('of several columns: one that both write is enough', () => {
    const app = open()
    const [a, b] = two(
      stored(app, model.Item, { list: 'x', position: 1, label: 'a' }, { list: 'x', position: 2, label: 'b' }),
    )
    app.run(Session.set(model.Item, { position: 2 })(a))
    app.run(Session.set(model.Item, { position: 1 })(b))
    const [vacate] = app.run(Session.flushPlan).steps
    expect(vacate).toMatchObject({ _tag: 'Vacate', set: [{ attribute: 'position' }], rows: [[2147483646, 2]] })
    app.run(Session.commit)
    expect(app.rows('items')).toMatchObject([
      { list: 'x', position: 2, label: 'a' },
      { list: 'x', position: 1, label: 'b' },
    ])
  })

  test('through references, of users that swap their profiles', () => {
    const app = open()
    const [ed, wendy] = two(stored(app, model.User, { name: 'ed' }, { name: 'wendy' }))
    const [p, q] = two(stored(app, model.Profile, { title: 'p', user: ed }, { title: 'q', user: wendy }))
    app.run(Session.set(model.Profile, { user: null })(p))
    app.run(Session.set(model.Profile, { user: ed })(q))
    app.run(Session.set(model.Profile, { user: wendy })(p))
    app.run(Session.commit)
    expect(app.rows('profiles')).toMatchObject([
      { title: 'p', user_id: 2 },
      { title: 'q', user_id: 1 },
    ])
  })

  test('of every kind of value but booleans', () => {
    const app = open()
    const rows = [1, 2].map((n) => ({ day: new Date(n), value: n / 2, code: new Uint8Array([n]) }))
    const [a, b] = two(stored(app, model.Measure, ...rows))
    app.run(Session.set(model.Measure, rows[1] as (typeof rows)[0])(a))
    app.run(Session.set(model.Measure, rows[0] as (typeof rows)[0])(b))
    app.run(Session.commit)
    expect(app.rows('measures')).toEqual([
      { id: 1, day: '1970-01-01T00:00:00.002Z', value: 1, code: Buffer.from([2]) },
      { id: 2, day: '1970-01-01T00:00:00.001Z', value: 0.5, code: Buffer.from([1]) },
    ])
  })

  test('of a column that takes no other values fail like any flush, and leave nothing', () => {
    const app = open()
    app.database.exec(`drop table teams; create table teams (
      id integer primary key, name text not null unique check (name in ('red', 'blue')))`)
    const [red, blue] = two(stored(app, model.Team, { name: 'red' }, { name: 'blue' }))
    app.run(Session.set(model.Team, { name: 'blue' })(red))
    app.run(Session.set(model.Team, { name: 'red' })(blue))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'CheckViolation' },
      entity: 'Team',
      key: 2,
    })
    app.run(Session.rollback)
    expect(app.rows('teams')).toMatchObject([{ name: 'red' }, { name: 'blue' }])
  })

  test('count their updates once', () => {
    const app = open()
    const [a, b] = two(stored(app, model.Counted, { name: 'a' }, { name: 'b' }))
    const swap = (x: string, y: string) => {
      app.run(Session.set(model.Counted, { name: x })(a))
      app.run(Session.set(model.Counted, { name: y })(b))
    }
    swap('b', 'a')
    app.run(Session.commit)
    expect(app.rows('counted')).toEqual([
      { id: 1, count: 2, name: 'b' },
      { id: 2, count: 2, name: 'a' },
    ])
    swap('a', 'b')
    app.run(Session.commit)
    app.database.exec('update counted set count = 9 where id = 2')
    swap('b', 'a')
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'StaleData', entity: 'Counted', key: 2 })
    app.run(Session.rollback)
    expect(app.rows('counted')).toMatchObject([{ name: 'a' }, { name: 'b' }])
  })
})

describe('primary keys', () => {
  test('move on along a chain, and a row takes the key of one that goes', () => {
    const app = open()
    const [a, b, c] = stored(app, model.Country, ...['a', 'b', 'c'].map((code) => ({ code, title: code })))
    app.run(Session.set(model.Country, { code: 'b' })(a as Snapshot<'Country'>))
    app.run(Session.set(model.Country, { code: 'c' })(b as Snapshot<'Country'>))
    app.run(Session.remove(model.Country)(c as Snapshot<'Country'>))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. delete from countries (1 row)
           #2: where code = 'c'
      2. update countries (1 row), after 1
           #1: code = 'c' where code = 'b'
      3. update countries (1 row), after 2
           #0: code = 'b' where code = 'a'"
    `)
    app.run(Session.commit)
    expect(app.rows('countries')).toEqual([
      { code: 'b', title: 'a' },
      { code: 'c', title: 'b' },
    ])
    expect(app.run(Session.get(model.Country, 'c'))).toMatchObject({ value: { title: 'b' } })
    expect(app.run(Session.get(model.Country, 'b'))).toMatchObject({ value: { title: 'a' } })
    expect(app.run(Session.get(model.Country, 'a'))).toMatchObject({ _tag: 'None' })
  })

  test('are swapped, and found by their new keys', () => {
    const app = open()
    const [a, b] = two(stored(app, model.Country, { code: 'a', title: 'first' }, { code: 'b', title: 'second' }))
    app.run(Session.set(model.Country, { code: 'b' })(a))
    app.run(Session.set(model.Country, { code: 'a' })(b))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. vacate in countries (1 row)
           #1: code = 'unitary:1:b' where code = 'b'
      2. update countries (1 row), after 1
           #0: code = 'b' where code = 'a'
      3. update countries (1 row), after 2
           #1: code = 'a' where code = 'unitary:1:b'"
    `)
    app.run(Session.commit)
    expect(app.rows('countries')).toEqual([
      { code: 'a', title: 'second' },
      { code: 'b', title: 'first' },
    ])
    app.clear()
    expect(app.run(Session.get(model.Country, 'a'))).toMatchObject({ value: { title: 'second' } })
    expect(app.run(Session.get(model.Country, 'b'))).toMatchObject({ value: { title: 'first' } })
    expect(app.asked()).toEqual([])
    app.run(Session.set(model.Country, { title: 'the first' })(a))
    app.run(Session.commit)
    expect(app.rows('countries')).toMatchObject([{ title: 'second' }, { title: 'the first' }])
  })

  test('are swapped with what refers to them, where the database carries them on', () => {
    const app = open()
    const [a, b] = two(stored(app, model.Country, { code: 'a', title: 'a' }, { code: 'b', title: 'b' }))
    stored(app, model.City, { countryCode: 'a' }, { countryCode: 'b' })
    app.run(Session.set(model.Country, { code: 'b' })(a))
    app.run(Session.set(model.Country, { code: 'a' })(b))
    app.run(Session.commit)
    expect(app.rows('cities')).toMatchObject([{ country_code: 'b' }, { country_code: 'a' }])
  })

  test('that are freed by a change are free for a row that is inserted', () => {
    const app = open()
    const [a] = two(stored(app, model.Country, { code: 'a', title: 'old' }))
    app.run(Session.set(model.Country, { code: 'b' })(a))
    app.run(Session.add(model.Country, { code: 'a', title: 'new' }))
    app.run(Session.commit)
    expect(app.rows('countries')).toMatchObject([{ title: 'new' }, { title: 'old' }])
  })

  test('with a row that is deleted and inserted again, which is still updated', () => {
    const app = open()
    const [a, b] = two(stored(app, model.Country, { code: 'a', title: 'a' }, { code: 'b', title: 'b' }))
    app.run(Session.remove(model.Country)(a))
    app.run(Session.add(model.Country, { code: 'a', title: 'again' }))
    app.run(Session.set(model.Country, { code: 'c' })(b))
    expect(brief(app)).toEqual(['Update countries 1', 'Update countries 1'])
    app.run(Session.commit)
    expect(app.rows('countries')).toMatchObject([
      { code: 'a', title: 'again' },
      { code: 'c', title: 'b' },
    ])
  })
})

describe('a clash that cannot be resolved', () => {
  test('is refused by name before anything runs: no third boolean', () => {
    const app = open()
    const [a, b] = two(stored(app, model.Choice, { chosen: true }, { chosen: false }))
    app.run(Session.set(model.Choice, { chosen: false })(a))
    app.run(Session.set(model.Choice, { chosen: true })(b))
    const before = app.store.getState()
    app.clear()
    const clash = app.fails(Session.flushPlan)
    expect(clash).toEqual({
      _tag: 'UniqueClash',
      entity: 'Choice',
      attributes: ['chosen'],
      values: [false],
      path: ['Choice 2', 'Choice 1'],
    })
    expect(Session.render(clash)).toBe(
      'No order of writes lets Choice 1 take chosen = false from Choice 2, and no temporary value would do; flush once in between, or let one of the columns be nullable.',
    )
    expect(app.asked()).toEqual([])
    expect(app.store.getState()).toBe(before)
    app.run(Session.remove(model.Choice)(b))
    app.run(Session.commit)
    expect(app.rows('choices')).toEqual([{ id: 1, chosen: 0 }])
  })

  test('as where references swap that have to refer to something', () => {
    const app = open()
    const [ed, wendy] = two(stored(app, model.User, { name: 'ed' }, { name: 'wendy' }))
    const [a, b] = two(stored(app, model.Account, { user: ed }, { user: wendy }))
    app.run(Session.set(model.Account, { user: wendy })(a))
    app.run(Session.set(model.Account, { user: ed })(b))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'UniqueClash', attributes: ['userId'], values: [2] })
  })

  test('is the database’s to refuse where nobody gives the value up', () => {
    const app = open()
    stored(app, model.User, { name: 'ed' }, { name: 'wendy' })
    app.run(Session.add(model.User, { name: 'ed' }))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'IntegrityError', reason: { _tag: 'UniqueViolation' } })
  })
})

test('a long chain costs a step for each of its rows, and no stack', () => {
  const app = open()
  const count = 3_000
  const items = stored(
    app,
    model.Item,
    ...Array.from({ length: count }, (_, position) => ({ list: 'x', position, label: `${position}` })),
  )
  for (const [i, item] of items.entries()) app.run(Session.set(model.Item, { position: i + 1 })(item))
  const { steps } = app.run(Session.flushPlan)
  expect(steps).toHaveLength(count)
  expect(steps.every(({ _tag }) => _tag === 'Update')).toBe(true)
  app.run(Session.commit)
  expect(app.database.prepare('select count(*) as n from items where position = id').get()).toEqual({ n: count })
})
