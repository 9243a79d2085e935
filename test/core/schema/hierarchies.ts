/** Hierarchies of each kind, whose subtypes say of their tables what any entity may. */
import {
  concrete,
  defineModel,
  entity,
  enumOf,
  generated,
  integer,
  named,
  nullable,
  primaryKey,
  real,
  references,
  subtype,
  text,
  unique,
} from '@unitary/core'
import { pipe } from 'fp-ts/lib/function.js'

const id = pipe(integer, primaryKey, generated)

/** A table for each, one below the other, with a key of two columns. */
export const joined = (() => {
  const Document = entity(
    'Document',
    'documents',
    {
      shelf: pipe(text, primaryKey),
      place: pipe(integer, primaryKey),
      kind: enumOf('document', 'book', 'atlas', 'letter'),
      title: text,
    },
    {
      discriminator: 'kind',
      identity: 'document',
      indexes: [['title']],
      checks: [(eb) => eb.or([eb('kind', '<>', 'letter'), eb('place', '<', 1000)])],
    },
  )
  const Book = subtype(Document)(
    'Book',
    'books',
    { isbn: pipe(text, unique), pages: integer, weight: pipe(real, named('grams')) },
    {
      identity: 'book',
      key: ['on_shelf', 'at_place'],
      unique: [['shelf', 'pages']],
      indexes: [['pages', 'place'], { attributes: ['isbn'], where: (eb) => eb('books.pages', '>', 100), name: 'long' }],
      checks: [(eb) => eb('pages', '>', 0), { name: 'heavy', check: (eb) => eb('books.weight', '>=', 10) }],
    },
  )
  const Atlas = subtype(Book)(
    'Atlas',
    'atlases',
    { scale: integer, shownShelf: pipe(text, nullable), shownPlace: pipe(integer, nullable) },
    {
      identity: 'atlas',
      foreignKeys: [
        {
          attributes: ['shownShelf', 'shownPlace'],
          references: ['books.on_shelf', 'books.at_place'],
          onDelete: 'set null',
        },
      ],
    },
  )
  const Letter = subtype(Document)('Letter', 'letters', { sender: text }, { identity: 'letter' })
  return defineModel({ Atlas, Letter, Document, Book })(() => ({}))
})()

/** One table, in which subtypes share a column, and call different columns by one name. */
export const single = (() => {
  const Team = entity('Team', 'teams', { id, name: pipe(text, unique) })
  const Worker = entity(
    'Worker',
    'workers',
    { id, kind: text, name: text, teamId: pipe(integer, named('team_id'), nullable) },
    { discriminator: 'kind', unique: [['kind', 'name']] },
  )
  const Driver = subtype(Worker)(
    'Driver',
    {
      level: pipe(enumOf('b', 'c'), named('licence')),
      state: enumOf('driving', 'resting'),
      vanId: pipe(integer, named('van_id'), unique),
    },
    {
      identity: 'driver',
      indexes: [['teamId', 'level'], { attributes: ['name'], where: (eb) => eb('Driver.state', '=', 'driving') }],
      checks: [(eb) => eb.or([eb('level', '=', 'c'), eb('vanId', '<', 100)])],
    },
  )
  const Packer = subtype(Worker)(
    'Packer',
    {
      level: integer,
      activity: pipe(enumOf('packing', 'resting'), named('state')),
      deputyId: pipe(integer, named('deputy_id')),
    },
    {
      identity: 'packer',
      unique: [['kind', 'level', 'teamId']],
      checks: [(eb) => eb('level', '>', 0), (eb) => eb.or([eb('activity', '<>', 'packing'), eb('level', '<', 9)])],
      foreignKeys: [{ attributes: ['deputyId'], references: ['workers.id'], onDelete: 'set null' }],
    },
  )
  const Chief = subtype(Packer)('Chief', { bonus: real }, { identity: 'chief', checks: [(eb) => eb('bonus', '>=', 0)] })
  return defineModel({ Team, Worker, Driver, Packer, Chief })((r) => ({
    Worker: { team: r.Worker.belongsTo('Team', { foreignKey: 'teamId' }) },
  }))
})()

/** A table for each kind, none for their base. */
export const separate = (() => {
  const Owner = entity('Owner', 'owners', { id, name: text })
  const Vehicle = entity('Vehicle', 'vehicles', { id, kind: text, plate: text }, { discriminator: 'kind' })
  const Car = concrete(Vehicle)(
    'Car',
    'cars',
    { doors: integer, ownerId: pipe(integer, references('owners.id', { onDelete: 'cascade' })) },
    {
      identity: 'car',
      unique: [['plate']],
      indexes: [{ attributes: [['doors', 'desc']], where: (eb) => eb('plate', '<>', '') }],
      checks: [(eb) => eb('cars.doors', '>', 1)],
    },
  )
  const Boat = concrete(Vehicle)('Boat', 'boats', { sails: integer }, { identity: 'boat', indexes: [['plate']] })
  return defineModel({ Owner, Vehicle, Car, Boat })(() => ({}))
})()
