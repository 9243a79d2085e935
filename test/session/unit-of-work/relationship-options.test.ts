/**
 * What the options of relationships say of writes, on every database.
 */
import {
  defineModel,
  entity,
  generated,
  integer,
  nullable,
  orderBy,
  primaryKey,
  references,
  select,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { hosts, openOnServer } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)

const Album = entity('Album', 'albums', { id, title: text, coverId: pipe(integer, nullable) })
const Photo = entity('Photo', 'photos', {
  id,
  name: text,
  albumId: pipe(integer, nullable, references('albums.id', { onDelete: 'cascade' })),
})
const Note = entity('Note', 'notes', {
  id,
  albumId: pipe(integer, nullable, references('albums.id', { onDelete: 'set null' })),
})
const Frame = entity('Frame', 'frames', { id, photoId: pipe(integer, nullable) })
const Place = entity('Place', 'places', { region: pipe(text, primaryKey), number: pipe(integer, primaryKey) })

const model = defineModel({ Album, Photo, Note, Frame, Place })((r) => ({
  Album: {
    photos: r.Album.hasMany('Photo', {
      foreignKey: 'albumId',
      inverse: 'album',
      cascade: ['save-update', 'merge', 'delete'],
      passiveDeletes: true,
      orderBy: ['name', 'desc'],
    }),
    cover: r.Album.belongsTo('Photo', { foreignKey: 'coverId', postUpdate: true }),
    notes: r.Album.hasMany('Note', { foreignKey: 'albumId', passiveDeletes: 'all', cascade: ['save-update'] }),
    viewed: r.Album.hasMany('Photo', { foreignKey: 'albumId', viewonly: true }),
  },
  Photo: { album: r.Photo.belongsTo('Album', { foreignKey: 'albumId', inverse: 'photos' }) },
  Frame: {
    photo: r.Frame.belongsTo('Photo', {
      foreignKey: 'photoId',
      singleParent: true,
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
    }),
  },
  Place: {
    next: r.Place.manyToMany('Place', {
      through: { table: 'ways', own: ['from_region', 'from_number'], target: ['to_region', 'to_number'] },
      orderBy: ['region', 'number'],
    }),
  },
}))

const albums = pipe(select(model.Album), orderBy('id'))

describe.each(hosts)('options of relationships, on $title', ({ host, isMissing }) => {
  test.skipIf(isMissing)(
    'passive deletes leave rows to the database, all of them or those that are not loaded',
    async () => {
      const app = await openOnServer(host, model)
      const deleted = await app.run(
        Session.gen(function* () {
          for (const title of ['a', 'b']) {
            yield* Session.add(model.Album, { title, photos: [{ name: 'x' }, { name: 'y' }], notes: [{}] })
          }
          yield* Session.commit
          yield* Session.expungeAll
          const [a, b] = yield* Session.query(albums)
          if (a === undefined || b === undefined) return []
          // of the second all are loaded
          yield* Session.load(model.Album, 'photos')(b)
          yield* Session.load(model.Album, 'notes')(b)
          yield* Session.remove(model.Album)(a)
          const first = yield* Session.flush
          yield* Session.remove(model.Album)(b)
          const second = yield* Session.commit
          return [first.deleted, second.deleted]
        }),
      )
      expect(deleted).toEqual([1, 3])
      expect(await app.rows('photos')).toEqual([])
      expect((await app.rows('notes')).map(({ albumId }) => albumId)).toEqual([null, null])
    },
  )

  test.skipIf(isMissing)(
    'post updates let rows refer to each other, orders hold, and views are not written',
    async () => {
      const app = await openOnServer(host, model)
      const found = await app.run(
        Session.gen(function* () {
          const photo = yield* Session.make(model.Photo, { name: 'x' })
          const album = yield* Session.add(model.Album, { title: 'a', cover: photo, photos: [photo, { name: 'y' }] })
          yield* Session.flush
          const other = yield* Session.add(model.Photo, { name: 'z' })
          yield* Session.load(model.Album, 'viewed')(album)
          yield* Session.append(model.Album, 'viewed', other)(album)
          yield* Session.commit
          const photos = yield* Session.load(model.Album, 'photos')(album)
          return photos.map(({ name }) => name)
        }),
      )
      expect(found).toEqual(['y', 'x'])
      await app.run(Session.rollback)
      const photos = await app.rows('photos')
      expect(photos.find(({ name }) => name === 'z')).toMatchObject({ albumId: null })
      const cover = photos.find(({ name }) => name === 'x')
      expect((await app.rows('albums')).map(({ coverId }) => coverId)).toEqual([cover?.id])
    },
  )

  test.skipIf(isMissing)('a single parent is the only one, and its orphan goes', async () => {
    const app = await openOnServer(host, model)
    await app.run(
      Session.gen(function* () {
        const photo = yield* Session.add(model.Photo, { name: 'x' })
        const frame = yield* Session.add(model.Frame, { photo })
        yield* Session.commit
        yield* Session.set(model.Frame, { photo: null })(frame)
        yield* Session.commit
      }),
    )
    expect(await app.rows('photos')).toEqual([])
    const failure = await app.fails(
      Session.gen(function* () {
        const photo = yield* Session.add(model.Photo, { name: 'x' })
        yield* Session.add(model.Frame, { photo })
        yield* Session.add(model.Frame, { photo })
      }),
    )
    expect(failure).toMatchObject({ _tag: 'SingleParent', entity: 'Frame' })
  })

  test.skipIf(isMissing)('links lead from an entity to itself, over keys of several columns', async () => {
    const app = await openOnServer(host, model)
    const found = await app.run(
      Session.gen(function* () {
        const a = yield* Session.add(model.Place, { region: 'n', number: 1 })
        const b = yield* Session.add(model.Place, { region: 'n', number: 2, next: [a] })
        yield* Session.append(model.Place, 'next', b, a)(a)
        yield* Session.commit
        yield* Session.detach(model.Place, 'next', a)(a)
        yield* Session.commit
        yield* Session.expungeAll
        const places = yield* pipe(select(model.Place), orderBy('number'), where('region', '=', 'n'), Session.query)
        const next: unknown[] = []
        for (const place of places) {
          next.push((yield* Session.load(model.Place, 'next')(place)).map(({ number }) => number))
        }
        return next
      }),
    )
    expect(found).toEqual([[2], [1]])
  })
})
