/**
 * Entities whose rows are on every shard.
 */
import {
  createAllSync,
  defineModel,
  deleteFrom,
  entity,
  generated,
  insertInto,
  integer,
  joined,
  nullable,
  orderBy,
  primaryKey,
  references,
  select,
  selectin,
  set,
  text,
  update,
  values,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import {
  byAttribute,
  choosers,
  custom,
  everywhere,
  routeOf,
  shardedRuntime,
  shardMap,
  withParent,
} from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { counting, journal, outage } from './counting-engine.js'
import { leftOf, rightOf } from './weather.js'

const Country = entity('Country', 'countries', { code: pipe(text, primaryKey), name: text })
const City = entity('City', 'cities', {
  id: pipe(integer, primaryKey),
  region: text,
  name: text,
  country: pipe(text, nullable, references('countries.code')),
})
const Street = entity('Street', 'streets', { id: pipe(integer, primaryKey), cityId: integer })
const Unit = entity('Unit', 'units', { id: pipe(integer, primaryKey, generated), name: text })
const model = defineModel({ Country, City, Street, Unit })((r) => ({
  Country: { cities: r.Country.hasMany('City', { foreignKey: 'country', inverse: 'ofCountry', orderBy: 'id' }) },
  City: { ofCountry: r.City.belongsTo('Country', { foreignKey: 'country', inverse: 'cities' }) },
  Street: { city: r.Street.belongsTo('City', { foreignKey: 'cityId' }) },
}))

const tokens = ['a', 'b', 'c'] as const

const open = () => {
  const entries = journal()
  const databases = Object.fromEntries(tokens.map((token) => [token, new Database(':memory:')]))
  const engine = (token: (typeof tokens)[number]) => {
    const plain = sqliteEngine(databases[token] as Database.Database)
    rightOf(createAllSync(model)(plain))
    return counting(plain, token, entries)
  }
  const app = shardedRuntime(model, {
    shards: shardMap({ a: engine('a'), b: engine('b'), c: engine('c') }),
    choosers: choosers(model)({
      Country: everywhere(),
      City: byAttribute('region', { a: 'a', b: 'b', c: 'c' }),
      Street: withParent('city'),
      Unit: everywhere(),
    }),
  })
  const store = Session.createStore(app)
  const run = <E, A>(program: Session.Program<E, A>): A => rightOf(store.runSync(program))
  const fail = <E, A>(program: Session.Program<E, A>): E => leftOf(store.runSync(program))
  const rows = (table: string) =>
    tokens.map((token) => (databases[token] as Database.Database).prepare(`select * from ${table} order by 1`).all())
  const asked = () => entries.asked.splice(0).flatMap(({ call, shard }) => (call._tag === 'Query' ? [shard] : []))
  return { app, asked, entries, fail, rows, run, store }
}

const world = () => {
  const opened = open()
  opened.run(
    Session.addAll(model.Country, [
      {
        code: 'fr',
        name: 'France',
        cities: [
          { id: 1, region: 'a', name: 'Paris' },
          { id: 2, region: 'b', name: 'Lyon' },
        ],
      },
      { code: 'it', name: 'Italy', cities: [{ id: 3, region: 'c', name: 'Rome' }] },
    ]),
  )
  opened.run(Session.commit)
  opened.asked()
  return opened
}

const everyone = [
  { code: 'fr', name: 'France' },
  { code: 'it', name: 'Italy' },
]

describe('rows on every shard', () => {
  test('are inserted on all of them, before what refers to them', () => {
    const { rows } = world()
    expect(rows('countries')).toEqual([everyone, everyone, everyone])
    expect(rows('cities').map((some) => some.length)).toEqual([1, 1, 1])
  })

  test('are counted once', () => {
    const { run } = open()
    run(Session.addAll(model.Country, everyone))
    expect(run(Session.flush)).toMatchObject({ inserted: 2 })
  })

  test('are changed and deleted on all of them', () => {
    const { rows, run } = world()
    const [france] = run(Session.query(pipe(select(model.Country), where('code', '=', 'fr'))))
    if (france === undefined) throw new Error('not found')
    run(Session.set(model.Country, { name: 'FR' })(france))
    expect(run(Session.flush)).toMatchObject({ updated: 1 })
    run(Session.commit)
    expect(rows('countries').map((some) => some[0])).toEqual(tokens.map(() => ({ code: 'fr', name: 'FR' })))
    run(Session.remove(model.Country)(france))
    run(Session.commit)
    expect(rows('countries').map((some) => some.length)).toEqual([1, 1, 1])
    expect(rows('cities').map((some) => some[0])).toMatchObject([
      { country: null },
      { country: null },
      { country: 'it' },
    ])
  })

  test('are changed in bulk, and counted once', () => {
    const { rows, run } = world()
    expect(run(pipe(update(model.Country), set({ name: 'x' }), where('code', '=', 'it'), Session.execute()))).toBe(1)
    run(pipe(insertInto(model.Country), values([{ code: 'es', name: 'Spain' }]), Session.execute()))
    run(Session.commit)
    expect(rows('countries').map((some) => some.length)).toEqual([3, 3, 3])
    run(pipe(deleteFrom(model.Country), where('code', '=', 'es'), Session.execute()))
    run(Session.commit)
    const expected = [
      { code: 'fr', name: 'France' },
      { code: 'it', name: 'x' },
    ]
    expect(rows('countries')).toEqual([expected, expected, expected])
  })

  test('are written on all shards or none', () => {
    const { entries, fail, rows, run } = open()
    run(Session.addAll(model.Country, everyone))
    entries.fault = (shard, call) => (shard === 'c' && call._tag === 'Insert' ? outage('no') : null)
    fail(Session.flush)
    entries.fault = null
    run(Session.rollback)
    expect(rows('countries')).toEqual([[], [], []])
  })

  test('a copy that is gone is found out by the next change', () => {
    const { entries, fail, run } = world()
    const [france] = run(Session.query(pipe(select(model.Country), where('code', '=', 'fr'))))
    if (france === undefined) throw new Error('not found')
    run(Session.sql(sql`delete from countries where code = 'fr'`, { shard: 'c' }))
    run(Session.set(model.Country, { name: 'FR' })(france))
    expect(fail(Session.flush)).toMatchObject({ _tag: 'StaleData', shard: 'c' })
    expect(entries.fault).toBe(null)
  })

  test('are read from one shard', () => {
    const { app, asked, run } = world()
    expect(run(Session.query(pipe(select(model.Country), orderBy('code')))).map(({ code }) => code)).toEqual([
      'fr',
      'it',
    ])
    expect(asked()).toEqual(['a'])
    expect(run(Session.count(select(model.Country)))).toBe(2)
    expect(rightOf(routeOf(app)(select(model.Country)))).toMatchObject({ shards: ['a'], because: 'anywhere' })
    expect(rightOf(routeOf(app)(deleteFrom(model.Country)))).toMatchObject({ shards: ['a', 'b', 'c'] })
  })

  test('are one instance, whichever shard they came from', () => {
    const { run, store } = world()
    run(Session.expungeAll)
    const cities = run(Session.query(pipe(select(model.City), orderBy('id'), joined('ofCountry'))))
    expect(cities.map(({ ofCountry }) => ofCountry)).toMatchObject([
      { _tag: 'Some', value: { code: 'fr' } },
      { _tag: 'Some', value: { code: 'fr' } },
      { _tag: 'Some', value: { code: 'it' } },
    ])
    const countries = Session.inspectAll(store.getState()).filter(
      ({ entity, status }) => entity === 'Country' && status === 'persistent',
    )
    expect(countries.map(({ identity }) => identity)).toEqual([
      { entity: 'Country', key: 'fr', shard: 'a' },
      { entity: 'Country', key: 'it', shard: 'a' },
    ])
    expect(run(Session.get(model.Country, 'it'))).toMatchObject({ _tag: 'Some' })
  })

  test('have what refers to them on all shards', () => {
    const { run } = world()
    run(Session.expungeAll)
    const expected = [
      ['fr', [1, 2]],
      ['it', [3]],
    ]
    const countries = pipe(select(model.Country), orderBy('code'))
    for (const query of [pipe(countries, selectin('cities')), pipe(countries, joined('cities'))]) {
      run(Session.expungeAll)
      const found = run(Session.query(query))
      expect(found.map(({ cities, code }) => [code, cities.map(({ id }) => id)])).toEqual(expected)
    }
    run(Session.expungeAll)
    const [france] = run(Session.query(pipe(select(model.Country), where('code', '=', 'fr'))))
    if (france === undefined) throw new Error('not found')
    expect((run(Session.load(model.Country, 'cities')(france)) as ReadonlyArray<unknown>).length).toBe(2)
  })

  test('a query that joins what is spread is asked from the other side', () => {
    const { fail, run } = world()
    const populous = pipe(
      select(model.Country),
      where((eb) =>
        eb.exists(eb.selectFrom('cities').select('cities.id').whereRef('cities.country', '=', 'countries.code')),
      ),
    )
    expect(fail(Session.query(populous))).toMatchObject({ _tag: 'RoutingError', reason: 'NotMergeable' })
    const french = pipe(
      select(model.City),
      where((eb) =>
        eb.exists(
          eb
            .selectFrom('countries')
            .select('countries.code')
            .whereRef('countries.code', '=', 'cities.country')
            .where('name', '=', 'France'),
        ),
      ),
    )
    expect(run(Session.query(french)).map(({ id }) => id)).toEqual([1, 2])
  })

  test('need keys that the program gives', () => {
    const { fail, run } = open()
    run(Session.add(model.Unit, { name: 'kg' }))
    expect(fail(Session.flush)).toMatchObject({ _tag: 'RoutingError', reason: 'NoShard' })
    run(Session.rollback)
    expect(fail(pipe(insertInto(model.Unit), values([{ name: 'kg' }]), Session.execute()))).toMatchObject({
      _tag: 'RoutingError',
    })
    run(Session.add(model.Unit, { id: 1, name: 'kg' }))
    run(Session.commit)
  })

  test('are no place for others to be beside', () => {
    const engine = sqliteEngine(new Database(':memory:'))
    const other = sqliteEngine(new Database(':memory:'))
    for (const one of [engine, other]) rightOf(createAllSync(model)(one))
    const app = shardedRuntime(model, {
      shards: shardMap<string>({ a: engine, b: other }),
      choosers: choosers(model)({
        Country: everywhere(),
        City: withParent('ofCountry'),
        Street: withParent('city'),
        Unit: everywhere(),
      }),
    })
    const program = pipe(
      Session.add(model.Country, { ...frenchRepublic, cities: [{ id: 1, region: 'a', name: 'Paris' }] }),
      Session.chain(() => Session.flush),
    )
    expect(leftOf(Session.runSync(app)(program))).toMatchObject({ _tag: 'RoutingError', reason: 'NoShard' })
  })

  test('choosers are told which relationship is loaded', () => {
    const engines = { a: new Database(':memory:'), b: new Database(':memory:') }
    const told: unknown[] = []
    const by = choosers(model)({
      Country: everywhere(),
      City: custom({
        shardOf: ({ operation, values }) => {
          told.push(operation)
          return values.region === 'a' ? ('a' as const) : ('b' as const)
        },
        shardsOfKey: (_, asked) => {
          told.push([asked.operation, asked.loading])
          return null
        },
      }),
      Street: withParent('city'),
      Unit: everywhere(),
    })
    const engine = (database: Database.Database) => {
      const plain = sqliteEngine(database)
      rightOf(createAllSync(model)(plain))
      return plain
    }
    const app = shardedRuntime(model, {
      shards: shardMap<string>({ a: engine(engines.a), b: engine(engines.b) }),
      choosers: by,
    })
    const program = Session.gen(function* () {
      const france = yield* Session.add(model.Country, {
        ...frenchRepublic,
        cities: [{ id: 1, region: 'a', name: 'Paris' }],
      })
      yield* Session.commit
      yield* Session.load(model.Country, 'cities')(france)
      yield* Session.get(model.City, 5)
    })
    rightOf(Session.runSync(app)(program))
    expect(told).toEqual(['insert', ['load', { entity: 'Country', relationship: 'cities' }], ['get', null]])
  })
})

const frenchRepublic = { code: 'fr', name: 'France' }
