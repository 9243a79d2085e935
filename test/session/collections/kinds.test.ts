import { joined, lazy, loadOnly, select, selectin, through, viewThrough } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { type App, found, openOn } from '../app.js'
import { bestOf, model } from './album.js'

/** An album that is stored, and known by its key only. */
const stored = (app: App, draft: Parameters<typeof Session.add<typeof model, 'Album'>>[1]) => {
  app.run(Session.chain(() => Session.commit)(Session.add(model.Album, draft)))
  app.clear()
  return found(app, model.Album, 1)
}

const names = <A>(of: (one: A) => unknown, members: Iterable<A>): ReadonlyArray<unknown> => [...members].map(of)

describe('a set', () => {
  it('holds a member once, however often it is appended', () => {
    const app = openOn(model)
    const tag = app.run(Session.add(model.Tag, { label: 'live' }))
    const album = app.run(Session.add(model.Album, { title: 'one', tags: new Set([tag]) }))
    app.run(pipe(album, Session.append(model.Album, 'tags', tag, tag)))
    expect(app.run(Session.related(model.Album, 'tags')(album))).toEqual(new Set([tag]))
    app.run(Session.commit)
    expect(app.rows('album_tags')).toEqual([{ album_id: 1, tag_id: 1 }])
    const loaded = app.run(Session.load(model.Album, 'tags')(album))
    expect(loaded).toBeInstanceOf(Set)
    app.run(pipe(album, Session.append(model.Album, 'tags', found(app, model.Tag, 1))))
    app.clear()
    app.run(Session.flush)
    expect(app.asked()).toEqual([])
  })

  it('is replaced by a set or an array, and what stands twice in it is there once', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', tags: [{ label: 'live' }, { label: 'old' }] })
    const fresh = app.run(Session.add(model.Tag, { label: 'new' }))
    app.run(pipe(album, Session.replace(model.Album, 'tags', [fresh, found(app, model.Tag, 2), fresh])))
    app.run(Session.commit)
    expect(app.rows('album_tags')).toEqual([
      { album_id: 1, tag_id: 2 },
      { album_id: 1, tag_id: 3 },
    ])
    app.run(pipe(album, Session.replace(model.Album, 'tags', new Set([fresh]))))
    app.run(Session.commit)
    expect(app.rows('album_tags')).toEqual([{ album_id: 1, tag_id: 3 }])
  })
})

describe('a collection that is kept by key', () => {
  it('is a map of a draft, of a load and of a query', () => {
    const app = openOn(model)
    const album = stored(app, {
      title: 'one',
      notes: new Map([
        ['a', { title: 'a', body: 'first' }],
        ['b', { title: 'b' }],
      ]),
      prices: { EUR: { currency: 'EUR', cents: 100 } },
    })
    const notes = app.run(Session.load(model.Album, 'notes')(album))
    expect([...notes].map(([key, { body }]) => [key, body])).toEqual([
      ['a', 'first'],
      ['b', null],
    ])
    const [result] = app.run(Session.query(pipe(select(model.Album), selectin('notes'), selectin('prices'))))
    expect(result?.notes.get('a')?.body).toBe('first')
    expect(result?.prices.EUR?.cents).toBe(100)
    expect(Object.isFrozen(result)).toBe(true)
  })

  it('gives a member the place of another with its key, which leaves', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', notes: [{ title: 'a', body: 'first' }, { title: 'b' }] })
    app.run(Session.load(model.Album, 'notes')(album))
    app.run(pipe(album, Session.append(model.Album, 'notes', { title: 'a', body: 'second' })))
    const notes = app.run(Session.related(model.Album, 'notes')(album))
    expect(names(([key, { body }]) => [key, body], notes)).toEqual([
      ['a', 'second'],
      ['b', null],
    ])
    app.run(Session.commit)
    expect(app.rows('notes')).toEqual([
      { id: 2, title: 'b', body: null, albumId: 1 },
      { id: 3, title: 'a', body: 'second', albumId: 1 },
    ])
  })

  it('does so where the other side is set', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', notes: [{ title: 'a' }] })
    app.run(Session.load(model.Album, 'notes')(album))
    const old = found(app, model.Note, 1)
    const note = app.run(Session.add(model.Note, { title: 'a', album }))
    expect(app.run(Session.related(model.Album, 'notes')(album)).get('a')).toEqual(note)
    expect(app.run(Session.related(model.Note, 'album')(old))).toEqual({ _tag: 'None' })
  })

  it('takes out what stands under a key, loading it first', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', notes: [{ title: 'a' }, { title: 'b' }] })
    app.run(pipe(album, Session.removeKey(model.Album, 'notes', 'a')))
    expect(app.fails(pipe(album, Session.removeKey(model.Album, 'notes', 'a')))).toMatchObject({
      _tag: 'InvalidValue',
      attribute: 'notes',
      value: 'a',
    })
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([{ title: 'b' }])
  })

  it('keeps a member under the key that it came with until it is loaded again', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', notes: [{ title: 'a' }] })
    const note = app.run(Session.load(model.Album, 'notes')(album)).get('a')
    app.run(pipe(note as NonNullable<typeof note>, Session.set(model.Note, { title: 'z' })))
    app.run(Session.flush)
    expect([...app.run(Session.related(model.Album, 'notes')(album)).keys()]).toEqual(['a'])
    app.run(pipe(album, Session.expire(model.Album, 'notes')))
    expect([...app.run(Session.load(model.Album, 'notes')(album)).keys()]).toEqual(['z'])
  })

  it('takes a replacement by the keys that members have by then', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', notes: [{ title: 'a' }] })
    const note = app.run(Session.load(model.Album, 'notes')(album)).get('a') as never
    app.run(pipe(note, Session.set(model.Note, { title: 'z' })))
    app.run(pipe(album, Session.replace(model.Album, 'notes', [note, { title: 'a', body: 'new' }])))
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([{ title: 'z' }, { title: 'a', body: 'new' }])
  })

  it('has room for the last of those with one key', () => {
    const app = openOn(model)
    const draft = { title: 'one', notes: [{ title: 'a', body: '1' }, { title: 'a', body: '2' }, { title: 'b' }] }
    app.run(Session.add(model.Album, draft))
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([{ body: '2' }, { title: 'b' }])
    const album = found(app, model.Album, 1)
    app.run(pipe(album, Session.replace(model.Album, 'notes', draft.notes)))
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([{ body: '2' }, { title: 'b' }])
  })

  it('refuses what stands under another key than its own, and what is no collection', () => {
    const app = openOn(model)
    const wrong = { title: 'one', notes: new Map([['b', { title: 'a' }]]) }
    expect(app.fails(Session.add(model.Album, wrong))).toMatchObject({
      problem: "what is kept by title 'a' stands under 'b'",
    })
    expect(app.fails(Session.add(model.Album, { title: 'one', notes: 7 as never }))).toMatchObject({
      problem: 'a collection that is keyedBy(title) is given as that, or as an array',
    })
    expect(app.fails(Session.merge(model.Album, { id: 1, ...wrong }))).toMatchObject({ attribute: 'notes' })
    const album = app.run(Session.add(model.Album, { title: 'two' }))
    expect(app.fails(pipe(album, Session.replace(model.Album, 'notes', wrong.notes)))).toMatchObject({
      attribute: 'notes',
    })
  })

  it('is loaded with its keys, whatever a query leaves out', () => {
    const app = openOn(model)
    stored(app, { title: 'one', notes: [{ title: 'a', body: 'first' }, { title: 'b' }] })
    for (const load of [selectin, joined]) {
      app.run(Session.expungeAll)
      const one = app.run(Session.one(pipe(select(model.Album), load('notes', loadOnly('body')))))
      expect([...one.notes.keys()]).toEqual(['a', 'b'])
    }
    app.run(Session.expungeAll)
    const album = app.run(Session.one(pipe(select(model.Album), lazy('notes', loadOnly('body')))))
    expect([...app.run(Session.load(model.Album, 'notes')(album)).keys()]).toEqual(['a', 'b'])
  })

  it('is merged by key', () => {
    const app = openOn(model)
    stored(app, { title: 'one', notes: [{ title: 'a' }] })
    app.run(Session.merge(model.Album, { id: 1, title: 'two', notes: new Map([['b', { title: 'b' }]]) }))
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([{ title: 'b', albumId: 1 }])
  })
})

describe('groups', () => {
  it('are made of the members as they are', () => {
    const app = openOn(model)
    const album = stored(app, {
      title: 'one',
      credits: new Map([
        ['bass', [{ role: 'bass', person: 'ann' }]],
        [
          'drums',
          [
            { role: 'drums', person: 'bob' },
            { role: 'drums', person: 'cid' },
          ],
        ],
      ]),
    })
    const shown = () =>
      [...app.run(Session.load(model.Album, 'credits')(album))].map(([role, group]) => [
        role,
        group.map(({ person }) => person),
      ])
    expect(shown()).toEqual([
      ['bass', ['ann']],
      ['drums', ['bob', 'cid']],
    ])
    app.run(pipe(found(app, model.Credit, 3), Session.set(model.Credit, { role: 'bass' })))
    expect(shown()).toEqual([
      ['bass', ['ann', 'cid']],
      ['drums', ['bob']],
    ])
  })
})

describe("a program's own collection", () => {
  const stars = (app: App, album: ReturnType<typeof stored>) =>
    app.run(Session.load(model.Album, 'reviews')(album)).items.map((one) => one.stars)

  it('says what it becomes when a member joins it; what has no place in it leaves', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', reviews: bestOf([{ stars: 2 }, { stars: 5 }]) })
    expect(stars(app, album)).toEqual([5, 2])
    app.run(pipe(album, Session.append(model.Album, 'reviews', { stars: 3 }, { stars: 4 })))
    expect(stars(app, album)).toEqual([5, 4, 3])
    app.run(Session.commit)
    expect(app.rows('reviews')).toMatchObject([
      { stars: 5, albumId: 1 },
      { stars: 2, albumId: null },
      { stars: 3, albumId: 1 },
      { stars: 4, albumId: 1 },
    ])
    expect(stars(app, album)).toEqual([5, 4, 3])
  })

  it('does so where the other side is set', () => {
    const app = openOn(model)
    const album = stored(app, { title: 'one', reviews: [{ stars: 3 }, { stars: 1 }, { stars: 2 }] })
    expect(stars(app, album)).toEqual([3, 2, 1])
    app.run(Session.add(model.Review, { stars: 4, album }))
    expect(stars(app, album)).toEqual([4, 3, 2])
  })

  it('is shown beside what leads back to its owner', () => {
    const app = openOn(model)
    stored(app, { title: 'one', reviews: [{ stars: 3 }] })
    const [result] = app.run(
      Session.query(pipe(select(model.Album), selectin('reviews', selectin('album', selectin('notes'))))),
    )
    const [review] = result?.reviews.items ?? []
    expect(review?.album).toMatchObject({ value: { title: 'one', notes: new Map() } })
  })
})

describe('a proxy', () => {
  it('leads through a collection of any kind', () => {
    const app = openOn(model)
    const album = stored(app, {
      title: 'one',
      notes: [{ title: 'a', body: 'first' }, { title: 'b' }],
      tags: [{ label: 'live' }],
    })
    const bodies = through(model.Album, 'notes', 'body')
    const labels = through(model.Album, 'tags', 'label')
    const titles = through(model.Tag, 'albums', 'title')
    const one = app.run(Session.one(pipe(select(model.Album), selectin('notes'), selectin('tags', selectin('albums')))))
    const byTitle = new Map([
      ['a', 'first'],
      ['b', null],
    ])
    expect(viewThrough(bodies)(one)).toEqual(byTitle)
    expect(viewThrough(labels)(one)).toEqual(new Set(['live']))
    expect([...one.tags].map(viewThrough(titles))).toEqual([new Set(['one'])])
    expect(app.run(pipe(album, Session.loadThrough(bodies)))).toEqual(byTitle)
  })
})
