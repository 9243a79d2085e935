import { defineModel, entity, generated, integer, nullable, positioned, primaryKey, text } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { explained, found, openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'
import { model } from './album.js'

const opened = (names: ReadonlyArray<string>) => {
  const app = openOn(model)
  app.run(Session.add(model.Album, { title: 'one', tracks: names.map((name) => ({ name })) }))
  app.run(Session.commit)
  app.clear()
  const album = found(app, model.Album, 1)
  const track = (name: string) => found(app, model.Track, names.indexOf(name) + 1)
  const stored = (): ReadonlyArray<unknown> =>
    app.database.prepare('select position, name from tracks where albumId = 1 order by position').raw().all()
  const updates = (): ReadonlyArray<string> => {
    app.clear()
    app.run(Session.flush)
    return app.asked().filter((call) => call.startsWith('update'))
  }
  return { app, album, track, stored, updates }
}

describe('places in a collection', () => {
  it('are given by the flush, from the first on', () => {
    const { stored } = opened(['a', 'b', 'c'])
    expect(stored()).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ])
  })

  it('are what the collection is loaded by', () => {
    const { app, album } = opened(['a', 'b'])
    app.database.exec('update tracks set position = 9 where id = 1')
    expect(app.run(Session.load(model.Album, 'tracks')(album)).map(({ name }) => name)).toEqual(['b', 'a'])
  })

  it('change where something is inserted, for those behind it only', () => {
    const { app, album, stored } = opened(['a', 'b', 'c'])
    app.run(pipe(album, Session.insertAt(model.Album, 'tracks', 2, { name: 'x' })))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update tracks (1 row)
           #3: position = 3 where id = 3
      2. insert into tracks (1 row), after 1
           #4: name = 'x', position = 2, albumId = 1; the database gives id"
    `)
    app.run(Session.commit)
    expect(stored()).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'x'],
      [3, 'c'],
    ])
  })

  it('change where a member moves, for those between only', () => {
    const { app, album, track, stored } = opened(['a', 'b', 'c', 'd'])
    app.run(pipe(album, Session.move(model.Album, 'tracks', track('c'), 1)))
    expect(explained(app)).toMatchInlineSnapshot(`
      "1. update tracks (2 rows)
           #2: position = 2 where id = 2
           #3: position = 1 where id = 3"
    `)
    app.run(Session.commit)
    expect(stored().map((row) => (row as ReadonlyArray<unknown>)[1])).toEqual(['a', 'c', 'b', 'd'])
  })

  it('are written once, whatever happened before the flush, and not where all is as it was', () => {
    const { app, album, track, updates } = opened(['a', 'b', 'c'])
    app.run(pipe(album, Session.move(model.Album, 'tracks', track('c'), 0)))
    expect(Session.inspect(app.store.getState(), album)?.changed).toEqual(['tracks'])
    app.run(pipe(album, Session.move(model.Album, 'tracks', track('c'), 2)))
    expect(updates()).toEqual([])
    expect(Session.inspect(app.store.getState(), album)?.changed).toEqual([])
  })

  it('close up behind what leaves, and what moves to another list gets its place there', () => {
    const { app, album, track, stored } = opened(['a', 'b', 'c'])
    app.run(Session.load(model.Album, 'tracks')(album))
    const other = app.run(Session.add(model.Album, { title: 'two', tracks: [{ name: 'z' }] }))
    app.run(pipe(track('a'), Session.set(model.Track, { album: other })))
    app.run(Session.commit)
    expect(stored()).toEqual([
      [0, 'b'],
      [1, 'c'],
    ])
    expect(app.rows('tracks')).toMatchObject([
      { name: 'a', position: 1, albumId: 2 },
      { name: 'b' },
      { name: 'c' },
      { name: 'z', position: 0, albumId: 2 },
    ])
  })

  it('are found for what is appended to a list that is not loaded: the flush loads it', () => {
    const { app, album, stored } = opened(['a', 'b'])
    app.run(pipe(album, Session.append(model.Album, 'tracks', { name: 'c' })))
    app.run(Session.commit)
    expect(stored()).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ])
  })

  it('are not given to what goes, nor to what is not in the unit of work', () => {
    const { app, album, track, stored } = opened(['a', 'b', 'c'])
    app.run(Session.load(model.Album, 'tracks')(album))
    app.run(pipe(track('a'), Session.remove(model.Track)))
    app.run(pipe(album, Session.append(model.Album, 'tracks', { name: 'd' })))
    app.run(Session.commit)
    expect(stored()).toEqual([
      [0, 'b'],
      [1, 'c'],
      [2, 'd'],
    ])
  })

  it('are those of the program again after a rollback', () => {
    const { app, album, track, stored } = opened(['a', 'b'])
    app.run(pipe(album, Session.move(model.Album, 'tracks', track('b'), 0)))
    app.run(Session.flush)
    expect(found(app, model.Track, 2).position).toBe(0)
    app.run(Session.rollback)
    expect(stored().map((row) => (row as ReadonlyArray<unknown>)[1])).toEqual(['a', 'b'])
    expect(app.run(Session.load(model.Album, 'tracks')(album)).map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it('are named within the list', () => {
    const { app, album, track } = opened(['a', 'b'])
    const problem = 'it has places from 0 to'
    expect(app.fails(pipe(album, Session.insertAt(model.Album, 'tracks', 3, { name: 'c' })))).toMatchObject({
      problem: `${problem} 2`,
    })
    expect(app.fails(pipe(album, Session.move(model.Album, 'tracks', track('a'), 2)))).toMatchObject({
      problem: `${problem} 1`,
    })
    expect(app.fails(pipe(album, Session.insertAt(model.Album, 'tracks', 0.5, { name: 'c' })))).toMatchObject({
      value: 0.5,
    })
    expect(app.fails(pipe(album, Session.insertAt(model.Album, 'tracks', 0, track('b'))))).toMatchObject({
      problem: 'it is in the collection already; move it',
    })
    const stranger = app.run(Session.add(model.Track, { name: 'x', position: 0 }))
    expect(app.fails(pipe(album, Session.move(model.Album, 'tracks', stranger, 0)))).toMatchObject({
      problem: 'it is not in the collection',
    })
  })
})

/** Places that no two members share, as the table sees to. */
const Board = entity('Board', 'boards', { id: pipe(integer, primaryKey, generated), name: text })
const Card = entity(
  'Card',
  'cards',
  { id: pipe(integer, primaryKey, generated), name: text, place: integer, boardId: pipe(integer, nullable) },
  { unique: [['boardId', 'place']] },
)
const boards = defineModel({ Board, Card })((r) => ({
  Board: {
    cards: r.Board.hasMany('Card', { foreignKey: 'boardId', collection: positioned('place', { first: 1 }) }),
  },
}))

const draft = { name: 'one', cards: ['a', 'b', 'c', 'd'].map((name) => ({ name })) }

describe('places that are unique', () => {
  it('are exchanged', () => {
    const app = openOn(boards)
    const board = app.run(Session.add(boards.Board, draft))
    app.run(Session.commit)
    app.run(pipe(board, Session.move(boards.Board, 'cards', found(app, boards.Card, 4), 0)))
    app.run(Session.commit)
    expect(app.rows('cards')).toMatchObject([{ place: 2 }, { place: 3 }, { place: 4 }, { place: 1 }])
  })
})

describe.each(servers)('places on $title', ({ host, isMissing }) => {
  it.skipIf(isMissing)('are given, exchanged and taken by others', async () => {
    const app = await openOnServer(host, boards)
    const board = await app.run(Session.add(boards.Board, draft))
    await app.run(Session.commit)
    const [, , , last] = await app.run(Session.load(boards.Board, 'cards')(board))
    await app.run(pipe(board, Session.move(boards.Board, 'cards', last as never, 0)))
    await app.run(pipe(board, Session.insertAt(boards.Board, 'cards', 1, { name: 'x' })))
    await app.run(Session.commit)
    const shown = await app.run(Session.load(boards.Board, 'cards')(board))
    expect(shown.map(({ name, place }) => [name, place])).toEqual([
      ['d', 1],
      ['x', 2],
      ['a', 3],
      ['b', 4],
      ['c', 5],
    ])
  })
})
