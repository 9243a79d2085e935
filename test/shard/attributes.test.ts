/** Attributes beside columns over several shards: computed by each, merged in their order, and routed by any name. */
import {
  createAllSync,
  defineModel,
  entity,
  generated,
  integer,
  limit,
  offset,
  orderBy,
  primaryKey,
  select,
  selectin,
  selectRows,
  text,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import { byAttribute, choosers, shardedRuntime, shardMap, withParent } from '@unitary/shard'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'
import { counting, journal } from './counting-engine.js'
import { rightOf } from './weather.js'

const id = pipe(integer, primaryKey, generated)
const City = entity('City', 'cities', { id, continent: text, name: text })
const Report = entity('Report', 'reports', { id, degrees: integer, cityId: integer })
const model = defineModel({ City, Report })(
  (r) => ({
    City: { reports: r.City.hasMany('Report', { foreignKey: 'cityId', inverse: 'city', orderBy: 'id' }) },
    Report: { city: r.Report.belongsTo('City', { foreignKey: 'cityId', inverse: 'reports' }) },
  }),
  (a) => ({
    City: {
      reportCount: a.City.expression(integer, (eb) =>
        eb
          .selectFrom('reports')
          .whereRef('reports.cityId', '=', 'cities.id')
          .select(({ fn }) => fn.countAll().as('count')),
      ),
      area: a.City.synonym('continent'),
    },
    Report: { half: a.Report.expression(integer, (eb) => eb('degrees', '-', 10)) },
  }),
)

const rules = choosers(model)({
  City: byAttribute('continent', { Asia: 'asia', Europe: 'europe' }),
  Report: withParent('city'),
})

const open = () => {
  const asked = journal()
  const asia = counting(sqliteEngine(new Database(':memory:')), 'asia', asked)
  const europe = counting(sqliteEngine(new Database(':memory:')), 'europe', asked)
  for (const engine of [asia, europe]) rightOf(createAllSync(model)(engine))
  const shards = shardMap({ asia, europe })
  const store = Session.createStore(shardedRuntime(model, { shards, choosers: rules }))
  const run = <E, A>(program: Session.Program<E, A>): A => rightOf(store.runSync(program))
  const reports = (...all: ReadonlyArray<number>) => all.map((degrees) => ({ degrees }))
  run(
    Session.addAll(model.City, [
      { continent: 'Asia', name: 'Lhasa', reports: reports(20, 11) },
      { continent: 'Europe', name: 'Bern', reports: reports(12) },
      { area: 'Asia', name: 'Osaka', reports: reports(15, 16, 17) },
      { area: 'Europe', name: 'Rome' },
    ]),
  )
  run(Session.commit)
  run(Session.expungeAll)
  return { run, asked: () => asked.asked.splice(0).map(({ shard }) => shard) }
}

test('each shard computes what it has, and orders by it are merged', () => {
  const { run } = open()
  const cities = pipe(select(model.City), orderBy('reportCount', 'desc'))
  expect(run(Session.query(cities)).map(({ name, reportCount }) => [name, reportCount])).toEqual([
    ['Osaka', 3],
    ['Lhasa', 2],
    ['Bern', 1],
    ['Rome', 0],
  ])
  expect(run(Session.query(pipe(cities, offset(1), limit(2)))).map(({ name }) => name)).toEqual(['Lhasa', 'Bern'])
  const some = pipe(select(model.City), where('reportCount', '>', 0), orderBy('name'), selectin('reports'))
  expect(run(Session.query(some)).map(({ name, reports }) => [name, ...reports.map(({ half }) => half)])).toEqual([
    ['Bern', 2],
    ['Lhasa', 10, 1],
    ['Osaka', 5, 6, 7],
  ])
  const rows = pipe(
    select(model.City),
    orderBy('reportCount'),
    selectRows((q) => ({ city: q.entity(), count: q.ref('reportCount') })),
  )
  expect(run(Session.rows(rows)).map(({ city, count }) => [city.name, count])).toEqual([
    ['Rome', 0],
    ['Bern', 1],
    ['Lhasa', 2],
    ['Osaka', 3],
  ])
})

test('a condition by another name is routed as by its own', () => {
  const { asked, run } = open()
  asked()
  const found = run(pipe(select(model.City), where('area', '=', 'Asia'), orderBy('name'), Session.query))
  expect(found.map(({ area, name }) => [area, name])).toEqual([
    ['Asia', 'Lhasa'],
    ['Asia', 'Osaka'],
  ])
  expect(new Set(asked())).toEqual(new Set(['asia']))
  const ordered = pipe(select(model.City), orderBy('area'), orderBy('name', 'desc'))
  expect(run(Session.query(ordered)).map(({ name }) => name)).toEqual(['Osaka', 'Lhasa', 'Rome', 'Bern'])
})
