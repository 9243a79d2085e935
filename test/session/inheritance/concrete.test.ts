import {
  concrete,
  ddlOf,
  defineModel,
  deleteFrom,
  entity,
  generated,
  integer,
  named,
  nullable,
  orderBy,
  primaryKey,
  select,
  selectin,
  set,
  subtype,
  text,
  unique,
  update,
  where,
  withSubtypes,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Owner = entity('Owner', 'owners', { id, name: text })
const Vehicle = entity(
  'Vehicle',
  'vehicles',
  { id, kind: text, label: pipe(text, named('title')), ownerId: pipe(integer, named('owner_id'), nullable) },
  { discriminator: 'kind' },
)
const Car = concrete(Vehicle)('Car', 'cars', { doors: integer }, { identity: 'car' })
const Boat = concrete(Vehicle)(
  'Boat',
  'boats',
  { sail: pipe(text, nullable), plate: pipe(text, unique) },
  { identity: 'boat' },
)

const model = defineModel({ Owner, Vehicle, Car, Boat })((r) => ({
  Owner: {
    vehicles: r.Owner.hasMany('Vehicle', { foreignKey: 'ownerId', viewonly: true, orderBy: 'label' }),
    cars: r.Owner.hasMany('Car', { foreignKey: 'ownerId', inverse: 'owner' }),
  },
  Car: { owner: r.Car.belongsTo('Owner', { foreignKey: 'ownerId', inverse: 'cars' }) },
}))

const filling = pipe(
  Session.add(model.Owner, { name: 'ed', cars: [{ label: 'beetle', doors: 3 }] }),
  Session.chain(() => Session.flush),
  Session.chain(() => Session.add(model.Boat, { label: 'ark', plate: 'n1', ownerId: 1 })),
  Session.chain(() => Session.add(model.Boat, { label: 'calypso', plate: 'n2', sail: 'lateen' })),
  Session.chain(() => Session.commit),
)

describe('concrete subtypes', () => {
  test('have tables of their own, without a column of the discriminator', () => {
    const { compile, dialect } = sqliteEngine(new Database(':memory:'))
    expect(ddlOf(model)(dialect).create.map(({ node }) => compile(node).sql)).toMatchInlineSnapshot(`
      [
        "create table if not exists "owners" ("id" integer not null primary key, "name" text not null)",
        "create table if not exists "cars" ("id" integer not null primary key, "title" text not null, "owner_id" integer, "doors" integer not null, constraint "cars_owner_id_fkey" foreign key ("owner_id") references "owners" ("id"))",
        "create index if not exists "cars_owner_id_idx" on "cars" ("owner_id")",
        "create table if not exists "boats" ("id" integer not null primary key, "title" text not null, "owner_id" integer, "sail" text, "plate" text not null, constraint "boats_plate_key" unique ("plate"))",
      ]
    `)
  })

  test('are read together by a union, and are what their tables say', () => {
    const app = openOn(model)
    app.run(filling)
    const vehicles = pipe(select(model.Vehicle), withSubtypes('*'), orderBy('label'))
    const [all, statements] = app.counted(Session.query(vehicles))
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "vehicles"."id", "vehicles"."kind", "vehicles"."label", "vehicles"."ownerId", "vehicles"."Car.doors" as "Car.doors", "vehicles"."Boat.sail" as "Boat.sail", "vehicles"."Boat.plate" as "Boat.plate" from (select "cars"."id" as "id", ? as "kind", "cars"."title" as "label", "cars"."owner_id" as "ownerId", "cars"."doors" as "Car.doors", (select "boats"."sail" from "boats" where 1 = 0) as "Boat.sail", (select "boats"."plate" from "boats" where 1 = 0) as "Boat.plate" from "cars" union all select "boats"."id" as "id", ? as "kind", "boats"."title" as "label", "boats"."owner_id" as "ownerId", (select "cars"."doors" from "cars" where 1 = 0) as "Car.doors", "boats"."sail" as "Boat.sail", "boats"."plate" as "Boat.plate" from "boats") as "vehicles" order by "vehicles"."label"",
      ]
    `)
    expect(all.map((one) => (one.kind === 'car' ? one.doors : one.sail))).toEqual([null, 3, 'lateen'])
    const sails = pipe(
      vehicles,
      where((eb) => eb('Boat.sail', 'is not', null)),
    )
    expect(app.run(Session.query(sails))).toMatchObject([{ label: 'calypso' }])
    // keys are each table's own
    expect(all.map((one) => [one.kind, one.id])).toEqual([
      ['boat', 1],
      ['car', 1],
      ['boat', 2],
    ])
    expect(found(app, model.Car, 1)).toMatchObject({ doors: 3 })
    expect(found(app, model.Boat, 1)).toMatchObject({ label: 'ark' })
  })

  test('are queried, changed and deleted by themselves', () => {
    const app = openOn(model)
    app.run(filling)
    const [ark] = app.run(pipe(select(model.Boat), where('label', '=', 'ark'), Session.query))
    if (ark === undefined) throw new Error('no ark')
    app.run(Session.set(model.Boat, { sail: 'square', label: 'Ark' })(ark))
    expect(app.counted(Session.flush)[1]).toEqual(['Update boats 1'])
    const renamed = pipe(update(model.Boat), set({ label: 'x' }), where('sail', '=', 'lateen'), Session.execute())
    expect(app.run(renamed)).toBe(1)
    app.run(Session.remove(model.Vehicle)(ark))
    app.run(Session.commit)
    expect(app.rows('boats')).toEqual([{ id: 2, title: 'x', owner_id: null, sail: 'lateen', plate: 'n2' }])
    expect(app.run(pipe(deleteFrom(model.Boat), Session.execute()))).toBe(1)
    const all = pipe(deleteFrom(model.Vehicle), Session.execute())
    expect(app.fails(all)).toMatchObject({
      cause: { _tag: 'SeveralTables', operation: 'delete', tables: ['cars', 'boats'] },
    })
  })

  test('without what a query selected of them are loaded when they are read', () => {
    const app = openOn(model)
    app.run(filling)
    app.run(Session.expungeAll)
    const [ark] = app.run(pipe(select(model.Vehicle), orderBy('label'), Session.query))
    expect(ark).toMatchObject({ kind: 'boat', label: 'ark' })
    const [boat, statements] = app.counted(Session.read(model.Boat)(ark as never))
    expect(boat).toMatchObject({ plate: 'n1', sail: null })
    expect(statements).toHaveLength(1)
  })

  test('are targets of a relationship to the base that is only viewed', () => {
    const app = openOn(model)
    app.run(filling)
    const owners = pipe(select(model.Owner), selectin('vehicles', withSubtypes('*')), selectin('cars'))
    const [ed] = app.run(Session.query(owners))
    expect(ed?.vehicles).toMatchObject([
      { kind: 'boat', plate: 'n1' },
      { kind: 'car', doors: 3 },
    ])
    expect(ed?.cars).toMatchObject([{ doors: 3 }])
    const [car] = ed?.cars ?? []
    if (car === undefined) throw new Error('no car')
    expect(app.run(Session.load(model.Car, 'owner')(car))).toMatchObject({ value: { name: 'ed' } })
  })

  for (const { host, title, isMissing } of servers) {
    test.skipIf(isMissing)(`come back as they went on ${title}`, async () => {
      const { run } = await openOnServer(host, model)
      await run(filling)
      await run(Session.expungeAll)
      const vehicles = pipe(select(model.Vehicle), withSubtypes('*'), where('label', '!=', 'ark'), orderBy('label'))
      expect(await run(Session.query(vehicles))).toMatchObject([
        { kind: 'car', doors: 3, ownerId: 1 },
        { kind: 'boat', sail: 'lateen', plate: 'n2' },
      ])
      const renamed = pipe(update(model.Boat), set({ label: 'x' }), where('sail', '=', 'lateen'))
      expect(await run(Session.execute({ synchronize: 'fetch' })(renamed))).toBe(1)
    })
  }

  test('have an entity of no table above them, or one with rows of its own, and no others beside', () => {
    const Plain = entity('Plain', 'plain', { id, kind: text, name: text }, { discriminator: 'kind', identity: 'p' })
    const Sub = concrete(Plain)('Sub', 'subs', { extra: integer }, { identity: 's' })
    const plain = defineModel({ Plain, Sub })(() => ({}))
    const app = openOn(plain)
    app.run(Session.add(plain.Plain, { name: 'a' }))
    app.run(Session.add(plain.Sub, { name: 'b', extra: 1 }))
    app.run(Session.commit)
    expect(app.rows('plain')).toEqual([{ id: 1, name: 'a' }])
    const all = pipe(select(plain.Plain), withSubtypes('Sub'), orderBy('name'))
    expect(app.run(Session.query(all))).toMatchObject([
      { kind: 'p', name: 'a' },
      { kind: 's', name: 'b', extra: 1 },
    ])
    app.run(Session.set(plain.Plain, { name: 'c' })(found(app, plain.Plain, 1)))
    expect(app.counted(Session.flush)[1]).toEqual(['Update plain 1'])
    const Other = subtype(Plain)('Other', { size: integer }, { identity: 'o' })
    expect(() => defineModel({ Plain, Sub, Other })(() => ({}))).toThrow(
      'Other: Plain has concrete subtypes, and so can neither have others nor be one',
    )
    expect(() =>
      defineModel({ Plain, Sub, Owner })((r) => ({
        Plain: { owner: r.Plain.belongsTo('Owner', { foreignKey: 'id' }) },
      })),
    ).toThrow('Plain.owner: Plain has concrete subtypes; declare it for each of them')
  })
})
