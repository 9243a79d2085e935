/**
 * Foreign keys that refer to other attributes than the primary key: written, loaded, and followed when these change.
 */
import {
  any,
  createAll,
  defineModel,
  entity,
  generated,
  immediate,
  integer,
  join,
  joined,
  named,
  nullable,
  orderBy,
  primaryKey,
  references,
  select,
  selectin,
  subquery,
  text,
  unique,
  where,
} from '@unitary/core'
import { drift, modelFrom } from '@unitary/core/schema'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { mysqlHost } from '../../core/engine/databases.js'
import { resultOf } from '../app.js'
import { hosts, openOnServer } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Country = entity('Country', 'countries', { id, code: pipe(text, nullable, unique), title: text })
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
/** What it refers to its country by others refer to it by. */
const Crown = entity('Crown', 'crowns', {
  id,
  code: pipe(text, nullable, unique, references('countries.code', { onUpdate: 'cascade' })),
})
const Gem = entity('Gem', 'gems', {
  id,
  crown: pipe(text, nullable, references('crowns.code', { onUpdate: 'cascade' })),
})
/** By two attributes, to its own kind. */
const Node = entity(
  'Node',
  'nodes',
  { id, tree: integer, code: text, parentTree: pipe(integer, nullable), parentCode: pipe(text, nullable) },
  {
    unique: [['tree', 'code']],
    foreignKeys: [
      { attributes: ['parentTree', 'parentCode'], references: ['nodes.tree', 'nodes.code'], onUpdate: 'cascade' },
    ],
  },
)

const model = defineModel({ Country, City, Stamp, Crown, Gem, Node })((r) => ({
  Country: {
    cities: r.Country.hasMany('City', {
      foreignKey: 'countryCode',
      references: 'code',
      inverse: 'country',
      orderBy: 'id',
    }),
    fourLetters: r.Country.hasMany('City', {
      foreignKey: 'countryCode',
      references: 'code',
      viewonly: true,
      on: (eb) => eb.and([eb(eb.fn('length', ['target.name']), '=', 4), eb('owner.title', 'is not', null)]),
    }),
    crown: r.Country.hasOne('Crown', { foreignKey: 'code', references: 'code', inverse: 'country' }),
  },
  City: { country: r.City.belongsTo('Country', { foreignKey: 'countryCode', references: 'code', inverse: 'cities' }) },
  Stamp: { country: r.Stamp.belongsTo('Country', { foreignKey: 'countryCode', references: 'code' }) },
  Crown: {
    country: r.Crown.belongsTo('Country', { foreignKey: 'code', references: 'code', inverse: 'crown' }),
    gems: r.Crown.hasMany('Gem', { foreignKey: 'crown', references: 'code', inverse: 'setIn', orderBy: 'id' }),
  },
  Gem: { setIn: r.Gem.belongsTo('Crown', { foreignKey: 'crown', references: 'code', inverse: 'gems' }) },
  Node: {
    parent: r.Node.belongsTo('Node', {
      foreignKey: ['parentTree', 'parentCode'],
      references: ['tree', 'code'],
      inverse: 'children',
    }),
    children: r.Node.hasMany('Node', {
      foreignKey: ['parentTree', 'parentCode'],
      references: ['tree', 'code'],
      inverse: 'parent',
      orderBy: 'id',
      cascade: ['save-update', 'merge', 'delete'],
    }),
  },
}))

const codeOf = (one: Option<{ readonly code: string | null }>) => (one._tag === 'Some' ? one.value.code : null)
const names = (some: ReadonlyArray<{ readonly name: string }>) => some.map(({ name }) => name)

describe.each(hosts)('foreign keys to other attributes than the primary key, on $title', ({ host, isMissing }) => {
  const filled = async () => {
    const app = await openOnServer(host, model)
    await app.run(
      Session.gen(function* () {
        yield* Session.add(model.Country, {
          code: 'fr',
          title: 'France',
          cities: [{ name: 'Paris' }, { name: 'Lyon' }],
          crown: { gems: [{}, {}] },
        })
        const de = yield* Session.add(model.Country, { code: 'de', title: 'Germany' })
        yield* Session.add(model.City, { name: 'Ulm', country: de })
        yield* Session.add(model.City, { name: 'Atlantis' })
        yield* Session.add(model.Stamp, { country: de })
        yield* Session.add(model.Country, { code: null, title: 'Nowhere' })
        yield* Session.commit
        yield* Session.expungeAll
      }),
    )
    return app
  }
  const countries = pipe(select(model.Country), orderBy('id'))
  const cities = pipe(select(model.City), orderBy('id'))

  test.skipIf(isMissing)('are written with what they refer to', async () => {
    const app = await filled()
    expect((await app.rows('cities')).map((row) => [row.name, row.country_code])).toEqual([
      ['Paris', 'fr'],
      ['Lyon', 'fr'],
      ['Ulm', 'de'],
      ['Atlantis', null],
    ])
    expect((await app.rows('stamps')).map((row) => row.country_code)).toEqual(['de'])
    expect((await app.rows('gems')).map((row) => row.crown)).toEqual(['fr', 'fr'])
  })

  test.skipIf(isMissing)('are loaded by every strategy, one by one, and asked about', async () => {
    const app = await filled()
    const found = await app.run(
      Session.gen(function* () {
        const loaded: unknown[] = []
        for (const eager of [selectin, joined, subquery, immediate]) {
          yield* Session.expungeAll
          const some = yield* pipe(
            countries,
            (eager as typeof selectin)('cities'),
            (eager as typeof selectin)('fourLetters'),
            (eager as typeof selectin)('crown'),
            Session.query,
          )
          loaded.push(
            some.map(({ cities: own, crown, fourLetters, title }) => [
              title,
              names(own),
              names(fourLetters),
              crown._tag,
            ]),
          )
          yield* Session.expungeAll
          const others = yield* pipe(cities, (eager as typeof selectin)('country'), Session.query)
          loaded.push(others.map(({ country, name }) => [name, codeOf(country)]))
        }
        yield* Session.expungeAll
        const single: unknown[] = []
        for (const city of yield* Session.query(cities)) {
          single.push(codeOf(yield* Session.load(model.City, 'country')(city)))
          single.push(codeOf(yield* Session.related(model.City, 'country')(city)))
        }
        for (const country of yield* Session.query(countries)) {
          single.push(names(yield* Session.load(model.Country, 'cities')(country)))
          single.push(names(yield* Session.related(model.Country, 'cities')(country)))
        }
        const [fr] = yield* Session.query(countries)
        const members = fr === undefined ? null : yield* Session.members(model.Country, 'cities')(fr)
        const four = fr === undefined ? null : yield* Session.members(model.Country, 'fourLetters')(fr)
        const lyon = four === null ? [] : yield* Session.query(four)
        const paris = members === null ? [] : yield* pipe(members, where('name', 'like', 'P%'), Session.query)
        const asked = yield* pipe(countries, where(any('cities', where('name', '=', 'Ulm'))), Session.query)
        const joining = yield* pipe(cities, join('country', 'c', where('title', '=', 'France')), Session.query)
        return { loaded, single, paris, lyon, asked, joining }
      }),
    )
    const ofCountries = [
      ['France', ['Paris', 'Lyon'], ['Lyon'], 'Some'],
      ['Germany', ['Ulm'], [], 'None'],
      ['Nowhere', [], [], 'None'],
    ]
    const ofCities = [
      ['Paris', 'fr'],
      ['Lyon', 'fr'],
      ['Ulm', 'de'],
      ['Atlantis', null],
    ]
    expect(found.loaded).toEqual(Array(4).fill([ofCountries, ofCities]).flat())
    const oneByOne = [['Paris', 'Lyon'], ['Paris', 'Lyon'], ['Ulm'], ['Ulm'], [], []]
    expect(found.single).toEqual(['fr', 'fr', 'fr', 'fr', 'de', 'de', null, null, ...oneByOne])
    expect(names(found.paris)).toEqual(['Paris'])
    expect(names(found.lyon)).toEqual(['Lyon'])
    expect(found.asked.map(({ title }) => title)).toEqual(['Germany'])
    expect(names(found.joining)).toEqual(['Paris', 'Lyon'])
  })

  test.skipIf(isMissing)('follow a change, in the database and in memory, as far as it goes', async () => {
    const app = await filled()
    const found = await app.run(
      Session.gen(function* () {
        const [fr] = yield* pipe(countries, selectin('cities'), selectin('crown', selectin('gems')), Session.query)
        const [stamp] = yield* pipe(select(model.Stamp), selectin('country'), Session.query)
        if (fr === undefined || stamp === undefined || fr.crown._tag === 'None') return null
        const de = yield* Session.load(model.Stamp, 'country')(stamp)
        if (de._tag === 'None') return null
        yield* Session.set(model.Country, { code: 'fx' })(fr)
        yield* Session.set(model.Country, { code: 'dx' })(de.value)
        // new children get the new one, in the same flush
        yield* Session.append(model.Country, 'cities', { name: 'Nice' })(fr)
        yield* Session.flush
        const [paris] = fr.cities
        const [gem] = fr.crown.value.gems
        if (paris === undefined || gem === undefined) return null
        const inMemory = [
          (yield* Session.read(model.City)(paris)).countryCode,
          (yield* Session.read(model.Crown)(fr.crown.value)).code,
          (yield* Session.read(model.Gem)(gem)).crown,
          (yield* Session.read(model.Stamp)(stamp)).countryCode,
        ]
        yield* Session.commit
        return inMemory
      }),
    )
    expect(found).toEqual(['fx', 'fx', 'fx', 'dx'])
    expect((await app.rows('cities')).map((row) => row.country_code)).toEqual(['fx', 'fx', 'dx', null, 'fx'])
    expect((await app.rows('gems')).map((row) => row.crown)).toEqual(['fx', 'fx'])
    expect((await app.rows('stamps')).map((row) => row.country_code)).toEqual(['dx'])
  })

  test.skipIf(isMissing)('are found again where what they refer to has expired, is set and is let go', async () => {
    const app = await filled()
    await app.run(
      Session.gen(function* () {
        const [fr, de] = yield* Session.query(countries)
        const [paris, , ulm] = yield* Session.query(cities)
        if (fr === undefined || de === undefined || paris === undefined || ulm === undefined) return
        yield* Session.commit
        // nobody knows the code of either by now
        yield* Session.set(model.City, { country: de })(paris)
        yield* Session.flush
        yield* Session.expireAll
        yield* Session.append(model.Country, 'cities', { name: 'Metz' })(fr)
        yield* Session.set(model.City, { country: null })(ulm)
        yield* Session.commit
      }),
    )
    expect((await app.rows('cities')).map((row) => [row.name, row.country_code])).toEqual([
      ['Paris', 'de'],
      ['Lyon', 'fr'],
      ['Ulm', null],
      ['Atlantis', null],
      ['Metz', 'fr'],
    ])
    // what goes is let go by what stays
    await app.run(
      Session.gen(function* () {
        const [fr] = yield* Session.query(countries)
        const crowns = yield* Session.query(select(model.Crown))
        for (const crown of crowns) yield* Session.remove(model.Crown)(crown)
        if (fr !== undefined) yield* Session.remove(model.Country)(fr)
        yield* Session.commit
      }),
    )
    expect((await app.rows('cities')).map((row) => row.country_code)).toEqual(['de', null, null, null, null])
    expect((await app.rows('gems')).map((row) => row.crown)).toEqual([null, null])
  })

  test.skipIf(isMissing)('lead to rows of the same entity, which come and go in order', async () => {
    const app = await openOnServer(host, model)
    await app.run(
      Session.gen(function* () {
        const leaf = yield* Session.add(model.Node, {
          tree: 1,
          code: 'leaf',
          parent: { tree: 1, code: 'twig', parent: { tree: 1, code: 'root' } },
        })
        yield* Session.commit
        const twig = yield* Session.load(model.Node, 'parent')(leaf)
        // MariaDB carries nothing within one table
        if (twig._tag === 'Some' && host !== mysqlHost) {
          yield* Session.set(model.Node, { code: 'branch' })(twig.value)
        }
        yield* Session.commit
      }),
    )
    const rows = await app.rows('nodes')
    const carrier = host === mysqlHost ? 'twig' : 'branch'
    expect(rows.map((row) => [row.code, row.parentCode])).toEqual([
      ['root', null],
      [carrier, 'root'],
      ['leaf', carrier],
    ])
    await app.run(
      Session.gen(function* () {
        yield* Session.expungeAll
        // nothing but the rows tells which goes first
        for (const node of yield* Session.query(pipe(select(model.Node), orderBy('id')))) {
          yield* Session.remove(model.Node)(node)
        }
        yield* Session.commit
      }),
    )
    expect(await app.rows('nodes')).toEqual([])
  })

  test.skipIf(isMissing)('are constraints of the database, which has drifted nowhere and suggests them', async () => {
    const app = await filled()
    const database = await host.create()
    const engine = database.open()
    try {
      await createAll(model)(engine)()
      const drifted = resultOf(await drift(model)(engine)())
      expect(drifted.differences).toEqual([])
      expect(resultOf(await modelFrom(engine)())).toContain(
        "belongsTo('Country', { foreignKey: 'countryCode', references: 'code', inverse: 'cities' })",
      )
    } finally {
      await engine.close()
      await database.drop()
    }
    const failure = await app.fails(
      Session.sql(sql`insert into cities (id, name, country_code) values (99, 'Oz', 'oz')`),
    )
    expect(failure).toMatchObject({ _tag: 'DatabaseError' })
  })
})

describe.each(hosts.slice(0, 2))('foreign keys that the session carries along, on $title', ({ host, isMissing }) => {
  const Team = entity('Team', 'teams', { id, name: pipe(text, unique) })
  const deferred = references('teams.name', { deferrable: 'initially deferred' })
  const Player = entity('Player', 'players', { id, teamName: pipe(text, nullable, named('team'), deferred) })
  const Fan = entity('Fan', 'fans', { id, teamName: pipe(text, nullable, named('team'), deferred) })
  const over = { foreignKey: 'teamName', references: 'name', passiveUpdates: false } as const
  const teams = defineModel({ Team, Player, Fan })((r) => ({
    Team: { players: r.Team.hasMany('Player', { ...over, inverse: 'team', orderBy: 'id' }) },
    Player: { team: r.Player.belongsTo('Team', { ...over, inverse: 'players' }) },
    Fan: { team: r.Fan.belongsTo('Team', over) },
  }))

  test.skipIf(isMissing)('follow what they refer to, loaded or not, and nothing else is written', async () => {
    const app = await openOnServer(host, teams)
    const plan = await app.run(
      Session.gen(function* () {
        const reds = yield* Session.add(teams.Team, { name: 'reds', players: [{}, {}] })
        yield* Session.add(teams.Fan, { team: reds })
        yield* Session.commit
        yield* Session.expungeAll
        const [team] = yield* Session.query(select(teams.Team))
        const [fan] = yield* Session.query(select(teams.Fan))
        if (team === undefined || fan === undefined) return ''
        yield* Session.set(teams.Team, { name: 'blues' })(team)
        const planned = Session.explain(yield* Session.flushPlan)
        yield* Session.flush
        const followed = yield* Session.read(teams.Fan)(fan)
        yield* Session.commit
        return `${planned}\n${String(followed.teamName)}`
      }),
    )
    expect(plan).toBe(
      [
        '1. update teams (1 row)',
        "     #4: name = 'blues' where id = 1",
        '2. update players (2 rows), after 1',
        "     #6: teamName = 'blues' where id = 1",
        "     #7: teamName = 'blues' where id = 2",
        '3. update fans (1 row), after 1',
        "     #5: teamName = 'blues' where id = 1",
        'blues',
      ].join('\n'),
    )
    expect((await app.rows('players')).map((row) => row.team)).toEqual(['blues', 'blues'])
    expect((await app.rows('fans')).map((row) => row.team)).toEqual(['blues'])
  })
})
