import {
  deferred,
  defineModel,
  entity,
  generated,
  integer,
  type Managed,
  nullable,
  primaryKey,
  type Snapshot,
  select,
  text,
  where,
} from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { type App, openOn } from '../app.js'

const Author = entity('Author', 'authors', {
  id: pipe(integer, primaryKey, generated),
  name: text,
  motto: pipe(text, nullable),
  biography: pipe(text, nullable, deferred),
})
const Book = entity('Book', 'books', {
  id: pipe(integer, primaryKey, generated),
  title: text,
  authorId: pipe(integer, nullable),
})
const Desk = entity('Desk', 'desks', {
  id: pipe(integer, primaryKey, generated),
  place: text,
  ownerId: pipe(integer, nullable),
})
const Tag = entity('Tag', 'tags', { name: pipe(text, primaryKey) })
const model = defineModel({ Author, Book, Desk, Tag })((r) => ({
  Author: {
    books: r.Author.hasMany('Book', { foreignKey: 'authorId', inverse: 'author', orderBy: 'id' }),
    desk: r.Author.hasOne('Desk', { foreignKey: 'ownerId', inverse: 'owner' }),
  },
  Book: {
    author: r.Book.belongsTo('Author', { foreignKey: 'authorId', inverse: 'books' }),
    tags: r.Book.manyToMany('Tag', {
      through: { table: 'book_tags', own: ['bookId'], target: ['tagName'] },
      orderBy: 'name',
    }),
  },
  Desk: { owner: r.Desk.belongsTo('Author', { foreignKey: 'ownerId', inverse: 'desk' }) },
}))

type M = typeof model
type Author = Managed<M, 'Author'>
type Book = Managed<M, 'Book'>
type Tag = Managed<M, 'Tag'>

const nothing: Session.History = { added: [], unchanged: [], deleted: [] }

/** An author with two books and a desk, all of it stored, and the author known. */
const arrange = () => {
  const app = openOn(model)
  app.run(
    Session.add(model.Author, {
      name: 'jane',
      motto: 'm',
      books: [{ title: 'Emma', tags: [{ name: 'a' }, { name: 'b' }] }, { title: 'Persuasion' }],
      desk: { place: 'window' },
    }),
  )
  app.run(Session.add(model.Author, { name: 'james' }))
  app.run(Session.commit)
  app.run(Session.expungeAll)
  app.run(Session.commit)
  const [jane, james] = app.run(Session.query(select(model.Author))) as readonly [Author, Author]
  app.clear()
  return { app, jane, james }
}

const ofAuthor = (app: App, author: Snapshot<'Author'>, name: Parameters<typeof Session.history<M, 'Author'>>[1]) =>
  app.run(Session.history(model.Author, name)(author))
const ofBook = (app: App, book: Snapshot<'Book'>, name: Parameters<typeof Session.history<M, 'Book'>>[1]) =>
  app.run(Session.history(model.Book, name)(book))

describe('the history of an attribute', () => {
  test('of what is stored is unchanged, then added and deleted, and unchanged again when it is set back', () => {
    const { app, jane } = arrange()
    expect(ofAuthor(app, jane, 'name')).toEqual({ ...nothing, unchanged: ['jane'] })
    app.run(Session.set(model.Author, { name: 'j' })(jane))
    app.run(Session.set(model.Author, { name: 'jj' })(jane))
    expect(ofAuthor(app, jane, 'name')).toEqual({ added: ['jj'], unchanged: [], deleted: ['jane'] })
    app.run(Session.set(model.Author, { name: 'jane' })(jane))
    expect(ofAuthor(app, jane, 'name')).toEqual({ ...nothing, unchanged: ['jane'] })
  })

  test('has null like any other value', () => {
    const { app, jane } = arrange()
    app.run(Session.set(model.Author, { motto: null })(jane))
    expect(ofAuthor(app, jane, 'motto')).toEqual({ added: [null], unchanged: [], deleted: ['m'] })
  })

  test('ends with the flush that writes it', () => {
    const { app, jane } = arrange()
    app.run(Session.set(model.Author, { name: 'j' })(jane))
    app.run(Session.flush)
    expect(ofAuthor(app, jane, 'name')).toEqual({ ...nothing, unchanged: ['j'] })
  })

  test('of what is new is added, and of what was not given there is none', () => {
    const { app } = arrange()
    for (const make of [Session.make, Session.add] as const) {
      const author = app.run(make(model.Author, { name: 'new' }) as ReturnType<typeof Session.add<M, 'Author'>>)
      expect(ofAuthor(app, author, 'name')).toEqual({ ...nothing, added: ['new'] })
      expect(ofAuthor(app, author, 'motto')).toEqual(nothing)
      expect(ofAuthor(app, author, 'id')).toEqual(nothing)
    }
  })

  test('of what is not known has what was set, without what it was', () => {
    const { app, jane } = arrange()
    expect(ofAuthor(app, jane, 'biography')).toEqual(nothing)
    app.run(Session.set(model.Author, { biography: 'long' })(jane))
    expect(ofAuthor(app, jane, 'biography')).toEqual({ ...nothing, added: ['long'] })
    app.run(Session.rollback)
    expect(ofAuthor(app, jane, 'name')).toEqual(nothing)
    expect(app.asked().filter((asked) => asked.startsWith('select'))).toEqual([])
  })

  test('of what is detached or deleted is as it was left', () => {
    const { app, jane, james } = arrange()
    app.run(Session.set(model.Author, { name: 'j' })(jane))
    app.run(Session.expunge(model.Author)(jane))
    expect(ofAuthor(app, jane, 'name')).toEqual({ added: ['j'], unchanged: [], deleted: ['jane'] })
    app.run(Session.remove(model.Author)(james))
    app.run(Session.flush)
    expect(ofAuthor(app, james, 'name')).toEqual({ ...nothing, unchanged: ['james'] })
  })
})

describe('the history of a collection', () => {
  test('tells who came, stayed and went, by their current snapshots', () => {
    const { app, jane } = arrange()
    const [emma, persuasion] = app.run(Session.load(model.Author, 'books')(jane)) as readonly [Book, Book]
    expect(ofAuthor(app, jane, 'books')).toEqual({ ...nothing, unchanged: [emma, persuasion] })
    app.run(Session.append(model.Author, 'books', { title: 'new' })(jane))
    app.run(Session.detach(model.Author, 'books', emma)(jane))
    const renamed = app.run(Session.set(model.Book, { title: 'P' })(persuasion))
    const history = ofAuthor(app, jane, 'books')
    expect(history).toMatchObject({ added: [{ title: 'new' }], unchanged: [renamed], deleted: [emma] })
    // who comes back has not gone, and who goes again has not come
    app.run(Session.append(model.Author, 'books', emma)(jane))
    app.run(Session.detach(model.Author, 'books', history.added[0] as Book)(jane))
    expect(ofAuthor(app, jane, 'books')).toMatchObject({ added: [], deleted: [] })
    expect(ofAuthor(app, jane, 'books').unchanged).toHaveLength(2)
  })

  test('that is not loaded is not told, though the changes are written', () => {
    const { app, jane } = arrange()
    app.run(Session.append(model.Author, 'books', { title: 'new' })(jane))
    expect(ofAuthor(app, jane, 'books')).toEqual(nothing)
    app.run(Session.noAutoflush(Session.load(model.Author, 'books')(jane)))
    expect(ofAuthor(app, jane, 'books')).toMatchObject({ added: [{ title: 'new' }], deleted: [] })
    expect(ofAuthor(app, jane, 'books').unchanged).toHaveLength(2)
  })

  test('of what is new has all its members added', () => {
    const { app } = arrange()
    const author = app.run(Session.make(model.Author, { name: 'new', books: [{ title: 'a' }, { title: 'b' }] }))
    expect(ofAuthor(app, author, 'books')).toMatchObject({ added: [{ title: 'a' }, { title: 'b' }], unchanged: [] })
  })

  test('over links is told from both of its sides, and ends with the flush', () => {
    const { app, jane } = arrange()
    const [emma] = app.run(Session.load(model.Author, 'books')(jane)) as readonly [Book]
    const [a, b] = app.run(Session.load(model.Book, 'tags')(emma)) as readonly [Tag, Tag]
    app.run(Session.replace(model.Book, 'tags', [b, { name: 'c' }])(emma))
    expect(ofBook(app, emma, 'tags')).toMatchObject({ added: [{ name: 'c' }], unchanged: [b], deleted: [a] })
    app.run(Session.flush)
    expect(ofBook(app, emma, 'tags')).toMatchObject({
      added: [],
      unchanged: [{ name: 'b' }, { name: 'c' }],
      deleted: [],
    })
  })
})

describe('the history of a reference', () => {
  test('tells whom it refers to, and whom it referred to before', () => {
    const { app, jane, james } = arrange()
    const [emma] = app.run(Session.load(model.Author, 'books')(jane)) as readonly [Book]
    app.run(Session.load(model.Book, 'author')(emma))
    expect(ofBook(app, emma, 'author')).toEqual({ ...nothing, unchanged: [jane] })
    app.run(Session.set(model.Book, { author: james })(emma))
    expect(ofBook(app, emma, 'author')).toEqual({ added: [james], unchanged: [], deleted: [jane] })
    app.run(Session.set(model.Book, { author: null })(emma))
    expect(ofBook(app, emma, 'author')).toEqual({ added: [null], unchanged: [], deleted: [jane] })
    app.run(Session.set(model.Book, { author: jane })(emma))
    expect(ofBook(app, emma, 'author')).toEqual({ ...nothing, unchanged: [jane] })
  })

  test('follows the other side, and its foreign key only once it is flushed', () => {
    const { app, jane, james } = arrange()
    const [emma] = app.run(Session.load(model.Author, 'books')(jane)) as readonly [Book]
    app.run(Session.load(model.Book, 'author')(emma))
    app.run(Session.append(model.Author, 'books', emma)(james))
    expect(ofBook(app, emma, 'author')).toEqual({ added: [james], unchanged: [], deleted: [jane] })
    expect(ofBook(app, emma, 'authorId')).toEqual({ ...nothing, unchanged: [jane.id] })
    app.run(Session.flush)
    expect(ofBook(app, emma, 'author')).toEqual({ ...nothing, unchanged: [james] })
    expect(ofBook(app, emma, 'authorId')).toEqual({ ...nothing, unchanged: [james.id] })
  })

  test('that is not loaded is not told, nor what it was before it was set', () => {
    const { app, jane } = arrange()
    const emma = app.run(Session.one(pipe(select(model.Book), where('title', '=', 'Emma'))))
    expect(ofBook(app, emma, 'author')).toEqual(nothing)
    app.run(Session.expunge(model.Author)(jane))
    const other = app.run(Session.add(model.Author, { name: 'other' }))
    app.run(Session.set(model.Book, { author: other })(emma))
    expect(ofBook(app, emma, 'author')).toMatchObject({ added: [{ name: 'other' }], deleted: [] })
  })

  test('to what belongs to it is told like any other', () => {
    const { app, jane } = arrange()
    expect(ofAuthor(app, jane, 'desk')).toEqual(nothing)
    const desk = app.run(Session.load(model.Author, 'desk')(jane))
    expect(ofAuthor(app, jane, 'desk')).toMatchObject({ unchanged: [{ place: 'window' }] })
    app.run(Session.set(model.Author, { desk: { place: 'door' } })(jane))
    expect(ofAuthor(app, jane, 'desk')).toMatchObject({
      added: [{ place: 'door' }],
      unchanged: [],
      deleted: [{ place: 'window' }],
    })
    app.run(Session.commit)
    expect(app.rows('desks')).toMatchObject([
      { place: 'window', ownerId: null },
      { place: 'door', ownerId: 1 },
    ])
    expect(desk._tag).toBe('Some')
  })
})

test('history is for instances of the session, by names that the entity has', () => {
  const { app, jane } = arrange()
  const foreign = openOn(model)
  expect(foreign.fails(Session.history(model.Author, 'name')(jane))).toEqual({ _tag: 'NotInSession', entity: 'Author' })
  // @ts-expect-error a misspelt attribute
  expect(app.run(Session.history(model.Author, 'nane')(jane))).toEqual(nothing)
  // @ts-expect-error a relationship of another entity
  expect(app.run(Session.history(model.Author, 'tags')(jane))).toEqual(nothing)
})
