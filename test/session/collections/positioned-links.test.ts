import {
  defineModel,
  entity,
  generated,
  integer,
  orderBy,
  positioned,
  primaryKey,
  select,
  text,
  through,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import fc from 'fast-check'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { explained, found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'

const id = pipe(integer, primaryKey, generated)
const Playlist = entity('Playlist', 'playlists', { id, name: text })
/** A link with a place: its key is the two that it links. */
const Entry = entity('Entry', 'entries', {
  playlistId: pipe(integer, primaryKey),
  songId: pipe(integer, primaryKey),
  place: integer,
})
const Song = entity('Song', 'songs', { id, title: text })

const model = defineModel({ Playlist, Entry, Song })((r) => ({
  Playlist: {
    entries: r.Playlist.hasMany('Entry', {
      foreignKey: 'playlistId',
      cascade: ['save-update', 'merge', 'delete', 'delete-orphan'],
      collection: positioned('place'),
    }),
  },
  Entry: { song: r.Entry.belongsTo('Song', { foreignKey: 'songId' }) },
}))

const songs = through(model.Playlist, 'entries', 'song', { make: (song) => ({ song }) })

const titles = (shown: ReadonlyArray<{ readonly title: string }>) => shown.map(({ title }) => title).join('')

const program = Session.gen(function* () {
  const [a, b, c] = yield* Session.addAll(model.Song, [{ title: 'a' }, { title: 'b' }, { title: 'c' }])
  const first = yield* Session.add(model.Playlist, { name: 'first' })
  const second = yield* Session.add(model.Playlist, { name: 'second' })
  yield* pipe(first, Session.appendThrough(songs, a!, b!, c!))
  yield* pipe(second, Session.appendThrough(songs, c!, a!))
  yield* Session.commit
  yield* pipe(
    first,
    Session.modifyThrough(songs, (all) => all.toReversed()),
  )
  yield* pipe(
    second,
    Session.modifyThrough(songs, (all) => [all[0]!, b!, ...all.slice(1)]),
  )
  yield* Session.commit
  yield* Session.expungeAll
  const lists = yield* pipe(select(model.Playlist), orderBy('name'), Session.query)
  return {
    first: titles(yield* pipe(lists[0]!, Session.loadThrough(songs))),
    second: titles(yield* pipe(lists[1]!, Session.loadThrough(songs))),
  }
})

const shown = { first: 'cba', second: 'cba' }
const stored = [
  { playlistId: 1, songId: 1, place: 2 },
  { playlistId: 1, songId: 2, place: 1 },
  { playlistId: 1, songId: 3, place: 0 },
  { playlistId: 2, songId: 1, place: 2 },
  { playlistId: 2, songId: 2, place: 1 },
  { playlistId: 2, songId: 3, place: 0 },
]

describe('links that hold places', () => {
  it('keep the order of what they lead to, another for each owner', () => {
    const app = openOn(model)
    expect(app.run(program)).toEqual(shown)
    expect(app.rows('entries')).toEqual(stored)
  })

  for (const { host, title, isMissing } of servers) {
    it.skipIf(isMissing)(`do so on ${title}`, async () => {
      const app = await openOnServer(host, model)
      expect(await app.run(program)).toEqual(shown)
      const entries = await app.run(
        pipe(select(model.Entry), orderBy('playlistId'), orderBy('songId'), where('place', '>=', 0), Session.query),
      )
      expect(entries).toEqual(stored)
    })
  }

  it('are renumbered, and made for what is new only', () => {
    const app = openOn(model)
    app.run(program)
    const [b, c] = [found(app, model.Song, 2), found(app, model.Song, 3)]
    app.run(pipe(found(app, model.Playlist, 1), Session.replaceThrough(songs, [b, { title: 'd' }, c])))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. insert into songs (1 row)
           #23: title = 'd'; the database gives id
      2. update entries (2 rows), after 1
           #13: place = 2 where playlistId = 1, songId = 3
           #14: place = 0 where playlistId = 1, songId = 2
      3. insert into entries (1 row), after 1, 2
           #22: playlistId = 1, songId = id of #23, place = 1
      4. delete from entries (1 row), after 1, 2, 3
           #15: where playlistId = 1, songId = 1"
    `)
  })

  it('give what was put, with its order, from the database', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([1, 2, 3, 4, 5]),
        fc.shuffledSubarray([1, 2, 3, 4, 5]),
        fc.boolean(),
        (first, second, isFlushed) => {
          const app = openOn(model)
          app.run(
            Session.addAll(
              model.Song,
              [...'abcde'].map((title) => ({ title })),
            ),
          )
          app.run(Session.add(model.Playlist, { name: 'one' }))
          app.run(Session.commit)
          const list = () => found(app, model.Playlist, 1)
          for (const keys of [first, second]) {
            app.run(
              pipe(
                list(),
                Session.replaceThrough(
                  songs,
                  keys.map((key) => found(app, model.Song, key)),
                ),
              ),
            )
            if (isFlushed) app.run(Session.commit)
          }
          app.run(Session.commit)
          app.run(Session.expungeAll)
          const ids = app.run(pipe(list(), Session.loadThrough(songs))).map((song) => song.id)
          expect(ids).toEqual(second)
        },
      ),
      { numRuns: 30 },
    )
  })
})
