import { createAllSync, defineModel, entity, integer, nullable, primaryKey } from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, test } from 'vitest'

const Owner = entity('Owner', 'owners', { id: pipe(integer, primaryKey) })
const Pet = entity('Pet', 'pets', { id: pipe(integer, primaryKey), ownerId: pipe(integer, nullable) })
const model = defineModel({ Owner, Pet })((r) => ({
  Pet: { owner: r.Pet.belongsTo('Owner', { foreignKey: 'ownerId', cascade: ['save-update', 'delete'] }) },
}))

const removePet = (ownerId: number | null, isOwnerLoaded: boolean) => {
  const database = new Database(':memory:')
  const engine = sqliteEngine(database, { foreignKeys: false })
  createAllSync(model)(engine)
  database.exec('insert into owners values (1); insert into owners values (2)')
  database.prepare('insert into pets values (7, ?)').run(ownerId)
  const program = Session.gen(function* () {
    if (isOwnerLoaded) yield* Session.get(model.Owner, 1)
    const pet = yield* Session.get(model.Pet, 7)
    if (pet._tag === 'Some') yield* pipe(pet.value, Session.remove(model.Pet))
    yield* Session.commit
  })
  expect(Session.runSync(Session.runtime(model, engine))(program)._tag).toBe('Right')
  return {
    owners: database.prepare('select id from owners order by id').pluck().all(),
    pets: database.prepare('select id from pets').pluck().all(),
  }
}

test.each([
  ['loads what goes along by a reference', 1, false, [2]],
  ['takes along what is loaded and only the foreign key tells', 1, true, [2]],
  ['removes alone what refers to nothing', null, false, [1, 2]],
  ['ends where the foreign key refers to a row that is not there', 99, false, [1, 2]],
])('%s', (_, ownerId, isOwnerLoaded, owners) => {
  expect(removePet(ownerId, isOwnerLoaded)).toEqual({ owners, pets: [] })
})
