import {
  defineModel,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  references,
  type Snapshot,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, explained, found, openOn, tablesAsked } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), title: pipe(text, nullable) })
const City = entity('City', 'cities', {
  id,
  name: text,
  countryCode: pipe(text, nullable, named('country_code'), references('countries.code', { onUpdate: 'cascade' })),
})
/** Its country does not know it. */
const Stamp = entity('Stamp', 'stamps', {
  id,
  countryCode: pipe(text, nullable, named('country_code'), references('countries.code', { onUpdate: 'cascade' })),
})

const model = defineModel({ Country, City, Stamp })((r) => ({
  Country: { cities: r.Country.hasMany('City', { foreignKey: 'countryCode', inverse: 'country', orderBy: 'id' }) },
  City: { country: r.City.belongsTo('Country', { foreignKey: 'countryCode', inverse: 'cities' }) },
  Stamp: { country: r.Stamp.belongsTo('Country', { foreignKey: 'countryCode' }) },
}))

const codes = (app: App, table = 'cities') =>
  app.rows(table).map((row) => (row as { country_code: unknown }).country_code)

describe('a key that changes, which the database carries along', () => {
  const arrange = () => {
    const app = openOn(model, { autoflush: false, expireOnCommit: false })
    const fr = app.run(Session.add(model.Country, { code: 'fr' }))
    const paris = app.run(Session.add(model.City, { name: 'Paris', country: fr }))
    const stamp = app.run(Session.add(model.Stamp, { country: fr }))
    app.run(Session.commit)
    app.clear()
    return { app, fr, paris, stamp }
  }

  test('is written once, and what refers to it follows in memory', () => {
    const { app, fr, paris, stamp } = arrange()
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    expect(explained(app)).toBe(['1. update countries (1 row)', "     #0: code = 'fx' where code = 'fr'"].join('\n'))
    expect(app.run(Session.flush)).toEqual({ inserted: 0, updated: 1, deleted: 0, notices: [] })
    expect(tablesAsked(app)).toEqual(['Update countries 1'])
    expect([codes(app), codes(app, 'stamps')]).toEqual([['fx'], ['fx']])
    app.clear()
    expect(app.run(Session.read(model.City)(paris))).toMatchObject({ countryCode: 'fx' })
    expect(app.run(Session.read(model.Stamp)(stamp))).toMatchObject({ countryCode: 'fx' })
    expect(app.run(Session.load(model.City, 'country')(paris))).toMatchObject({ value: { code: 'fx' } })
    expect(app.run(Session.load(model.Country, 'cities')(fr))).toMatchObject([{ name: 'Paris' }])
    expect(app.asked()).toEqual([])
  })

  test('is what the instance is found by from then on, and no other', () => {
    const { app, fr } = arrange()
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    // until then it is found by the key that the database has
    expect(app.run(Session.get(model.Country, 'fr'))).toMatchObject({ value: { code: 'fx' } })
    app.run(Session.flush)
    app.clear()
    expect(app.run(Session.get(model.Country, 'fx'))).toMatchObject({ value: { code: 'fx' } })
    expect(app.asked()).toEqual([])
    expect(app.run(Session.get(model.Country, 'fr'))).toEqual({ _tag: 'None' })
    expect(Session.inspect(app.store.getState(), fr)).toMatchObject({ identity: { key: 'fx' } })
  })

  test('comes back with a rollback, with all that refers to it', () => {
    const { app, fr, paris } = arrange()
    app.run(Session.beginNested)
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    app.run(Session.flush)
    app.run(Session.rollbackNested)
    expect(Session.inspect(app.store.getState(), fr)).toMatchObject({ identity: { key: 'fr' } })
    expect(app.run(Session.read(model.City)(paris))).toMatchObject({ countryCode: 'fr' })
    expect(found(app, model.Country, 'fr')).toMatchObject({ code: 'fr' })
    expect(codes(app)).toEqual(['fr'])
  })

  test('reaches what is not loaded in the database only', () => {
    const { app } = arrange()
    app.run(Session.expungeAll)
    const fr = found(app, model.Country, 'fr')
    const paris = found(app, model.City, 1)
    app.clear()
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    app.run(Session.flush)
    expect(tablesAsked(app)).toEqual(['Update countries 1'])
    expect(codes(app)).toEqual(['fx'])
    app.run(Session.expireAll)
    expect(app.run(Session.read(model.City)(paris))).toMatchObject({ countryCode: 'fx' })
  })

  test('is written before what comes to refer to it', () => {
    const { app, fr } = arrange()
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    app.run(Session.append(model.Country, 'cities', { name: 'Lyon' })(fr))
    app.run(Session.add(model.Stamp, { country: fr }))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update countries (1 row)
           #0: code = 'fx' where code = 'fr'
      2. insert into cities (1 row), after 1
           #3: name = 'Lyon', countryCode = 'fx'; the database gives id
      3. insert into stamps (1 row), after 1
           #4: countryCode = 'fx'; the database gives id"
    `)
    app.run(Session.commit)
    expect([codes(app), codes(app, 'stamps')]).toEqual([
      ['fx', 'fx'],
      ['fx', 'fx'],
    ])
  })

  test('leaves alone what goes elsewhere, and what goes', () => {
    const { app, fr, paris, stamp } = arrange()
    const de = app.run(Session.add(model.Country, { code: 'de' }))
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    app.run(Session.set(model.City, { country: de })(paris))
    app.run(Session.remove(model.Stamp)(stamp))
    app.run(Session.commit)
    expect([codes(app), codes(app, 'stamps')]).toEqual([['de'], []])
    expect(app.run(Session.read(model.City)(paris))).toMatchObject({ countryCode: 'de' })
  })

  test('may be taken by a new row at once', () => {
    const { app, fr, paris } = arrange()
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    app.run(Session.add(model.Country, { code: 'fr', title: 'new', cities: [{ name: 'Lyon' }] }))
    app.run(Session.commit)
    expect(codes(app)).toEqual(['fx', 'fr'])
    expect(found(app, model.Country, 'fr')).toMatchObject({ title: 'new' })
    expect(app.run(Session.load(model.City, 'country')(paris))).toMatchObject({ value: { code: 'fx' } })
  })

  test('may be exchanged for that of another row', () => {
    const { app, fr, paris } = arrange()
    const de = app.run(Session.add(model.Country, { code: 'de', cities: [{ name: 'Berlin' }] }))
    app.run(Session.commit)
    app.run(Session.set(model.Country, { code: 'de' })(fr))
    app.run(Session.set(model.Country, { code: 'fr' })(de))
    app.run(Session.commit)
    expect(codes(app)).toEqual(['de', 'fr'])
    expect(app.run(Session.read(model.City)(paris))).toMatchObject({ countryCode: 'de' })
    expect(Session.inspect(app.store.getState(), found(app, model.Country, 'de'))).toEqual(
      Session.inspect(app.store.getState(), fr),
    )
  })

  test('set back before it is written is no change', () => {
    const { app, fr } = arrange()
    app.run(Session.set(model.Country, { code: 'fx' })(fr))
    app.run(Session.set(model.Country, { code: 'fr' })(fr))
    expect(explained(app)).toBe('nothing to flush')
  })

  test('is refused where another row has it', () => {
    const { app, fr } = arrange()
    app.run(Session.add(model.Country, { code: 'de' }))
    app.run(Session.commit)
    app.run(Session.set(model.Country, { code: 'de' })(fr))
    expect(app.fails(Session.flush)).toMatchObject({
      _tag: 'IntegrityError',
      reason: { _tag: 'UniqueViolation' },
      entity: 'Country',
      attributes: ['code'],
      values: ['de'],
      key: 'fr',
    })
    app.run(Session.rollback)
    expect(Session.inspect(app.store.getState(), fr)).toMatchObject({ identity: { key: 'fr' } })
  })

  test('cannot be set to null', () => {
    const { app, fr } = arrange()
    expect(app.fails(Session.set(model.Country, { code: null as never })(fr))).toMatchObject({
      _tag: 'InvalidValue',
      entity: 'Country',
      attribute: 'code',
    })
  })
})

describe('a key that changes, which the session carries along', () => {
  const Team = entity('Team', 'teams', { name: pipe(text, primaryKey) })
  const Player = entity('Player', 'players', { id, name: text, teamName: pipe(text, nullable) })
  const Fan = entity('Fan', 'fans', { id, teamName: pipe(text, nullable) })
  const teams = defineModel({ Team, Player, Fan })((r) => ({
    Team: {
      players: r.Team.hasMany('Player', {
        foreignKey: 'teamName',
        inverse: 'team',
        passiveUpdates: false,
        orderBy: 'id',
      }),
    },
    Player: { team: r.Player.belongsTo('Team', { foreignKey: 'teamName', inverse: 'players', passiveUpdates: false }) },
    Fan: { team: r.Fan.belongsTo('Team', { foreignKey: 'teamName', passiveUpdates: false }) },
  }))

  /** Nobody but the session updates foreign keys, which are looked at when the transaction ends. */
  const arrange = () => {
    const app = openOn(teams, { autoflush: false, expireOnCommit: false })
    const deferred = 'references teams (name) deferrable initially deferred'
    app.database.exec(`
      drop table players; create table players (id integer primary key, name text, teamName text ${deferred});
      drop table fans; create table fans (id integer primary key, teamName text ${deferred})`)
    const reds = app.run(Session.add(teams.Team, { name: 'reds' }))
    const ann = app.run(Session.add(teams.Player, { name: 'ann', team: reds }))
    const bob = app.run(Session.add(teams.Player, { name: 'bob', team: reds }))
    const fan = app.run(Session.add(teams.Fan, { team: reds }))
    app.run(Session.commit)
    app.clear()
    return { app, reds, ann, bob, fan }
  }
  const teamOf = (app: App, table: string) => app.rows(table).map((row) => (row as { teamName: unknown }).teamName)

  test('is written to what refers to it', () => {
    const { app, reds, ann, fan } = arrange()
    app.run(Session.set(teams.Team, { name: 'blues' })(reds))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update teams (1 row)
           #0: name = 'blues' where name = 'reds'
      2. update players (2 rows), after 1
           #1: teamName = 'blues' where id = 1
           #2: teamName = 'blues' where id = 2
      3. update fans (1 row), after 1
           #3: teamName = 'blues' where id = 1"
    `)
    app.run(Session.commit)
    expect(teamOf(app, 'players')).toEqual(['blues', 'blues'])
    expect(teamOf(app, 'fans')).toEqual(['blues'])
    expect(app.run(Session.read(teams.Player)(ann))).toMatchObject({ teamName: 'blues' })
    expect(app.run(Session.read(teams.Fan)(fan))).toMatchObject({ teamName: 'blues' })
  })

  test('is written to what is not loaded, which is loaded for it', () => {
    const { app } = arrange()
    app.run(Session.expungeAll)
    // nobody would find fans that are not there
    app.database.exec('delete from fans')
    const reds = found(app, teams.Team, 'reds')
    app.clear()
    app.run(Session.set(teams.Team, { name: 'blues' })(reds))
    app.run(Session.commit)
    expect(tablesAsked(app)).toEqual(['select players', 'Update teams 1', 'Update players 2'])
    expect(teamOf(app, 'players')).toEqual(['blues', 'blues'])
  })

  test('is written to what refers to it by its foreign key only', () => {
    const { app } = arrange()
    app.run(Session.expungeAll)
    const reds = found(app, teams.Team, 'reds')
    const fan = found(app, teams.Fan, 1)
    app.run(Session.set(teams.Team, { name: 'blues' })(reds))
    app.run(Session.commit)
    expect(teamOf(app, 'fans')).toEqual(['blues'])
    expect(app.run(Session.read(teams.Fan)(fan))).toMatchObject({ teamName: 'blues' })
  })

  test('is not written to what goes elsewhere, or goes', () => {
    const { app, reds, ann, bob, fan } = arrange()
    const greens = app.run(Session.add(teams.Team, { name: 'greens' }))
    app.run(Session.set(teams.Team, { name: 'blues' })(reds))
    app.run(Session.set(teams.Player, { team: greens })(ann))
    app.run(Session.remove(teams.Player)(bob))
    app.run(Session.set(teams.Fan, { team: null })(fan))
    app.run(Session.commit)
    expect(teamOf(app, 'players')).toEqual(['greens'])
    expect(teamOf(app, 'fans')).toEqual([null])
  })

  test('reaches what came by the same flush', () => {
    const { app, reds } = arrange()
    app.run(Session.set(teams.Team, { name: 'blues' })(reds))
    app.run(Session.append(teams.Team, 'players', { name: 'cid' })(reds))
    app.run(Session.commit)
    expect(teamOf(app, 'players')).toEqual(['blues', 'blues', 'blues'])
  })
})

describe('a key within the keys of children', () => {
  const cascade = { onUpdate: 'cascade' } as const
  const Region = entity('Region', 'regions', { code: pipe(text, primaryKey) })
  const Town = entity('Town', 'towns', {
    regionCode: pipe(text, primaryKey, references('regions.code', cascade)),
    name: pipe(text, primaryKey),
    mayor: pipe(text, nullable),
  })
  const Street = entity('Street', 'streets', {
    regionCode: pipe(text, primaryKey),
    townName: pipe(text, primaryKey),
    name: pipe(text, primaryKey),
    length: pipe(integer, nullable),
  })
  const places = defineModel({ Region, Town, Street })((r) => ({
    Region: { towns: r.Region.hasMany('Town', { foreignKey: 'regionCode', inverse: 'region', orderBy: 'name' }) },
    Town: {
      region: r.Town.belongsTo('Region', { foreignKey: 'regionCode', inverse: 'towns' }),
      streets: r.Town.hasMany('Street', { foreignKey: ['regionCode', 'townName'], inverse: 'town', orderBy: 'name' }),
    },
    Street: { town: r.Street.belongsTo('Town', { foreignKey: ['regionCode', 'townName'], inverse: 'streets' }) },
  }))

  const arrange = () => {
    const app = openOn(places, { autoflush: false, expireOnCommit: false })
    app.database.exec(`
      drop table streets;
      create table streets (regionCode text not null, townName text not null, name text not null, length integer,
        primary key (regionCode, townName, name),
        foreign key (regionCode, townName) references towns (regionCode, name) on update cascade)`)
    const north = app.run(Session.add(places.Region, { code: 'n' }))
    const south = app.run(Session.add(places.Region, { code: 's' }))
    const town = app.run(Session.add(places.Town, { name: 'a', region: north }))
    const street = app.run(Session.add(places.Street, { name: 'x', town }))
    app.run(Session.commit)
    app.clear()
    return { app, north, south, town, street }
  }
  const keys = (app: App, table: string) =>
    app.rows(table).map((row) =>
      Object.values(row as Record<string, string | null>)
        .slice(0, -1)
        .join(' '),
    )
  const keyOf = (app: App, instance: Parameters<typeof Session.inspect>[1]) =>
    Session.inspect(app.store.getState(), instance)?.identity?.key

  test('moves the identity of the children', () => {
    const { app, north, town } = arrange()
    app.run(Session.set(places.Region, { code: 'm' })(north))
    app.run(Session.flush)
    expect(keys(app, 'towns')).toEqual(['m a'])
    expect(keyOf(app, town)).toBe('["m","a"]')
    app.clear()
    expect(app.run(Session.get(places.Town, { regionCode: 'm', name: 'a' }))).toMatchObject({
      value: { regionCode: 'm' },
    })
    expect(app.asked()).toEqual([])
    expect(app.run(Session.get(places.Town, { regionCode: 'n', name: 'a' }))).toEqual({ _tag: 'None' })
    app.run(Session.set(places.Town, { mayor: 'ed' })(town))
    app.run(Session.commit)
    expect(app.rows('towns')).toMatchObject([{ regionCode: 'm', mayor: 'ed' }])
  })

  test('moves the identity of the children of children', () => {
    const { app, north, street } = arrange()
    app.run(Session.set(places.Region, { code: 'm' })(north))
    app.run(Session.flush)
    expect(keys(app, 'streets')).toEqual(['m a x'])
    expect(keyOf(app, street)).toBe('["m","a","x"]')
    app.run(Session.set(places.Street, { length: 7 })(street))
    app.run(Session.commit)
    expect(app.rows('streets')).toMatchObject([{ length: 7 }])
  })

  test('moves the identity of a child that goes to another parent, and of its children', () => {
    const { app, south, town, street } = arrange()
    app.run(Session.set(places.Town, { region: south })(town))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update towns (1 row)
           #2: regionCode = 's' where regionCode = 'n', name = 'a'"
    `)
    app.run(Session.flush)
    expect([keys(app, 'towns'), keys(app, 'streets')]).toEqual([['s a'], ['s a x']])
    expect([keyOf(app, town), keyOf(app, street)]).toEqual(['["s","a"]', '["s","a","x"]'])
    app.run(Session.set(places.Street, { length: 7 })(street))
    app.run(Session.commit)
    expect(app.rows('streets')).toMatchObject([{ length: 7 }])
  })

  test('is the one by which a child is found that changes, or goes, by the same flush', () => {
    const { app, north, town, street } = arrange()
    app.run(Session.set(places.Region, { code: 'm' })(north))
    app.run(Session.set(places.Town, { mayor: 'ed' })(town))
    app.run(Session.remove(places.Street)(street))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update regions (1 row)
           #0: code = 'm' where code = 'n'
      2. update towns (1 row), after 1
           #2: mayor = 'ed' where regionCode = 'm', name = 'a'
      3. delete from streets (1 row), after 1, 2
           #3: where regionCode = 'm', townName = 'a', name = 'x'"
    `)
    expect(app.run(Session.commit)).toEqual({ inserted: 0, updated: 2, deleted: 1, notices: [] })
    expect(app.rows('towns')).toMatchObject([{ regionCode: 'm', mayor: 'ed' }])
    expect(app.rows('streets')).toEqual([])
  })

  test('is the one by which a child is found that has been loaded alone', () => {
    const { app } = arrange()
    app.run(Session.expungeAll)
    const north = found(app, places.Region, 'n')
    const town = found(app, places.Town, { regionCode: 'n', name: 'a' })
    app.run(Session.set(places.Region, { code: 'm' })(north))
    app.run(Session.flush)
    expect(keyOf(app, town)).toBe('["m","a"]')
    app.run(Session.set(places.Town, { mayor: 'ed' })(town))
    app.run(Session.commit)
    expect(app.rows('towns')).toMatchObject([{ regionCode: 'm', mayor: 'ed' }])
  })

  test('is written whole to a child of what moves, though part of it was the same', () => {
    const { app, north, south, town, street } = arrange()
    const other = app.run(Session.add(places.Town, { name: 'b', region: south }))
    app.run(Session.commit)
    app.run(Session.set(places.Town, { region: south })(town))
    app.run(Session.set(places.Town, { region: north })(other))
    app.run(Session.set(places.Street, { town: other })(street))
    app.run(Session.commit)
    expect(keys(app, 'streets')).toEqual(['n b x'])
    expect(keyOf(app, street)).toBe('["n","b","x"]')
  })

  test('is known after a commit that forgets all else', () => {
    const { app, north, street, town } = arrange()
    app.run(Session.set(places.Region, { code: 'm' })(north))
    app.run(Session.commit)
    app.run(Session.expireAll)
    expect(app.run(Session.read(places.Town)(town))).toMatchObject({ regionCode: 'm' })
    expect(app.run(Session.read(places.Street)(street))).toMatchObject({ regionCode: 'm', townName: 'a' })
  })

  test('is not to be lost: a child that leaves its parent is refused', () => {
    const { app, north, town } = arrange()
    app.run(Session.detach(places.Region, 'towns', town)(north))
    const error = app.fails(Session.flush)
    expect(error).toEqual({ _tag: 'BlanksPrimaryKey', entity: 'Town', key: '["n","a"]', attributes: ['regionCode'] })
    expect(Session.render(error)).toMatchInlineSnapshot(
      `"Town "[\\"n\\",\\"a\\"]" would lose its key (regionCode) with the relationship that fills it; remove it, or relate it to another."`,
    )
    app.run(Session.rollback)
    expect(keys(app, 'towns')).toEqual(['n a'])
  })

  test('is not to be lost: a parent that goes without its children is refused', () => {
    const { app, north } = arrange()
    app.run(Session.remove(places.Region)(north))
    expect(app.fails(Session.flush)).toMatchObject({ _tag: 'BlanksPrimaryKey', entity: 'Town' })
  })

  test('is gone with the child', () => {
    const { app, north, street, town } = arrange()
    app.run(Session.remove(places.Street)(street))
    app.run(Session.remove(places.Town)(town))
    app.run(Session.remove(places.Region)(north))
    app.run(Session.commit)
    expect(keys(app, 'regions')).toHaveLength(1)
    expect(keys(app, 'towns')).toEqual([])
  })
})

describe('keys within keys', () => {
  const cascade = { onUpdate: 'cascade' } as const
  const A = entity('A', 'a', { code: pipe(text, primaryKey) })
  const B = entity('B', 'b', {
    a: pipe(text, primaryKey, references('a.code', cascade)),
    code: pipe(text, primaryKey),
    note: pipe(integer, nullable),
  })
  /** It refers to one, and has a key of its own. */
  const C = entity('C', 'c', { id, a: pipe(text, nullable), b: pipe(text, nullable) })
  /** Its key begins with that of what it belongs to. */
  const D = entity('D', 'd', {
    a: pipe(text, primaryKey),
    b: pipe(text, primaryKey),
    n: pipe(integer, primaryKey),
    note: pipe(integer, nullable),
  })
  const chain = defineModel({ A, B, C, D })((r) => ({
    A: { bs: r.A.hasMany('B', { foreignKey: 'a', inverse: 'parent' }) },
    B: {
      parent: r.B.belongsTo('A', { foreignKey: 'a', inverse: 'bs' }),
      cs: r.B.hasMany('C', { foreignKey: ['a', 'b'], inverse: 'parent' }),
      ds: r.B.hasMany('D', { foreignKey: ['a', 'b'], inverse: 'parent' }),
    },
    C: { parent: r.C.belongsTo('B', { foreignKey: ['a', 'b'], inverse: 'cs' }) },
    D: { parent: r.D.belongsTo('B', { foreignKey: ['a', 'b'], inverse: 'ds' }) },
  }))

  const place = fc.nat(2)
  const action = fc.oneof(
    fc.record({ _tag: fc.constantFrom('renameA' as const, 'loadA' as const), a: place }),
    fc.record({ _tag: fc.constantFrom('renameB' as const, 'touchB' as const, 'loadB' as const), b: place }),
    fc.record({ _tag: fc.constant('moveB' as const), b: place, a: place }),
    fc.record({ _tag: fc.constant('moveC' as const), c: place, b: fc.option(place) }),
    fc.record({ _tag: fc.constant('moveD' as const), d: place, b: place }),
    fc.record({ _tag: fc.constantFrom('touchD' as const, 'removeD' as const), d: place }),
    fc.record({ _tag: fc.constantFrom('addC' as const, 'addD' as const), b: place }),
    fc.record({ _tag: fc.constantFrom('flush' as const, 'commit' as const) }),
  )
  type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

  /** Two of each, and what the tables are to hold. */
  class World {
    readonly app = openOn(chain, { autoflush: false, expireOnCommit: false })
    readonly codes = { a: ['a0', 'a1', 'a2'], b: ['b0', 'b1', 'b2'] }
    readonly notes: { readonly b: Array<number | null>; readonly d: Array<number | null> }
    readonly aOfB = [0, 1, 2]
    readonly bOfC: Array<number | null> = [0, 1, 2]
    readonly bOfD: Array<number | null> = [0, 1, 2]
    readonly a: ReadonlyArray<Snapshot<'A'>>
    readonly b: ReadonlyArray<Snapshot<'B'>>
    readonly c: Array<Snapshot<'C'>>
    readonly d: Array<Snapshot<'D'>>
    #fresh = 0

    constructor() {
      const { app } = this
      const toB = 'foreign key (a, b) references b (a, code) on update cascade'
      app.database.exec(`
        drop table c; create table c (id integer primary key, a text, b text, ${toB});
        drop table d; create table d (a text, b text, n integer, note integer, primary key (a, b, n), ${toB})`)
      this.notes = { b: [null, null, null], d: [null, null, null] }
      this.a = this.codes.a.map((code) => app.run(Session.add(chain.A, { code })))
      this.b = this.codes.b.map((code, i) => app.run(Session.add(chain.B, { code, parent: at(this.a, i) })))
      this.c = this.b.map((parent) => app.run(Session.add(chain.C, { parent })))
      this.d = this.b.map((parent, n) => app.run(Session.add(chain.D, { n, parent })))
      app.run(Session.commit)
    }

    perform(one: Action): void {
      const { app } = this
      switch (one._tag) {
        case 'renameA':
          this.codes.a[one.a] = `n${this.#fresh++}`
          app.run(Session.set(chain.A, { code: at(this.codes.a, one.a) })(at(this.a, one.a)))
          return
        case 'renameB':
          this.codes.b[one.b] = `n${this.#fresh++}`
          app.run(Session.set(chain.B, { code: at(this.codes.b, one.b) })(at(this.b, one.b)))
          return
        case 'moveB':
          this.aOfB[one.b] = one.a
          app.run(Session.set(chain.B, { parent: at(this.a, one.a) })(at(this.b, one.b)))
          return
        case 'moveC':
          this.bOfC[one.c] = one.b
          app.run(Session.set(chain.C, { parent: one.b === null ? null : at(this.b, one.b) })(at(this.c, one.c)))
          return
        case 'moveD':
          if (this.bOfD[one.d] === null) return
          this.bOfD[one.d] = one.b
          app.run(Session.set(chain.D, { parent: at(this.b, one.b) })(at(this.d, one.d)))
          return
        case 'touchB':
          this.notes.b[one.b] = this.#fresh++
          app.run(Session.set(chain.B, { note: at(this.notes.b, one.b) })(at(this.b, one.b)))
          return
        case 'touchD':
          if (this.bOfD[one.d] === null) return
          this.notes.d[one.d] = this.#fresh++
          app.run(Session.set(chain.D, { note: at(this.notes.d, one.d) })(at(this.d, one.d)))
          return
        case 'removeD':
          // what joins a collection is not deleted by the same flush
          if (this.bOfD[one.d] === null || this.#isMoving(at(this.d, one.d))) return
          this.bOfD[one.d] = null
          app.run(Session.remove(chain.D)(at(this.d, one.d)))
          return
        case 'addC':
          this.bOfC.push(one.b)
          this.c.push(app.run(Session.add(chain.C, { parent: at(this.b, one.b) })))
          return
        case 'addD':
          this.bOfD.push(one.b)
          this.notes.d.push(null)
          this.d.push(app.run(Session.add(chain.D, { n: this.d.length, parent: at(this.b, one.b) })))
          return
        case 'loadA':
          app.run(Session.load(chain.A, 'bs')(at(this.a, one.a)))
          return
        case 'loadB':
          app.run(Session.load(chain.B, 'cs')(at(this.b, one.b)))
          app.run(Session.load(chain.B, 'ds')(at(this.b, one.b)))
          return
        case 'flush':
          app.run(Session.flush)
          return
        case 'commit':
          app.run(Session.commit)
      }
    }

    #isMoving(instance: Snapshot): boolean {
      return Session.inspect(this.app.store.getState(), instance)?.changed.includes('parent') === true
    }

    keyOfB(b: number) {
      return { a: at(this.codes.a, at(this.aOfB, b)), code: at(this.codes.b, b) }
    }

    /** What is known of an instance, and what it is known by. */
    known(instance: Snapshot): unknown {
      const { attributes, identity, status } = Session.inspect(this.app.store.getState(), instance) ?? {}
      return { attributes, status, key: identity?.key }
    }

    holds(): void {
      const { app } = this
      const bs = [0, 1, 2].map((b) => ({ ...this.keyOfB(b), note: at(this.notes.b, b) }))
      const reference = (b: number | null) =>
        b === null ? { a: null, b: null } : { a: at(bs, b).a, b: at(bs, b).code }
      const cs = this.bOfC.map((b, i) => ({ id: i + 1, ...reference(b) }))
      const ds = this.bOfD.map((b, n) => (b === null ? null : { ...reference(b), n, note: at(this.notes.d, n) }))
      const byCode = (rows: ReadonlyArray<object>) =>
        rows.toSorted((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1))
      expect(byCode(app.rows('b') as ReadonlyArray<object>)).toEqual(byCode(bs))
      expect(app.rows('c')).toEqual(cs)
      expect(byCode(app.rows('d') as ReadonlyArray<object>)).toEqual(byCode(ds.flatMap((row) => row ?? [])))
      bs.forEach((row, b) => {
        const key = JSON.stringify([row.a, row.code])
        expect(this.known(at(this.b, b))).toEqual({ attributes: row, status: 'persistent', key })
      })
      ds.forEach((row, n) => {
        if (row === null) return
        const key = JSON.stringify([row.a, row.b, n])
        expect(this.known(at(this.d, n))).toEqual({ attributes: row, status: 'persistent', key })
      })
    }
  }

  test('end where they should, whatever else changes, and are what instances are found by', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 14, size: 'max' }), (actions) => {
        const world = new World()
        for (const one of actions) {
          world.perform(one)
          if (one._tag === 'flush' || one._tag === 'commit') world.holds()
        }
        world.perform({ _tag: 'commit' })
        world.holds()
      }),
      { numRuns: 200 },
    )
  })
})

const at = <A>(all: ReadonlyArray<A>, index: number): A => all[index] as A

for (const { host, title, isMissing } of servers) {
  describe.skipIf(isMissing)(title, () => {
    const Region = entity('Region', 'regions', { code: pipe(text, primaryKey) })
    const Town = entity('Town', 'towns', {
      regionCode: pipe(text, primaryKey, references('regions.code', { onUpdate: 'cascade' })),
      name: pipe(text, primaryKey),
      mayor: pipe(text, nullable),
    })
    const Tag = entity('Tag', 'tags', { word: pipe(text, primaryKey) })
    const places = defineModel({ Region, Town, Tag })((r) => ({
      Region: {
        towns: r.Region.hasMany('Town', { foreignKey: 'regionCode', inverse: 'region' }),
        tags: r.Region.manyToMany('Tag', {
          through: { table: 'region_tags', own: ['region'], target: ['tag'] },
          orderBy: 'word',
        }),
      },
      Town: { region: r.Town.belongsTo('Region', { foreignKey: 'regionCode', inverse: 'towns' }) },
    }))

    test('carries a key to what refers to it, and the session follows', async () => {
      const app = await openOnServer(host, places)
      const town = await app.run(Session.add(places.Town, { name: 'a', region: { code: 'n', tags: [{ word: 'x' }] } }))
      await app.run(Session.commit)
      const north = await app.run(Session.load(places.Town, 'region')(town))
      if (north._tag === 'None') throw new Error('no region')
      await app.run(Session.load(places.Region, 'towns')(north.value))
      await app.run(Session.load(places.Region, 'tags')(north.value))
      await app.run(Session.set(places.Region, { code: 'm' })(north.value))
      await app.run(Session.append(places.Region, 'tags', { word: 'y' })(north.value))
      await app.run(Session.flush)
      expect(Session.inspect(app.store.getState(), town)).toMatchObject({ identity: { key: '["m","a"]' } })
      await app.run(Session.set(places.Town, { mayor: 'ed' })(town))
      await app.run(Session.commit)
      expect(await app.rows('towns')).toEqual([{ regionCode: 'm', name: 'a', mayor: 'ed' }])
      expect(await app.rows('region_tags')).toEqual([
        { region: 'm', tag: 'x' },
        { region: 'm', tag: 'y' },
      ])
    })
  })
}
