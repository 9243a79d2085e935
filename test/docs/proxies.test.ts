import {
  any,
  asSet,
  createAllSync,
  defineModel,
  entity,
  generated,
  has,
  integer,
  join,
  keyedBy,
  nullable,
  orderBy,
  positioned,
  primaryKey,
  select,
  selectin,
  selectRows,
  text,
  through,
  valueThrough,
  viewThrough,
  where,
} from '@unitary/core'
import { sqliteEngine } from '@unitary/core/engine/sqlite'
import * as Session from '@unitary/session'
import Database from 'better-sqlite3'
import { pipe } from 'fp-ts/lib/function.js'
import { resultOf } from '../session/app.js'
import { examplesOf } from './page.js'

// #region model
const id = pipe(integer, primaryKey, generated)
const userId = pipe(integer, nullable)

const User = entity('User', 'users', { id, name: text })
const Profile = entity('Profile', 'profiles', { id, bio: text, userId })
const Setting = entity('Setting', 'settings', { id, name: text, value: text, source: text, userId })
const Drawer = entity('Drawer', 'drawers', { id, label: text, userId })
const Mark = entity('Mark', 'marks', { id, value: integer, drawerId: integer })
const Playlist = entity('Playlist', 'playlists', { id, title: text, userId })
const Entry = entity('Entry', 'entries', {
  playlistId: pipe(integer, primaryKey),
  songId: pipe(integer, primaryKey),
  place: integer,
})
const Song = entity('Song', 'songs', { id, title: text, year: integer })

const owned = ['save-update', 'merge', 'delete', 'delete-orphan'] as const

const model = defineModel({ User, Profile, Setting, Drawer, Mark, Playlist, Entry, Song })((r) => ({
  User: {
    profile: r.User.hasOne('Profile', { foreignKey: 'userId', cascade: owned }),
    settings: r.User.hasMany('Setting', { foreignKey: 'userId', cascade: owned, collection: keyedBy('name') }),
    drawers: r.User.hasMany('Drawer', { foreignKey: 'userId', cascade: owned, collection: keyedBy('label') }),
  },
  Drawer: { marks: r.Drawer.hasMany('Mark', { foreignKey: 'drawerId', cascade: owned, collection: asSet }) },
  Playlist: {
    owner: r.Playlist.belongsTo('User', { foreignKey: 'userId' }),
    entries: r.Playlist.hasMany('Entry', {
      foreignKey: 'playlistId',
      cascade: owned,
      collection: positioned('place'),
    }),
  },
  Entry: { song: r.Entry.belongsTo('Song', { foreignKey: 'songId' }) },
}))
// #endregion

const example = examplesOf('proxies')

const program = (body: () => Generator<Session.Program<unknown, unknown>, void, never>): void =>
  example('all', () => {
    const engine = sqliteEngine(new Database(':memory:'))
    resultOf(createAllSync(model)(engine))
    resultOf(Session.runSync(Session.runtime(model, engine))(Session.gen(body) as Session.Program<unknown, void>))
  })

program(function* () {
  // #region all
  const settings = through(model.User, 'settings', 'value', {
    make: (value, name) => ({ name, value, source: 'user' }),
  })

  const ed = yield* Session.add(model.User, { name: 'ed' })
  yield* pipe(ed, Session.replaceThrough(settings, new Map([['colour', 'red']])))
  yield* Session.commit
  yield* pipe(ed, Session.setKeyThrough(settings, 'colour', 'blue'))
  yield* pipe(ed, Session.setKeyThrough(settings, 'font', 'serif'))
  console.log(yield* pipe(ed, Session.loadThrough(settings)))
  console.log(Session.explain(yield* Session.flushPlan))
  // #endregion

  // #region all
  const marks = through(model.Drawer, 'marks', 'value', { make: (value) => ({ value }) })
  const drawers = through(model.User, 'drawers', marks, {
    make: (values, label) => ({ label, marks: [...values].map((value) => ({ value })) }),
  })

  yield* pipe(ed, Session.setKeyThrough(drawers, 'top', [1, 2, 3]))
  yield* pipe(
    ed,
    Session.modifyThrough(drawers, (all) => new Map([...all, ['low', new Set([...(all.get('low') ?? []), 7])]])),
  )
  yield* Session.commit
  const [user] = yield* pipe(select(model.User), selectin('drawers', selectin('marks')), Session.query)
  console.log(viewThrough(drawers)(user!)) // => Map(2) { 'top' => Set(3) { 1, 2, 3 }, 'low' => Set(1) { 7 } }
  // #endregion

  // #region all
  const bio = through(model.User, 'profile', 'bio', { make: (words) => ({ bio: words }) })

  yield* pipe(ed, Session.setThrough(bio, ' a painter '))
  yield* pipe(
    ed,
    Session.modifyThrough(bio, (words) => words.trim()),
  )
  yield* Session.commit
  console.log(yield* pipe(ed, Session.loadThrough(bio))) // => { _tag: 'Some', value: 'a painter' }
  // #endregion

  // #region all
  const songs = through(model.Playlist, 'entries', 'song', { make: (song) => ({ song }) })

  const list = yield* Session.add(model.Playlist, { title: 'old', owner: ed })
  yield* pipe(
    list,
    Session.appendThrough(songs, { title: 'So What', year: 1959 }, { title: 'Blue in Green', year: 1959 }),
  )
  yield* Session.commit
  yield* pipe(
    list,
    Session.modifyThrough(songs, (all) => [...all.toReversed(), { title: 'Naima', year: 1960 }]),
  )
  yield* Session.commit
  const played = yield* pipe(list, Session.loadThrough(songs))
  console.log(played.map(({ title }) => title)) // => [ 'Blue in Green', 'So What', 'Naima' ]
  // #endregion

  // #region all
  const ownerBio = through(model.Playlist, 'owner', bio)

  const naimas = pipe(
    select(model.Playlist),
    join('owner', 'o'),
    where(any(songs, where('title', '=', 'Naima'))),
    where(any('o', drawers, where('value', '>', 5))),
    where(has(ownerBio)),
  )
  console.log((yield* Session.query(naimas)).length) // => 1

  const painted = pipe(
    select(model.Playlist),
    where((eb) => eb(valueThrough(eb, ownerBio), 'like', '%painter')),
    orderBy((eb) => valueThrough(eb, ownerBio)),
    selectRows((q) => ({ title: q.ref('title'), bio: valueThrough(q, ownerBio) })),
  )
  console.log(yield* Session.rows(painted)) // => [ { title: 'old', bio: 'a painter' } ]
  // #endregion
})
