/**
 * Relationships by a condition of one's own: loaded, joined and asked about as any other, on every database.
 */
import {
  any,
  boolean,
  containsEager,
  createAll,
  criteria,
  type DraftOrInstance,
  defineModel,
  entity,
  has,
  immediate,
  integer,
  join,
  joined,
  leftJoin,
  limit,
  loadOnly,
  type Managed,
  named,
  nullable,
  orderBy,
  primaryKey,
  type Related,
  recursively,
  select,
  selectin,
  subquery,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import type { Option } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { errorOf, resultOf } from '../app.js'
import { hosts } from '../server-app.js'

const id = pipe(integer, primaryKey)

const City = entity('City', 'cities', { id, name: text, founded: integer, isShown: integer })
const Person = entity('Person', 'people', {
  id,
  name: text,
  town: pipe(text, nullable, named('home_town')),
  isRegistered: pipe(boolean, named('is_registered')),
  code: pipe(text, nullable),
  age: pipe(integer, named('years')),
})
const Band = entity('Band', 'bands', { id, low: integer, high: integer })
const Shop = entity('Shop', 'shops', { id, cityId: integer, isOpen: integer })
const Sale = entity('Sale', 'sales', { id, shopId: integer, personId: integer })
const Deed = entity('Deed', 'deeds', { id, cityId: pipe(integer, nullable), year: integer })
const Badge = entity('Badge', 'badges', { id, age: integer })

const model = defineModel({ City, Person, Band, Shop, Sale, Deed, Badge })((r) => ({
  City: {
    // a function
    residents: r.City.joinsMany('Person', {
      on: (eb) => eb(eb.fn('lower', ['target.town']), '=', eb.fn('lower', ['owner.name'])),
      orderBy: 'id',
    }),
    // a cast, and a condition on the targets beside
    coded: r.City.joinsMany('Person', {
      on: (eb) => eb(eb.cast('target.code', 'integer'), '=', eb.ref('owner.id')),
      where: (eb) => eb('code', 'is not', null),
      orderBy: 'id',
    }),
    // through other entities
    customers: r.City.joinsMany('Person', {
      through: { shop: 'Shop', sale: 'Sale' },
      on: (eb) =>
        eb.and([
          eb('shop.cityId', '=', eb.ref('owner.id')),
          eb('sale.shopId', '=', eb.ref('shop.id')),
          eb('target.id', '=', eb.ref('sale.personId')),
        ]),
      orderBy: 'id',
    }),
    // beside a foreign key, which writes it
    deeds: r.City.hasMany('Deed', {
      foreignKey: 'cityId',
      on: (eb) => eb('target.year', '>=', eb.ref('owner.founded')),
      orderBy: 'id',
    }),
    // a constant of the program's, and a subquery
    registered: r.City.joinsMany('Person', {
      on: (eb) => eb.and([eb('target.town', '=', eb.ref('owner.name')), eb('target.isRegistered', '=', true)]),
      orderBy: 'id',
    }),
    numbered: r.City.joinsMany('City', {
      on: (eb) =>
        eb.exists(
          eb
            .selectFrom('shops')
            .select('shops.id')
            .where('cityId', '=', eb.ref('owner.id'))
            .whereRef('shops.id', '=', 'target.id'),
        ),
      orderBy: 'id',
    }),
    // subqueries of the very tables of the sides, one under a name that a query may use too
    oldest: r.City.joinsMany('Person', {
      on: (eb) =>
        eb.and([
          eb(eb.fn('lower', ['target.town']), '=', eb.fn('lower', ['owner.name'])),
          eb.not(
            eb.exists(
              eb
                .selectFrom('people')
                .select('people.id')
                .where((inner) => inner(inner.fn('lower', ['people.town']), '=', inner.fn('lower', ['target.town'])))
                .whereRef('people.age', '>', 'target.age')
                .where('people.isRegistered', '=', false),
            ),
          ),
          eb.exists(
            eb.selectFrom('cities as p').select('p.id').whereRef('p.id', '=', 'owner.id').where('p.founded', '>', 0),
          ),
        ]),
      orderBy: 'id',
    }),
    // to itself
    younger: r.City.joinsMany('City', {
      on: (eb) => eb('target.founded', '>', eb.ref('owner.founded')),
      orderBy: 'id',
    }),
  },
  Person: {
    city: r.Person.joinsOne('City', {
      on: (eb) => eb(eb.fn('lower', ['target.name']), '=', eb.fn('lower', ['owner.town'])),
    }),
    // several comparisons, one of them with a constant
    band: r.Person.joinsOne('Band', {
      on: (eb) =>
        eb.and([
          eb('target.low', '<=', eb.ref('owner.age')),
          eb('target.high', '>=', eb.ref('owner.age')),
          eb('owner.age', '>', 0),
        ]),
    }),
    // one of several
    olderBand: r.Person.joinsOne('Band', {
      on: (eb) => eb('target.low', '>', eb.ref('owner.age')),
      orderBy: ['low', 'desc'],
    }),
    badges: r.Person.manyToMany('Badge', {
      through: { table: 'people_badges', own: ['person_id'], target: ['badge_id'] },
      on: (eb) => eb.and([eb('target.age', '<=', eb.ref('owner.age')), eb('link.badge_id', '<', 100)]),
      orderBy: 'id',
    }),
  },
}))

const rules = criteria(model)({
  Shop: { open: (eb) => eb('isOpen', '=', 1) },
  City: { shown: (eb) => eb('isShown', '=', 1) },
})

const cities = pipe(select(model.City), orderBy('id'))
const people = pipe(select(model.Person), orderBy('id'))
const names = (some: ReadonlyArray<{ readonly name: string }>) => some.map(({ name }) => name)
const idOf = (one: Option<{ readonly id: number }>) => (one._tag === 'Some' ? one.value.id : null)
const ids = (some: ReadonlyArray<{ readonly id: number }>) => some.map(({ id: key }) => key)

describe.each(hosts)('relationships by a condition, on $title', ({ host, isMissing }) => {
  const opened = async (options: Session.RuntimeOptions = {}) => {
    const database = await host.create()
    const engine = database.open()
    onTestFinished(async () => {
      await engine.close()
      await database.drop()
    })
    resultOf(await createAll(model)(engine)())
    const app = Session.runtime(model, engine, options)
    const fresh = Session.runtime(model, engine)
    const filled = Session.gen(function* () {
      yield* Session.addAll(model.City, [
        { id: 1, name: 'Ulm', founded: 850, isShown: 1 },
        { id: 2, name: 'KIEL', founded: 1233, isShown: 1 },
        { id: 3, name: 'Bonn', founded: 1, isShown: 0 },
      ])
      yield* Session.addAll(model.Person, [
        { id: 1, name: 'ann', town: 'ulm', isRegistered: true, code: '2', age: 5 },
        { id: 2, name: 'bob', town: 'KIEL', isRegistered: true, code: null, age: 30 },
        { id: 3, name: 'cid', town: 'Ulm', isRegistered: false, code: '1', age: 70 },
        { id: 4, name: 'dan', town: null, isRegistered: true, code: '1', age: 0 },
      ])
      yield* Session.addAll(model.Band, [
        { id: 1, low: 0, high: 17 },
        { id: 2, low: 18, high: 64 },
        { id: 3, low: 65, high: 200 },
      ])
      yield* Session.addAll(model.Shop, [
        { id: 1, cityId: 1, isOpen: 1 },
        { id: 2, cityId: 1, isOpen: 0 },
        { id: 3, cityId: 2, isOpen: 1 },
      ])
      yield* Session.addAll(model.Sale, [
        { id: 1, shopId: 1, personId: 2 },
        { id: 2, shopId: 1, personId: 2 },
        { id: 3, shopId: 2, personId: 4 },
        { id: 4, shopId: 3, personId: 1 },
      ])
      yield* Session.addAll(model.Deed, [
        { id: 1, cityId: 1, year: 100 },
        { id: 2, cityId: 1, year: 900 },
        { id: 3, cityId: 2, year: 1300 },
        { id: 4, cityId: null, year: 1300 },
      ])
      yield* Session.addAll(model.Badge, [
        { id: 1, age: 1 },
        { id: 2, age: 50 },
      ])
      yield* Session.flush
      const links = [
        [1, 1],
        [1, 2],
        [3, 1],
        [3, 2],
      ] as const
      for (const [person, badge] of links) {
        yield* Session.sql(sql`insert into people_badges (person_id, badge_id) values (${person}, ${badge})`)
      }
      yield* Session.commit
    })
    resultOf(await Session.run(fresh)(filled)())
    const run = async <E, A>(program: Session.Program<E, A>): Promise<A> => resultOf(await Session.run(app)(program)())
    const fails = async <E, A>(program: Session.Program<E, A>): Promise<E> => errorOf(await Session.run(app)(program)())
    return { run, fails, app }
  }

  const ofCities = [
    ['Ulm', [1, 3], [3, 4], [2, 4], [2], [2], [], [1, 2], [3]],
    ['KIEL', [2], [1], [1], [3], [], [2], [3], [2]],
    ['Bonn', [], [], [], [], [1, 2], [], [], []],
  ]
  const ofPeople = [
    ['ann', 1, 1, [1]],
    ['bob', 2, 2, []],
    ['cid', 1, 3, [1, 2]],
    ['dan', null, null, []],
  ]

  const strategies = { selectin, joined, subquery, immediate }
  test.skipIf(isMissing).each(Object.keys(strategies) as ReadonlyArray<keyof typeof strategies>)(
    '%s loads them with their owners',
    async (name) => {
      const { run } = await opened()
      const eager = strategies[name] as typeof selectin
      const [someCities, somePeople] = await run(
        Session.gen(function* () {
          const one = yield* pipe(
            cities,
            eager('residents'),
            eager('coded'),
            eager('customers'),
            eager('deeds'),
            eager('younger'),
            eager('registered'),
            eager('numbered'),
            eager('oldest'),
            Session.query,
          )
          yield* Session.expungeAll
          const other = yield* pipe(people, eager('city'), eager('band'), eager('badges'), Session.query)
          return [one, other] as const
        }),
      )
      expect(
        someCities.map((city) => [
          city.name,
          ...[
            city.residents,
            city.coded,
            city.customers,
            city.deeds,
            city.younger,
            city.registered,
            city.numbered,
            city.oldest,
          ].map(ids),
        ]),
      ).toEqual(ofCities)
      expect(
        somePeople.map((person) => [person.name, idOf(person.city), idOf(person.band), ids(person.badges)]),
      ).toEqual(ofPeople)
    },
  )

  test.skipIf(isMissing)('Session.load loads them one by one, and Session.related knows them then', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const loaded: unknown[] = []
        for (const city of yield* Session.query(cities)) {
          const residents = yield* Session.load(model.City, 'residents')(city)
          expectTypeOf(residents).toEqualTypeOf<ReadonlyArray<Managed<typeof model, 'Person'>>>()
          const known = yield* Session.related(model.City, 'residents')(city)
          expect(known).toEqual(residents)
          const coded = yield* Session.load(model.City, 'coded')(city)
          const customers = yield* Session.load(model.City, 'customers')(city)
          const deeds = yield* Session.load(model.City, 'deeds')(city)
          const younger = yield* Session.load(model.City, 'younger')(city)
          const registered = yield* Session.load(model.City, 'registered')(city)
          const numbered = yield* Session.load(model.City, 'numbered')(city)
          const oldest = yield* Session.load(model.City, 'oldest')(city)
          loaded.push([
            city.name,
            ...[residents, coded, customers, deeds, younger, registered, numbered, oldest].map(ids),
          ])
        }
        for (const person of yield* Session.query(people)) {
          const city = yield* Session.load(model.Person, 'city')(person)
          expectTypeOf(city).toEqualTypeOf<Option<Managed<typeof model, 'City'>>>()
          const band = yield* Session.load(model.Person, 'band')(person)
          const badges = yield* Session.load(model.Person, 'badges')(person)
          loaded.push([person.name, idOf(city), idOf(band), ids(badges)])
        }
        return loaded
      }),
    )
    expect(found).toEqual([...ofCities, ...ofPeople])
  })

  test.skipIf(isMissing)('loads of them are refined, nest and are limited with their owners', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const page = yield* pipe(
          cities,
          limit(2),
          joined('residents', (targets) => pipe(targets, where('age', '>', 10), joined('city'), selectin('badges'))),
          Session.query,
        )
        yield* Session.expungeAll
        // what the condition speaks of is not among what is shown
        const parts = yield* pipe(cities, limit(2), loadOnly('isShown'), joined('residents'), Session.query)
        yield* Session.expungeAll
        const [first] = yield* pipe(cities, where('id', '=', 3), recursively('younger', 2), Session.query)
        return { page, parts, first }
      }),
    )
    expect(
      found.page.map(({ name, residents }) => [
        name,
        residents.map((one) => [one.name, idOf(one.city), ids(one.badges)]),
      ]),
    ).toEqual([
      ['Ulm', [['cid', 1, [1, 2]]]],
      ['KIEL', [['bob', 2, []]]],
    ])
    expect(found.parts.map(({ residents }) => ids(residents))).toEqual([[1, 3], [2]])
    expect(found.first?.younger.map((city) => [city.id, ids(city.younger)])).toEqual([
      [1, [2]],
      [2, []],
    ])
  })

  test.skipIf(isMissing)(
    'of several that would do, one is the first in its order, and limits count owners',
    async () => {
      const { run } = await opened()
      const found = await run(
        Session.gen(function* () {
          const all: unknown[] = []
          for (const eager of [selectin, joined, subquery, immediate]) {
            yield* Session.expungeAll
            const some = yield* pipe(people, limit(3), (eager as typeof selectin)('olderBand'), Session.query)
            all.push(some.map((person) => [person.name, idOf(person.olderBand)]))
          }
          yield* Session.expungeAll
          const [ann] = yield* Session.query(people)
          return [all, ann === undefined ? null : idOf(yield* Session.load(model.Person, 'olderBand')(ann))]
        }),
      )
      const each = [
        ['ann', 3],
        ['bob', 3],
        ['cid', null],
      ]
      expect(found).toEqual([[each, each, each, each], 3])
    },
  )

  test.skipIf(isMissing)('joins, any and has ask about them, and containsEager takes them', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const joinedTo = yield* pipe(
          cities,
          join('residents', 'p'),
          orderBy((eb) => eb.ref('p.id')),
          Session.query,
        )
        const through = yield* pipe(cities, join('customers', 'c', where('age', '<', 10)), Session.query)
        const without = yield* pipe(
          cities,
          leftJoin('customers', 'c', where('age', '<', 10)),
          where((eb) => eb('c.id', 'is', null)),
          Session.query,
        )
        const badgeless = yield* pipe(
          people,
          leftJoin('badges', 'b'),
          where((eb) => eb('b.id', 'is', null)),
          Session.query,
        )
        const anyOld = yield* pipe(cities, where(any('residents', where('age', '>', 60))), Session.query)
        const anyCustomer = yield* pipe(cities, where(any('customers', where('name', '=', 'dan'))), Session.query)
        const anyBadge = yield* pipe(people, where(any('badges', where('id', '=', 2))), Session.query)
        const anyDeed = yield* pipe(cities, where(any('deeds', where('year', '<', 1000))), Session.query)
        const hasBand = yield* pipe(people, where(has('band', where('low', '=', 0))), Session.query)
        const anyOldest = yield* pipe(cities, where(any('oldest', where('age', '>', 50))), Session.query)
        const joinedOldest = yield* pipe(
          cities,
          join('oldest', 'p'),
          where((eb) => eb('p.age', '<', 50)),
          Session.query,
        )
        const hasCity = yield* pipe(people, where(has('city', where(any('customers')))), Session.query)
        yield* Session.expungeAll
        const contained = yield* pipe(
          cities,
          join('residents', 'p'),
          leftJoin('p.band', 'b'),
          containsEager('residents', 'p', (targets) => pipe(targets, containsEager('band', 'b'), joined('badges'))),
          Session.query,
        )
        return {
          joinedTo,
          through,
          without,
          badgeless,
          anyOld,
          anyCustomer,
          anyBadge,
          anyDeed,
          hasBand,
          hasCity,
          anyOldest,
          joinedOldest,
          contained,
        }
      }),
    )
    expect(names(found.joinedTo)).toEqual(['Ulm', 'Ulm', 'KIEL'])
    expect(names(found.through)).toEqual(['Ulm', 'KIEL'])
    expect(names(found.without)).toEqual(['Bonn'])
    expect(names(found.badgeless)).toEqual(['bob', 'dan'])
    expect(names(found.anyOld)).toEqual(['Ulm'])
    expect(names(found.anyCustomer)).toEqual(['Ulm'])
    expect(names(found.anyBadge)).toEqual(['cid'])
    expect(names(found.anyDeed)).toEqual(['Ulm'])
    expect(names(found.hasBand)).toEqual(['ann'])
    expect(names(found.anyOldest)).toEqual(['Ulm'])
    expect(names(found.joinedOldest)).toEqual(['KIEL'])
    expect(names(found.hasCity)).toEqual(['ann', 'bob', 'cid'])
    expect(
      found.contained.map(({ name, residents }) => [
        name,
        residents.map((one) => [one.name, idOf(one.band), ids(one.badges)]),
      ]),
    ).toEqual([
      [
        'Ulm',
        [
          ['ann', 1, [1]],
          ['cid', 3, [1, 2]],
        ],
      ],
      ['KIEL', [['bob', 2, []]]],
    ])
  })

  test.skipIf(isMissing)('Session.members gives a query of them', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const ulm = yield* pipe(cities, where('id', '=', 1), Session.one)
        const cid = yield* pipe(people, where('id', '=', 3), Session.one)
        const residents = yield* Session.members(model.City, 'residents')(ulm)
        const customers = yield* Session.members(model.City, 'customers')(ulm)
        const deeds = yield* Session.members(model.City, 'deeds')(ulm)
        const badges = yield* Session.members(model.Person, 'badges')(cid)
        return [
          ids(yield* pipe(residents, where('age', '>', 10), Session.query)),
          ids(yield* Session.query(customers)),
          ids(yield* Session.query(deeds)),
          ids(yield* Session.query(badges)),
        ]
      }),
    )
    expect(found).toEqual([[3], [2, 4], [2], [1, 2]])
  })

  test.skipIf(isMissing)('criteria hold for targets, and for what lies between', async () => {
    const { run } = await opened({ criteria: rules })
    const found = await run(
      Session.gen(function* () {
        const all: unknown[] = []
        for (const eager of [selectin, joined, subquery, immediate]) {
          yield* Session.expungeAll
          const some = yield* pipe(cities, (eager as typeof selectin)('customers'), Session.query)
          all.push(some.map(({ customers, name }) => [name, ids(customers)]))
        }
        const asked = yield* pipe(cities, where(any('customers', where('id', '=', 4))), Session.query)
        const [third] = yield* pipe(people, where('id', '=', 3), Session.query)
        const city = third === undefined ? null : yield* Session.load(model.Person, 'city')(third)
        return { all, asked, city }
      }),
    )
    expect(found.all).toEqual(
      Array(4).fill([
        ['Ulm', [2]],
        ['KIEL', [1]],
      ]),
    )
    expect(names(found.asked)).toEqual([])
    expect(found.city?._tag).toBe('Some')
  })

  test.skipIf(isMissing)('what stands beside a foreign key or links is written by these', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const ulm = yield* pipe(cities, where('id', '=', 1), Session.one)
        const cid = yield* pipe(people, where('id', '=', 3), Session.one)
        yield* Session.append(model.City, 'deeds', { id: 5, year: 2000 }, { id: 6, year: 3 })(ulm)
        yield* Session.append(model.Person, 'badges', { id: 7, age: 60 }, { id: 101, age: 60 })(cid)
        const shown = yield* Session.noAutoflush(Session.load(model.City, 'deeds')(ulm))
        yield* Session.commit
        const deeds = yield* Session.load(model.City, 'deeds')(ulm)
        const badges = yield* Session.load(model.Person, 'badges')(cid)
        const rows = yield* Session.sql<{ n: unknown }>(sql`select count(*) as n from people_badges`)
        return { shown: ids(shown), deeds: ids(deeds), badges: ids(badges), rows: Number(rows[0]?.n) }
      }),
    )
    expect(found).toEqual({ shown: [2, 5, 6], deeds: [2, 5], badges: [1, 2, 7], rows: 6 })
  })

  test.skipIf(isMissing)('what is only joined is not written', async () => {
    const { fails, run } = await opened()
    const [ulm, ann] = await run(
      Session.gen(function* () {
        return [yield* pipe(cities, limit(1), Session.one), yield* pipe(people, limit(1), Session.one)] as const
      }),
    )
    const within = (
      program: (city: typeof ulm, person: typeof ann) => Session.Program<Session.SessionError, unknown>,
    ) =>
      fails(
        Session.gen(function* () {
          const city = yield* pipe(cities, limit(1), Session.one)
          const person = yield* pipe(people, limit(1), Session.one)
          return yield* program(city, person)
        }),
      )
    const programs = [
      // @ts-expect-error nothing is added to it
      within((city, person) => Session.append(model.City, 'residents', person)(city)),
      // @ts-expect-error nothing is taken from it
      within((city, person) => Session.detach(model.City, 'residents', person)(city)),
      // @ts-expect-error nothing replaces it
      within((city) => Session.replace(model.City, 'residents', [])(city)),
      // @ts-expect-error it is not emptied
      within((city) => Session.clear(model.City, 'residents')(city)),
      // @ts-expect-error it is not set
      within((city, person) => Session.set(model.Person, { city })(person)),
      // @ts-expect-error it is not set to nothing
      within((_, person) => Session.set(model.Person, { city: null })(person)),
      // @ts-expect-error a draft does not give it
      within(() => Session.add(model.City, { id: 8, name: 'Rom', founded: 1, isShown: 1, residents: [] })),
    ]
    for (const failure of await Promise.all(programs)) {
      expect(failure).toMatchObject({
        _tag: 'InvalidValue',
        problem: 'it is only joined; change what its condition speaks of',
      })
    }
  })

  test.skipIf(isMissing)('they are expired, refreshed and merged with their owners', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const ulm = yield* pipe(cities, where('id', '=', 1), selectin('residents'), Session.one)
        yield* Session.sql(sql`update people set home_town = 'Ulm' where id = 2`)
        const kept = yield* Session.load(model.City, 'residents')(ulm)
        yield* Session.refresh(model.City, 'residents')(ulm)
        const refreshed = yield* Session.load(model.City, 'residents')(ulm)
        yield* Session.expire(model.City, 'residents')(ulm)
        // what it was loaded with is not merged
        const merged = yield* Session.merge(model.City, ulm)
        const loaded = yield* Session.load(model.City, 'residents')(merged)
        return [ids(kept), ids(refreshed), ids(loaded)]
      }),
    )
    expect(found).toEqual([
      [1, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test.skipIf(isMissing)('of a new instance there is nothing, until it has a row', async () => {
    const { run } = await opened()
    const found = await run(
      Session.gen(function* () {
        const bonn = yield* Session.add(model.City, { id: 9, name: 'ulm', founded: 1, isShown: 1 })
        const before = yield* Session.noAutoflush(Session.load(model.City, 'residents')(bonn))
        yield* Session.flush
        const after = yield* Session.load(model.City, 'residents')(bonn)
        return [ids(before), ids(after)]
      }),
    )
    expect(found).toEqual([[], [1, 3]])
  })
})

test('types tell what a condition may speak of', () => {
  expectTypeOf<Related<typeof model, 'City', 'residents'>>().toEqualTypeOf<
    ReadonlyArray<Managed<typeof model, 'Person'>>
  >()
  expectTypeOf<'residents'>().not.toExtend<keyof DraftOrInstance<typeof model, 'City'>>()
  expectTypeOf<'deeds'>().toExtend<keyof Extract<DraftOrInstance<typeof model, 'City'>, { readonly name: string }>>()
  const misspelt = () =>
    defineModel({ City, Person })((r) => ({
      City: {
        wrong: r.City.joinsMany('Person', {
          // @ts-expect-error a person has no mayor
          on: (eb) => eb('target.mayor', '=', eb.ref('owner.name')),
        }),
      },
    }))
  expect(misspelt).toThrow("City.wrong.on: 'target.mayor' is no attribute of Person")
})
