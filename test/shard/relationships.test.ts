/**
 * Relationships by conditions, and by other attributes than primary keys, on shards: each owner has what its own shard has.
 */
import {
  any,
  createAllSync,
  defineModel,
  entity,
  immediate,
  integer,
  joined,
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
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap, withParent } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { resultOf } from '../session/app.js'

const id = pipe(integer, primaryKey)

const City = entity('City', 'cities', { id, continent: text, code: pipe(text, unique), name: text })
const Person = entity('Person', 'people', { id, continent: text, name: text, town: text })
const Street = entity('Street', 'streets', {
  id,
  name: text,
  city: pipe(text, nullable, references('cities.code', { onUpdate: 'cascade' })),
})

const model = defineModel({ City, Person, Street })((r) => ({
  City: {
    residents: r.City.joinsMany('Person', {
      on: (eb) => eb(eb.fn('lower', ['target.town']), '=', eb.fn('lower', ['owner.name'])),
      orderBy: 'id',
    }),
    streets: r.City.hasMany('Street', { foreignKey: 'city', references: 'code', inverse: 'in', orderBy: 'id' }),
  },
  Street: { in: r.Street.belongsTo('City', { foreignKey: 'city', references: 'code', inverse: 'streets' }) },
}))

const opened = () => {
  const engineOf = () => {
    const engine = sqliteEngine(new Database(':memory:'))
    createAllSync(model)(engine)
    return engine
  }
  const byContinent = byAttribute('continent', { Asia: 'asia', Europe: 'europe' })
  const app = shardedRuntime(model, {
    shards: shardMap({ asia: engineOf(), europe: engineOf() }),
    choosers: choosers(model)({ City: byContinent, Person: byContinent, Street: withParent('in') }),
  })
  const run = <E, A>(program: Session.Program<E, A>): A => resultOf(Session.runSync(app)(program))
  run(
    Session.gen(function* () {
      yield* Session.addAll(model.City, [
        { id: 1, continent: 'Europe', code: 'ulm', name: 'Ulm', streets: [{ id: 1, name: 'High' }] },
        { id: 2, continent: 'Asia', code: 'osa', name: 'Osaka', streets: [{ id: 2, name: 'Dori' }] },
      ])
      yield* Session.addAll(model.Person, [
        { id: 1, continent: 'Europe', name: 'ann', town: 'ULM' },
        { id: 2, continent: 'Asia', name: 'bo', town: 'osaka' },
        // on another shard than the city of its name
        { id: 3, continent: 'Asia', name: 'cy', town: 'Ulm' },
      ])
      yield* Session.commit
    }),
  )
  return run
}

const cities = pipe(select(model.City), orderBy('id'))
const names = (some: ReadonlyArray<{ readonly name: string }>) => some.map(({ name }) => name)

test.each(Object.entries({ selectin, joined, subquery, immediate }))(
  '%s loads them from their own shards',
  (_, given) => {
    const eager = given as typeof selectin
    const [byCity, byStreet] = opened()(
      Session.gen(function* () {
        const some = yield* pipe(cities, eager('residents'), eager('streets'), Session.query)
        yield* Session.expungeAll
        return [some, yield* pipe(select(model.Street), orderBy('id'), eager('in'), Session.query)] as const
      }),
    )
    expect(byCity.map((city) => [names(city.residents), names(city.streets)])).toEqual([
      [['ann'], ['High']],
      [['bo'], ['Dori']],
    ])
    expect(byStreet.map((street) => (street.in._tag === 'Some' ? street.in.value.name : null))).toEqual([
      'Ulm',
      'Osaka',
    ])
  },
)

test('they are loaded one by one, asked about and written on their own shards', () => {
  const found = opened()(
    Session.gen(function* () {
      const [ulm, osaka] = yield* Session.query(cities)
      if (ulm === undefined || osaka === undefined) return null
      const residents = yield* Session.load(model.City, 'residents')(ulm)
      yield* Session.append(model.City, 'streets', { id: 3, name: 'Low' })(osaka)
      yield* Session.set(model.City, { code: 'ulm2' })(ulm)
      const [high] = yield* Session.load(model.City, 'streets')(ulm)
      yield* Session.set(model.City, { name: 'Neu-Ulm' })(ulm)
      if (high !== undefined) yield* Session.set(model.Street, { in: null })(high)
      yield* Session.commit
      const streets = yield* Session.load(model.City, 'streets')(osaka)
      const asked = yield* pipe(cities, where(any('residents')), Session.query)
      return { residents: names(residents), streets: names(streets), asked: names(asked) }
    }),
  )
  expect(found).toEqual({ residents: ['ann'], streets: ['Dori', 'Low'], asked: ['Osaka'] })
})
