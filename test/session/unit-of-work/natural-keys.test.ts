/**
 * Keys that mean something, and keys of several columns, on every database: found by, changed with what refers to them, and one
 * identity for all entities of a hierarchy.
 */
import {
  defineModel,
  entity,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  references,
  subtype,
  text,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { none, some } from 'fp-ts/lib/Option.js'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { mysqlHost } from '../../core/engine/databases.js'
import { databases, openOnServer } from '../server-app.js'

const carried = { onUpdate: 'cascade' } as const

const Region = entity('Region', 'regions', { code: pipe(text, primaryKey) })
const Town = entity('Town', 'towns', {
  region: pipe(text, primaryKey, named('region_code'), references('regions.code', carried)),
  name: pipe(text, primaryKey),
})
const Street = entity(
  'Street',
  'streets',
  {
    id: pipe(integer, primaryKey, generated),
    region: pipe(text, nullable),
    town: pipe(text, nullable),
    name: text,
  },
  {
    foreignKeys: [{ attributes: ['region', 'town'], references: ['towns.region_code', 'towns.name'], ...carried }],
  },
)
/** The session carries a changed key, not the database. */
const Owner = entity('Owner', 'owners', { name: pipe(text, primaryKey) })
const Car = entity('Car', 'cars', {
  plate: pipe(text, primaryKey),
  ownerName: pipe(text, nullable, references('owners.name', { deferrable: 'initially deferred' })),
})

const Person = entity(
  'Person',
  'people',
  { tenant: pipe(integer, primaryKey), number: pipe(integer, primaryKey), kind: text },
  { discriminator: 'kind', identity: 'person' },
)
const Engineer = subtype(Person)('Engineer', 'engineers', { language: text }, { identity: 'engineer' })

const model = defineModel({ Region, Town, Street, Owner, Car, Person, Engineer })((r) => ({
  Region: { towns: r.Region.hasMany('Town', { foreignKey: 'region', orderBy: 'name' }) },
  Town: { streets: r.Town.hasMany('Street', { foreignKey: ['region', 'town'], inverse: 'place', orderBy: 'id' }) },
  Street: { place: r.Street.belongsTo('Town', { foreignKey: ['region', 'town'], inverse: 'streets' }) },
  Owner: {
    cars: r.Owner.hasMany('Car', {
      foreignKey: 'ownerName',
      inverse: 'owner',
      passiveUpdates: false,
      orderBy: 'plate',
    }),
  },
  Car: { owner: r.Car.belongsTo('Owner', { foreignKey: 'ownerName', inverse: 'cars' }) },
}))

describe.each(databases)('keys on $title', ({ host, isMissing }) => {
  const open = () => openOnServer(host, model)

  test.skipIf(isMissing)('of several columns find their rows, and what refers to them', async () => {
    const app = await open()
    await app.run(
      Session.add(model.Region, {
        code: 'n',
        towns: [{ name: 'a', streets: [{ name: 'x' }, { name: 'y' }] }, { name: 'b' }],
      }),
    )
    await app.run(Session.commit)
    const found = await app.run(Session.get(model.Town, { region: 'n', name: 'a' }))
    expect(found).toMatchObject({ value: { region: 'n', name: 'a' } })
    if (found._tag === 'None') return
    expect(await app.run(Session.get(model.Town, { name: 'a', region: 'n' }))).toEqual(found)
    const streets = await app.run(Session.load(model.Town, 'streets')(found.value))
    expect(streets.map(({ name, region, town }) => [name, region, town])).toEqual([
      ['x', 'n', 'a'],
      ['y', 'n', 'a'],
    ])
    expect(await app.run(Session.get(model.Town, { region: 'n', name: 'z' }))).toEqual(none)
  })

  test.skipIf(isMissing)('that change are carried by the database through keys within keys', async () => {
    const app = await open()
    const region = await app.run(
      Session.add(model.Region, { code: 'n', towns: [{ name: 'a', streets: [{ name: 'x' }] }] }),
    )
    await app.run(Session.commit)
    await app.run(Session.set(model.Region, { code: 'm' })(region))
    await app.run(Session.commit)
    expect(await app.rows('towns')).toEqual([{ region_code: 'm', name: 'a' }])
    expect(await app.rows('streets')).toMatchObject([{ region: 'm', town: 'a', name: 'x' }])
    expect(await app.run(Session.get(model.Town, { region: 'm', name: 'a' }))).toMatchObject({ _tag: 'Some' })
    expect(await app.run(Session.get(model.Region, 'n'))).toEqual(none)
    expect((await app.run(Session.read(model.Region)(region))).code).toBe('m')
  })

  test.skipIf(isMissing)('that change are carried by the session where the database does not', async () => {
    const app = await open()
    const ann = await app.run(Session.add(model.Owner, { name: 'ann', cars: [{ plate: '1' }, { plate: '2' }] }))
    await app.run(Session.commit)
    // where constraints cannot wait for the end of the transaction, they are not asked at all
    const checking = (on: number) => Session.sql(sql`set session foreign_key_checks = ${sql.lit(on)}`)
    if (host === mysqlHost) await app.run(checking(0))
    await app.run(Session.set(model.Owner, { name: 'anna' })(ann))
    await app.run(Session.flush)
    if (host === mysqlHost) await app.run(checking(1))
    await app.run(Session.commit)
    expect(await app.rows('owners')).toEqual([{ name: 'anna' }])
    expect(await app.rows('cars')).toEqual([
      { plate: '1', ownerName: 'anna' },
      { plate: '2', ownerName: 'anna' },
    ])
    expect(await app.run(Session.get(model.Owner, 'anna'))).toMatchObject({ _tag: 'Some' })
  })

  test.skipIf(isMissing)('that another row has are refused', async () => {
    const app = await open()
    const region = await app.run(Session.add(model.Region, { code: 'n' }))
    await app.run(Session.add(model.Region, { code: 's' }))
    await app.run(Session.commit)
    await app.run(Session.set(model.Region, { code: 's' })(region))
    const error = await app.fails(Session.flush)
    expect(['IntegrityError', 'UniqueClash']).toContain((error as { readonly _tag: string })._tag)
  })

  test.skipIf(isMissing)('are one identity for all entities of a hierarchy', async () => {
    const app = await open()
    await app.run(Session.add(model.Engineer, { tenant: 1, number: 7, language: 'de' }))
    await app.run(Session.commit)
    const person = await app.run(Session.get(model.Person, { tenant: 1, number: 7 }))
    const engineer = await app.run(Session.get(model.Engineer, { tenant: 1, number: 7 }))
    if (person._tag === 'None' || engineer._tag === 'None') throw new Error('not found')
    expect(await app.run(Session.read(model.Person)(person.value))).toBe(
      await app.run(Session.read(model.Engineer)(engineer.value)),
    )
    expect(await app.run(Session.get(model.Person, { tenant: 1, number: 8 }))).toEqual(none)
    expect(await app.run(Session.get(model.Person, { tenant: 1, number: 7 }))).toEqual(some(engineer.value))
  })
})
