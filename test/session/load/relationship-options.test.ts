/**
 * Relationships over keys of several columns, to their own entity, and from one schema to another: the same whichever way they
 * are loaded or asked about.
 */
import {
  any,
  createAll,
  defineModel,
  type Engine,
  entity,
  has,
  immediate,
  integer,
  join,
  joined,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  subquery,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Host, mysqlHost, postgresHost, skipped, sqliteHost } from '../../core/engine/databases.js'
import { resultOf } from '../app.js'

/** The model with its tables in one schema and the links in another, whose names types take for empty. */
const modelIn = (own: '', other: '') => {
  const Town = entity('Town', `${own}towns`, {
    region: pipe(integer, primaryKey),
    name: pipe(text, primaryKey),
    twinRegion: pipe(integer, nullable),
    twinName: pipe(text, nullable),
  })
  const Street = entity('Street', `${other}streets`, {
    id: pipe(integer, primaryKey),
    name: text,
    region: pipe(integer, nullable),
    town: pipe(text, nullable),
  })
  const friends = {
    table: `${other}friends`,
    own: ['a_region', 'a_name'],
    target: ['b_region', 'b_name'],
  }
  return defineModel({ Town, Street })((r) => ({
    Town: {
      streets: r.Town.hasMany('Street', { foreignKey: ['region', 'town'], inverse: 'place', orderBy: 'id' }),
      twin: r.Town.belongsTo('Town', { foreignKey: ['twinRegion', 'twinName'], inverse: 'twins' }),
      twins: r.Town.hasMany('Town', { foreignKey: ['twinRegion', 'twinName'], inverse: 'twin', orderBy: 'name' }),
      friends: r.Town.manyToMany('Town', { through: friends, inverse: 'friendOf', orderBy: 'name' }),
      friendOf: r.Town.manyToMany('Town', {
        through: { table: friends.table, own: friends.target, target: friends.own },
        inverse: 'friends',
        orderBy: 'name',
      }),
      // in any region
      namesakes: r.Town.joinsMany('Street', {
        on: (eb) => eb('target.town', '=', eb.ref('owner.name')),
        orderBy: 'id',
      }),
      // those of its twins, by name
      friendly: r.Town.joinsMany('Street', {
        through: { friend: 'Town' },
        on: (eb) =>
          eb.and([
            eb('friend.twinRegion', '=', eb.ref('owner.region')),
            eb('friend.twinName', '=', eb.ref('owner.name')),
            eb('target.town', '=', eb.ref('friend.name')),
          ]),
        orderBy: 'id',
      }),
    },
    Street: { place: r.Street.belongsTo('Town', { foreignKey: ['region', 'town'], inverse: 'streets' }) },
  }))
}

interface Setting {
  readonly title: string
  readonly isMissing: boolean
  readonly own: string
  readonly other: string
  /** Are its tables made by the model? */
  readonly isMade: boolean
  readonly open: () => Promise<Engine>
}

const onHost = (host: Host, own: string, other: string): Setting => {
  const why = skipped(host)
  return {
    title: `${own === '' ? '' : 'schemas of '}${why === null ? host.name : `${host.name} (${why})`}`,
    isMissing: why !== null,
    own,
    other,
    isMade: true,
    open: async () => {
      const database = await host.create()
      const engine = database.open()
      onTestFinished(async () => {
        // a schema of MariaDB is a database beside
        if (host === mysqlHost && own !== other) {
          const app = Session.runtime(modelIn('', ''), engine)
          for (const name of [other, own]) {
            await Session.run(app)(Session.sql(sql`drop database if exists ${sql.id(name.slice(0, -1))}`))()
          }
        }
        await engine.close()
        await database.drop()
      })
      return engine
    },
  }
}

const settings: ReadonlyArray<Setting> = [
  onHost(sqliteHost('SQLite'), '', ''),
  onHost(postgresHost, '', ''),
  onHost(mysqlHost, '', ''),
  onHost(postgresHost, 'land.', 'roads.'),
  onHost(mysqlHost, `unitary_land_${process.pid}.`, `unitary_roads_${process.pid}.`),
  {
    title: 'an attached database of SQLite',
    isMissing: false,
    own: 'land.',
    other: 'land.',
    isMade: false,
    open: async () => {
      const database = new Database(':memory:')
      database.exec(`
        attach ':memory:' as land;
        create table land.towns (region integer, name text, twinRegion integer, twinName text, primary key (region, name));
        create table land.streets (id integer primary key, name text, region integer, town text);
        create table land.friends (a_region integer, a_name text, b_region integer, b_name text);
      `)
      return sqliteEngine(database)
    },
  },
]

describe.each(settings)('$title', ({ isMade, isMissing, open, other, own }) => {
  const opened = async () => {
    const engine = await open()
    const model = modelIn(own as '', other as '')
    const app = Session.runtime(model, engine)
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await Session.run(app)(program)())
    if (own !== other) {
      for (const name of [own, other]) {
        await run(
          pipe(
            Session.sql(sql`create schema ${sql.id(name.slice(0, -1))}`),
            Session.chain(() => Session.commit),
          ),
        )
      }
    }
    if (isMade) resultOf(await createAll(model)(engine)())
    const filled = Session.gen(function* () {
      const ulm = yield* Session.add(model.Town, {
        region: 2,
        name: 'Ulm',
        streets: [
          { id: 1, name: 'High' },
          { id: 2, name: 'Low' },
        ],
      })
      const kiel = yield* Session.add(model.Town, { region: 1, name: 'Kiel', twin: ulm, friends: [ulm] })
      yield* Session.add(model.Town, { region: 1, name: 'Ulm', twin: ulm, friends: [ulm, kiel] })
      yield* Session.commit
    })
    await run(filled)
    return { model, run }
  }

  const names = (towns: ReadonlyArray<{ readonly region: unknown; readonly name: unknown }>): ReadonlyArray<string> =>
    towns.map(({ name, region }) => `${String(region)} ${String(name)}`)

  const strategies = { selectin, joined, subquery, immediate }
  test.skipIf(isMissing).each(Object.keys(strategies) as ReadonlyArray<keyof typeof strategies>)(
    '%s loads them with their owners',
    async (name) => {
      const { model, run } = await opened()
      const eager = strategies[name] as typeof selectin
      const towns = await run(
        pipe(
          select(model.Town),
          eager('streets'),
          eager('twin'),
          eager('twins'),
          eager('friends'),
          eager('friendOf'),
          eager('namesakes'),
          eager('friendly'),
          orderBy('region'),
          orderBy('name'),
          Session.query,
        ),
      )
      expect(
        towns.map((town) => [
          ...names([town]),
          town.streets.map((street) => street.name),
          town.twin._tag === 'None' ? null : names([town.twin.value]),
          names(town.twins),
          names(town.friends),
          names(town.friendOf),
          town.namesakes.length,
          town.friendly.map((street) => street.name),
        ]),
      ).toEqual([
        ['1 Kiel', [], ['2 Ulm'], [], ['2 Ulm'], ['1 Ulm'], 0, []],
        ['1 Ulm', [], ['2 Ulm'], [], ['1 Kiel', '2 Ulm'], [], 2, []],
        ['2 Ulm', ['High', 'Low'], null, ['1 Kiel', '1 Ulm'], [], ['1 Kiel', '1 Ulm'], 2, ['High', 'Low']],
      ])
    },
  )

  test.skipIf(isMissing)('Session.load loads them, and conditions ask about them', async () => {
    const { model, run } = await opened()
    const asked = await run(
      Session.gen(function* () {
        const ulm = yield* pipe(select(model.Town), where('region', '=', 2), Session.one)
        const friendOf = yield* Session.load(model.Town, 'friendOf')(ulm)
        const streets = yield* Session.load(model.Town, 'streets')(ulm)
        const of = pipe(select(model.Town), orderBy('name'))
        const byStreet = yield* pipe(of, where(any('streets', where('name', '=', 'Low'))), Session.query)
        const byFriend = yield* pipe(of, where(any('friends', where('name', '=', 'Kiel'))), Session.query)
        const byTwin = yield* pipe(of, where(has('twin', where('region', '=', 2))), Session.query)
        const joining = yield* pipe(of, join('friends', 'f', where('region', '=', 1)), Session.query)
        const byCondition = yield* pipe(of, where(any('namesakes', where('name', '=', 'Low'))), Session.query)
        return { friendOf, streets, byStreet, byFriend, byTwin, joining, byCondition }
      }),
    )
    expect(names(asked.friendOf)).toEqual(['1 Kiel', '1 Ulm'])
    expect(asked.streets.map(({ name }) => name)).toEqual(['High', 'Low'])
    expect(names(asked.byStreet)).toEqual(['2 Ulm'])
    expect(names(asked.byFriend)).toEqual(['1 Ulm'])
    expect(names(asked.byTwin)).toEqual(['1 Kiel', '1 Ulm'])
    expect(names(asked.joining)).toEqual(['1 Ulm'])
    expect(asked.byCondition.length).toBe(2)
  })
})
