import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { found, openOn } from '../app.js'
import { keeping } from '../hook/keeping.js'
import { model } from './album.js'

/** An app that writes down which members its hooks see come and go. */
const telling = () => {
  const told: string[] = []
  const hooks = keeping(model, (event, place, context) => {
    const { value } = context as unknown as { readonly value: { readonly body?: string; readonly stars?: number } }
    if ((event === 'append' || event === 'remove') && !place.startsWith('Tag.')) {
      told.push(`${event} ${place}: ${value.body ?? value.stars}`)
    }
  })
  return { ...openOn(model, { hooks }), told: () => told.splice(0) }
}

describe('hooks on collections', () => {
  it('see whom a member takes the place of leave', () => {
    const app = telling()
    app.run(Session.add(model.Album, { title: 'one', notes: [{ title: 'a', body: 'first' }] }))
    app.run(Session.commit)
    const album = found(app, model.Album, 1)
    app.run(Session.load(model.Album, 'notes')(album))
    app.told()
    app.run(pipe(album, Session.append(model.Album, 'notes', { title: 'a', body: 'second' })))
    expect(app.told()).toEqual(['append Album.notes: second', 'remove Album.notes: first'])
    app.run(pipe(album, Session.replace(model.Album, 'notes', new Map([['a', { title: 'a', body: 'third' }]]))))
    expect(app.told()).toEqual(['append Album.notes: third', 'remove Album.notes: second'])
    app.run(Session.commit)
    expect(app.rows('notes')).toMatchObject([{ body: 'third' }])
  })

  it('see what a collection has no room for leave', () => {
    const app = telling()
    const album = app.run(
      Session.add(model.Album, { title: 'one', reviews: [{ stars: 1 }, { stars: 2 }, { stars: 3 }] }),
    )
    app.told()
    app.run(pipe(album, Session.append(model.Album, 'reviews', { stars: 4 })))
    expect(app.told()).toEqual(['append Album.reviews: 4', 'remove Album.reviews: 1'])
  })
})
